import { describe, expect, test } from 'vitest';
import { EKS_WEBHOOK } from '../api/webhook.ts';
import { bindings, daemonSets, deployments, grants, namespaces, pods, serviceAccounts } from './resources.ts';

const keep = { labels: ['eks.amazonaws.com/skip-pod-identity-webhook'], annotations: ['irsa-operator.dev/restart'] };
const ROLE = 'arn:aws:iam::111122223333:role/app';

describe('a ServiceAccount', () => {
  test('keeps the annotations of the webhook, and who wrote each of them when', () => {
    const raw = {
      metadata: {
        namespace: 'ns',
        name: 'a',
        uid: 'u',
        resourceVersion: '7',
        annotations: {
          'eks.amazonaws.com/role-arn': ROLE,
          'eks.amazonaws.com/audience': 'x',
          'kubectl.kubernetes.io/last-applied-configuration': '{}',
        },
        managedFields: [
          {
            manager: 'kubectl-edit',
            time: '2026-01-02T03:04:05Z',
            fieldsV1: { 'f:metadata': { 'f:annotations': { '.': {}, 'f:eks.amazonaws.com/role-arn': {}, 'f:other': {} } } },
          },
          {
            manager: 'argocd',
            time: '2026-01-01T00:00:00Z',
            fieldsV1: { 'f:metadata': { 'f:annotations': { 'f:eks.amazonaws.com/role-arn': {}, 'f:eks.amazonaws.com/audience': {} } } },
          },
          { manager: 'kubelet', fieldsV1: { 'f:status': {} } },
        ],
      },
      secrets: [{ name: 'not kept' }],
    };
    expect(serviceAccounts(EKS_WEBHOOK).decode(raw)).toEqual({
      namespace: 'ns',
      name: 'a',
      uid: 'u',
      resourceVersion: '7',
      annotations: { 'eks.amazonaws.com/role-arn': ROLE, 'eks.amazonaws.com/audience': 'x' },
      misspelt: [],
      writers: {
        'eks.amazonaws.com/role-arn': [
          { manager: 'kubectl-edit', at: Date.UTC(2026, 0, 2, 3, 4, 5) },
          { manager: 'argocd', at: Date.UTC(2026, 0, 1) },
        ],
        'eks.amazonaws.com/audience': [{ manager: 'argocd', at: Date.UTC(2026, 0, 1) }],
      },
    });
  });
});

test("of a ServiceAccount keys that are meant to be the webhook's are kept, four at most, and not their values", () => {
  const keys = [
    'eks.amazon.com/role-arn',
    'eks.amazonaws.com/role_arn',
    'EKS.amazonaws.com/role-arn',
    'a.amazonaws.com/role-arn',
    'eks.amazonaw.com/role-arn',
  ];
  const annotations = Object.fromEntries([['meta.helm.sh/release-name', 'x'], ...keys.map((key) => [key, ROLE])]);
  const { misspelt, annotations: kept } = serviceAccounts(EKS_WEBHOOK).decode({ metadata: { annotations } });
  expect([misspelt, kept]).toEqual([keys.slice(0, 4), { 'eks.amazonaws.com/role_arn': ROLE }]);
});

describe('a pod', () => {
  const raw = {
    metadata: {
      namespace: 'ns',
      name: 'app-0',
      uid: 'u',
      resourceVersion: '7',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: 'x', 'eks.amazonaws.com/skip-pod-identity-webhook': '' },
      annotations: { 'irsa-operator.dev/restart': 'never', other: 'y' },
      ownerReferences: [
        { kind: 'Foo', name: 'not the controller', uid: 'o-1' },
        { kind: 'StatefulSet', name: 'app', uid: 'o-2', controller: true, apiVersion: 'apps/v1' },
      ],
    },
    spec: {
      serviceAccountName: 'sa',
      initContainers: [{ name: 'init', volumeMounts: [{ name: 'data' }] }],
      containers: [
        {
          name: 'main',
          env: [
            { name: 'AWS_ROLE_ARN', value: ROLE },
            { name: 'AWS_REGION', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } },
            { name: 'AWS_EMPTY' },
            { name: 'PASSWORD', value: 'not kept' },
          ],
          volumeMounts: [{ name: 'aws-iam-token', mountPath: '/var/run/secrets/eks.amazonaws.com/serviceaccount' }],
        },
      ],
      volumes: [
        { name: 'data', emptyDir: {} },
        {
          name: 'aws-iam-token',
          projected: { sources: [{ serviceAccountToken: { audience: 'sts.amazonaws.com', expirationSeconds: 86400, path: 'token' } }] },
        },
      ],
    },
    status: {
      phase: 'Running',
      conditions: [
        { type: 'Initialized', status: 'True' },
        { type: 'Ready', status: 'True' },
      ],
    },
  };

  test('keeps what decides about injection and restarts, and no other value of its environment', () => {
    expect(pods(keep).decode(raw)).toEqual({
      namespace: 'ns',
      name: 'app-0',
      uid: 'u',
      resourceVersion: '7',
      serviceAccountName: 'sa',
      createdAt: Date.UTC(2026, 0, 1),
      deleting: false,
      finished: false,
      ready: true,
      mirror: false,
      owner: { kind: 'StatefulSet', name: 'app', uid: 'o-2' },
      labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': '' },
      annotations: { 'irsa-operator.dev/restart': 'never' },
      containers: [
        { name: 'init', env: {}, mountsToken: false },
        { name: 'main', env: { AWS_ROLE_ARN: ROLE, AWS_REGION: undefined, AWS_EMPTY: '' }, mountsToken: true },
      ],
      tokenAudience: 'sts.amazonaws.com',
      tokenExpirationSeconds: 86_400,
      windows: false,
    });
    expect(Object.keys(pods(keep).decode(raw).containers[1]?.env ?? {})).toEqual(['AWS_ROLE_ARN', 'AWS_REGION', 'AWS_EMPTY']);
  });

  const variants: Record<string, { raw: object; kept: object }> = {
    'that is being deleted': { raw: { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }, kept: { deleting: true } },
    'that has finished': { raw: { status: { phase: 'Succeeded' } }, kept: { finished: true } },
    'that has failed': { raw: { status: { phase: 'Failed' } }, kept: { finished: true } },
    'that is not ready': { raw: { status: { conditions: [{ type: 'Ready', status: 'False' }] } }, kept: { ready: false } },
    'of the kubelet itself': { raw: { metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } }, kept: { mirror: true } },
    'on Windows': { raw: { spec: { nodeSelector: { 'kubernetes.io/os': 'windows' } } }, kept: { windows: true } },
    'on an old Windows': { raw: { spec: { nodeSelector: { 'beta.kubernetes.io/os': 'windows' } } }, kept: { windows: true } },
    'whose token is for the API server': {
      raw: {
        spec: {
          volumes: [{ name: 'aws-iam-token', projected: { sources: [{ configMap: {} }, { serviceAccountToken: { path: 'token' } }] } }],
        },
      },
      kept: { tokenAudience: '' },
    },
    'whose volume of that name is something else': {
      raw: { spec: { volumes: [{ name: 'aws-iam-token', secret: {} }] } },
      kept: { tokenAudience: undefined },
    },
  };
  const empty = {
    namespace: '',
    name: '',
    uid: '',
    resourceVersion: '',
    serviceAccountName: 'default',
    createdAt: 0,
    deleting: false,
    finished: false,
    ready: false,
    mirror: false,
    owner: undefined,
    labels: {},
    annotations: {},
    containers: [],
    tokenAudience: undefined,
    tokenExpirationSeconds: undefined,
    windows: false,
  };
  for (const [sentence, variant] of Object.entries(variants)) {
    test(sentence, () => expect(pods(keep).decode(variant.raw)).toEqual({ ...empty, ...variant.kept }));
  }
});

describe('a workload', () => {
  const metadata = { namespace: 'ns', name: 'a', uid: 'u', labels: { 'app.kubernetes.io/name': 'aws-node' } };
  const container = { name: 'main', image: 'x', env: [{ name: 'AWS_ROLE_ARN', value: ROLE }] };
  const podSpec = { serviceAccountName: 'sa', containers: [container], volumes: [{ name: 'aws-iam-token', emptyDir: {} }] };
  const annotations = { 'irsa-operator.dev/restarted-at': '2026-01-01T00:00:00Z', other: 'x' };
  const template = { metadata: { annotations }, spec: podSpec };

  test('keeps under which ServiceAccount it runs, and what its pods are made from', () => {
    expect(daemonSets.decode({ metadata, spec: { template } })).toEqual({
      kind: 'DaemonSet',
      namespace: 'ns',
      name: 'a',
      uid: 'u',
      serviceAccountName: 'sa',
      appName: 'aws-node',
      template: { containers: [{ name: 'main', env: { AWS_ROLE_ARN: ROLE }, mountsToken: false }], hasTokenVolume: true },
      held: undefined,
      restartedAt: '2026-01-01T00:00:00Z',
    });
  });

  const held: [sentence: string, spec: object, held: string | undefined][] = [
    ['that is paused', { paused: true }, 'paused'],
    ['whose pods are replaced when they are deleted', { updateStrategy: { type: 'OnDelete' } }, 'OnDelete'],
    ['whose pods are replaced', { paused: false, updateStrategy: { type: 'RollingUpdate' } }, undefined],
  ];
  test.each(held)('%s tells so', (_, spec, wanted) => expect(deployments.decode({ metadata, spec }).held).toBe(wanted));
});

test('a binding is parsed, and keeps of its metadata what decisions need', () => {
  const raw = {
    metadata: {
      namespace: 'ns',
      name: 'b',
      uid: 'u',
      resourceVersion: '7',
      generation: 3,
      creationTimestamp: '2026-01-01T00:00:00Z',
      deletionTimestamp: '2026-01-02T00:00:00Z',
      finalizers: ['irsa-operator.dev/finalizer'],
      annotations: { 'irsa-operator.dev/force-delete': 'true', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
    },
    spec: { serviceAccountName: 'sa', roleArn: ROLE },
  };
  const { metadata, spec, status } = bindings.decode(raw);
  expect(metadata).toEqual({
    namespace: 'ns',
    name: 'b',
    uid: 'u',
    resourceVersion: '7',
    generation: 3,
    createdAt: Date.UTC(2026, 0, 1),
    deleting: true,
    finalizers: ['irsa-operator.dev/finalizer'],
    annotations: { 'irsa-operator.dev/force-delete': 'true' },
  });
  expect([spec, status]).toEqual([expect.objectContaining({ serviceAccountName: 'sa', roleArn: ROLE }), { conditions: [] }]);
});

test('whatever stands in an object, decoding never throws: one odd object must not end the watch of all others', () => {
  const odd = [
    null,
    1,
    'x',
    [],
    {},
    { metadata: null, spec: [], status: 1 },
    { metadata: { labels: [1], annotations: 'x', ownerReferences: {}, managedFields: [null, 1, { fieldsV1: 3 }] } },
  ];
  const oddPod = {
    spec: {
      containers: [null, { env: [null, { name: 1 }], volumeMounts: {} }],
      volumes: [null, { name: 'aws-iam-token', projected: { sources: [null] } }],
    },
    status: { conditions: [null] },
  };
  for (const resource of [namespaces, serviceAccounts(EKS_WEBHOOK), pods(keep), daemonSets, bindings, grants]) {
    for (const raw of [...odd, oddPod]) expect(() => resource.decode(raw)).not.toThrow();
  }
});

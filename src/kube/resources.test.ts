import { describe, expect, test } from 'vitest';
import type { Workload } from '../api/cluster.ts';
import { EKS_WEBHOOK } from '../api/webhook.ts';
import * as resources from './resources.ts';

const keep = { labels: ['eks.amazonaws.com/skip-pod-identity-webhook'], annotations: ['irsa-operator.dev/restart'], webhook: EKS_WEBHOOK };
const { bindings, bindingsCrd, cronJobs, grants, grantsCrd, jobs, namespaces, pods } = resources;
const [serviceAccounts, deployments, statefulSets, daemonSets] = [
  resources.serviceAccounts(EKS_WEBHOOK),
  resources.deployments(EKS_WEBHOOK),
  resources.statefulSets(EKS_WEBHOOK),
  resources.daemonSets(EKS_WEBHOOK),
] as const;
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
    expect(serviceAccounts.decode(raw)).toEqual({
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
  const { misspelt, annotations: kept } = serviceAccounts.decode({ metadata: { annotations } });
  expect([misspelt, kept]).toEqual([keys.slice(0, 4), {}]);
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
            { name: 'AWS_DEFAULT_REGION', value: 'not kept' },
            { name: 'AWS_PROFILE', value: 'not kept' },
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
        {
          name: 'main',
          env: { AWS_ROLE_ARN: ROLE, AWS_REGION: undefined, AWS_DEFAULT_REGION: undefined, AWS_PROFILE: undefined },
          mountsToken: true,
        },
      ],
      tokenAudience: 'sts.amazonaws.com',
      tokenExpirationSeconds: 86_400,
      windows: false,
    });
    expect(Object.keys(pods(keep).decode(raw).containers[1]?.env ?? {})).toEqual([
      'AWS_ROLE_ARN',
      'AWS_REGION',
      'AWS_DEFAULT_REGION',
      'AWS_PROFILE',
    ]);
  });

  const variants: Record<string, { raw: object; kept: object }> = {
    'that is being deleted': {
      raw: { metadata: { deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 } },
      kept: { deleting: true, deletingSince: Date.parse('2026-01-01T00:00:00Z') },
    },
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
      revision: undefined,
      outdated: false,
      replicas: undefined,
      restartedAt: '2026-01-01T00:00:00Z',
    });
  });

  const status = (desiredNumberScheduled?: number) => ({ observedGeneration: 1, desiredNumberScheduled });
  const replicas: [sentence: string, of: typeof deployments, raw: object, wanted: number | undefined][] = [
    ['a Deployment without replicas wants one pod', deployments, {}, 1],
    ['a Deployment with no replica wants none', deployments, { spec: { replicas: 0 } }, 0],
    ['a StatefulSet with replicas wants them', statefulSets, { spec: { replicas: 2 } }, 2],
    ['a DaemonSet wants what its status says', daemonSets, { status: status(3) }, 3],
    ['a DaemonSet for which there is no node wants none', daemonSets, { status: status(0) }, 0],
    ['of a DaemonSet that was not looked at nothing is known', daemonSets, { status: { desiredNumberScheduled: 0 } }, undefined],
  ];
  test.each(replicas)('%s', (_, of, raw, wanted) => expect(of.decode({ metadata, ...raw }).replicas).toBe(wanted));

  const onDelete = { updateStrategy: { type: 'OnDelete' } };
  const from = (partition: number) => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition } } });
  const paused = { paused: true };
  const generation = { 'deprecated.daemonset.template.generation': '3' };
  const nothing = { held: undefined, revision: undefined, outdated: false };
  const counts = (replicas: number, updatedReplicas?: number) => ({ status: { replicas, updatedReplicas } });
  const held: [sentence: string, decoder: typeof deployments, raw: object, wanted: Partial<Workload>][] = [
    ['a paused Deployment', deployments, { spec: paused, ...counts(2, 2) }, { held: 'paused' }],
    ['a paused Deployment without pods', deployments, { spec: paused, status: {} }, { held: 'paused' }],
    ['a paused Deployment without a status', deployments, { spec: paused }, { held: 'paused' }],
    ['a paused Deployment of which no pod is new', deployments, { spec: paused, ...counts(2) }, { held: 'paused', outdated: true }],
    ['a paused Deployment of which one pod is new', deployments, { spec: paused, ...counts(2, 1) }, { held: 'paused', outdated: true }],
    ['a Deployment that is rolled out', deployments, { spec: { paused: false }, ...counts(2, 1) }, {}],
    [
      'a StatefulSet with OnDelete',
      statefulSets,
      { spec: onDelete, status: { updateRevision: 'a-2' } },
      { held: 'OnDelete', revision: 'a-2' },
    ],
    ['a StatefulSet without a status', statefulSets, { spec: onDelete }, { held: 'OnDelete' }],
    [
      'a StatefulSet with a partition',
      statefulSets,
      { spec: from(2), status: { updateRevision: 'a-2' } },
      { held: 'partition', revision: 'a-2' },
    ],
    ['a StatefulSet with the partition 0', statefulSets, { spec: from(0), status: { updateRevision: 'a-2' } }, {}],
    ['a StatefulSet that is rolled out', statefulSets, { spec: {}, status: { updateRevision: 'a-2' } }, {}],
    [
      'a DaemonSet with OnDelete',
      daemonSets,
      { spec: onDelete, metadata: { annotations: generation } },
      { held: 'OnDelete', revision: '3' },
    ],
    ['a DaemonSet that is rolled out', daemonSets, { spec: {}, metadata: { annotations: generation } }, {}],
  ];
  test.each(held)('%s tells whether its owner holds back a template', (_, decoder, raw, wanted) => {
    const { held, revision, outdated } = decoder.decode(raw);
    expect({ held, revision, outdated }).toEqual({ ...nothing, ...wanted });
  });
});

describe('a Job or CronJob', () => {
  const labels = { 'app.kubernetes.io/name': 'graphdb', other: 'x' };
  const metadata = { namespace: 'ns', name: 'backup', uid: 'u', labels };
  const podSpec = { serviceAccountName: 'sa', containers: [{ name: 'main', image: 'x', env: [{ name: 'AWS_ROLE_ARN', value: ROLE }] }] };
  const job = (part: object, spec: object = podSpec) => ({ metadata: { ...metadata, ...part }, spec: { template: { spec } } });
  const kept = { kind: 'Job', namespace: 'ns', name: 'backup', serviceAccountName: 'sa', appName: 'graphdb' };
  const owner = (controller: boolean) => ({ ownerReferences: [{ kind: 'CronJob', name: 'backup', uid: 'o', controller }] });

  test('keeps under which ServiceAccount its pods run, and nothing else', () => expect(jobs.decode(job({}))).toEqual(kept));
  test('a CronJob keeps the same of the template of its Jobs', () => {
    const raw = { metadata, spec: { schedule: '0 3 * * *', jobTemplate: job({ labels: {} }) } };
    expect(cronJobs.decode(raw)).toEqual({ ...kept, kind: 'CronJob' });
  });
  test('without a ServiceAccount it runs as default', () =>
    expect(jobs.decode(job({}, {}))).toEqual({ ...kept, serviceAccountName: 'default' }));
  test('of a Job that a CronJob makes the label is not kept: its template is that of the CronJob', () =>
    expect(jobs.decode(job(owner(true)))).toEqual({ ...kept, appName: undefined }));
  test('of a Job whose owner does not control it the label is kept', () => expect(jobs.decode(job(owner(false)))).toEqual(kept));
  test.each([[{}], [{ spec: null }], [{ spec: { jobTemplate: 'x' } }]])('one without a template is none that matters: %o', (raw) =>
    expect(cronJobs.decode(raw)).toEqual({ kind: 'CronJob', namespace: '', name: '', serviceAccountName: 'default', appName: undefined }),
  );
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

test('of kinds of which the metadata is enough nothing else is asked for', () => {
  const all = [namespaces, serviceAccounts, bindingsCrd, grantsCrd, bindings, grants, pods(keep), deployments, statefulSets, daemonSets];
  expect(all.flatMap(({ type, metadataOnly }) => (metadataOnly === true ? [type.kind] : []))).toEqual([
    'Namespace',
    'ServiceAccount',
    'CustomResourceDefinition',
    'CustomResourceDefinition',
  ]);
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
  for (const resource of [namespaces, serviceAccounts, pods(keep), daemonSets, bindings, grants]) {
    for (const raw of [...odd, oddPod]) expect(() => resource.decode(raw)).not.toThrow();
  }
});

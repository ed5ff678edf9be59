import { describe, expect, test } from 'vitest';
import type { ServiceAccount } from '../api/cluster.ts';
import { EKS_ANNOTATIONS, FIELD_MANAGER, FINALIZER } from '../api/names.ts';
import { EKS_WEBHOOK, type Webhook } from '../api/webhook.ts';
import { audit, declaredBy } from '../domain/audit/audit.ts';
import { authorize } from '../domain/authorization/authorize.ts';
import { GrantIndex } from '../domain/authorization/grant-index.ts';
import type { Observed } from '../domain/binding/observed.ts';
import { planBinding } from '../domain/binding/plan.ts';
import { podState } from '../domain/pods/pod-state.ts';
import { annotationContended, revertedBy } from '../domain/service-account/contention.ts';
import { NO_CONTENTION, recordRevert } from '../domain/state/contention.ts';
import { template, workload } from '../domain/test-cluster.ts';
import {
  ARN,
  binding,
  cluster,
  grant,
  NOW,
  type ObservedPart,
  OWN_ROLES,
  observed,
  pod,
  present,
  provider,
  reachWith,
  serviceAccount,
} from '../domain/test-observed.ts';
import { confinementRequests } from '../kube/confinement.ts';
import { serviceAccounts } from '../kube/resources.ts';
import type { KubeRequest } from '../kube/transport.ts';

/** The webhook of EKS but for its prefix and its path: whatever is done and said must be the same but for these. */
const OTHER: Webhook = {
  ...EKS_WEBHOOK,
  annotationPrefix: 'irsa.example.org',
  tokenMountPath: '/var/run/secrets/irsa.example.org/serviceaccount',
};
const { roleArn, audience, tokenExpiration, stsRegionalEndpoints } = EKS_ANNOTATIONS;
const TOKEN = `${EKS_WEBHOOK.tokenMountPath}/token`;

/** The same with the other prefix in every text and key. */
function renamed<T>(value: T): T {
  const rename = (text: string) => text.replaceAll('eks.amazonaws.com', 'irsa.example.org');
  if (typeof value === 'string') return rename(value) as T;
  if (Array.isArray(value)) return value.map(renamed) as T;
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [rename(key), renamed(each)])) as T;
}

const withFinalizer = (part: object = {}) => binding({ metadata: { finalizers: [FINALIZER] }, ...part });
const contended = [NOW - 3_000, NOW - 2_000, NOW - 1_000].reduce(
  (one, at) => recordRevert(one, at, ['a mutating webhook or policy']),
  NO_CONTENTION,
);
const two = { AWS_ROLE_ARN: ARN, AWS_WEB_IDENTITY_TOKEN_FILE: TOKEN };
const TRUSTED = {
  type: 'Trusted',
  status: 'True',
  reason: 'AllowedByOperator',
  message: '',
  observedGeneration: 1,
  lastTransitionTime: '2020-01-01T00:00:00Z',
};
const job = { kind: 'Job', name: 'import', uid: 'job' };

const scenes: Record<string, ObservedPart> = {
  'everything is right': {},
  'nothing is annotated': { serviceAccount: serviceAccount({}) },
  'another wrote another role': { serviceAccount: serviceAccount({ [roleArn]: `${ARN}2` }, 'helm') },
  'the annotation is no ARN': { serviceAccount: serviceAccount({ [roleArn]: 'x' }, 'helm') },
  'another wrote an audience': { serviceAccount: serviceAccount({ [roleArn]: ARN, [audience]: 'vault' }, 'helm') },
  'the binding wants every setting': {
    binding: withFinalizer({ spec: { audience: 'vault', tokenExpirationSeconds: 3600, stsRegionalEndpoints: true } }),
    grants: [grant({ audiences: ['vault'] })],
  },
  'a setting of the binding is another': {
    binding: withFinalizer({ spec: { stsRegionalEndpoints: true } }),
    serviceAccount: serviceAccount({ [roleArn]: ARN, [stsRegionalEndpoints]: 'false' }, 'helm'),
  },
  'somebody set a token life that the webhook does not take': {
    serviceAccount: { ...serviceAccount(), annotations: { [roleArn]: ARN, [tokenExpiration]: '1h' } },
  },
  'the annotations are contended': { serviceAccount: serviceAccount({ [roleArn]: `${ARN}2` }, 'helm'), contention: contended },
  'the binding observes': { binding: withFinalizer({ spec: { mode: 'Observe' } }), serviceAccount: serviceAccount({}) },
  'the binding is being deleted': {
    binding: withFinalizer({ metadata: { finalizers: [FINALIZER], deleting: true } }),
    verdicts: new Map([[ARN, { kind: 'released' } as never]]),
  },
  'the binding observes what irsa-operator annotated': { binding: withFinalizer({ spec: { mode: 'Observe' } }) },
  'a pod is restarted': { binding: withFinalizer({ status: { conditions: [TRUSTED] } }), pods: [pod({}, {})] },
  'a pod has no role': { pods: [pod({}, {})] },
  'a pod skips its container': { pods: [pod({ annotations: { 'eks.amazonaws.com/skip-containers': 'app' } }, {})] },
  'a pod sets its own token life': {
    binding: withFinalizer({ spec: { tokenExpirationSeconds: 3600 } }),
    serviceAccount: serviceAccount({ [roleArn]: ARN, [tokenExpiration]: '3600' }),
    pods: [pod({ annotations: { 'eks.amazonaws.com/token-expiration': '7200' }, tokenExpirationSeconds: 7200 })],
  },
  'a pod has another token life': {
    binding: withFinalizer({ spec: { tokenExpirationSeconds: 3600 } }),
    serviceAccount: serviceAccount({ [roleArn]: ARN, [tokenExpiration]: '3600' }),
  },
  'a fresh pod shows another audience': { pods: [pod({ tokenAudience: 'amazonaws.com', createdAt: NOW - 60_000 })] },
  'a template sets both variables as the webhook would': { workloads: [workload({ template: template({ env: two }) })] },
  'a pod without a known template has both variables': { pods: [pod({ owner: job }, two)] },
  'a pod of Windows has the path of Windows': {
    pods: [pod({ windows: true, owner: job }, { ...two, AWS_WEB_IDENTITY_TOKEN_FILE: `C:${TOKEN.replaceAll('/', '\\')}` })],
  },
};

// Contract: webhook-flags
describe('with another prefix and path of the webhook all is planned as on EKS, with that prefix and path, where', () => {
  for (const [sentence, part] of Object.entries(scenes))
    test(sentence, () => {
      const eks = observed({ binding: withFinalizer(), ...part });
      const { serviceAccount: account, pods, workloads } = eks;
      const other: Observed = { ...eks, ...renamed({ serviceAccount: account, pods, workloads }), webhook: OTHER };
      expect(renamed(planBinding(eks))).toEqual(planBinding(other));
    });
});

test('a pod with the keys and the path of EKS is none of the other webhook', () => {
  const desired = { roleArn: ARN, audience: 'sts.amazonaws.com', webhook: OTHER };
  const skipping = pod({ annotations: { 'eks.amazonaws.com/skip-containers': 'app' } }, {});
  expect(podState(skipping, desired, { kind: 'Deployment', name: 'app', template: template() }).kind).toBe('stale');
  // Without a template it looks as if the container had set them itself.
  expect(podState(pod({ owner: job }, two), desired).kind).toBe('faulty');
});

describe('a ServiceAccount without a binding is audited with that prefix, where', () => {
  const accounts: Record<string, ServiceAccount> = {
    'it has a role': serviceAccount({ [roleArn]: ARN }, 'helm'),
    'it has no ARN': serviceAccount({ [roleArn]: 'x' }, 'helm'),
    'a key is misspelt': { ...serviceAccount({}), misspelt: ['eks.amazon.com/role-arn'] },
    'it names an audience': serviceAccount({ [roleArn]: ARN, [audience]: 'vault' }, 'helm'),
  };
  function audited(account: ServiceAccount, webhook: Webhook) {
    const declared = declaredBy(account, webhook);
    const input = {
      grants: new GrantIndex([grant({ audiences: ['sts.amazonaws.com', 'amazonaws.com', 'vault'] })]),
      namespace: { name: 'shop', labels: {} },
    };
    const authorization = declared && authorize(declared, { ...input, contenders: [], ownRoles: OWN_ROLES, apiAudiences: [] });
    const world = { now: NOW, cluster, reachOf: reachWith(), knownAs: undefined, role: present(), provider };
    return audit({ ...world, serviceAccount: account, binding: declared, authorization, webhook });
  }
  for (const [sentence, account] of Object.entries(accounts))
    test(sentence, () => expect(renamed(audited(account, EKS_WEBHOOK))).toEqual(audited({ ...renamed(account) }, OTHER)));
  test('it names no audience, and the webhook gives another', () => {
    const spec = declaredBy(serviceAccount(), { ...EKS_WEBHOOK, tokenAudience: 'amazonaws.com' })?.spec;
    expect(spec).toMatchObject({ audience: 'amazonaws.com' });
  });
});

test('a revert is told by that prefix', () => {
  const mine = serviceAccount({ [roleArn]: ARN });
  const theirs = serviceAccount({ [roleArn]: `${ARN}2` }, 'helm');
  expect(revertedBy(renamed(mine), renamed(theirs), withFinalizer(), OTHER)).toEqual(['helm']);
  expect(revertedBy(renamed(mine), renamed(theirs), withFinalizer(), EKS_WEBHOOK)).toBeUndefined();
  expect(annotationContended(contended, withFinalizer().spec as never, renamed(theirs), OTHER).message).toContain(
    'irsa.example.org/* annotations',
  );
});

test('of a ServiceAccount the keys with that prefix are kept, with their writers, and what is meant to be one', () => {
  const raw = (prefix: string) => ({
    metadata: {
      name: 'app',
      namespace: 'shop',
      uid: 'u',
      resourceVersion: '1',
      annotations: { [`${prefix}/role-arn`]: ARN, 'tool.example.com/x': 'y', [`${prefix}/rolearn`]: ARN },
      managedFields: [
        {
          manager: FIELD_MANAGER,
          operation: 'Apply',
          time: '2026-01-01T00:00:00Z',
          fieldsV1: { 'f:metadata': { 'f:annotations': { [`f:${prefix}/role-arn`]: {} } } },
        },
      ],
    },
  });
  const eks = serviceAccounts(EKS_WEBHOOK).decode(raw('eks.amazonaws.com'));
  expect(Object.keys(eks.writers)).toEqual([roleArn]);
  expect(serviceAccounts(OTHER).decode(raw('irsa.example.org'))).toEqual(renamed(eks));
});

test('what is tried of the policy that confines the operator is a key with that prefix', async () => {
  const sent: KubeRequest[] = [];
  const answer = async (request: KubeRequest) => {
    sent.push(request);
    return { code: 200, body: {}, headers: {} } as never;
  };
  const requests = confinementRequests({ request: answer, exchange: answer }, OTHER);
  await requests.try('irsa-operator-service-accounts', { namespace: 'shop', name: 'app', uid: 'u' }, new AbortController().signal);
  const keys = sent.flatMap(({ body }) => Object.keys((body as { metadata: { annotations?: object } }).metadata.annotations ?? {}));
  expect(keys).toEqual(['irsa.example.org/token-expiration']);
});

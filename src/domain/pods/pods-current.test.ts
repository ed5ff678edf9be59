import { expect, test } from 'vitest';
import type { BindingSpec, IrsaBinding, RestartEntry } from '../../api/binding.ts';
import { parseBindingSpec } from '../../api/binding.ts';
import type { Owner, Pod, ServiceAccount } from '../../api/cluster.ts';
import { timestamp } from '../../api/condition.ts';
import { isProblem } from '../../api/problem.ts';
import { EKS_WEBHOOK } from '../../api/webhook.ts';
import { stepInWords, template, replicaSet as templated, workload } from '../test-cluster.ts';
import * as builders from '../test-observed.ts';
import type { PodsInput } from './input.ts';
import { assessPods } from './pods-current.ts';

const ARN = 'arn:aws:iam::111122223333:role/app';
const NOW = Date.parse('2026-11-24T12:00:00Z');
const REPAIRED = '2026-11-24T11:59:00Z';

function spec(): BindingSpec {
  const parsed = parseBindingSpec({ serviceAccountName: 'app', roleArn: ARN });
  if (isProblem(parsed)) throw new Error(parsed.problem);
  return parsed;
}

/** It carries the role, was made before the trust was mended, and STS never let it in. */
function refusedPod(owner: Owner | undefined, annotations: Record<string, string> = {}, mirror = false): Pod {
  const token = '/var/run/secrets/eks.amazonaws.com/serviceaccount/token';
  return {
    namespace: 'team',
    name: 'app-1',
    uid: 'pod-1',
    resourceVersion: '1',
    serviceAccountName: 'app',
    createdAt: NOW - 3_600_000,
    deleting: false,
    finished: false,
    ready: false,
    mirror,
    owner,
    labels: {},
    annotations,
    containers: [{ name: 'app', env: { AWS_ROLE_ARN: ARN, AWS_WEB_IDENTITY_TOKEN_FILE: token }, mountsToken: true }],
    tokenAudience: 'sts.amazonaws.com',
    tokenExpirationSeconds: 86_400,
    windows: false,
  };
}

/** After a trust repair that has settled. */
function observed(pod: Pod, restarts: readonly RestartEntry[]): PodsInput {
  const trusted = {
    type: 'Trusted',
    status: 'True',
    reason: 'AllowedByOperator',
    message: '',
    observedGeneration: 1,
    lastTransitionTime: REPAIRED,
  } as const;
  const binding: IrsaBinding = {
    metadata: {
      namespace: 'team',
      name: 'app',
      uid: 'b',
      resourceVersion: '1',
      generation: 1,
      createdAt: 0,
      deleting: false,
      finalizers: [],
      annotations: {},
    },
    spec: spec(),
    status: { conditions: [trusted], restarts: [...restarts] },
  };
  const key = 'eks.amazonaws.com/role-arn';
  const at = Date.parse(REPAIRED);
  return {
    now: NOW,
    binding,
    serviceAccount: {
      namespace: 'team',
      name: 'app',
      uid: 's',
      resourceVersion: '1',
      annotations: { [key]: ARN },
      misspelt: [],
      writers: { [key]: [{ manager: 'irsa-operator', at }] },
    },
    pods: [pod],
    workloads: [],
    serviceAccountExists: () => true,
    blocked: new Map(),
    webhook: EKS_WEBHOOK,
  };
}

/** What is restarted within a few rounds; the record comes first, and a round later the pod may go. */
function restarted(pod: Pod): string[] {
  let records: readonly RestartEntry[] = [];
  for (let round = 0; round < 4; round++) {
    const seen = { ...observed(pod, records), now: NOW + round * 2_000 };
    const plan = assessPods(seen, spec(), true);
    if (plan.steps.length > 0) return plan.steps.map(stepInWords);
    records = plan.records;
  }
  return [];
}

const replicaSet = { kind: 'ReplicaSet', name: 'app-abc', uid: 'rs-1' };

test('after a trust repair an unready pod of a ReplicaSet is restarted', () =>
  expect(restarted(refusedPod(replicaSet))).toEqual(['evict app-1']));

const leftAlone: Record<string, Pod> = {
  'a pod of a Job': refusedPod({ kind: 'Job', name: 'import', uid: 'job-1' }),
  'a pod that nobody controls': refusedPod(undefined),
  'a pod that says never': refusedPod(replicaSet, { 'irsa-operator.dev/restart': 'never' }),
  'a pod that karpenter must not disrupt': refusedPod(replicaSet, { 'karpenter.sh/do-not-disrupt': 'true' }),
  'a pod that is not safe to evict': refusedPod(replicaSet, { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' }),
  'a static pod': refusedPod({ kind: 'Node', name: 'n', uid: 'n' }, {}, true),
};
for (const [sentence, pod] of Object.entries(leftAlone)) {
  test(`after a trust repair ${sentence} is left alone`, () => expect(restarted(pod)).toEqual([]));
}

/** A world in order but for what a test says; trust and annotation are an hour old. */
function stores(
  part: Partial<PodsInput> & { readonly trustedAt?: number; readonly reason?: string; readonly records?: RestartEntry[] } = {},
): PodsInput {
  const { trustedAt = HOUR_AGO, reason = 'AllowedByOthers', records = [], ...rest } = part;
  const condition = {
    type: 'Trusted',
    status: 'True',
    reason,
    message: '',
    observedGeneration: 1,
    lastTransitionTime: timestamp(trustedAt),
  } as const;
  return builders.observed({ binding: builders.binding({ status: { conditions: [condition], restarts: records } }), pods: [], ...rest });
}

const annotatedAt = (at: number): ServiceAccount => {
  const account = builders.serviceAccount();
  return { ...account, writers: Object.fromEntries(Object.keys(account.writers).map((key) => [key, [{ manager: 'irsa-operator', at }]])) };
};
const HOUR_AGO = builders.NOW - 3_600_000;
const bare = { AWS_REGION: 'eu-west-1' };
const lacking = (name: string, part: Partial<Pod> = {}) => ({ ...builders.pod({ name, uid: name, ...part }, bare), ...part });
const healthy = (name: string, part: Partial<Pod> = {}) => builders.pod({ name, uid: name, ...part });

function short(seen: PodsInput, part: object = {}, acts = true) {
  const { violation, steps, records, recheckAt } = assessPods(seen, builders.spec(part), acts);
  return {
    reason: violation?.reason,
    terminal: violation?.terminal,
    steps: steps.map(stepInWords),
    records: records.map(({ cause, phase }) => `${cause} ${phase}`),
    again: recheckAt === undefined ? undefined : recheckAt - seen.now,
  };
}
const quiet = { reason: undefined, terminal: undefined, steps: [], records: [], again: undefined };

const settling: Record<string, { seen: PodsInput; wanted: Partial<ReturnType<typeof short>>; spec?: object; acts?: boolean }> = {
  'nothing begins within 10 s of the annotation': {
    seen: stores({ pods: [lacking('a')], serviceAccount: annotatedAt(builders.NOW - 9_999) }),
    wanted: { reason: 'Settling', terminal: false, again: 1 },
  },
  'nothing begins within 10 s of the trust': {
    seen: stores({ pods: [lacking('a')], trustedAt: builders.NOW - 9_000 }),
    wanted: { reason: 'Settling', terminal: false, again: 1_000 },
  },
  'the later of both counts': {
    seen: stores({ pods: [lacking('a')], trustedAt: builders.NOW - 9_000, serviceAccount: annotatedAt(builders.NOW - 2_000) }),
    wanted: { reason: 'Settling', terminal: false, again: 8_000 },
  },
  // Contract: pods-settle
  'it begins 10 s after both': {
    seen: stores({ pods: [lacking('a')], trustedAt: builders.NOW - 10_000, serviceAccount: annotatedAt(builders.NOW - 10_000) }),
    wanted: { reason: 'Restarting', terminal: false, records: ['Stale Canary'] },
  },
  'it looks again for a pod that is current and not ready': {
    seen: stores({ pods: [healthy('a', { ready: false })], reason: 'AllowedByOperator', trustedAt: builders.NOW - 4_000 }),
    wanted: { again: 6_000 },
  },
  'it does not look again for pods that are current and ready': {
    seen: stores({ pods: [healthy('a')], trustedAt: builders.NOW }),
    wanted: {},
  },
  'a pod that will not be restarted is not told of while others are about to be': {
    seen: stores({ pods: [lacking('a'), lacking('b', { owner: undefined })], trustedAt: builders.NOW - 4_000 }),
    wanted: { reason: 'Settling', terminal: false, again: 6_000 },
  },
  'nobody is alarmed by a pod that will not be restarted, before it has settled': {
    seen: stores({ pods: [lacking('b', { owner: undefined })], trustedAt: builders.NOW - 4_000 }),
    wanted: { reason: 'Settling', terminal: false, again: 6_000 },
  },
  'nor where nothing is ever restarted': {
    seen: stores({ pods: [lacking('b')], trustedAt: builders.NOW - 4_000 }),
    spec: { restart: { strategy: 'Never' } },
    wanted: { reason: 'Settling', terminal: false, again: 6_000 },
  },
  'nothing is about to be decided while there is no ServiceAccount: somebody has to make it again': {
    seen: { ...stores({ pods: [lacking('a')], trustedAt: builders.NOW - 60_000 }), serviceAccount: undefined },
    wanted: { reason: 'PodCredentialsMissing', terminal: true },
  },
  'then a pod that nobody will restart is told of': {
    seen: stores({ pods: [lacking('b', { owner: undefined })], trustedAt: builders.NOW - 10_000 }),
    wanted: { reason: 'PodNotRestartable', terminal: true },
  },
};
const strategies: typeof settling = {
  // Contract: pods-strategy
  'Never restarts nothing and says what is wrong': {
    seen: stores({ pods: [lacking('a')] }),
    spec: { restart: { strategy: 'Never' } },
    wanted: { reason: 'PodCredentialsMissing', terminal: true },
  },
  'Never restarts nothing after a trust repair': {
    seen: stores({ pods: [healthy('a', { ready: false })], reason: 'AllowedByOperator' }),
    spec: { restart: { strategy: 'Never' } },
    wanted: {},
  },
  'a binding that does not let us act restarts nothing': {
    seen: stores({ pods: [lacking('a')] }),
    acts: false,
    wanted: { reason: 'PodCredentialsMissing', terminal: true },
  },
  'a pod that is not restartable is named once the others are right': {
    seen: stores({ pods: [healthy('a'), lacking('b', { annotations: { 'irsa-operator.dev/restart': 'never' } })] }),
    wanted: { reason: 'PodNotRestartable', terminal: true },
  },
  'what stands in the template is told, and no pod is restarted in vain': {
    seen: stores({
      pods: [
        builders.pod(
          { owner: templated, labels: { 'pod-template-hash': '5d9c' } },
          { AWS_ROLE_ARN: 'x', AWS_WEB_IDENTITY_TOKEN_FILE: 'y' },
        ),
      ],
      workloads: [workload({ template: template({ env: { AWS_ROLE_ARN: 'x', AWS_WEB_IDENTITY_TOKEN_FILE: 'y' } }) })],
    }),
    wanted: { reason: 'PodEnvOverridden', terminal: true },
  },
  'Rollout asks for the workload of the pods': {
    seen: stores({ pods: [lacking('a', { owner: templated, labels: { 'pod-template-hash': '5d9c' } })], workloads: [workload()] }),
    spec: { restart: { strategy: 'Rollout' } },
    wanted: { reason: 'Restarting', terminal: false, records: ['Stale Canary'] },
  },
  'Rollout says so where there is no workload': {
    seen: stores({ pods: [lacking('a')], workloads: [workload()] }),
    spec: { restart: { strategy: 'Rollout' } },
    wanted: { reason: 'PodNotRestartable', terminal: true },
  },
  'a pod without the role that is going is waited for': {
    seen: stores({ pods: [lacking('a', { deleting: true })] }),
    wanted: { reason: 'Restarting', terminal: false },
  },
};
const repairs: typeof settling = {
  // Contract: pods-strategy
  'unready pods that are older than it are restarted': {
    seen: stores({ pods: [healthy('a', { ready: false, createdAt: HOUR_AGO - 1_000 })], reason: 'AllowedByOperator' }),
    wanted: { reason: 'Restarting', terminal: false, records: ['TrustRepair Canary'] },
  },
  'unready pods that were made later are not': {
    seen: stores({ pods: [healthy('a', { ready: false, createdAt: HOUR_AGO })], reason: 'AllowedByOperator' }),
    wanted: {},
  },
  'ready pods are not': {
    seen: stores({ pods: [healthy('a', { createdAt: HOUR_AGO - 1_000 })], reason: 'AllowedByOperator' }),
    wanted: {},
  },
  // Contract: pods-strategy
  'ready pods are with Always': {
    seen: stores({ pods: [healthy('a', { createdAt: HOUR_AGO - 1_000 })], reason: 'AllowedByOperator' }),
    spec: { restart: { afterTrustRepair: 'Always' } },
    wanted: { reason: 'Restarting', terminal: false, records: ['TrustRepair Canary'] },
  },
  // Contract: pods-strategy
  'unready pods are not with Never': {
    seen: stores({ pods: [healthy('a', { ready: false, createdAt: HOUR_AGO - 1_000 })], reason: 'AllowedByOperator' }),
    spec: { restart: { afterTrustRepair: 'Never' } },
    wanted: {},
  },
  'unready pods are not where the policy allowed without us': {
    seen: stores({ pods: [healthy('a', { ready: false, createdAt: HOUR_AGO - 1_000 })] }),
    wanted: {},
  },
};
for (const [title, table] of Object.entries({ settling, strategies, 'after a trust repair,': repairs })) {
  for (const [sentence, { seen, wanted, spec: part, acts }] of Object.entries(table))
    test(`${title}: ${sentence}`, () => expect(short(seen, part, acts)).toEqual({ ...quiet, ...wanted }));
}

test('the counts tell the living pods, by what they carry', () => {
  const exempt = healthy('x', { labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' } });
  const pods = [healthy('a'), healthy('b'), lacking('c'), exempt, healthy('d', { deleting: true }), lacking('e', { finished: true })];
  const { counts } = assessPods(stores({ pods }), builders.spec(), true);
  expect(counts).toEqual({ total: 4, current: 2, stale: 1, exempt: 1, summary: '2/4' });
});

// Contract: report-twice
test('what is said of the pods does not depend on the order in which they are seen', () => {
  const skipped = healthy('s', { labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' } });
  const pods = [lacking('b'), skipped, lacking('a'), lacking('c')];
  for (const acts of [true, false])
    expect(assessPods(stores({ pods: pods.toReversed() }), builders.spec(), acts)).toEqual(
      assessPods(stores({ pods }), builders.spec(), acts),
    );
});

const sentences: Record<string, { pods: Pod[]; wanted: { status: 'True'; reason: string; message: string } }> = {
  'no pod': { pods: [], wanted: { status: 'True', reason: 'NoPods', message: 'no pod runs as this ServiceAccount' } },
  'pods that carry the role': {
    pods: [healthy('a'), healthy('b')],
    wanted: { status: 'True', reason: 'Current', message: '2 of 2 pods have the role' },
  },
  'a pod that exempt': {
    pods: [healthy('a'), healthy('x', { labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' } })],
    wanted: { status: 'True', reason: 'Current', message: '1 of 2 pods have the role, 1 exempt' },
  },
};
for (const [sentence, { pods, wanted }] of Object.entries(sentences))
  test(`with ${sentence} it says so`, () => expect(assessPods(stores({ pods }), builders.spec(), true).assessment).toEqual(wanted));

test('pods that need not carry the role are remarked on, one for each cause', () => {
  const skipped = (name: string) => healthy(name, { labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' } });
  const identity = { ...builders.pod({ name: 'c' }, { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials' }) };
  const { violation, notes } = assessPods(stores({ pods: [skipped('a'), skipped('b'), identity] }), builders.spec(), true);
  expect(violation).toBeUndefined();
  expect(notes.map(({ code, message }) => [code, message.slice(0, 10)])).toEqual([
    ['WebhookSkipped', 'pod shop/a'],
    ['PodIdentityShadowsIrsa', 'pod shop/c'],
  ]);
});

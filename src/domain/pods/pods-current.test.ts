import { expect, test } from 'vitest';
import type { BindingSpec, IrsaBinding, RestartEntry } from '../../api/binding.ts';
import { parseBindingSpec } from '../../api/binding.ts';
import type { Container, Owner, Pod, ServiceAccount } from '../../api/cluster.ts';
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
    batchWorkloads: () => [],
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
  'a pod that an older karpenter must not evict': refusedPod(replicaSet, { 'karpenter.sh/do-not-evict': 'true' }),
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

/** Pods of a Deployment with a sidecar, whose template sets something itself. */
const TOKEN = '/var/run/secrets/eks.amazonaws.com/serviceaccount/token';
const OTHERS = { AWS_ROLE_ARN: builders.OTHER_ARN, AWS_WEB_IDENTITY_TOKEN_FILE: TOKEN };
const HALF = { AWS_ROLE_ARN: builders.ARN };
const healthyOne: Container = { name: 'app', env: { AWS_ROLE_ARN: builders.ARN, AWS_WEB_IDENTITY_TOKEN_FILE: TOKEN }, mountsToken: true };
const sidecar: Container = { name: 'sidecar', env: {}, mountsToken: true };
const ofDeployment = (name: string, containers: readonly Container[], part: Partial<Pod> = {}) =>
  builders.pod({ name, uid: name, owner: templated, labels: { 'pod-template-hash': '5d9c' }, containers, ...part });
const deploymentOf = (part: Partial<Container>) => workload({ template: template({}, { ...sidecar, mountsToken: false, ...part }) });
const app = (hasRole: boolean): Container => (hasRole ? healthyOne : { ...healthyOne, env: {}, mountsToken: false });

const halfTemplate = deploymentOf({ env: HALF });
const half = (name: string, hasRole: boolean, part: Partial<Pod> = {}) =>
  ofDeployment(name, [app(hasRole), { ...sidecar, env: HALF, mountsToken: hasRole }], part);
const barredTemplate = deploymentOf({ own: { onWebhookPath: 'data' } });
const barred = (name: string, hasRole: boolean, part: Partial<Pod> = {}) =>
  ofDeployment(name, [app(hasRole), { ...sidecar, mountsToken: false, own: { onWebhookPath: 'data' } }], part);
const canaryOf = (uid: string, at: number): RestartEntry => {
  const [begun] = assessPods(
    stores({ pods: [half('a', false), half('b', false)], workloads: [halfTemplate] }),
    builders.spec(),
    true,
  ).records;
  if (begun === undefined) throw new Error('no attempt begins');
  return { ...begun, uid, startedAt: timestamp(at) };
};

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
const vault: Owner = { kind: 'StatefulSet', name: 'vault', uid: 'stateful-set' };
const ofVault = (part: Partial<Pod> = {}) => ({ owner: vault, labels: { 'controller-revision-hash': 'vault-1' }, ...part });
const vaultThat = (part: object) => [workload({ kind: 'StatefulSet', name: 'vault', uid: 'stateful-set', revision: 'vault-2', ...part })];
const ofApp = { owner: templated, labels: { 'pod-template-hash': '5d9c' } };
const heldBack: typeof settling = {
  // Contract: pods-held
  'no pod of a StatefulSet with OnDelete is evicted': {
    seen: stores({ pods: [lacking('vault-0', ofVault()), lacking('vault-1', ofVault())], workloads: vaultThat({ held: 'OnDelete' }) }),
    wanted: { reason: 'PodNotRestartable', terminal: true },
  },
  'nor rolled out': {
    seen: stores({ pods: [lacking('vault-0', ofVault())], workloads: vaultThat({ held: 'OnDelete' }) }),
    spec: { restart: { strategy: 'Rollout' } },
    wanted: { reason: 'PodNotRestartable', terminal: true },
  },
  'nor restarted after a trust repair': {
    seen: stores({
      pods: [healthy('vault-0', ofVault({ ready: false, createdAt: HOUR_AGO - 1_000 }))],
      workloads: vaultThat({ held: 'OnDelete' }),
      reason: 'AllowedByOperator',
    }),
    wanted: {},
  },
  'nor restarted after a trust repair where every pod would be': {
    seen: stores({
      pods: [healthy('vault-0', ofVault({ createdAt: HOUR_AGO - 1_000 }))],
      workloads: vaultThat({ held: 'OnDelete' }),
      reason: 'AllowedByOperator',
    }),
    spec: { restart: { afterTrustRepair: 'Always' } },
    wanted: {},
  },
  'of a StatefulSet with a partition only a pod of the newest revision is evicted': {
    seen: stores({
      pods: [lacking('vault-0', ofVault()), lacking('vault-1', ofVault({ labels: { 'controller-revision-hash': 'vault-2' } }))],
      workloads: vaultThat({ held: 'partition' }),
    }),
    wanted: { reason: 'Restarting', terminal: false, records: ['Stale Canary'] },
  },
  'no pod of a paused Deployment is evicted while its template is newer': {
    seen: stores({ pods: [lacking('a', ofApp)], workloads: [workload({ held: 'paused', outdated: true })] }),
    wanted: { reason: 'PodNotRestartable', terminal: true },
  },
  'a pod of a paused Deployment whose template is not newer is evicted': {
    seen: stores({ pods: [lacking('a', ofApp)], workloads: [workload({ held: 'paused' })] }),
    wanted: { reason: 'Restarting', terminal: false, records: ['Stale Canary'] },
  },
  'a pod of another workload of the ServiceAccount is evicted all the same': {
    seen: stores({
      pods: [lacking('vault-0', ofVault()), lacking('a', ofApp)],
      workloads: [...vaultThat({ held: 'OnDelete' }), workload()],
    }),
    wanted: { reason: 'Restarting', terminal: false, records: ['Stale Canary'] },
  },
  'nobody is alarmed before it has settled': {
    seen: stores({
      pods: [lacking('vault-0', ofVault())],
      workloads: vaultThat({ held: 'OnDelete' }),
      trustedAt: builders.NOW - 4_000,
    }),
    wanted: { reason: 'Settling', terminal: false, again: 6_000 },
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
const byTemplate: typeof settling = {
  // Contract: pods-template
  'a sidecar with half an injection does not keep the pods from being restarted for the other container': {
    seen: stores({ pods: [half('a', false), half('b', false)], workloads: [halfTemplate] }),
    wanted: { reason: 'Restarting', terminal: false, records: ['Stale Canary'] },
  },
  'the replacement counts as right, so the others follow': {
    seen: stores({
      pods: [half('a', false), half('b', true, { createdAt: builders.NOW - 20_000 })],
      workloads: [halfTemplate],
      records: [canaryOf('replica-set', builders.NOW - 30_000)],
    }),
    wanted: { reason: 'Restarting', terminal: false, steps: ['evict a'], records: ['Stale Rolling'] },
  },
  'then half an injection is what is wrong, and nothing is restarted for it': {
    seen: stores({ pods: [half('a', true), half('b', true)], workloads: [halfTemplate] }),
    wanted: { reason: 'PodPartialInjection', terminal: true },
  },
  'it is told at once, before anything has settled': {
    seen: stores({ pods: [half('a', true)], workloads: [halfTemplate], trustedAt: builders.NOW - 4_000 }),
    wanted: { reason: 'PodPartialInjection', terminal: true },
  },
  'it is no longer told of pods that go': {
    seen: stores({ pods: [half('a', true, { deleting: true })], workloads: [halfTemplate] }),
    wanted: { reason: 'Restarting', terminal: false },
  },
  'after a trust repair an unready pod is restarted for the container that has the role': {
    seen: stores({
      pods: [half('a', true, { ready: false, createdAt: HOUR_AGO - 1_000 })],
      workloads: [halfTemplate],
      reason: 'AllowedByOperator',
    }),
    wanted: { reason: 'Restarting', terminal: false, records: ['TrustRepair Canary'] },
  },
  'after a trust repair an unready pod in which nothing has the role is left as it is': {
    seen: stores({
      pods: [ofDeployment('a', [{ ...sidecar, env: HALF }], { ready: false, createdAt: HOUR_AGO - 1_000 })],
      workloads: [halfTemplate],
      reason: 'AllowedByOperator',
    }),
    wanted: { reason: 'PodPartialInjection', terminal: true },
  },
  // Contract: pods-barred
  'a pod whose replacement the API server would refuse is not restarted': {
    seen: stores({ pods: [barred('a', true), barred('b', false)], workloads: [barredTemplate] }),
    wanted: { reason: 'MountPathTaken', terminal: true },
  },
  'nor by a rollout': {
    seen: stores({ pods: [barred('a', true)], workloads: [barredTemplate] }),
    spec: { restart: { strategy: 'Rollout' } },
    wanted: { reason: 'MountPathTaken', terminal: true },
  },
  'nor after a trust repair, whatever shall be restarted then': {
    seen: stores({
      pods: [barred('a', false, { ready: false, createdAt: HOUR_AGO - 1_000 })],
      workloads: [barredTemplate],
      reason: 'AllowedByOperator',
    }),
    spec: { restart: { afterTrustRepair: 'Always' } },
    wanted: { reason: 'MountPathTaken', terminal: true },
  },
  'a sidecar with another role is no violation': {
    seen: stores({ pods: [ofDeployment('a', [healthyOne, { ...sidecar, env: OTHERS }])], workloads: [deploymentOf({ env: OTHERS })] }),
    wanted: {},
  },
};
for (const [title, table] of Object.entries({
  settling,
  strategies,
  'held back by its owner,': heldBack,
  'after a trust repair,': repairs,
  'by its template,': byTemplate,
})) {
  for (const [sentence, { seen, wanted, spec: part, acts }] of Object.entries(table))
    test(`${title}: ${sentence}`, () => expect(short(seen, part, acts)).toEqual({ ...quiet, ...wanted }));
}

test('the counts tell the living pods, by what they carry', () => {
  const exempt = healthy('x', { labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' } });
  const pods = [healthy('a'), healthy('b'), lacking('c'), exempt, healthy('d', { deleting: true }), lacking('e', { finished: true })];
  const { counts } = assessPods(stores({ pods }), builders.spec(), true);
  expect(counts).toEqual({ total: 4, current: 2, stale: 1, exempt: 1, summary: '2/4' });
});

test('a pod that its template keeps from the role counts as stale', () => {
  const seen = stores({ pods: [half('a', true), barred('b', true), healthy('c')], workloads: [halfTemplate] });
  expect(assessPods(seen, builders.spec(), true).counts).toEqual({ total: 3, current: 1, stale: 2, exempt: 0, summary: '1/3' });
});

// Contract: pods-static
test('other credentials are no violation: each container of each workload is told of, once', () => {
  const env = { ...healthyOne.env, AWS_ACCESS_KEY_ID: undefined };
  const two = [
    { ...healthyOne, env },
    { ...sidecar, env },
  ];
  const pods = [ofDeployment('a', two), ofDeployment('b', two), ofDeployment('c', two, { deleting: true }), healthy('d')];
  const { violation, notes, counts } = assessPods(stores({ pods, workloads: [deploymentOf({})] }), builders.spec(), true);
  expect([violation, counts.current]).toEqual([undefined, 3]);
  expect([...new Set(notes.map(({ code, message }) => `${code} ${message.split(':')[0]}`))]).toEqual([
    'PodStaticCredentials Deployment "app", container "app"',
    'PodStaticCredentials Deployment "app", container "sidecar"',
  ]);
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
  'no pod': {
    pods: [],
    wanted: {
      status: 'True',
      reason: 'NoPods',
      message: 'no pod of namespace "shop" runs as ServiceAccount "app". Pods of other namespaces cannot',
    },
  },
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

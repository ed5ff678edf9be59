import { expect, test } from 'vitest';
import type { BindingSpec, IrsaBinding, RestartEntry } from '../api/binding.ts';
import { parseBindingSpec } from '../api/binding.ts';
import type { Owner, Pod } from '../api/cluster.ts';
import { isProblem } from '../api/problem.ts';
import type { Observed } from './observed.ts';
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
    windows: false,
  };
}

/** After a trust repair that has settled. */
function observed(pod: Pod, restarts: readonly RestartEntry[]): Observed {
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
    namespace: { name: 'team', labels: {} },
    grants: [],
    rivals: [binding],
    cluster: { kind: 'unknown', why: '' },
    caller: { kind: 'unknown', why: '' },
    role: undefined,
    provider: undefined,
    verdicts: new Map(),
    serviceAccount: {
      namespace: 'team',
      name: 'app',
      uid: 's',
      annotations: { [key]: ARN },
      writers: { [key]: [{ manager: 'irsa-operator', at }] },
    },
    pods: [pod],
    workloads: [],
    serviceAccountExists: () => true,
    blocked: new Map(),
  };
}

/** What is restarted within a few rounds; the record comes first, and a round later the pod may go. */
function restarted(pod: Pod): string[] {
  let records: readonly RestartEntry[] = [];
  for (let round = 0; round < 4; round++) {
    const seen = { ...observed(pod, records), now: NOW + round * 2_000 };
    const plan = assessPods(seen, spec(), true);
    if (plan.steps.length > 0) return plan.steps.map((step) => step.pod.name);
    records = plan.records;
  }
  return [];
}

const replicaSet = { kind: 'ReplicaSet', name: 'app-abc', uid: 'rs-1' };

test('after a trust repair an unready pod of a ReplicaSet is restarted', () =>
  expect(restarted(refusedPod(replicaSet))).toEqual(['app-1']));

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

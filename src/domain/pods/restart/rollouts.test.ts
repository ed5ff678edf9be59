import { describe, expect, test } from 'vitest';
import type { RestartEntry } from '../../../api/binding.ts';
import type { Pod } from '../../../api/cluster.ts';
import { timestamp } from '../../../api/condition.ts';
import { finding } from '../../../api/finding.ts';
import { daemonSet, podOf, replicaSet, statefulSet, stepInWords, workload } from '../../test-cluster.ts';
import { NOW } from '../../test-observed.ts';
import { BLOCKED_RETRY_MS, type Candidate, type RestartInput } from './attempt.ts';
import { planRollouts } from './rollouts.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const STARTED = NOW - 5 * SECOND;
const AT = timestamp(STARTED);
const LACKS = finding('PodCredentialsMissing', 'it lacks the role');
const labels = { 'pod-template-hash': '5d9c' };

const seen = (part: Partial<RestartInput>): RestartInput => ({
  now: NOW,
  candidates: [],
  cause: 'Stale',
  desired: 'd1',
  records: [],
  maxUnavailable: 1,
  blocked: new Map(),
  workloads: [workload()],
  ...part,
});
const old = (name: string, part: Partial<Pod> = {}): Candidate => ({
  pod: podOf(replicaSet, name, { labels, ...part }),
  replace: true,
  stillWrong: LACKS,
});
const right = (name: string, part: Partial<Pod> = {}): Candidate => ({
  pod: podOf(replicaSet, name, { labels, createdAt: NOW, ...part }),
  replace: false,
  stillWrong: undefined,
});
const record = (part: Partial<RestartEntry> = {}): RestartEntry => ({
  kind: 'Deployment',
  name: 'app',
  uid: 'deployment',
  cause: 'Stale',
  desired: 'd1',
  phase: 'Canary',
  attempts: 1,
  startedAt: AT,
  pods: 2,
  ...part,
});
const changed = [workload({ restartedAt: AT, replicas: 2 })];
const forbidden = (ago: number) => new Map([['deployment', { kind: 'forbidden', at: NOW - ago, message: '403' } as const]]);

interface Case {
  readonly seen: Partial<RestartInput>;
  readonly records?: string[];
  readonly steps?: string[];
  readonly findings?: string[];
  readonly again?: number;
}

const cases: Record<string, Case> = {
  'the record stands before the template is changed': { seen: { candidates: [old('a'), old('b')] }, records: ['Canary 1'] },
  'then the template is changed': {
    seen: { candidates: [old('a'), old('b')], records: [record()] },
    records: ['Canary 1'],
    steps: [`rollout app ${AT}`],
  },
  'not before the second in which it begins': {
    seen: { candidates: [old('a')], records: [record({ startedAt: timestamp(NOW + SECOND) })] },
    records: ['Canary 1'],
    again: SECOND,
  },
  'a template that is seen to be changed is not changed again': {
    seen: { candidates: [old('a'), right('b')], records: [record()], workloads: changed },
    records: ['Rolling 1'],
    again: 10 * MINUTE,
  },
  'nor one whose annotation somebody took away': {
    seen: { candidates: [old('a'), right('b')], records: [record({ phase: 'Rolling' })] },
    records: ['Rolling 1'],
    again: 10 * MINUTE,
  },
  'it is done when no pod lacks the role': {
    seen: { candidates: [right('a'), right('b')], records: [record({ phase: 'Rolling' })], workloads: changed },
    records: ['Done 1'],
  },
  'it is not done while the last pod is going': {
    seen: { candidates: [old('a', { deleting: true }), right('b')], records: [record({ phase: 'Rolling' })], workloads: changed },
    records: ['Rolling 1'],
  },
  'it is not done while the last replacement is not made yet': {
    seen: { candidates: [right('a')], records: [record({ phase: 'Rolling' })], workloads: changed },
    records: ['Rolling 1'],
    again: 10 * MINUTE,
  },
  'it is stalled where the last replacement does not come in 10 minutes': {
    seen: {
      candidates: [right('a', { createdAt: NOW - 10 * MINUTE })],
      records: [record({ phase: 'Rolling', startedAt: timestamp(NOW - 11 * MINUTE) })],
      workloads: changed,
    },
    records: ['Stalled 1'],
    findings: ['RestartStalled'],
  },
  'it is done without the replacement where the workload was made smaller': {
    seen: {
      candidates: [right('a')],
      records: [record({ phase: 'Rolling' })],
      workloads: [workload({ restartedAt: AT, replicas: 1 })],
    },
    records: ['Done 1'],
  },
  'the 10 minutes begin with the change of the template, however long it was refused': {
    seen: {
      candidates: [old('a')],
      records: [record({ startedAt: timestamp(NOW - 25 * MINUTE) })],
      workloads: [workload({ restartedAt: timestamp(NOW - 25 * MINUTE), replicas: 1 })],
    },
    records: ['Rolling 1'],
    again: 10 * MINUTE,
  },
  'what is done is not done again': { seen: { candidates: [old('a')], records: [record({ phase: 'Done' })] }, records: ['Done 1'] },
  'new pods that are still wrong are tried once more': {
    seen: { candidates: [old('a', { createdAt: NOW })], records: [record({ phase: 'Rolling' })], workloads: changed },
    records: ['Canary 2'],
    again: 0,
  },
  'the second time ends it': {
    seen: { candidates: [old('a', { createdAt: NOW })], records: [record({ phase: 'Rolling', attempts: 2 })], workloads: changed },
    records: ['Ineffective 2'],
    findings: ['RestartIneffective'],
  },
  'a rollout that stands still for 10 minutes is stalled': {
    seen: {
      candidates: [old('a', { createdAt: 0 })],
      records: [record({ phase: 'Rolling', startedAt: timestamp(NOW - 10 * MINUTE) })],
    },
    records: ['Stalled 1'],
    findings: ['RestartStalled'],
  },
  'one that goes on is not, however long it takes': {
    seen: {
      candidates: [old('a'), right('b', { createdAt: NOW - MINUTE })],
      records: [record({ phase: 'Rolling', startedAt: timestamp(NOW - 20 * MINUTE) })],
    },
    records: ['Rolling 1'],
    again: 9 * MINUTE,
  },
  'a stalled one goes on with the next pod': {
    seen: { candidates: [old('a'), right('b')], records: [record({ phase: 'Stalled' })] },
    records: ['Rolling 1'],
    again: 10 * MINUTE,
  },
  'without the right it says so and asks again after 30 s': {
    seen: { candidates: [old('a')], records: [record()], blocked: forbidden(0) },
    records: ['Canary 1'],
    findings: ['RolloutForbidden'],
    again: BLOCKED_RETRY_MS,
  },
  'after 30 s it asks again': {
    seen: { candidates: [old('a')], records: [record()], blocked: forbidden(BLOCKED_RETRY_MS) },
    records: ['Canary 1'],
    steps: [`rollout app ${AT}`],
    findings: ['RolloutForbidden'],
  },
  'a paused Deployment is not touched': {
    seen: { candidates: [old('a')], workloads: [workload({ held: 'paused' })] },
    findings: ['PodNotRestartable'],
  },
  'nor a DaemonSet with the update strategy OnDelete': {
    seen: {
      candidates: [{ ...old('a'), pod: podOf(daemonSet, 'a') }],
      workloads: [workload({ kind: 'DaemonSet', name: 'agent', uid: 'daemon-set', held: 'OnDelete' })],
    },
    findings: ['PodNotRestartable'],
  },
  'nor a StatefulSet with a partition, which would keep its lower pods as they are': {
    seen: {
      candidates: [{ ...old('db-0'), pod: podOf(statefulSet, 'db-0') }],
      workloads: [workload({ kind: 'StatefulSet', name: 'db', uid: 'stateful-set', held: 'partition' })],
    },
    findings: ['PodNotRestartable'],
  },
  'nor a workload of which one pod is to be left alone, though it has the role': {
    seen: { candidates: [old('a'), right('b', { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } })] },
    findings: ['PodNotRestartable'],
  },
  'pods that no such workload makes are told of': {
    seen: { candidates: [old('a', { labels: {} })] },
    findings: ['PodNotRestartable'],
  },
  'after a trust repair, when pods have the role, nothing is told of those that are left alone': {
    seen: { cause: 'TrustRepair', candidates: [old('a'), old('b', { labels: {} })], workloads: [workload({ held: 'paused' })] },
  },
  'a StatefulSet is found by its uid': {
    seen: {
      candidates: [{ ...old('db-0'), pod: podOf(statefulSet, 'db-0') }],
      workloads: [workload({ kind: 'StatefulSet', name: 'db', uid: 'stateful-set' })],
    },
    records: ['Canary 1'],
  },
  'nothing is planned where every pod is right': { seen: { candidates: [right('a')] } },
};

describe('a rollout', () => {
  for (const [sentence, { seen: part, records = [], steps = [], findings = [], again }] of Object.entries(cases)) {
    test(sentence, () => {
      const plan = planRollouts(seen(part));
      expect({
        records: plan.records.map(({ phase, attempts }) => `${phase} ${attempts}`),
        steps: plan.steps.map(stepInWords),
        findings: plan.findings.map(({ code }) => code),
        again: plan.recheckAt === undefined ? undefined : plan.recheckAt - NOW,
      }).toEqual({ records, steps, findings, again });
    });
  }
});

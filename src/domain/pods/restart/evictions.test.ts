import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_RESTARTS, type RestartEntry } from '../../../api/binding.ts';
import type { Owner, Pod } from '../../../api/cluster.ts';
import { timestamp } from '../../../api/condition.ts';
import { finding } from '../../../api/finding.ts';
import { daemonSet, podOf, replicaSet, statefulSet, stepInWords, workload } from '../../test-cluster.ts';
import { NOW } from '../../test-observed.ts';
import { BLOCKED_RETRY_MS, type Blocked, type Candidate, type RestartInput, type RestartPlan } from './attempt.ts';
import { planEvictions, podsAtOnce } from './evictions.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** When the attempt of `record()` began: pods made since are replacements. */
const STARTED = NOW - 5 * SECOND;
const LACKS = finding('PodCredentialsMissing', 'it lacks the role');

function seen(part: Partial<RestartInput>): RestartInput {
  return {
    now: NOW,
    candidates: [],
    cause: 'Stale',
    desired: 'd1',
    records: [],
    maxUnavailable: 1,
    blocked: new Map(),
    workloads: [],
    ...part,
  };
}

const old = (name: string, part: Partial<Pod> = {}, owner: Owner = replicaSet): Candidate => ({
  pod: podOf(owner, name, part),
  replace: true,
  stillWrong: LACKS,
});
const right = (name: string, part: Partial<Pod> = {}, owner: Owner = replicaSet): Candidate => ({
  pod: podOf(owner, name, { createdAt: STARTED, ...part }),
  replace: false,
  stillWrong: undefined,
});

/** It lacks the role, and may not be restarted now. */
const leftAlone = (name: string, part: Partial<Pod> = {}, owner: Owner = replicaSet): Candidate => ({
  ...old(name, part, owner),
  replace: false,
});

function record(part: Partial<RestartEntry> = {}, { kind, name, uid }: Owner = replicaSet): RestartEntry {
  return { kind, name, uid, cause: 'Stale', desired: 'd1', phase: 'Canary', attempts: 1, startedAt: timestamp(STARTED), pods: 3, ...part };
}

const refused = (at: number, kind: Blocked['kind'] = 'budget'): Blocked => ({ kind, at, message: 'the budget needs 1 healthy pod.' });

/** All of a plan but the words; `again` is in milliseconds from now. */
function short({ records, steps, findings, recheckAt }: RestartPlan, now = NOW) {
  return {
    records: records.map(({ phase, attempts }) => `${phase} ${attempts}`),
    steps: steps.map(stepInWords),
    findings: findings.map(({ code }) => code),
    again: recheckAt === undefined ? undefined : recheckAt - now,
  };
}

// Contract: pods-one-attempt
test('the record stands before the first eviction, and says all of the attempt', () => {
  const candidates = [old('a'), old('b')];
  const first = planEvictions(seen({ candidates, now: NOW + 1 }));
  const begun = record({ startedAt: timestamp(NOW + SECOND), pods: 2 });
  expect(first).toEqual({
    records: [begun],
    steps: [],
    findings: [],
    recheckAt: undefined,
    progress: ['ReplicaSet "app-5d9c": about to restart pods'],
  });
  expect(planEvictions(seen({ candidates, now: NOW + 2, records: [begun] }))).toEqual({
    ...first,
    recheckAt: NOW + SECOND, // pods tell whole seconds: a replacement made in this one could not be told from the others
  });
  expect(planEvictions(seen({ candidates, now: NOW + SECOND, records: [begun] }))).toEqual({
    ...first,
    steps: [{ how: 'evict', pod: candidates[0]?.pod }],
    progress: ['ReplicaSet "app-5d9c": restarting one pod first'],
  });
});

interface Case {
  readonly seen: Partial<RestartInput>;
  readonly wanted: Partial<ReturnType<typeof short>>;
}
const nothing = { records: [], steps: [], findings: [], again: undefined };
const lateStart = { startedAt: timestamp(NOW - 11 * MINUTE) };

const canaries: Record<string, Case> = {
  'nothing is planned where every pod is right': { seen: { candidates: [right('a')] }, wanted: {} },
  'nothing is planned for pods that have finished': { seen: { candidates: [old('a', { finished: true })] }, wanted: {} },
  'nothing is planned for a pod that is going anyway': { seen: { candidates: [old('a', { deleting: true })] }, wanted: {} },
  // Contract: pods-canary-choice
  'an unready pod goes before a ready one': {
    seen: { candidates: [old('a'), old('b', { ready: false }), old('c')], records: [record()] },
    wanted: { records: ['Canary 1'], steps: ['evict b'] },
  },
  // Contract: pods-canary-choice
  'of a StatefulSet the lowest unready ordinal goes first, counted and not spelt': {
    seen: {
      candidates: [old('db-0', {}, statefulSet), old('db-10', { ready: false }, statefulSet), old('db-9', { ready: false }, statefulSet)],
      records: [record({}, statefulSet)],
    },
    wanted: { records: ['Canary 1'], steps: ['evict db-9'] },
  },
  'of a StatefulSet that is ready the highest ordinal goes first': {
    seen: {
      candidates: [old('db-9', {}, statefulSet), old('db-10', {}, statefulSet), old('db-0', {}, statefulSet)],
      records: [record({}, statefulSet)],
    },
    wanted: { records: ['Canary 1'], steps: ['evict db-10'] },
  },
  'no second pod goes while the first is going': {
    seen: { candidates: [old('a', { deleting: true }), old('b'), old('c')], records: [record()] },
    wanted: { records: ['Canary 1'], again: 10 * MINUTE - 5 * SECOND },
  },
  'no second pod goes while the replacement is not ready': {
    seen: { candidates: [right('n', { ready: false }), old('b'), old('c')], records: [record()] },
    wanted: { records: ['Canary 1'], again: 10 * MINUTE - 5 * SECOND },
  },
  'no second pod goes while the replacement is not made': {
    seen: { candidates: [old('db-0', {}, statefulSet), old('db-1', {}, statefulSet)], records: [record({}, statefulSet)] },
    wanted: { records: ['Canary 1'], again: 10 * MINUTE - 5 * SECOND },
  },
  'a replacement that is right and ready lets the next one go': {
    seen: { candidates: [right('n'), old('b'), old('c')], records: [record()] },
    wanted: { records: ['Rolling 1'], steps: ['evict b'] },
  },
  'a right pod from before the attempt is no replacement': {
    seen: { candidates: [right('n', { createdAt: STARTED - SECOND }), old('b'), old('c')], records: [record()] },
    wanted: { records: ['Canary 1'], steps: ['evict b'] },
  },
  'the attempt is done when the replacement was the last one': {
    seen: { candidates: [right('n')], records: [record({ pods: 1 })] },
    wanted: { records: ['Done 1'] },
  },
  'the attempt goes on when the replacement was the last one that may go, and another lacks the role': {
    seen: { candidates: [right('n'), leftAlone('b')], records: [record({ pods: 2 })] },
    wanted: { records: ['Rolling 1'] },
  },
  'the attempt waits where the pods may not go any more': {
    seen: { candidates: [leftAlone('a'), leftAlone('b'), leftAlone('c')], records: [record()] },
    wanted: { records: ['Canary 1'] },
  },
  'the attempt is done when somebody else made the pods right': {
    seen: { candidates: [right('a', { createdAt: 0 }), right('b', { createdAt: 0 }), right('c', { createdAt: 0 })], records: [record()] },
    wanted: { records: ['Done 1'] },
  },
  'a wrong replacement is tried once more, in a later second': {
    seen: { candidates: [old('n', { createdAt: NOW - SECOND }), old('b'), old('c')], records: [record()], now: NOW + 1 },
    wanted: { records: ['Canary 2'], again: SECOND - 1 },
  },
  // Contract: pods-ineffective
  'a second wrong replacement ends it': {
    seen: { candidates: [old('n', { createdAt: NOW - SECOND }), old('b'), old('c')], records: [record({ attempts: 2 })] },
    wanted: { records: ['Ineffective 2'], findings: ['RestartIneffective'] },
  },
  'an attempt without effect stays ended, and says so each time': {
    seen: { candidates: [old('a'), old('b')], records: [record({ attempts: 2, phase: 'Ineffective' })] },
    wanted: { records: ['Ineffective 2'], findings: ['RestartIneffective'] },
  },
  // Contract: pods-stalled
  'a replacement that is not ready after 10 minutes stalls it': {
    seen: {
      candidates: [right('n', { ready: false, createdAt: NOW - 10 * MINUTE }), old('b'), old('c')],
      records: [record(lateStart)],
    },
    wanted: { records: ['Stalled 1'], findings: ['RestartStalled'] },
  },
  'a replacement that is not ready after 10 minutes but one millisecond does not': {
    seen: {
      candidates: [right('n', { ready: false, createdAt: NOW - 10 * MINUTE + 1 }), old('b'), old('c')],
      records: [record(lateStart)],
    },
    wanted: { records: ['Canary 1'], again: 1 },
  },
  'a pod that is still going after 10 minutes stalls it': {
    seen: { candidates: [old('a', { deleting: true }), old('b'), old('c')], records: [record(lateStart)] },
    wanted: { records: ['Stalled 1'], findings: ['RestartStalled'] },
  },
  'a replacement that was not made within 10 minutes stalls it': {
    seen: { candidates: [old('b'), old('c')], records: [record(lateStart)] },
    wanted: { records: ['Stalled 1'], findings: ['RestartStalled'] },
  },
  'a stalled attempt goes on when the replacement is ready after all': {
    seen: {
      candidates: [right('n', { createdAt: NOW - 10 * MINUTE }), old('b'), old('c')],
      records: [record({ ...lateStart, phase: 'Stalled' })],
    },
    wanted: { records: ['Rolling 1'], steps: ['evict b'] },
  },
};

const rolling = record({ phase: 'Rolling', pods: 4 });
const rolls: Record<string, Case> = {
  'as many ready pods go at once as may be away': {
    seen: { candidates: [right('n'), old('b'), old('c'), old('d')], records: [rolling], maxUnavailable: 2 },
    wanted: { records: ['Rolling 1'], steps: ['evict b', 'evict c'] },
  },
  'a replacement that is not ready counts as away': {
    seen: { candidates: [right('n', { ready: false }), old('b'), old('c'), old('d')], records: [rolling] },
    wanted: { records: ['Rolling 1'] },
  },
  'a pod that is going counts as away': {
    seen: { candidates: [right('n'), old('b', { deleting: true }), old('c'), old('d')], records: [rolling] },
    wanted: { records: ['Rolling 1'], again: 10 * MINUTE - 5 * SECOND },
  },
  'a pod that is gone counts as away until its replacement is made': {
    seen: { candidates: [right('n'), old('c'), old('d')], records: [rolling] },
    wanted: { records: ['Rolling 1'], again: 10 * MINUTE - 5 * SECOND },
  },
  'unready pods serve nobody and cost nothing': {
    seen: { candidates: [right('n'), old('b'), old('c', { ready: false }), old('d', { ready: false })], records: [rolling] },
    wanted: { records: ['Rolling 1'], steps: ['evict c', 'evict d', 'evict b'] },
  },
  'a StatefulSet loses one at a time, whatever may be away': {
    seen: {
      candidates: [old('db-0', {}, statefulSet), old('db-1', {}, statefulSet), right('db-2', {}, statefulSet)],
      records: [record({ phase: 'Rolling' }, statefulSet)],
      maxUnavailable: 3,
    },
    wanted: { records: ['Rolling 1'], steps: ['evict db-1'] },
  },
  'a workload that was made smaller goes on after 10 minutes': {
    seen: {
      candidates: [right('n', { createdAt: NOW - 10 * MINUTE }), old('c'), old('d')],
      records: [{ ...rolling, ...lateStart }],
    },
    wanted: { records: ['Rolling 1'], steps: ['evict c'] },
  },
  'a replacement that comes back wrong is not taken again and again: one retry': {
    seen: { candidates: [right('n'), old('m', { createdAt: NOW - SECOND }), old('d')], records: [rolling] },
    wanted: { records: ['Canary 2'], again: 0 },
  },
  'the second that comes back wrong ends it': {
    seen: { candidates: [right('n'), old('m', { createdAt: NOW - SECOND }), old('d')], records: [{ ...rolling, attempts: 2 }] },
    wanted: { records: ['Ineffective 2'], findings: ['RestartIneffective'] },
  },
  'it is not done while the last pod is going': {
    seen: { candidates: [right('n'), old('b', { deleting: true })], records: [rolling] },
    wanted: { records: ['Rolling 1'] },
  },
  'it is not done while the last replacement is not made yet': {
    seen: { candidates: [right('n'), right('o'), right('p')], records: [rolling] },
    wanted: { records: ['Rolling 1'], again: 10 * MINUTE - 5 * SECOND },
  },
  'it is done without the replacement where the workload was made smaller': {
    seen: { candidates: [right('n', { createdAt: NOW - 10 * MINUTE })], records: [{ ...rolling, ...lateStart }] },
    wanted: { records: ['Done 1'] },
  },
  'it is done at once where the workload was made smaller': {
    seen: {
      candidates: [right('db-0', {}, statefulSet)],
      records: [record({ phase: 'Rolling' }, statefulSet)],
      workloads: [workload({ kind: 'StatefulSet', uid: 'stateful-set', replicas: 1 })],
    },
    wanted: { records: ['Done 1'] },
  },
  'it stalls where a pod is missing for 10 minutes, and takes no other': {
    seen: {
      candidates: [right('db-0', { createdAt: NOW - 10 * MINUTE }, statefulSet), old('db-2', {}, statefulSet)],
      records: [record({ phase: 'Rolling', ...lateStart }, statefulSet)],
      workloads: [workload({ kind: 'StatefulSet', uid: 'stateful-set', replicas: 3 })],
      maxUnavailable: 3,
    },
    wanted: { records: ['Stalled 1'], findings: ['RestartStalled'] },
  },
  'it is done when all are right': {
    seen: { candidates: [right('n'), right('o'), right('p'), right('q')], records: [rolling] },
    wanted: { records: ['Done 1'] },
  },
  // Contract: pods-advice
  'it is not done while a pod that is left alone lacks the role, so that it goes when it may': {
    seen: { candidates: [right('n'), leftAlone('b')], records: [{ ...rolling, pods: 2 }] },
    wanted: { records: ['Rolling 1'] },
  },
  'a pod that was left alone goes when it may': {
    seen: { candidates: [right('n'), old('b')], records: [{ ...rolling, pods: 2 }] },
    wanted: { records: ['Rolling 1'], steps: ['evict b'] },
  },
  'what is done is not done again': {
    seen: { candidates: [old('a')], records: [record({ phase: 'Done' })] },
    wanted: { records: ['Done 1'] },
  },
  'each workload has its own budget': {
    seen: {
      candidates: [old('a'), old('x', {}, daemonSet)],
      records: [record({ pods: 1 }), record({ pods: 1 }, daemonSet)],
    },
    wanted: { records: ['Canary 1', 'Canary 1'], steps: ['evict a', 'evict x'] },
  },
};

const a = (kind: Owner, ready: boolean) => [old('a', { ready }, kind)];
const one = (kind: Owner) => [record({ pods: 1 }, kind)];
const blockedSince = (ms: number, kind?: Blocked['kind']) => new Map([['uid-a', refused(NOW - ms, kind)]]);
const budgets: Record<string, Case> = {
  'an unready pod of a ReplicaSet that a budget holds is deleted': {
    seen: { candidates: a(replicaSet, false), records: one(replicaSet), blocked: blockedSince(0) },
    wanted: { records: ['Canary 1'], steps: ['delete a'] },
  },
  'an unready pod that no budget holds is evicted': {
    seen: { candidates: a(replicaSet, false), records: one(replicaSet) },
    wanted: { records: ['Canary 1'], steps: ['evict a'] },
  },
  'a ready pod of a ReplicaSet that a budget holds is never deleted': {
    seen: { candidates: a(replicaSet, true), records: one(replicaSet), blocked: blockedSince(0) },
    wanted: { records: ['Canary 1'], findings: ['EvictionBlocked'], again: BLOCKED_RETRY_MS },
  },
  'an unready pod of a StatefulSet that a budget holds is not deleted': {
    seen: { candidates: a(statefulSet, false), records: one(statefulSet), blocked: blockedSince(0) },
    wanted: { records: ['Canary 1'], findings: ['EvictionBlocked'], again: BLOCKED_RETRY_MS },
  },
  // Contract: pods-statefulset-blocked
  'a budget that refused is not asked again before 30 s': {
    seen: { candidates: a(statefulSet, false), records: one(statefulSet), blocked: blockedSince(BLOCKED_RETRY_MS - 1) },
    wanted: { records: ['Canary 1'], findings: ['EvictionBlocked'], again: 1 },
  },
  'a budget that refused is asked again after 30 s': {
    seen: { candidates: a(statefulSet, false), records: one(statefulSet), blocked: blockedSince(BLOCKED_RETRY_MS) },
    wanted: { records: ['Canary 1'], steps: ['evict a'], findings: ['EvictionBlocked'] },
  },
  'two budgets on one pod are told as such': {
    seen: { candidates: a(replicaSet, true), records: one(replicaSet), blocked: blockedSince(0, 'multipleBudgets') },
    wanted: { records: ['Canary 1'], findings: ['MultiplePDBs'], again: BLOCKED_RETRY_MS },
  },
  'an unready pod of a ReplicaSet with two budgets is not deleted: none of them has refused it': {
    seen: { candidates: a(replicaSet, false), records: one(replicaSet), blocked: blockedSince(0, 'multipleBudgets') },
    wanted: { records: ['Canary 1'], findings: ['MultiplePDBs'], again: BLOCKED_RETRY_MS },
  },
};

const unready: Candidate = { ...right('a', { ready: false, createdAt: NOW - DAY }), replace: true };
const trust = (ago: number, desired = 'trust-1') =>
  record({ cause: 'TrustRepair', desired, phase: 'Done', startedAt: timestamp(NOW - ago) });
const deployment = { kind: 'Deployment', name: 'app', uid: 'deployment' };
const rolledOut: Candidate = {
  ...unready,
  pod: podOf({ kind: 'ReplicaSet', name: 'app-7c44', uid: 'replica-set-2' }, 'a', {
    ready: false,
    createdAt: NOW - DAY,
    labels: { 'pod-template-hash': '7c44' },
  }),
};
const repairs: Record<string, Case> = {
  'the first restarts': { seen: { candidates: [unready] }, wanted: { records: ['Canary 1'] } },
  // Contract: pods-repair-daily
  'a second one within a day does not': {
    seen: { candidates: [unready], records: [trust(DAY - SECOND)] },
    wanted: { records: ['Done 1'] },
  },
  'a second one a day later does': {
    seen: { candidates: [unready], records: [trust(DAY)] },
    wanted: { records: ['Canary 1', 'Done 1'] },
  },
  'a second one within a day does not, though a rollout has made another ReplicaSet': {
    seen: { candidates: [rolledOut], workloads: [workload()], records: [{ ...trust(DAY - SECOND), ...deployment }] },
    wanted: { records: ['Done 1'] },
  },
  'a restart of pods that lacked the role does not count': {
    seen: { candidates: [unready], records: [record({ phase: 'Done' })] },
    wanted: { records: ['Canary 1', 'Done 1'] },
  },
};

const tables: Record<string, readonly [Record<string, Case>, Partial<RestartInput>]> = {
  'one pod first:': [canaries, {}],
  'then the others:': [rolls, {}],
  'budgets:': [budgets, {}],
  'after a trust repair': [repairs, { cause: 'TrustRepair', desired: 'trust-2' }],
};
for (const [title, [table, common]] of Object.entries(tables)) {
  describe(title, () => {
    for (const [sentence, { seen: part, wanted }] of Object.entries(table)) {
      test(sentence, () => {
        const stores = seen({ ...common, ...part });
        expect(short(planEvictions(stores), stores.now)).toEqual({ ...nothing, ...wanted });
      });
    }
  });
}

test('after a trust repair the attempt is of the Deployment: its rollouts make ReplicaSets, and the day is one', () => {
  const plan = planEvictions(seen({ cause: 'TrustRepair', candidates: [rolledOut], workloads: [workload()] }));
  expect(plan.records).toEqual([record({ ...deployment, cause: 'TrustRepair', startedAt: timestamp(NOW), pods: 1 })]);
});

describe('how many may be away at once', () => {
  const cases: [number | string, number, number][] = [
    [1, 10, 1],
    [3, 2, 3],
    ['25%', 10, 3],
    ['25%', 4, 1],
    ['10%', 1, 1],
    ['1%', 10, 1],
    ['100%', 7, 7],
    ['34%', 3, 2],
  ];
  test.each(cases)('%s of %i pods is %i', (maxUnavailable, total, wanted) => expect(podsAtOnce(maxUnavailable, total)).toBe(wanted));
});

const owners = (count: number): Owner[] =>
  Array.from({ length: count }, (_, index) => ({ kind: 'ReplicaSet', name: `rs-${index}`, uid: `rs-${String(index).padStart(3, '0')}` }));

describe('records', () => {
  test('that come back from the status repeat nothing, whatever the phase', () => {
    for (const phase of ['Done', 'Ineffective'] as const) {
      const records = [record({ phase, attempts: 2 })];
      const again = planEvictions(seen({ candidates: [old('a'), old('b')], records, now: NOW + 30 * DAY }));
      expect([again.records, again.steps]).toEqual([records, []]);
    }
  });

  test('of a role that was left do not stand in the way when it comes back', () => {
    const back = planEvictions(
      seen({
        candidates: [old('a')],
        records: [record({ desired: 'd2', phase: 'Done' }), record({ phase: 'Done', desired: 'd1' })],
        desired: 'd2',
      }),
    );
    expect(back.records.map(({ desired, phase }) => `${desired} ${phase}`)).toEqual(['d2 Done']);
    const away = planEvictions(seen({ candidates: [old('a')], records: back.records, desired: 'd1' }));
    expect(away.records.map(({ desired, phase }) => `${desired} ${phase}`)).toEqual(['d1 Canary']);
  });

  // Contract: pods-one-attempt
  test('are never more than a status may have, and newcomers wait for a place', () => {
    const all = owners(MAX_RESTARTS + 3);
    const candidates = all.map((owner) => old(`pod-of-${owner.name}`, {}, owner));
    const underWay = all.slice(0, MAX_RESTARTS).map((owner) => record({ pods: 1 }, owner));
    const plan = planEvictions(seen({ candidates, records: underWay }));
    expect(plan.records).toEqual(underWay);
    expect(plan.steps).toHaveLength(MAX_RESTARTS);
  });

  test('of attempts without effect are not forgotten for newcomers: they would begin anew', () => {
    const all = owners(MAX_RESTARTS + 3);
    const candidates = all.map((owner) => old(`pod-of-${owner.name}`, {}, owner));
    const ended = all.slice(0, MAX_RESTARTS).map((owner) => record({ phase: 'Ineffective', attempts: 2, pods: 1 }, owner));
    const { records } = planEvictions(seen({ candidates, records: ended }));
    expect(new Set(records.map(({ uid }) => uid))).toEqual(new Set(ended.map(({ uid }) => uid)));
  });

  test('of an attempt whose workload has no pods any more make room', () => {
    const [gone, ...all] = owners(MAX_RESTARTS + 1);
    const records = [record({ startedAt: timestamp(0) }, gone), ...all.map((owner) => record({ pods: 1 }, owner))].slice(0, MAX_RESTARTS);
    const plan = planEvictions(seen({ candidates: all.map((owner) => old(`pod-of-${owner.name}`, {}, owner)), records }));
    expect(plan.records.map(({ uid }) => uid).toSorted()).toEqual(all.map(({ uid }) => uid));
  });
});

/** One look at the pods: often enough that nothing is missed, seldom enough that ten minutes are few of them. */
const ROUND_MS = 7_300;
/** What a simulated pod needs at most to go, to be made and to be ready, in rounds each: together less than the canary's deadline. */
const SLOWEST = 20;
/** Every pod one after the other, each as slow as can be, with a retry and a lost status in between. */
const ROUNDS_A_POD = 4 * SLOWEST;

interface SimulatedPod {
  pod: Pod;
  right: boolean;
  /** It is one of those that we took while they were ready, or the replacement of one. */
  owed: boolean;
  readyAt: number;
  goneAt: number;
}

/** A workload whose controller makes a right pod for each one that goes: a StatefulSet when the old one is gone, a ReplicaSet at once. */
class Simulation {
  round = 0;
  pods: SimulatedPod[] = [];
  #due: { name: string; at: number; owed: boolean }[] = [];
  #made = 0;
  readonly #slow: readonly number[];
  readonly #owner: Owner;

  constructor(owner: Owner, ready: readonly boolean[], slow: readonly number[]) {
    this.#owner = owner;
    this.#slow = slow;
    for (const [index, isReady] of ready.entries()) this.#make(`app-${index}`, false, false, isReady ? 0 : Number.POSITIVE_INFINITY);
  }

  get now(): number {
    return NOW + this.round * ROUND_MS;
  }

  get candidates(): Candidate[] {
    return this.pods.map(({ pod, right: isRight }) => ({ pod, replace: !isRight, stillWrong: isRight ? undefined : LACKS }));
  }

  /** How many pods that served are away because of us. */
  get away(): number {
    return this.pods.filter(({ owed, pod }) => owed && !pod.ready).length + this.#due.filter(({ owed }) => owed).length;
  }

  get healthy(): boolean {
    return this.#due.length === 0 && this.pods.every(({ pod, right: isRight }) => isRight && pod.ready && !pod.deleting);
  }

  take(uid: string): void {
    const found = this.pods.find(({ pod }) => pod.uid === uid && !pod.deleting);
    if (found === undefined) return;
    const goneAt = this.round + 1 + this.#delay();
    const owed = found.owed || found.pod.ready;
    Object.assign(found, { goneAt, owed: false, pod: { ...found.pod, deleting: true, ready: false } });
    const from = this.#owner.kind === 'ReplicaSet' ? this.round : goneAt;
    this.#due.push({ name: this.#owner.kind === 'ReplicaSet' ? `new-${this.#made}` : found.pod.name, at: from + this.#delay(), owed });
  }

  next(): void {
    this.round += 1;
    this.pods = this.pods.filter(({ goneAt }) => goneAt > this.round);
    const due = this.#due.filter(({ at }) => at <= this.round);
    this.#due = this.#due.filter(({ at }) => at > this.round);
    for (const { name, owed } of due) this.#make(name, true, owed, this.round + this.#delay());
    for (const each of this.pods) if (!each.pod.deleting && each.readyAt <= this.round) each.pod = { ...each.pod, ready: true };
  }

  #delay(): number {
    return this.#slow[this.#made % this.#slow.length] ?? 0;
  }

  #make(name: string, isRight: boolean, owed: boolean, readyAt: number): void {
    this.#made += 1;
    const createdAt = isRight ? Math.floor(this.now / SECOND) * SECOND : NOW - DAY;
    const pod = podOf(this.#owner, name, { uid: `uid-${this.#made}`, createdAt, ready: readyAt <= this.round });
    this.pods.push({ pod, right: isRight, owed, readyAt, goneAt: Number.POSITIVE_INFINITY });
  }
}

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const workloads = fc.record({
  owner: fc.constantFrom(replicaSet, statefulSet, daemonSet),
  ready: fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }),
  slow: fc.array(fc.integer({ min: 0, max: SLOWEST }), { minLength: 1, maxLength: 12 }),
  maxUnavailable: fc.constantFrom<(number | string)[]>(1, 2, 4, '25%', '50%', '100%'),
  /** Rounds in which the status could not be written, over and over; never all of them. */
  grantLoss: fc.array(fc.boolean(), { minLength: 2, maxLength: 6 }).filter((rounds) => rounds.includes(false)),
});

test(`a workload is restarted to its end, within the budget, and then left alone (SEED=${seed})`, () => {
  let taken = 0;
  const property = fc.property(workloads, ({ owner, ready, slow, maxUnavailable, grantLoss }) => {
    const stores = new Simulation(owner, ready, slow);
    const budget = podsAtOnce(maxUnavailable, ready.length);
    let records: readonly RestartEntry[] = [];
    const look = () => planEvictions(seen({ now: stores.now, candidates: stores.candidates, records, maxUnavailable }));
    const end = 2 * ROUNDS_A_POD + ROUNDS_A_POD * ready.length;
    while (stores.round < end && !(stores.healthy && records[0]?.phase === 'Done')) {
      const plan = look();
      if (plan.steps.length > 0) expect(records.map(({ uid, desired }) => [uid, desired])).toEqual([[owner.uid, 'd1']]);
      for (const step of plan.steps) if (step.how !== 'rollout') stores.take(step.pod.uid);
      taken += plan.steps.length;
      expect(stores.away).toBeLessThanOrEqual(budget);
      if (!grantLoss[stores.round % grantLoss.length]) records = plan.records;
      stores.next();
    }
    expect([stores.healthy, records.map(({ phase }) => phase)]).toEqual([true, ['Done']]);
    for (let round = 0; round < 100; round += 1) {
      expect(look()).toEqual({ records, steps: [], findings: [], recheckAt: undefined, progress: [] });
      stores.next();
    }
  });
  fc.assert(property, { seed, numRuns: 400 });
  expect(taken).toBeGreaterThan(400);
}, 60_000);

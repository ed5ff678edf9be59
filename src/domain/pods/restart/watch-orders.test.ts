import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RestartEntry } from '../../../api/binding.ts';
import type { Owner, Pod, Workload } from '../../../api/cluster.ts';
import { timestamp } from '../../../api/condition.ts';
import { daemonSet, podOf, replicaSet, statefulSet, workload } from '../../test-cluster.ts';
import { binding, NOW, observed, spec } from '../../test-observed.ts';
import { assessPods, type PodsAssessment } from '../pods-current.ts';
import type { Blocked } from './attempt.ts';

/** What a watch shows between an eviction and its replacement, in every order: Ready is not True before the replacement is in view. */
const SECOND = 1_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const STARTED = NOW - 5 * SECOND;
const HASH = { 'pod-template-hash': '5d9c' };
const owners: Record<string, { readonly owner: Owner; readonly of: Workload; readonly labels: Record<string, string> }> = {
  Deployment: { owner: replicaSet, of: workload(), labels: HASH },
  StatefulSet: { owner: statefulSet, of: workload({ kind: 'StatefulSet', name: 'db', uid: 'stateful-set' }), labels: {} },
  DaemonSet: { owner: daemonSet, of: workload({ kind: 'DaemonSet', name: 'agent', uid: 'daemon-set' }), labels: {} },
};

interface View {
  readonly pods: readonly Pod[];
  readonly workloads: readonly Workload[];
  readonly records: readonly RestartEntry[];
  readonly now?: number;
  readonly spec?: object;
  readonly trustedAt?: number;
  readonly blocked?: ReadonlyMap<string, Blocked>;
}

const HOUR_AGO = NOW - 60 * MINUTE;

function assess(
  { pods, workloads, records, now = NOW, spec: part = {}, trustedAt = HOUR_AGO, blocked = new Map() }: View,
  acts = true,
): PodsAssessment {
  const trusted = {
    type: 'Trusted',
    status: 'True',
    reason: 'AllowedByOperator',
    message: '',
    observedGeneration: 1,
    lastTransitionTime: timestamp(trustedAt),
  } as const;
  const one = binding({ spec: part, status: { conditions: [trusted], restarts: [...records] } });
  return assessPods(observed({ now, binding: one, pods, workloads, blocked }), spec(part), acts);
}

const lacks = (owner: Owner, name: string, part: Partial<Pod> = {}): Pod => ({
  ...podOf(owner, name, part),
  containers: [{ name: 'app', env: {}, mountsToken: false }],
});
const record = ({ kind, name, uid }: Owner, part: Partial<RestartEntry> = {}): RestartEntry => ({
  kind,
  name,
  uid,
  cause: 'Stale',
  desired: 'd1',
  phase: 'Canary',
  attempts: 1,
  startedAt: timestamp(STARTED),
  pods: 1,
  ...part,
});
/** With the state that the planner compares: as it writes it itself. */
function begun(pods: readonly Pod[], workloads: readonly Workload[], part: object = {}): readonly RestartEntry[] {
  return assess({ pods, workloads, records: [], now: STARTED, spec: part }).records;
}

// Contract: pods-ready-too-soon
describe('the only pod of a workload was evicted, and its replacement is not in view', () => {
  for (const [kind, { owner, of, labels }] of Object.entries(owners)) {
    const old = lacks(owner, 'app-0', { labels });
    const views: Record<string, readonly Pod[]> = {
      'the old one is going': [{ ...old, deleting: true, ready: false }],
      'the old one has ended, and is going': [{ ...old, deleting: true, ready: false, finished: true }],
      'no pod is there': [],
    };
    for (const [sentence, pods] of Object.entries(views))
      for (const strategy of ['Evict', 'Rollout'])
        test(`${kind}, ${strategy}: ${sentence}`, () => {
          const part = { restart: { strategy } };
          const records = begun([old], [of], part);
          expect(assess({ pods, workloads: [of], records, spec: part }).violation).toMatchObject({ reason: 'Restarting', terminal: false });
        });
    test(`${kind}: it looks again when it has waited for ten minutes, and then says that no pod came`, () => {
      const records = begun([old], [of]);
      const { recheckAt } = assess({ pods: [], workloads: [of], records });
      expect(recheckAt).toBe(STARTED + 10 * MINUTE);
      for (const later of [10 * MINUTE, DAY])
        expect(assess({ pods: [], workloads: [of], records, now: STARTED + later }).violation).toMatchObject({
          reason: 'RestartStalled',
          message: expect.stringMatching(/: no replacement was created within 10 minutes/),
        });
      const smaller = { ...of, replicas: 0 };
      expect(assess({ pods: [], workloads: [smaller], records, now: STARTED + MINUTE }).violation).toBeUndefined();
    });
    test(`${kind}: the ten minutes begin when the pod went, however long its eviction was refused`, () => {
      const later = NOW + 25 * MINUTE;
      const blocked = new Map([[old.uid, { kind: 'budget', at: later - 31 * SECOND, message: 'too few.' } as const]]);
      const refused = assess({ pods: [old], workloads: [of], records: begun([old], [of]), now: later, blocked });
      expect([refused.violation?.reason, refused.steps.length]).toEqual(['EvictionBlocked', 1]);
      const going = { ...old, deleting: true, deletingSince: later, ready: false };
      const gone = assess({ pods: [going], workloads: [of], records: refused.records, now: later + SECOND });
      const after = { pods: [], workloads: [of], records: gone.records };
      const reasons = [2 * SECOND, 10 * MINUTE].map((ms) => assess({ ...after, now: later + ms }).violation?.reason);
      expect([gone.violation?.reason, ...reasons]).toEqual(['Restarting', 'Restarting', 'RestartStalled']);
    });
  }
  test('where nothing tells how many pods there shall be, ten minutes later it was made smaller', () => {
    const records = [record({ ...replicaSet, name: 'alone' })];
    expect(assess({ pods: [], workloads: [], records, now: STARTED + 10 * MINUTE }).violation).toBeUndefined();
  });
});

// Contract: pods-ready-too-soon
describe('the last of three pods went long after the attempt began', () => {
  const three = workload({ kind: 'StatefulSet', name: 'db', uid: 'stateful-set', replicas: 3 });
  const pods = ['db-1', 'db-2'].map((name) => ({ ...podOf(statefulSet, name, { uid: name }), createdAt: STARTED + MINUTE }));
  const desired = begun([lacks(statefulSet, 'db-0')], [three])[0]?.desired ?? '';
  const records = [record(statefulSet, { phase: 'Rolling', pods: 3, desired })];
  const shown: Record<string, [workload: Workload, reason: string | undefined]> = {
    'it is not Ready while the workload wants a third': [three, 'RestartStalled'],
    'it is Ready where the workload was made smaller': [{ ...three, replicas: 2 }, undefined],
    'it is Ready where the next pod would be of another ServiceAccount': [{ ...three, serviceAccountName: 'default' }, undefined],
  };
  for (const [sentence, [each, reason]] of Object.entries(shown))
    test(sentence, () => expect(assess({ pods, workloads: [each], records, now: STARTED + 30 * MINUTE }).violation?.reason).toBe(reason));
});

const app = owners['Deployment']?.of ?? workload();
const other: Owner = { kind: 'ReplicaSet', name: 'app-7c44', uid: 'replica-set-2' };
const job: Owner = { kind: 'Job', name: 'import', uid: 'job' };
const waits: Record<string, View> = {
  'the workload is restarted by its Deployment, after a trust repair': {
    pods: [],
    workloads: [app],
    records: [record({ kind: 'Deployment', name: 'app', uid: 'deployment' }, { cause: 'TrustRepair' })],
  },
  'the ReplicaSet is of no Deployment': { pods: [], workloads: [], records: [record({ ...replicaSet, name: 'alone' })] },
  'the pod was of a Job, and its annotation allowed it': { pods: [], workloads: [], records: [record(job)] },
  'it was rolling': { pods: [], workloads: [app], records: [record(replicaSet, { phase: 'Rolling' })] },
  'pods of another workload have the role': {
    pods: [podOf(statefulSet, 'db-0')],
    workloads: [app, owners['StatefulSet']?.of ?? app],
    records: [record(replicaSet)],
  },
  'no other pod is to be restarted any more': {
    pods: [],
    workloads: [app],
    records: [record(replicaSet)],
    spec: { restart: { strategy: 'Never' } },
  },
  'the trust was lost and repaired in between, and settles': {
    pods: [],
    workloads: [app],
    records: [record(replicaSet)],
    trustedAt: NOW - SECOND,
  },
};
const goesOn: Record<string, View> = {
  'the attempt is done': { pods: [], workloads: [app], records: [record(replicaSet, { phase: 'Done' })] },
  'the attempt was in vain': { pods: [], workloads: [app], records: [record(replicaSet, { phase: 'Ineffective' })] },
  'the Deployment was scaled to zero': { pods: [], workloads: [{ ...app, replicas: 0 }], records: [record(replicaSet)] },
  'the StatefulSet is gone': { pods: [], workloads: [], records: [record(statefulSet)] },
  'the Deployment that was restarted whole is gone': {
    pods: [],
    workloads: [],
    records: [record({ kind: 'Deployment', name: 'app', uid: 'deployment' })],
  },
  'the Deployment was made again': {
    pods: [],
    workloads: [{ ...app, uid: 'deployment-2' }],
    records: [record({ kind: 'Deployment', name: 'app', uid: 'deployment' })],
  },
  'the workload runs as another ServiceAccount now': {
    pods: [],
    workloads: [{ ...app, serviceAccountName: 'default' }],
    records: [record(replicaSet)],
  },
  'a rollout has made another ReplicaSet, whose pods have the role': {
    pods: [podOf(other, 'app-7c44-a', { labels: { 'pod-template-hash': '7c44' } })],
    workloads: [app],
    records: [record(replicaSet)],
  },
  'the pod had no controller: nothing comes': { pods: [], workloads: [], records: [record({ kind: 'Pod', name: 'bare', uid: 'bare' })] },
  'the replacement of a Job has ended already': {
    pods: [podOf(job, 'import-b', { finished: true, createdAt: NOW })],
    workloads: [],
    records: [record(job)],
  },
};
describe('with no pod of the restarted workload in view', () => {
  for (const [sentence, view] of Object.entries(waits))
    test(`it is not Ready where ${sentence}`, () => expect(assess(view).violation).toMatchObject({ reason: 'Restarting' }));
  for (const [sentence, view] of Object.entries(goesOn))
    test(`it is Ready where ${sentence}`, () => expect(assess(view).violation).toBeUndefined());
  test('a binding that does not let us act waits for nothing', () =>
    expect(assess({ pods: [], workloads: [app], records: [record(replicaSet)] }, false).violation).toBeUndefined());
});

/** What the watch shows of one pod that is restarted, each a step. */
type Sign = 'going' | 'ended' | 'gone' | 'created' | 'ready';

/** A cluster that answers each eviction with signs in an order of its own; the operator looks now and then. */
class Cluster {
  pods: Pod[];
  readonly #owner: Owner;
  readonly #labels: Record<string, string>;
  readonly #signs: { readonly name: string; readonly left: Sign[] }[] = [];
  #made = 0;

  constructor({ owner, labels }: { readonly owner: Owner; readonly labels: Record<string, string> }, count: number) {
    this.#owner = owner;
    this.#labels = labels;
    this.pods = Array.from({ length: count }, (_, index) => lacks(owner, `app-${index}`, { labels }));
  }

  get isQuiet(): boolean {
    return this.#signs.length === 0;
  }

  /** An eviction, as this process expects it at once. A ReplicaSet makes another pod as soon as one is going, the others when it is gone. */
  evict(name: string, now: number): void {
    this.#change(name, { deleting: true, deletingSince: now, ready: false });
    const replaced = `${this.#owner.kind === 'ReplicaSet' ? `new-${this.#made++}` : name}`;
    if (this.#owner.kind === 'ReplicaSet') {
      this.#signs.push({ name, left: ['going', 'ended', 'gone'] }, { name: replaced, left: ['created', 'ready'] });
    } else {
      this.#signs.push({ name, left: ['going', 'ended', 'gone', 'created', 'ready'] });
    }
  }

  show(choice: number, now: number): void {
    const index = choice % Math.max(1, this.#signs.length);
    const queue = this.#signs[index];
    const sign = queue?.left.shift();
    if (queue === undefined || sign === undefined) return;
    if (queue.left.length === 0) this.#signs.splice(index, 1);
    if (sign === 'ended') this.#change(queue.name, { finished: true });
    else if (sign === 'gone') this.pods = this.pods.filter(({ name }) => name !== queue.name);
    else if (sign === 'created')
      this.pods.push({ ...podOf(this.#owner, queue.name, { labels: this.#labels, uid: `uid-${now}` }), createdAt: now, ready: false });
    else if (sign === 'ready') this.#change(queue.name, { ready: true });
  }

  #change(name: string, part: Partial<Pod>): void {
    this.pods = this.pods.map((each) => (each.name === name ? { ...each, ...part } : each));
  }
}

/** More than four pods need that are refused for a quarter of an hour each, one after the other, at one look in a second. */
const MOST_ROUNDS = 8 * ((4 * 15 * MINUTE) / SECOND);
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const orders = fc.record({
  kind: fc.constantFrom(...Object.keys(owners)),
  count: fc.integer({ min: 1, max: 4 }),
  choices: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 40 }),
  // How long a look takes from the last one, and how long a budget refuses each pod.
  tick: fc.constantFrom(SECOND, 7 * SECOND, 45 * SECOND),
  refusedMs: fc.array(fc.constantFrom(0, 0, MINUTE, 14 * MINUTE), { minLength: 1, maxLength: 4 }),
  looks: fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }).filter((looks) => looks.includes(true)),
  maxUnavailable: fc.constantFrom(1, 2, 4),
});

// Contract: pods-ready-too-soon
test(`Ready is not True before all replacements are in view, whatever the order of the watch (SEED=${seed})`, () => {
  let [restarted, late] = [0, 0];
  const property = fc.property(orders, ({ kind, count, choices, looks, maxUnavailable, tick, refusedMs }) => {
    const found = owners[kind];
    if (found === undefined) return;
    const of = { ...found, of: { ...found.of, replicas: count } };
    const blocked = new Map<string, Blocked>();
    const firstTries = new Map<string, number>();
    const isRefused = (uid: string, now: number) => {
      const first = firstTries.get(uid) ?? now;
      const nth = [...firstTries.set(uid, first).keys()].indexOf(uid);
      return now - first < (refusedMs[nth % refusedMs.length] ?? 0);
    };
    const cluster = new Cluster(of, count);
    const part = { restart: { maxUnavailable } };
    let records: readonly RestartEntry[] = [];
    let now = NOW;
    for (let round = 0; round < MOST_ROUNDS && !(cluster.isQuiet && records[0]?.phase === 'Done'); round += 1, now += tick) {
      if (!cluster.isQuiet) cluster.show(choices[round % choices.length] ?? 0, now);
      if (looks[round % looks.length] !== true) continue;
      const {
        violation,
        steps,
        records: next,
        counts,
      } = assess({
        pods: cluster.pods,
        workloads: [of.of],
        records,
        now,
        spec: part,
        blocked,
      });
      if (violation === undefined) expect({ current: counts.current, words: round }).toEqual({ current: count, words: round });
      if (steps.length > 0) expect(records).not.toEqual([]);
      for (const step of steps) {
        if (step.how === 'rollout') throw new Error('nothing is rolled out here');
        const { uid, name } = step.pod;
        if (step.how === 'evict' && isRefused(uid, now)) blocked.set(uid, { kind: 'budget', at: now, message: 'too few.' });
        else {
          cluster.evict(name, now);
          restarted += 1;
          late += now - NOW > 10 * MINUTE ? 1 : 0;
        }
      }
      records = next;
    }
    expect([cluster.isQuiet, records.map(({ phase }) => phase)]).toEqual([true, ['Done']]);
    expect(assess({ pods: cluster.pods, workloads: [of.of], records, now, spec: part }).violation).toBeUndefined();
  });
  fc.assert(property, { seed, numRuns: 500 });
  expect([restarted, late].map((each) => each > 200)).toEqual([true, true]);
}, 60_000);

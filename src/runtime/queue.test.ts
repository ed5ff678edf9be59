import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ManualClock, settle } from './manual-clock.ts';
import { noMetrics, type QueueSnapshot, type RuntimeMetrics } from './metrics.ts';
import { mostUrgent, type Taken, URGENCIES, type Urgency, WorkQueue } from './queue.ts';

function queueWith(random = () => 0.5, metrics: RuntimeMetrics = noMetrics) {
  const clock = new ManualClock();
  return { clock, queue: new WorkQueue<string>({ name: 'test', clock, random, metrics }) };
}

const never = new AbortController().signal;
const key = fc.constantFrom(...'abcdefghijkl');
const urgency = fc.constantFrom(...URGENCIES);
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

describe('a key', () => {
  test('that is added twice is worked on once', async () => {
    const { queue } = queueWith();
    queue.add('a');
    queue.add('a');
    expect(await queue.take(never)).toEqual({ key: 'a', urgency: 'change' });
    queue.done('a');
    expect(queue.depth).toBe(0);
  });

  test('that is added while a worker has it is worked on again, and not before that worker is done', async () => {
    const { queue } = queueWith();
    queue.add('a');
    await queue.take(never);
    queue.add('a');
    queue.add('a');
    expect(queue.depth).toBe(0);
    queue.done('a');
    expect(await queue.take(never)).toEqual({ key: 'a', urgency: 'change' });
    queue.done('a');
    expect(queue.depth).toBe(0);
  });

  test('is there from when it is added until a worker is done with it, and not while its time has not come', async () => {
    const { queue, clock } = queueWith();
    queue.addAfter('a', 1_000);
    expect(queue.has('a')).toBe(false);
    await clock.advance(1_000);
    expect(queue.has('a')).toBe(true);
    await queue.take(never);
    expect(queue.has('a')).toBe(true);
    queue.done('a');
    expect(queue.has('a')).toBe(false);
  });

  test('that becomes urgent overtakes', async () => {
    const { queue } = queueWith();
    queue.add('slow', 'resync');
    queue.add('a', 'resync');
    queue.add('a', 'change');
    queue.add('a', 'drift');
    expect(await queue.take(never)).toEqual({ key: 'a', urgency: 'change' });
    expect(await queue.take(never)).toEqual({ key: 'slow', urgency: 'resync' });
    expect(queue.depth).toBe(0);
  });

  test('that is not urgent is served in the end, however many changes come', async () => {
    const { clock, queue } = queueWith();
    queue.add('patient', 'resync');
    const served: string[] = [];
    for (let n = 0; n < 8; n += 1) {
      await clock.advance(1);
      queue.add(`change-${n}`);
      queue.add(`more-${n}`);
      const { key } = (await queue.take(never)) ?? { key: 'nothing' };
      served.push(key);
      queue.done(key);
    }
    expect(served).toContain('patient');
  });
});

test('drift is served in the end too, though changes and resyncs never cease', async () => {
  const { clock, queue } = queueWith();
  queue.add('patient', 'drift');
  const served: string[] = [];
  for (let n = 0; n < 16; n += 1) {
    await clock.advance(1);
    queue.add(`change-${n}`);
    queue.add(`resync-${n}`, 'resync');
    const { key } = (await queue.take(never)) ?? { key: 'nothing' };
    served.push(key);
    queue.done(key);
  }
  expect(served).toContain('patient');
});

describe('a delay', () => {
  test('ends at its time, not before', async () => {
    const { clock, queue } = queueWith();
    queue.addAfter('a', 1_000);
    await clock.advance(999);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(await queue.take(never)).toEqual({ key: 'a', urgency: 'drift' });
  });

  test('is shortened by an earlier one, never lengthened by a later one', async () => {
    const { clock, queue } = queueWith();
    queue.addAfter('a', 5_000);
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 9_000);
    await clock.advance(1_000);
    expect(queue.depth).toBe(1);
    queue.done((await queue.take(never))?.key ?? '');
    await clock.advance(60_000);
    expect(queue.depth).toBe(0);
  });

  // Contract: failure-classes
  test('of a failing key grows from 1 s to 5 min, and starts anew after forget', () => {
    const { queue } = queueWith(() => 1 - Number.EPSILON);
    const delays = Array.from({ length: 10 }, () => Math.round(queue.addRateLimited('a')));
    expect(delays).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000]);
    expect(queue.failures('a')).toBe(10);
    queue.forget('a');
    expect(Math.round(queue.addRateLimited('a'))).toBe(2_000);
  });

  test('that the other side asked for is kept when it is the longer one', () => {
    const { queue } = queueWith(() => 0);
    expect(queue.addRateLimited('a', 'change', 30_000)).toBe(30_000);
    expect(queue.addRateLimited('b', 'change', 10)).toBe(1_000);
  });
});

describe('workers that wait', () => {
  test('are woken one for each key', async () => {
    const { queue } = queueWith();
    const first = queue.take(never);
    const second = queue.take(never);
    queue.add('a');
    queue.add('b');
    expect(await Promise.all([first, second])).toEqual([
      { key: 'a', urgency: 'change' },
      { key: 'b', urgency: 'change' },
    ]);
  });

  test('and leave do not take a wake-up with them', async () => {
    const { queue } = queueWith();
    const leaving = new AbortController();
    const left = queue.take(leaving.signal);
    const stays = queue.take(never);
    leaving.abort();
    expect(await left).toBeUndefined();
    queue.add('a');
    expect(await stays).toEqual({ key: 'a', urgency: 'change' });
  });

  test('and leave in the same moment in which a key comes pass it on', async () => {
    const { queue } = queueWith();
    const leaving = new AbortController();
    const left = queue.take(leaving.signal);
    const stays = queue.take(never);
    queue.add('a');
    leaving.abort();
    const [first, second] = await Promise.all([left, Promise.race([stays, settle().then(() => 'asleep')])]);
    expect([first, second]).toContainEqual({ key: 'a', urgency: 'change' });
  });

  test('are all sent home at shutdown, and what waits is dropped', async () => {
    const { clock, queue } = queueWith();
    const idle = queue.take(never);
    queue.addAfter('later', 1_000);
    queue.shutDown();
    queue.add('a');
    expect(await idle).toBeUndefined();
    expect(await queue.take(never)).toBeUndefined();
    await clock.advance(10_000);
    expect([queue.depth, clock.sleeping]).toEqual([0, 0]);
  });

  test('drained resolves when the last one in work is done', async () => {
    const { queue } = queueWith();
    queue.add('a');
    await queue.take(never);
    queue.shutDown();
    let drained = false;
    const draining = queue.drained().then(() => {
      drained = true;
    });
    await settle();
    expect(drained).toBe(false);
    queue.add('a');
    queue.done('a');
    await draining;
    expect(queue.depth).toBe(0);
  });
});

// Contract: trust-one-writer
test(`several workers never have one key at once, and whatever is added is worked on afterwards (SEED=${seed})`, async () => {
  const step = fc.record({ key, urgency, after: fc.nat({ max: 3 }), work: fc.nat({ max: 5 }), leaves: fc.nat({ max: 9 }) });
  const run = fc.asyncProperty(fc.array(step, { minLength: 100, maxLength: 200 }), async (steps) => {
    const { clock, queue } = queueWith();
    const working = new Set<string>();
    const twice: string[] = [];
    const owed = new Set<string>();
    let works = 1;
    const worker = async (signal: AbortSignal) => {
      for (let taken = await queue.take(signal); taken !== undefined; taken = await queue.take(signal)) {
        if (working.has(taken.key)) twice.push(taken.key);
        working.add(taken.key);
        owed.delete(taken.key);
        await clock.sleep(works, never);
        working.delete(taken.key);
        queue.done(taken.key);
      }
    };
    void worker(never);
    let leaving = new AbortController();
    void worker(leaving.signal);
    for (const one of steps) {
      works = one.work;
      owed.add(one.key);
      queue.add(one.key, one.urgency);
      if (one.leaves === 0) {
        leaving.abort();
        leaving = new AbortController();
        void worker(leaving.signal);
      }
      await clock.advance(one.after);
    }
    await clock.advance(10_000);
    expect([twice, [...owed], [...working], queue.depth]).toEqual([[], [], [], 0]);
    queue.shutDown();
  });
  await fc.assert(run, { seed, numRuns: 100 });
}, 60_000);

test('the metrics tell how long keys waited, were worked on, and are worked on now', async () => {
  const told: [string, number?][] = [];
  const read: (() => QueueSnapshot)[] = [];
  const metrics: RuntimeMetrics = {
    ...noMetrics,
    queue(_name, snapshot) {
      read.push(snapshot);
      return {
        added: () => told.push(['added']),
        retried: () => told.push(['retried']),
        waited: (seconds) => told.push(['waited', seconds]),
        worked: (seconds) => told.push(['worked', seconds]),
      };
    },
  };
  const { clock, queue } = queueWith(() => 0, metrics);
  queue.add('a');
  queue.add('a');
  queue.add('b');
  await clock.advance(3_000);
  await queue.take(never);
  await clock.advance(2_000);
  await queue.take(never);
  await clock.advance(1_000);
  expect(read.map((snapshot) => snapshot())).toEqual([{ depth: 0, unfinishedSeconds: 4, longestSeconds: 3 }]);
  queue.done('a');
  queue.addRateLimited('a');
  expect(told).toEqual([['added'], ['added'], ['waited', 3], ['waited', 5], ['worked', 3], ['retried']]);
});

/** The queue as one would write it who has time: lists that are searched. */
class NaiveQueue {
  now = 0;
  readonly processing = new Set<string>();
  readonly failures = new Map<string, number>();
  dirty: Taken<string>[] = [];
  delayed: (Taken<string> & { at: number })[] = [];
  #taken = 0;
  /** In the order in which they came to wait, those first that came first. */
  ready: Taken<string>[] = [];

  add(key: string, urgency: Urgency): void {
    const waiting = this.dirty.find((entry) => entry.key === key);
    if (waiting !== undefined && mostUrgent(waiting.urgency, urgency) === waiting.urgency) return;
    this.dirty = [...this.dirty.filter((entry) => entry.key !== key), { key, urgency }];
    if (!this.processing.has(key)) this.ready = [...this.ready.filter((entry) => entry.key !== key), { key, urgency }];
  }

  addAfter(key: string, ms: number, urgency: Urgency): void {
    const waiting = this.delayed.find((entry) => entry.key === key);
    const merged = waiting === undefined ? urgency : mostUrgent(waiting.urgency, urgency);
    const at = Math.min(this.now + ms, waiting?.at ?? Number.POSITIVE_INFINITY);
    this.delayed = [...this.delayed.filter((entry) => entry.key !== key), { key, at, urgency: merged }];
  }

  advance(ms: number): void {
    this.now += ms;
    for (const { key, urgency } of this.delayed.filter(({ at }) => at <= this.now).toSorted((a, b) => a.at - b.at)) this.add(key, urgency);
    this.delayed = this.delayed.filter(({ at }) => at > this.now);
  }

  take(): Taken<string> | undefined {
    const others = this.#taken % 16 === 7 ? (['drift', 'resync', 'change'] as const) : (['resync', 'drift', 'change'] as const);
    const order = this.#taken % 8 === 7 ? others : URGENCIES;
    const next = order.map((urgency) => this.ready.find((entry) => entry.urgency === urgency)).find((entry) => entry !== undefined);
    if (next === undefined) return undefined;
    this.#taken += 1;
    this.ready = this.ready.filter((entry) => entry.key !== next.key);
    this.dirty = this.dirty.filter((entry) => entry.key !== next.key);
    this.processing.add(next.key);
    return next;
  }

  done(key: string): void {
    this.processing.delete(key);
    const waiting = this.dirty.find((entry) => entry.key === key);
    if (waiting !== undefined) this.ready = [...this.ready, waiting];
  }
}

const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('add' as const), key, urgency }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('addAfter' as const), key, urgency, ms: fc.integer({ min: 1, max: 5_000 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fail' as const), key, urgency }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), key }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('take' as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('done' as const), nth: fc.nat({ max: 11 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 4_000 }) }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never;

const RUNS = 260;
const OPERATIONS_A_RUN = 400;

test(`it behaves as a naive queue over 100,000 operations (SEED=${seed})`, async () => {
  let operations = 0;
  const run = fc.asyncProperty(fc.array(operation, { minLength: OPERATIONS_A_RUN, maxLength: OPERATIONS_A_RUN }), async (all) => {
    let chance = 0.1;
    const random = () => {
      chance = (chance * 16_807 + 0.013) % 1;
      return chance;
    };
    const { clock, queue } = queueWith(random);
    const naive = new NaiveQueue();
    for (const [index, one] of all.entries()) {
      await perform(one, index, queue, naive, clock);
      expect(queue.depth).toBe(naive.ready.length);
    }
    operations += all.length;
    // Whatever was asked for and not yet done is done in the end: nothing was lost.
    for (const key of naive.processing) queue.done(key);
    for (const key of [...naive.processing]) naive.done(key);
    await clock.advance(400_000);
    naive.advance(400_000);
    for (let wanted = naive.take(); wanted !== undefined; wanted = naive.take()) expect(await queue.take(never)).toEqual(wanted);
    expect(queue.depth).toBe(0);
  });
  await fc.assert(run, { seed, numRuns: RUNS });
  expect(operations).toBeGreaterThanOrEqual(100_000);
}, 60_000);

async function perform(one: Operation, index: number, queue: WorkQueue<string>, naive: NaiveQueue, clock: ManualClock): Promise<void> {
  switch (one.kind) {
    case 'add':
      queue.add(one.key, one.urgency);
      return naive.add(one.key, one.urgency);
    case 'addAfter': {
      const ms = one.ms + index / 1_000; // no two keys at one time: their order would be anybody's
      queue.addAfter(one.key, ms, one.urgency);
      return naive.addAfter(one.key, ms, one.urgency);
    }
    case 'fail': {
      const failures = naive.failures.get(one.key) ?? 0;
      const delay = queue.addRateLimited(one.key, one.urgency);
      expect(delay).toBeGreaterThanOrEqual(1_000);
      expect(delay).toBeLessThanOrEqual(Math.min(300_000, 2_000 * 2 ** failures));
      naive.failures.set(one.key, failures + 1);
      return naive.addAfter(one.key, delay, one.urgency);
    }
    case 'forget':
      queue.forget(one.key);
      naive.failures.delete(one.key);
      return;
    case 'take': {
      const wanted = naive.take();
      if (wanted !== undefined) expect(await queue.take(never)).toEqual(wanted);
      return;
    }
    case 'done': {
      const key = [...naive.processing][one.nth];
      if (key === undefined) return;
      queue.done(key);
      return naive.done(key);
    }
    case 'advance':
      await clock.advance(one.ms);
      return naive.advance(one.ms);
  }
}

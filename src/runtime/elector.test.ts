import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { Clock } from './clock.ts';
import { ELECTION_TIMES, Elector, electionTimes, type LeaseLock, type LeaseRecord, type ReadLease } from './elector.ts';
import { silentLog } from './log.ts';
import { ManualClock } from './manual-clock.ts';
import { noMetrics } from './metrics.ts';

/** A lease in memory that is compared and swapped as the API server does it; every call takes `latencyMs`. */
class TestLease {
  held: ReadLease | undefined;
  writes: LeaseRecord[] = [];
  latencyMs = 0;
  #version = 0;
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  /** The way of one candidate to it; `reaches` says whether the call gets there, `returns` whether its answer comes back. */
  lockFor(link: { reaches: boolean; returns: boolean } = { reaches: true, returns: true }): LeaseLock {
    const call = async <T>(act: () => T, signal: AbortSignal): Promise<T> => {
      await this.#clock.sleep(this.latencyMs / 2, signal);
      if (!link.reaches) throw new Error('unreachable');
      const answer = act();
      await this.#clock.sleep(this.latencyMs / 2, signal);
      if (!link.returns) throw new Error('the answer was lost');
      return answer;
    };
    return {
      get: (signal) => call(() => this.held, signal),
      create: (record, signal) =>
        call(() => {
          if (this.held !== undefined) throw new Error('conflict: it exists');
          return this.#write(record);
        }, signal),
      update: (record, version, signal) =>
        call(() => {
          if (this.held?.version !== version) throw new Error('conflict: it has changed');
          return this.#write(record);
        }, signal),
    };
  }

  #write(record: LeaseRecord): ReadLease {
    this.writes.push(record);
    this.#version += 1;
    this.held = { record, version: String(this.#version) };
    return this.held;
  }
}

/** The clock of a process that can be stopped (SIGSTOP): time passes, and nothing in it goes on until it is continued. */
class ProcessClock implements Clock {
  readonly #inner: ManualClock;
  #thaw: PromiseWithResolvers<void> | undefined;

  constructor(inner: ManualClock) {
    this.#inner = inner;
  }

  get frozen(): boolean {
    return this.#thaw !== undefined;
  }

  freeze(): void {
    this.#thaw ??= Promise.withResolvers();
  }

  thaw(): void {
    this.#thaw?.resolve();
    this.#thaw = undefined;
  }

  /** A suspended machine: the wall clock went on, and the monotonic one did not. */
  suspendedMs = 0;

  now = () => this.#inner.now();
  wall = () => this.#inner.wall() + this.suspendedMs;
  monotonic = () => this.#inner.monotonic();

  async giveWay(): Promise<void> {}

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    await this.#inner.sleep(ms, signal);
    await this.#thaw?.promise;
  }
}

const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

function candidate(identity: string, lease: TestLease, clock: ManualClock, random = () => 0.5) {
  const process = new ProcessClock(clock);
  const link = { reaches: true, returns: true };
  const told: string[] = [];
  const elector = new Elector({
    name: 'test',
    identity,
    lock: lease.lockFor(link),
    clock: process,
    random,
    log: silentLog,
    metrics: {
      ...noMetrics,
      elector: () => ({ leading: (is) => told.push(is ? 'leads' : 'follows'), slowPath: () => told.push('slow path') }),
    },
  });
  const stop = new AbortController();
  stops.push(stop);
  let lost: AbortSignal | undefined;
  const ended = elector.lead(stop.signal, async (signal) => {
    lost = signal;
    await new Promise<void>((resolve) => {
      for (const end of [signal, stop.signal]) end.addEventListener('abort', () => resolve(), { once: true });
    });
  });
  return { elector, ended, link, process, stop, told, lost: () => lost?.aborted ?? false };
}

function setup() {
  const clock = new ManualClock();
  return { clock, lease: new TestLease(clock) };
}

test('the first candidate makes the lease and leads', async () => {
  const { clock, lease } = setup();
  const a = candidate('a', lease, clock);
  await clock.advance(0);
  expect([a.elector.leading, a.told]).toEqual([true, ['follows', 'leads']]);
  expect(lease.held?.record).toEqual({
    holderIdentity: 'a',
    leaseDurationSeconds: 15,
    acquireTimeMs: clock.now(),
    renewTimeMs: clock.now(),
    leaseTransitions: 0,
  });
});

test('a leader renews every two seconds, without a read and without a change of holder', async () => {
  const { clock, lease } = setup();
  const a = candidate('a', lease, clock);
  const began = clock.now();
  await clock.advance(60_000);
  expect(lease.writes.length).toBe(31);
  expect(lease.held?.record).toEqual({
    holderIdentity: 'a',
    leaseDurationSeconds: 15,
    acquireTimeMs: began,
    renewTimeMs: clock.now(),
    leaseTransitions: 0,
  });
  expect(a.told).toEqual(['follows', 'leads']);
});

describe('when the leader', () => {
  test('crashes, another leads after its lease is over and within 24 s', async () => {
    for (const random of [() => 0, () => 0.5, () => 1 - Number.EPSILON]) {
      const { clock, lease } = setup();
      const a = candidate('a', lease, clock);
      await clock.advance(0);
      const b = candidate('b', lease, clock, random);
      await clock.advance(31_000);
      a.process.freeze(); // for ever
      const lastRenewal = lease.held?.record.renewTimeMs ?? 0;
      const died = clock.now();
      while (!b.elector.leading && clock.now() - died < 60_000) await clock.advance(100);
      expect(clock.now() - died).toBeLessThanOrEqual(24_000);
      expect(clock.now() - lastRenewal).toBeGreaterThanOrEqual(15_000);
      expect(lease.held?.record.leaseTransitions).toBe(1);
    }
  });

  test('stops, it gives the lease back and another leads within 5 s', async () => {
    const { clock, lease } = setup();
    const a = candidate('a', lease, clock);
    await clock.advance(0);
    const b = candidate('b', lease, clock, () => 1 - Number.EPSILON);
    await clock.advance(31_000);
    a.stop.abort();
    await clock.advance(0);
    expect(await a.ended).toBe('stopped');
    expect([lease.held?.record.holderIdentity, lease.held?.record.leaseDurationSeconds]).toEqual(['', 1]);
    await clock.advance(5_000);
    expect([a.elector.leading, b.elector.leading, lease.held?.record.leaseTransitions]).toEqual([false, true, 1]);
  });

  test('cannot reach the API server for 10 s, it has lost, 5 s before anybody else may lead', async () => {
    const { clock, lease } = setup();
    const a = candidate('a', lease, clock);
    await clock.advance(2_000);
    a.link.reaches = false;
    await clock.advance(9_999);
    expect([a.lost(), a.elector.leading]).toEqual([false, true]);
    await clock.advance(2_000);
    expect([a.lost(), a.elector.leading, await a.ended]).toEqual([true, false, 'lost']);
    expect(lease.held?.record.holderIdentity).toBe('a'); // not given back: it could not be
  });

  test('loses some answers only, it finds itself in the lease again and goes on', async () => {
    const { clock, lease } = setup();
    const a = candidate('a', lease, clock);
    await clock.advance(2_000);
    a.link.returns = false;
    await clock.advance(4_000);
    a.link.returns = true;
    await clock.advance(60_000);
    expect([a.lost(), a.elector.leading, a.elector.remaining(), lease.held?.record.leaseTransitions]).toEqual([false, true, 15_000, 0]);
    expect(a.told).toEqual(['follows', 'leads', 'slow path', 'slow path', 'slow path']);
  });

  test('finds another in the lease, it has lost at once', async () => {
    const { clock, lease } = setup();
    const a = candidate('a', lease, clock);
    await clock.advance(2_000);
    const held = lease.held;
    if (held === undefined) throw new Error('nobody leads');
    const usurped = lease.lockFor().update({ ...held.record, holderIdentity: 'usurper' }, held.version, a.stop.signal);
    await clock.advance(2_000);
    await usurped;
    expect([a.lost(), await a.ended, lease.held?.record.holderIdentity]).toEqual([true, 'lost', 'usurper']);
  });

  test('has its lease deleted, it makes it again, and nobody leads beside it', async () => {
    const { clock, lease } = setup();
    const a = candidate('a', lease, clock);
    await clock.advance(0);
    const b = candidate('b', lease, clock, () => 0);
    await clock.advance(5_000);
    lease.held = undefined;
    for (let ms = 0; ms < 60_000; ms += 500) {
      await clock.advance(500);
      expect([a.elector.leading, b.elector.leading]).toEqual([true, false]);
    }
  });
});

test('a lease whose last renewal was broken off by the stop is given back all the same', async () => {
  const { clock, lease } = setup();
  const a = candidate('a', lease, clock);
  await clock.advance(0);
  lease.latencyMs = 1_000;
  await clock.advance(2_600); // the renewal has been written, its answer is on the way
  expect(lease.writes.length).toBe(2);
  a.stop.abort();
  await clock.advance(2_000);
  expect([await a.ended, lease.held?.record.holderIdentity]).toEqual(['stopped', '']);
});

describe('the fence', () => {
  test('lets a call through only if it ends before another may lead', async () => {
    const { clock, lease } = setup();
    const a = candidate('a', lease, clock);
    expect(a.elector.mayWrite(0)).toBe(false);
    await clock.advance(0);
    expect([a.elector.mayWrite(10_000), a.elector.mayWrite(14_999), a.elector.mayWrite(15_000)]).toEqual([true, true, false]);
    a.link.reaches = false;
    await clock.advance(6_000);
    expect([a.elector.remaining(), a.elector.mayWrite(8_999), a.elector.mayWrite(9_000)]).toEqual([9_000, true, false]);
  });

  test('holds a leader that was frozen and wakes, although it does not know yet', async () => {
    const { clock, lease } = setup();
    const a = candidate('a', lease, clock);
    await clock.advance(10_000);
    a.process.freeze();
    await clock.advance(20_000);
    expect([a.elector.leading, a.elector.mayWrite(1)]).toEqual([true, false]);
    a.process.thaw();
    await clock.advance(0);
    expect([a.lost(), a.elector.leading]).toEqual([true, false]);
  });

  test('holds a leader whose machine was suspended, until it has renewed, and never for a clock that was set back', async () => {
    const { clock, lease } = setup();
    const a = candidate('a', lease, clock);
    await clock.advance(1_000);
    a.process.suspendedMs = 20_000;
    expect([a.elector.remaining(), a.elector.mayWrite(1)]).toEqual([0, false]);
    await clock.advance(1_000);
    expect(a.elector.remaining()).toBe(15_000);
    a.process.suspendedMs = -3_600_000;
    await clock.advance(1_000);
    expect(a.elector.remaining()).toBe(14_000);
  });

  test('counts from when the renewal was asked for, not from when its answer came', async () => {
    const { clock, lease } = setup();
    lease.latencyMs = 4_000;
    const a = candidate('a', lease, clock);
    await clock.advance(8_000); // a read and a write
    expect([a.elector.leading, a.elector.remaining()]).toEqual([true, 7_000]);
  });

  test('is closed before the lease is given back', async () => {
    const { clock, lease } = setup();
    const a = candidate('a', lease, clock);
    await clock.advance(2_000);
    lease.latencyMs = 1_000;
    a.stop.abort();
    await clock.advance(0);
    expect([a.elector.mayWrite(0), lease.held?.record.holderIdentity]).toEqual([false, 'a']);
    await clock.advance(2_000);
    expect(lease.held?.record.holderIdentity).toBe('');
  });
});

test('the lease is renewed while the work winds down after the stop', async () => {
  const { clock, lease } = setup();
  const stop = new AbortController();
  const work = Promise.withResolvers<void>();
  const elector = new Elector({
    name: 'test',
    identity: 'a',
    lock: lease.lockFor(),
    clock,
    random: () => 0,
    log: silentLog,
    metrics: noMetrics,
  });
  const ended = elector.lead(stop.signal, () => work.promise);
  await clock.advance(0);
  stop.abort();
  await clock.advance(30_000);
  expect([elector.leading, elector.mayWrite(10_000)]).toEqual([true, true]);
  work.resolve();
  await clock.advance(0);
  expect([await ended, lease.held?.record.holderIdentity]).toEqual(['stopped', '']);
});

test('work that throws gives the lease back all the same', async () => {
  const { clock, lease } = setup();
  const elector = new Elector({
    name: 'test',
    identity: 'a',
    lock: lease.lockFor(),
    clock,
    random: () => 0,
    log: silentLog,
    metrics: noMetrics,
  });
  const ended = elector.lead(new AbortController().signal, () => Promise.reject(new Error('a bug')));
  const thrown = expect(ended).rejects.toThrow('a bug');
  await clock.advance(0);
  await thrown;
  expect(lease.held?.record.holderIdentity).toBe('');
});

test('a candidate that is stopped while it waits ends without the lease', async () => {
  const { clock, lease } = setup();
  candidate('a', lease, clock);
  await clock.advance(0);
  const b = candidate('b', lease, clock);
  await clock.advance(5_000);
  b.stop.abort();
  expect([await b.ended, lease.held?.record.holderIdentity]).toEqual(['stopped', 'a']);
});

test("any lease has the proportions of client-go's, in whole milliseconds", () => {
  expect([electionTimes(15_000), electionTimes(3_000), electionTimes(2_000)]).toEqual([
    { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 },
    { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 400 },
    { leaseMs: 2_000, renewDeadlineMs: 1_333, retryMs: 266 },
  ]);
});

test('times that cannot work are refused', () => {
  const { clock, lease } = setup();
  const make = (times: typeof ELECTION_TIMES) => () =>
    new Elector({ name: 'test', identity: 'a', lock: lease.lockFor(), clock, random: () => 0, log: silentLog, metrics: noMetrics, times });
  expect(make({ ...ELECTION_TIMES, renewDeadlineMs: 15_000 })).toThrow(/15000 ms > renew deadline 15000 ms/);
  expect(make({ ...ELECTION_TIMES, retryMs: 9_000 })).toThrow(/retry 9000 ms/);
});

const who = fc.nat({ max: 2 });
const mischief = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 8_000 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('freeze' as const, 'cut off' as const, 'lose answers' as const), who }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('heal' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('slow' as const), ms: fc.integer({ min: 0, max: 6_000 }) }) },
);
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
/** The longest external call of the operator. */
const CALL_MS = 10_000;
const STEP_MS = 250;

test(`three candidates that freeze, restart and lose the network never write beside one another (SEED=${seed})`, async () => {
  const run = fc.asyncProperty(
    fc.array(mischief, { minLength: 20, maxLength: 40 }),
    fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
    async (all, chance) => {
      const { clock, lease } = setup();
      const random = () => chance.next().value ?? 0.5;
      let generation = 0;
      const start = (index: number) => candidate(`${index}-${++generation}`, lease, clock, random);
      const candidates = [start(0), start(1), start(2)];
      /** Until when a call that was let through may be under way, by identity. */
      let writing: { who: object; until: number } | undefined;
      const write = () => {
        for (const one of candidates) {
          if (one.process.frozen || !one.elector.mayWrite(CALL_MS)) continue;
          if (writing !== undefined && writing.who !== one) expect(clock.monotonic()).toBeGreaterThanOrEqual(writing.until);
          writing = { who: one, until: clock.monotonic() + CALL_MS };
        }
      };
      const pass = async (ms: number) => {
        for (let left = ms; left > 0; left -= STEP_MS) {
          await clock.advance(Math.min(left, STEP_MS));
          write();
          for (const [index, one] of candidates.entries()) if (one.lost()) candidates[index] = start(index); // exits, and comes back
        }
      };
      for (const one of all) {
        if (one.kind === 'pass') await pass(one.ms);
        else if (one.kind === 'slow') lease.latencyMs = one.ms;
        else {
          const chosen = candidates[one.who];
          if (chosen === undefined) continue;
          if (one.kind === 'freeze') chosen.process.freeze();
          else if (one.kind === 'cut off') chosen.link.reaches = false;
          else if (one.kind === 'lose answers') chosen.link.returns = false;
          else if (one.kind === 'heal') {
            chosen.process.thaw();
            chosen.link.reaches = true;
            chosen.link.returns = true;
          } else if (!chosen.elector.leading) {
            chosen.stop.abort();
            candidates[one.who] = start(one.who);
          }
        }
      }
      // When all is well again, one of them leads.
      lease.latencyMs = 0;
      for (const one of candidates) {
        one.process.thaw();
        one.link.reaches = true;
        one.link.returns = true;
      }
      await pass(60_000);
      expect(candidates.filter((one) => one.elector.leading).length).toBe(1);
      for (const one of candidates) one.stop.abort();
      await clock.advance(0);
    },
  );
  await fc.assert(run, { seed, numRuns: 100 });
}, 120_000);

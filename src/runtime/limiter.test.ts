import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Limiter, LONGEST_WAIT_MS } from './limiter.ts';
import { ManualClock, settle } from './manual-clock.ts';
import { URGENCIES, type Urgency } from './queue.ts';

const never = new AbortController().signal;
const PER_SECOND = 5;
/** As far as IAM is away: what is under way when the first call is throttled is throttled too. */
const LATENCY_MS = 200;
/** Five halvings at most, a second apart, and what was under way. */
const FINDS_OUT_MS = 10_000;

/** A limiter, and the turns in the order in which they came. */
function limited(perSecond = PER_SECOND, burst = Math.max(1, perSecond)) {
  const clock = new ManualClock();
  const waits: number[] = [];
  const limiter = new Limiter({ perSecond, burst, clock, waited: (seconds) => waits.push(seconds) });
  const turns: { name: string; at: number }[] = [];
  const failures: { name: string; reason: unknown }[] = [];
  return {
    clock,
    limiter,
    waits,
    turns,
    failures,
    names: () => turns.map(({ name }) => name),
    ask(name: string, urgency: Urgency = 'change', signal = never, tenants: readonly string[] = []) {
      limiter.take(urgency, signal, tenants).then(
        () => turns.push({ name, at: clock.monotonic() }),
        (reason) => failures.push({ name, reason }),
      );
    },
    /** Empties the bucket. */
    async drain() {
      for (let n = 0; n < Math.max(1, perSecond); n += 1) await limiter.take('change', never);
      waits.splice(0);
    },
  };
}

describe('a turn', () => {
  test('is there at once while the bucket is not empty, and then comes at the rate', async () => {
    const { clock, ask, turns, waits } = limited();
    for (let n = 0; n < 8; n += 1) ask(`${n}`);
    await clock.advance(1_000);
    expect(turns.map(({ at }) => at)).toEqual([0, 0, 0, 0, 0, 200, 400, 600]);
    expect(waits).toEqual([0, 0, 0, 0, 0, 0.2, 0.4, 0.6]);
  });

  // Contract: drift-order
  test('comes to the most urgent first, and to equals in their order', async () => {
    const { clock, ask, names, drain } = limited();
    await drain();
    for (const [name, urgency] of [
      ['resync', 'resync'],
      ['drift 1', 'drift'],
      ['change 1', 'change'],
      ['drift 2', 'drift'],
      ['change 2', 'change'],
    ] as const)
      ask(name, urgency);
    await clock.advance(400);
    expect(names()).toEqual(['change 1', 'change 2']);
    await clock.advance(600);
    expect(names().toSorted()).toEqual(['change 1', 'change 2', 'drift 1', 'drift 2', 'resync']);
  });

  // Contract: fair-turns
  test('goes round over those for whom it is taken', async () => {
    const { clock, ask, names, drain } = limited();
    await drain();
    for (const name of ['a1', 'a2', 'a3', 'b1', 'b2']) ask(name, 'change', never, [name.charAt(0)]);
    await clock.advance(1_000);
    expect(names()).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
  });

  test('comes one by one where the burst is one', async () => {
    const { clock, ask, turns } = limited(PER_SECOND, 1);
    for (const name of ['a', 'b', 'c']) ask(name);
    await clock.advance(1_000);
    expect(turns.map(({ at }) => at)).toEqual([0, 200, 400]);
  });

  test('comes to the least urgent in the end, however many changes come', async () => {
    const { clock, ask, names } = limited();
    for (let n = 0; n < 200; n += 1) ask(`change ${n}`);
    ask('patient', 'resync');
    await clock.advance(8_000 / PER_SECOND);
    expect(names()).toContain('patient');
  });

  test('is not taken from whom waits by a newcomer, though the timer is late', async () => {
    const { clock, ask, names, drain } = limited();
    await drain();
    ask('first');
    clock.freeze(300);
    ask('second');
    await settle();
    expect(names()).toEqual(['first']);
  });

  test('that is not waited for any more costs nothing', async () => {
    const { clock, ask, names, failures, drain } = limited();
    await drain();
    const gone = new AbortController();
    ask('gone', 'change', gone.signal);
    ask('stays');
    await settle();
    gone.abort('no longer');
    await clock.advance(200);
    expect([names(), failures]).toEqual([['stays'], [{ name: 'gone', reason: 'no longer' }]]);
  });

  test('is refused to whom is gone already', async () => {
    await expect(limited().limiter.take('change', AbortSignal.abort('gone'))).rejects.toBe('gone');
  });

  test('is waited for a minute at most', async () => {
    const { clock, ask, failures, drain } = limited(1 / 120);
    await drain();
    ask('patient');
    await clock.advance(LONGEST_WAIT_MS);
    expect(failures).toEqual([{ name: 'patient', reason: expect.objectContaining({ name: 'TimeoutError' }) }]);
    expect(clock.sleeping).toBe(0);
  });

  test('that was given back is the next one’s', async () => {
    const { ask, names, limiter, drain } = limited();
    await drain();
    ask('next');
    limiter.giveBack();
    await settle();
    expect(names()).toEqual(['next']);
  });

  test('given back to a full bucket is not one more', async () => {
    const { ask, names, limiter } = limited();
    limiter.giveBack();
    for (let n = 0; n < 9; n += 1) ask(`${n}`);
    await settle();
    expect(names()).toHaveLength(PER_SECOND);
  });

  test('leaves no timer behind', async () => {
    const { clock, ask } = limited();
    for (let n = 0; n < 9; n += 1) ask(`${n}`);
    await clock.advance(1_000);
    expect(clock.sleeping).toBe(0);
  });
});

describe('throttling', () => {
  // Contract: drift-limit
  test('halves the rate and empties the bucket', async () => {
    const { clock, ask, turns, limiter } = limited();
    limiter.throttled();
    expect(limiter.perSecond).toBe(PER_SECOND / 2);
    for (const name of ['a', 'b']) ask(name);
    await clock.advance(1_000);
    expect(turns.map(({ at }) => at)).toEqual([400, 800]);
  });

  test('that several calls tell of at once halves once', () => {
    const { clock, limiter } = limited();
    limiter.throttled();
    clock.freeze(500);
    limiter.throttled();
    expect(limiter.perSecond).toBeCloseTo((PER_SECOND / 2) * 2 ** (500 / 120_000), 6);
  });

  test('that goes on leaves a thirty-second part', async () => {
    const { clock, limiter } = limited();
    for (let n = 0; n < 100; n += 1) {
      limiter.throttled();
      await clock.advance(1_000);
    }
    limiter.throttled();
    expect(limiter.perSecond).toBe(PER_SECOND / 32);
  });

  test('is made good in two minutes, and never beyond the rate', async () => {
    const { clock, limiter } = limited();
    limiter.throttled();
    await clock.advance(60_000);
    expect(limiter.perSecond).toBeCloseTo(PER_SECOND * Math.SQRT1_2, 6);
    await clock.advance(60_000);
    expect(limiter.perSecond).toBe(PER_SECOND);
    await clock.advance(600_000);
    expect(limiter.perSecond).toBe(PER_SECOND);
  });

  test('is made good the later the lower the rate is, but from whatever is left within 35 minutes', async () => {
    const { clock, limiter } = limited();
    for (let n = 0; n < 6; n += 1) {
      await clock.advance(1_000);
      limiter.throttled();
    }
    await clock.advance(420_000);
    expect(limiter.perSecond).toBeCloseTo(PER_SECOND / 16, 6);
    await clock.advance(4 * 420_000);
    expect(limiter.perSecond).toBe(PER_SECOND);
  });
});

// Contract: drift-limit
describe('under one call in a hundred is throttled once it was found out how little is allowed, and most of that is used', () => {
  // At the default flag. The bucket of the other side holds a second's worth: with less there would be no rate.
  for (const allowed of [0.5, 1, 2, 3, 4.5, 5, 20]) {
    test(`${allowed} a second`, async () => {
      const { sent, throttled } = await inAnHour(allowed);
      expect(throttled / sent).toBeLessThan(0.01);
      expect(sent).toBeGreaterThan(0.65 * 3_600 * Math.min(allowed, PER_SECOND));
    });
  }
});

/** What the workers of the operator send when they never run out of work, and what the other side takes for too much. */
async function inAnHour(allowedPerSecond: number) {
  const { clock, limiter } = limited();
  const found = { sent: 0, throttled: 0 };
  const burst = Math.max(1, allowedPerSecond);
  let [tokens, at] = [burst, 0];
  const worker = async () => {
    while (clock.monotonic() < 3_600_000) {
      const mayGo = await limiter.take('drift', never).then(
        () => true,
        () => false, // it waited for a minute
      );
      if (!mayGo) continue;
      await clock.sleep(LATENCY_MS, never);
      const now = clock.monotonic();
      tokens = Math.min(burst, tokens + ((now - at) / 1_000) * allowedPerSecond);
      at = now;
      const enough = tokens >= 1;
      if (enough) tokens -= 1;
      else limiter.throttled();
      if (now < FINDS_OUT_MS) continue;
      found.sent += 1;
      if (!enough) found.throttled += 1;
    }
  };
  for (let n = 0; n < 8; n += 1) void worker();
  await clock.advance(3_600_000);
  return found;
}

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

/** What happens to a limiter: somebody asks, somebody leaves, time passes, the other side throttles. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('ask' as const), urgency: fc.constantFrom(...URGENCIES) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), who: fc.nat(200) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(1_500) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('throttle' as const) }) },
);

test(`whatever happens: never more than the bucket holds, nobody is lost, and the order is kept (SEED=${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120 }), fc.constantFrom(0.5, 1, 5, 10), async (steps, perSecond) => {
      const clock = new ManualClock();
      const limiter = new Limiter({ perSecond, clock, waited: () => {} });
      const asked: { urgency: Urgency; leave: AbortController }[] = [];
      const waiting = new Set<number>();
      const served: number[] = [];
      const overtaken: unknown[] = [];
      let outOfOrder = 0;
      const turn = (id: number) => {
        const { urgency } = asked[id] ?? { urgency: 'change' };
        const others = [...waiting].map((other) => ({ other, urgency: asked[other]?.urgency ?? 'change' }));
        overtaken.push(...others.filter((one) => one.urgency === urgency && one.other < id));
        if (others.some((one) => URGENCIES.indexOf(one.urgency) < URGENCIES.indexOf(urgency))) outOfOrder += 1;
        served.push(clock.monotonic());
      };
      for (const each of steps) {
        if (each.do === 'ask') {
          const id = asked.push({ urgency: each.urgency, leave: new AbortController() }) - 1;
          waiting.add(id);
          limiter.take(each.urgency, asked[id]?.leave.signal ?? never).then(
            () => {
              waiting.delete(id);
              turn(id);
            },
            () => waiting.delete(id),
          );
          await settle();
        } else if (each.do === 'leave') {
          asked[each.who]?.leave.abort();
          await settle();
        } else if (each.do === 'pass') await clock.advance(each.ms);
        else limiter.throttled();
      }
      // Everybody has a turn, or gives up after the longest wait.
      await clock.advance(LONGEST_WAIT_MS);
      expect([waiting.size, clock.sleeping, overtaken]).toEqual([0, 0, []]);
      // Only every eighth turn is the least urgent one's.
      expect(outOfOrder).toBeLessThanOrEqual(Math.ceil(served.length / 8));
      served.forEach((from, first) => {
        served.slice(first).forEach((to, count) => {
          expect(count + 1).toBeLessThanOrEqual(Math.max(1, perSecond) + (perSecond * (to - from)) / 1_000 + 1e-6);
        });
      });
    }),
    { seed, numRuns: 300 },
  );
});

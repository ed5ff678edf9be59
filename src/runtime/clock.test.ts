import { describe, expect, test } from 'vitest';
import { steady, systemClock } from './clock.ts';
import { ManualClock } from './manual-clock.ts';

test('the system clock sleeps, and is woken by the reason of its signal', async () => {
  const never = new AbortController().signal;
  const began = systemClock.monotonic();
  await systemClock.sleep(2, never);
  expect(systemClock.monotonic() - began).toBeGreaterThan(0.5);
  const stop = new AbortController();
  const sleeping = systemClock.sleep(2 ** 40, stop.signal);
  stop.abort(new Error('stops'));
  await expect(sleeping).rejects.toThrow('stops');
  await expect(systemClock.sleep(0, stop.signal)).rejects.toThrow('stops');
});

test('of many who give way on the system clock each goes on in a turn of the event loop of its own', async () => {
  let turn = 0;
  const count = () => {
    turn += 1;
    if (turn < 10) setImmediate(count);
  };
  setImmediate(count);
  const turns = await Promise.all(['a', 'b', 'c'].map(() => systemClock.giveWay().then(() => turn)));
  expect(turns).toEqual([1, 2, 3]);
});

test('the manual clock wakes sleepers in the order of their time, and lets each act before the next', async () => {
  const clock = new ManualClock();
  const never = new AbortController().signal;
  const woken: [string, number][] = [];
  const sleeper = async (name: string, ...naps: number[]) => {
    for (const nap of naps) {
      await clock.sleep(nap, never);
      woken.push([name, clock.monotonic()]);
    }
  };
  void sleeper('a', 10, 10, 100);
  void sleeper('b', 15);
  await clock.advance(50);
  expect(woken).toEqual([
    ['a', 10],
    ['b', 15],
    ['a', 20],
  ]);
  expect([clock.monotonic(), clock.sleeping]).toEqual([50, 1]);
});

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 1);

/** A wall clock and a monotonic one, each moved by itself. */
function clocks() {
  const shown = { wall: START, monotonic: 1_234.5 };
  const now = steady(
    () => shown.wall,
    () => shown.monotonic,
  );
  const pass = (ms: number) => {
    shown.wall += ms;
    shown.monotonic += ms;
    return now();
  };
  return { shown, now, pass };
}

// Contract: rule-ages-monotonic
describe('the time of the process', () => {
  const steps: Record<string, { byMs: number; afterMs: number; aged: number }> = {
    'is the wall clock while nobody sets it': { byMs: 0, afterMs: HOUR, aged: HOUR },
    'goes on when the wall clock is set back ten minutes': { byMs: -10 * MINUTE, afterMs: MINUTE, aged: 0.99 * MINUTE },
    'does not jump when it is set forward a day': { byMs: DAY, afterMs: MINUTE, aged: 1.01 * MINUTE },
    'has no age of 8 s too early by more than a hundredth, whatever is set': { byMs: 365 * DAY, afterMs: 8 * SECOND, aged: 8_080 },
    'stands where it is when no time passes': { byMs: -DAY, afterMs: 0, aged: 0 },
    'has caught up with a second after less than two minutes': { byMs: SECOND, afterMs: 100 * SECOND, aged: 101 * SECOND },
    'has waited for ten minutes that were set back within a day': { byMs: -10 * MINUTE, afterMs: DAY, aged: DAY - 10 * MINUTE },
  };
  for (const [sentence, { byMs, afterMs, aged }] of Object.entries(steps))
    test(sentence, () => {
      const { shown, now, pass } = clocks();
      const before = now();
      shown.wall += byMs;
      expect(now()).toBe(before);
      expect(pass(afterMs) - before).toBe(aged);
    });

  test('never goes back, however the wall clock is set', () => {
    const { shown, now, pass } = clocks();
    let last = now();
    for (const byMs of [-10 * MINUTE, DAY, -DAY, -1, 1, 365 * DAY, -400 * DAY]) {
      shown.wall += byMs;
      for (const ms of [0, 1, 0.4, 0.4, SECOND, HOUR]) {
        const next = pass(ms);
        expect(next).toBeGreaterThanOrEqual(last);
        last = next;
      }
    }
  });

  test('of a machine that was suspended goes on where it stood, and catches up', () => {
    const { shown, now, pass } = clocks();
    shown.wall += MINUTE;
    expect([now(), pass(2 * HOUR)]).toEqual([START, START + 2 * HOUR + MINUTE]);
  });
});

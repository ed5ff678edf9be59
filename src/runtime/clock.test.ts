import { expect, test } from 'vitest';
import { systemClock } from './clock.ts';
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

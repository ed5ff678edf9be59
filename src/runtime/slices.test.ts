import { expect, test } from 'vitest';
import { inSlices, SLICE_MS } from './slices.ts';

/** A clock that a step of work moves on, and what had its turn in between. */
function stage() {
  const turns: number[] = [];
  let now = 0;
  const clock = {
    monotonic: () => now,
    async giveWay() {
      turns.push(now);
    },
  };
  function* work(steps: number, ms: number): Generator<void, string, void> {
    for (let step = 0; step < steps; step += 1) {
      now += ms;
      yield;
    }
    return `after ${now} ms`;
  }
  return { clock, turns, work };
}

test('work that takes less than a slice is done at once', () => {
  const { clock, turns, work } = stage();
  expect(inSlices(work(4, 1), clock)).toBe('after 4 ms');
  expect(turns).toEqual([]);
});

// Contract: slices
test('after each slice others have their turn, and the work ends with its answer', async () => {
  const { clock, turns, work } = stage();
  expect(await inSlices(work(12, SLICE_MS / 2), clock)).toBe(`after ${6 * SLICE_MS} ms`);
  expect(turns).toEqual([1, 2, 3, 4, 5, 6].map((slice) => slice * SLICE_MS));
});

test('a slice is no longer than its last step', async () => {
  const { clock, turns, work } = stage();
  await inSlices(work(3, 100), clock);
  expect(turns).toEqual([100, 200, 300]);
});

test('what the work throws is thrown', async () => {
  const { clock } = stage();
  // biome-ignore lint/correctness/useYield: it throws before
  function* broken(): Generator<void, void, void> {
    throw new Error('broken');
  }
  expect(() => inSlices(broken(), clock)).toThrow('broken');
});

import { expect, test } from 'vitest';
import { type Backoff, backoffDelay, jitter, jitterLater, RECONCILE_BACKOFF } from './backoff.ts';

const lowest = () => 0;
const highest = () => 1 - Number.EPSILON;
const middle = () => 0.5;

const ceilings: Record<string, { attempt: number; ceilingMs: number }> = {
  'the first retry of a key comes within 1 and 2 s': { attempt: 0, ceilingMs: 2_000 },
  'the second within 1 and 4 s': { attempt: 1, ceilingMs: 4_000 },
  'the eighth within 1 s and 256 s': { attempt: 7, ceilingMs: 256_000 },
  // Contract: failure-classes
  'the ninth within 1 s and 5 min': { attempt: 8, ceilingMs: 300_000 },
  'the thousandth still within 5 min': { attempt: 1_000, ceilingMs: 300_000 },
};
for (const [sentence, { attempt, ceilingMs }] of Object.entries(ceilings)) {
  test(sentence, () => {
    expect(backoffDelay(RECONCILE_BACKOFF, attempt, lowest)).toBe(1_000);
    expect(backoffDelay(RECONCILE_BACKOFF, attempt, highest)).toBeCloseTo(ceilingMs, 3);
    expect(backoffDelay(RECONCILE_BACKOFF, attempt, middle)).toBe((1_000 + ceilingMs) / 2);
  });
}

test('a ceiling below the floor never gives less than nothing to wait', () => {
  const flat: Backoff = { floorMs: 1_000, capMs: 1_000 };
  expect(backoffDelay(flat, 5, highest)).toBe(1_000);
});

test('jitter moves either way, jitterLater never to an earlier time', () => {
  expect([jitter(100, 0.1, lowest), jitter(100, 0.1, middle), Math.round(jitter(100, 0.1, highest))]).toEqual([90, 100, 110]);
  expect([jitterLater(100, 0.1, lowest), Math.round(jitterLater(100, 0.1, middle)), Math.round(jitterLater(100, 0.1, highest))]).toEqual([
    100, 105, 110,
  ]);
});

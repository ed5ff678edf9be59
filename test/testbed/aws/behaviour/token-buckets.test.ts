import { expect, test } from 'vitest';
import { createTokenBuckets } from './token-buckets.ts';

test('a bucket gives its burst at once, then one token in each interval, and never holds more than its burst', () => {
  let now = 1_000_000;
  const limit = { perSecond: 5, burst: 3 };
  const buckets = createTokenBuckets(() => now);
  const taken = (count: number) => Array.from({ length: count }, () => buckets.take('a', limit));

  expect(taken(4)).toEqual([true, true, true, false]);
  now += 199;
  expect(taken(1)).toEqual([false]);
  now += 1;
  expect(taken(2)).toEqual([true, false]);
  now += 60_000;
  expect(taken(4)).toEqual([true, true, true, false]);
});

test('buckets know nothing of each other', () => {
  const buckets = createTokenBuckets(() => 0);
  const limit = { perSecond: 1, burst: 1 };
  expect(['a', 'a', 'b'].map((key) => buckets.take(key, limit))).toEqual([true, false, true]);
});

test('another limit begins with a full bucket', () => {
  const buckets = createTokenBuckets(() => 0);
  expect(buckets.take('a', { perSecond: 1, burst: 1 })).toBe(true);
  expect(buckets.take('a', { perSecond: 1, burst: 1 })).toBe(true);
});

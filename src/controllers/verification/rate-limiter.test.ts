import { expect, test } from 'vitest';
import { RateLimiter } from './rate-limiter.ts';

// Contract: prove-budget
test('five a second have a turn, in the order in which they came, and each its own', () => {
  const rateLimiter = new RateLimiter();
  const keys = Array.from({ length: 12 }, (_, index) => `ns/${index}`);
  expect(keys.map((key) => rateLimiter.take(key, 1_000))).toEqual(keys.map((_, index) => index * 200));
  expect(keys.slice(1).map((key, index) => rateLimiter.take(key, 1_200 + index * 200))).toEqual(keys.slice(1).map(() => 0));
});

test('who comes back before its turn has the same one', () => {
  const rateLimiter = new RateLimiter();
  rateLimiter.take('ns/a', 0);
  expect([rateLimiter.take('ns/b', 0), rateLimiter.take('ns/b', 50), rateLimiter.take('ns/b', 200)]).toEqual([200, 150, 0]);
});

test('who has had its turn waits for another', () => {
  const rateLimiter = new RateLimiter();
  expect([rateLimiter.take('ns/a', 0), rateLimiter.take('ns/a', 0)]).toEqual([0, 200]);
});

test('who does not ask any more is forgotten', () => {
  const rateLimiter = new RateLimiter();
  rateLimiter.take('ns/a', 0);
  rateLimiter.take('ns/b', 0);
  rateLimiter.forget('ns/b');
  expect(rateLimiter.take('ns/b', 100)).toBe(300);
});

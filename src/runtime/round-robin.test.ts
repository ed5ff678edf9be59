import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NO_TENANT, RoundRobin } from './round-robin.ts';

const always = () => true;

function all<T>(from: RoundRobin<T>, counts: (item: T) => boolean = always): T[] {
  const items: T[] = [];
  for (let item = from.shift(counts); item !== undefined; item = from.shift(counts)) items.push(item);
  return items;
}

describe('turns', () => {
  // Contract: fair-turns
  test('go round over tenants, and within one in the order in which its items came', () => {
    const waiting = new RoundRobin<string>();
    for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) waiting.push(item, [item.charAt(0)]);
    expect(all(waiting)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  });

  test('come to a tenant that comes back after those that wait', () => {
    const waiting = new RoundRobin<string>();
    for (const item of ['a1', 'b1', 'b2']) waiting.push(item, [item.charAt(0)]);
    expect(waiting.shift(always)).toBe('a1');
    waiting.push('a2', ['a']);
    expect(all(waiting)).toEqual(['b1', 'a2', 'b2']);
  });

  test('are in the order of arrival where there are no tenants', () => {
    const waiting = new RoundRobin<string>();
    for (const item of ['1', '2', '3']) waiting.push(item, NO_TENANT);
    waiting.push('4', []);
    expect(all(waiting)).toEqual(['1', '2', '3', '4']);
  });

  test('are not taken by what does not count any more', () => {
    const waiting = new RoundRobin<string>();
    for (const item of ['a gone', 'a stays', 'b1']) waiting.push(item, [item.charAt(0)]);
    expect(all(waiting, (item) => item !== 'a gone')).toEqual(['a stays', 'b1']);
  });
});

test('what several tenants want waits with the one that has the fewest', () => {
  const waiting = new RoundRobin<string>();
  for (const item of ['a1', 'a2', 'a3']) waiting.push(item, ['a']);
  waiting.push('shared', ['a', 'b']);
  expect(all(waiting)).toEqual(['a1', 'shared', 'a2', 'a3']);
});

test('a tenant without items takes no memory', () => {
  const waiting = new RoundRobin<string>();
  for (let n = 0; n < 1_000; n++) waiting.push(`${n}`, [`tenant-${n % 50}`]);
  expect(waiting.tenants).toBe(50);
  all(waiting);
  expect(waiting.tenants).toBe(0);
});

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

test(`between two turns of a tenant that waits, another one has one at most, and nothing is lost (SEED=${seed})`, () => {
  const push = fc.constantFrom(...'abcde');
  fc.assert(
    fc.property(fc.array(fc.option(push), { maxLength: 200 }), (steps) => {
      const waiting = new RoundRobin<string>();
      const open = new Map<string, number>();
      /** Of each tenant that waits, who had turns since it began to, or since its last one. */
      const since = new Map<string, string[]>();
      const take = () => {
        const tenant = waiting.shift(always);
        if (tenant === undefined) return;
        for (const others of since.values()) others.push(tenant);
        const left = (open.get(tenant) ?? 0) - 1;
        if (left > 0) since.set(tenant, []);
        else since.delete(tenant);
        if (left > 0) open.set(tenant, left);
        else open.delete(tenant);
        for (const others of since.values()) expect(new Set(others).size).toBe(others.length);
      };
      for (const tenant of steps) {
        if (tenant === null) {
          take();
          continue;
        }
        waiting.push(tenant, [tenant]);
        open.set(tenant, (open.get(tenant) ?? 0) + 1);
        if (!since.has(tenant)) since.set(tenant, []);
      }
      while (open.size > 0) take();
      expect(waiting.shift(always)).toBeUndefined();
    }),
    { seed, numRuns: 300 },
  );
});

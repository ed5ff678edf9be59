import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Aged, Oldest } from './oldest.ts';

const one = (key: string, createdAt: number): Aged => ({ uid: key, key, createdAt });
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

test('the older ones have the places, and of one age those whose name is first', () => {
  const oldest = new Oldest<Aged>(2);
  expect(oldest.add(one('young', 9))).toBeUndefined();
  expect(oldest.add(one('b', 5))).toBeUndefined();
  expect(oldest.add(one('a', 5))?.key).toBe('young');
  expect(oldest.add(one('youngest', 10))?.key).toBe('youngest');
  expect(oldest.remove(one('b', 5))?.key).toBe('young');
  expect(oldest.remove(one('youngest', 10))).toBeUndefined();
  expect(oldest.remove(one('stranger', 1))).toBeUndefined();
});

test(`what each change tells adds up to what a count anew says (SEED=${seed})`, () => {
  const key = fc.constantFrom(...'abcdefghij');
  const change = fc.record({ key, createdAt: fc.nat(3), add: fc.boolean() });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (changes, most) => {
      const oldest = new Oldest<Aged>(most);
      const there = new Map<string, Aged>();
      const without = new Set<string>();
      for (const { key: name, createdAt, add } of changes) {
        const known = there.get(name);
        if (add === (known !== undefined)) continue;
        if (known === undefined) {
          const next = one(name, createdAt);
          there.set(name, next);
          const gone = oldest.add(next);
          if (gone) without.add(gone.key);
        } else {
          there.delete(name);
          without.delete(name);
          const back = oldest.remove(known);
          if (back) without.delete(back.key);
        }
        const inOrder = [...there.values()].toSorted((a, b) => a.createdAt - b.createdAt || (a.key < b.key ? -1 : 1));
        expect(without).toEqual(new Set(inOrder.slice(most).map((aged) => aged.key)));
      }
    }),
    { seed, numRuns: 300 },
  );
});

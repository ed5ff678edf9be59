import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inTurns } from './turns.ts';

type Named = { namespace: string; name: string };
const named = (...all: string[]): Named[] =>
  all.map((each) => {
    const [namespace = '', name = ''] = each.split('/');
    return { namespace, name };
  });
function taken(limit: number, all: readonly Named[]): { taken: string[]; left: number } {
  const turns = inTurns<Named>(limit);
  for (const one of all) turns.add(one);
  const chosen = [...turns.taken()].flatMap((one) => (one === undefined ? [] : [`${one.namespace}/${one.name}`]));
  return { taken: chosen, left: turns.left };
}

const cases: Record<string, { limit: number; of: Named[]; taken: string[]; left?: number }> = {
  'all, in the order in which they came, where all fit': { limit: 3, of: named('b/2', 'b/1', 'a/1'), taken: ['b/2', 'b/1', 'a/1'] },
  'nothing of nothing': { limit: 3, of: [], taken: [] },
  'nothing where nothing fits': { limit: 0, of: named('a/1'), taken: [], left: 1 },
  'the first of one namespace by name, whatever the order in which they came': {
    limit: 2,
    of: named('a/3', 'a/1', 'a/2'),
    taken: ['a/1', 'a/2'],
    left: 1,
  },
  'one of each namespace before a second one of any': {
    limit: 4,
    of: named('a/1', 'a/2', 'a/3', 'a/4', 'b/1', 'c/1'),
    taken: ['a/1', 'b/1', 'c/1', 'a/2'],
    left: 2,
  },
  'the room that small namespaces leave goes to large ones in turns': {
    limit: 5,
    of: named('a/1', 'a/2', 'a/3', 'b/1', 'b/2', 'b/3', 'c/1'),
    taken: ['a/1', 'b/1', 'c/1', 'a/2', 'b/2'],
    left: 2,
  },
  'of more namespaces than there is room for the first by name': {
    limit: 2,
    of: named('c/1', 'b/1', 'a/1'),
    taken: ['a/1', 'b/1'],
    left: 1,
  },
};
describe('what is shown where not all is shown', () => {
  for (const [sentence, { limit, of, taken: chosen, left = 0 }] of Object.entries(cases))
    test(sentence, () => expect(taken(limit, of)).toEqual({ taken: chosen, left }));

  test('does not depend on the order in which objects come', () => {
    const objects = fc.uniqueArray(fc.record({ namespace: fc.constantFrom('a', 'b', 'c'), name: fc.constantFrom(...'abcdefghijkl') }), {
      selector: ({ namespace, name }) => `${namespace}/${name}`,
    });
    fc.assert(
      fc.property(objects, fc.nat({ max: 12 }), (all, limit) => {
        const one = taken(limit, all);
        const other = taken(limit, all.toReversed());
        expect(one.taken.toSorted()).toEqual(other.taken.toSorted());
        expect(one.taken.length + one.left).toBe(all.length);
        expect(one.taken.length).toBe(Math.min(limit, all.length));
      }),
    );
  });

  test('of 100,000 objects of one tenant no more are kept in mind than twice those that are shown', () => {
    const turns = inTurns<Named>(10);
    let most = 0;
    for (let at = 100_000; at > 0; at -= 1) {
      turns.add({ namespace: 'a', name: String(at).padStart(6, '0') });
      most = Math.max(most, turns.kept);
    }
    expect(most).toBeLessThanOrEqual(20);
    turns.add({ namespace: 'b', name: '1' });
    const shown = [...turns.taken()].flatMap((one) => one?.name ?? []);
    expect([shown.length, shown[0], shown[1], shown.at(-1), turns.left]).toEqual([10, '000001', '1', '000009', 99_991]);
  });
});

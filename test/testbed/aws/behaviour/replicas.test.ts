import { expect, test } from 'vitest';
import { ReplicatedMap } from './replicas.ts';

/** A map, its clock, and the draws that are to come: of three versions, 0 is the oldest and 0.99 the newest. */
function setUp() {
  const state = { now: 0, draws: [] as number[] };
  const map = new ReplicatedMap<string>(
    () => state.now,
    () => state.draws.shift() ?? expect.fail('nobody expected a draw'),
  );
  return { state, map };
}

test('who asks for the newest state gets it, without a draw', () => {
  const { map } = setUp();
  map.set('lbc', 'v1').set('lbc', 'v2');
  expect([map.get('lbc'), map.seen('lbc', 0), map.allSeen(0)]).toEqual(['v2', 'v2', ['v2']]);
});

test('a reader may see any version that is young enough, and go back in time', () => {
  const { state, map } = setUp();
  map.plant('lbc', 'v1');
  state.now = 1_000;
  map.set('lbc', 'v2');
  state.now = 2_000;
  map.set('lbc', 'v3');
  state.draws = [0.99, 0, 0.5, 0];
  expect(Array.from({ length: 4 }, () => map.seen('lbc', 4_000))).toEqual(['v3', 'v1', 'v2', 'v1']);
  state.now = 5_000; // v1 ended 4 s ago: no replica is so far behind
  state.draws = [0, 0.99];
  expect(Array.from({ length: 2 }, () => map.seen('lbc', 4_000))).toEqual(['v2', 'v3']);
  state.now = 6_000;
  expect(map.seen('lbc', 4_000)).toBe('v3');
});

test('what was made a moment ago may be missing, what was deleted may still be there', () => {
  const { state, map } = setUp();
  map.set('lbc', 'v1');
  state.draws = [0];
  expect(map.seen('lbc', 4_000)).toBeUndefined();
  state.now = 10_000;
  map.delete('lbc');
  state.draws = [0, 0.99];
  expect([map.allSeen(4_000), map.allSeen(4_000)]).toEqual([['v1'], []]);
  expect(map.get('lbc')).toBeUndefined();
});

test('each key of a list is drawn by itself: of two writes the later may be seen first', () => {
  const { state, map } = setUp();
  map.plant('a', 'a1');
  map.plant('b', 'b1');
  map.set('a', 'a2').set('b', 'b2');
  state.draws = [0, 0.99];
  expect(map.allSeen(4_000)).toEqual(['a1', 'b2']);
});

test('no reader is behind what was planted', () => {
  const { map } = setUp();
  map.set('lbc', 'v1').set('lbc', 'v2').plant('lbc', 'v3');
  expect(map.seen('lbc', 4_000)).toBe('v3');
  map.plant('lbc', undefined);
  expect([map.seen('lbc', 4_000), map.size]).toEqual([undefined, 0]);
});

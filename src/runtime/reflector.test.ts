import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { type Log, silentLog } from './log.ts';
import { ManualClock, settle } from './manual-clock.ts';
import { noMetrics, type RuntimeMetrics } from './metrics.ts';
import { REFLECTOR_LIMITS, Reflector, type WatchEvent } from './reflector.ts';
import { Store } from './store.ts';
import { TestCollection, type Thing } from './test-collection.ts';

const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

function reflecting(
  source: TestCollection,
  options: { random?: () => number; log?: Log; metrics?: RuntimeMetrics; pageSize?: number } = {},
) {
  const clock = new ManualClock();
  const store = new Store<Thing>({ kind: 'Thing', keyOf: (thing) => thing.name, log: silentLog });
  const heard: string[] = [];
  store.onChange((previous, next) =>
    heard.push(`${previous === undefined ? '+' : next === undefined ? '-' : '~'}${(next ?? previous)?.name}`),
  );
  const reflector = new Reflector({
    source,
    store,
    clock,
    random: options.random ?? (() => 0),
    log: options.log ?? silentLog,
    metrics: options.metrics ?? noMetrics,
    limits: { ...REFLECTOR_LIMITS, pageSize: options.pageSize ?? REFLECTOR_LIMITS.pageSize },
  });
  const stop = new AbortController();
  stops.push(stop);
  const running = reflector.run(stop.signal);
  return { clock, store, heard, reflector, running, stop };
}

function collectionOf(...names: string[]): TestCollection {
  const source = new TestCollection();
  for (const name of names) source.put(name, 0);
  return source;
}

describe('the first list', () => {
  test('is taken page by page, and only the last page makes the store synced', async () => {
    const source = collectionOf('a', 'b', 'c', 'd', 'e');
    const { store } = reflecting(source, { pageSize: 2 });
    expect(store.hasSynced).toBe(false);
    await settle();
    expect([store.hasSynced, store.size, source.calls]).toEqual([true, 5, ['list', 'list after 5/b', 'list after 5/d', 'watch from 5']]);
  });

  test('is tried again with growing pauses for as long as it fails, and says why', async () => {
    const source = collectionOf('a');
    source.listFailures.push(new Error('no'), new Error('no'), new Error('no'));
    const { clock, store, reflector } = reflecting(source, { random: () => 1 - Number.EPSILON });
    await settle();
    expect([source.calls.length, reflector.problem, store.hasSynced]).toEqual([1, 'no', false]);
    await clock.advance(1_999);
    expect(source.calls.length).toBe(1);
    await clock.advance(1);
    expect(source.calls.length).toBe(2);
    await clock.advance(4_000);
    expect(source.calls.length).toBe(3);
    await clock.advance(8_000);
    expect([source.calls.slice(3), reflector.problem, store.hasSynced]).toEqual([['list', 'watch from 1'], undefined, true]);
  });

  test('starts over when its page token has expired', async () => {
    const source = collectionOf('a', 'b', 'c');
    source.listFailures.push(undefined, 'expired');
    const { clock, store } = reflecting(source, { pageSize: 2 });
    await clock.advance(1_000);
    expect([source.calls, store.size, store.hasSynced]).toEqual([
      ['list', 'list after 3/b', 'list', 'list after 3/b', 'watch from 3'],
      3,
      true,
    ]);
  });
});

describe('the watch', () => {
  test('brings additions, changes and deletions', async () => {
    const source = collectionOf('a');
    const { heard, store } = reflecting(source);
    await settle();
    source.put('b', 1);
    source.put('a', 2);
    source.delete('b');
    await settle();
    expect([heard, store.list()]).toEqual([['+a', '+b', '~a', '-b'], [{ name: 'a', value: 2 }]]);
  });

  test('tells a deletion and an addition when an object was made again under its name', async () => {
    const source = collectionOf('a');
    const { heard } = reflecting(source);
    await settle();
    source.delete('a');
    source.put('a', 1);
    await settle();
    expect(heard).toEqual(['+a', '-a', '+a']);
  });

  test('that tells the end of a predecessor late leaves its successor alone', async () => {
    class Late extends TestCollection {
      override async *watch(): AsyncIterable<readonly WatchEvent<Thing>[]> {
        yield [{ type: 'DELETED', object: { name: 'a', value: 0 }, uid: 'an earlier one', resourceVersion: '9' }];
        await new Promise(() => {});
      }
    }
    const source = new Late();
    source.put('a', 1);
    const { heard, store } = reflecting(source);
    await settle();
    expect([heard, store.size]).toEqual([['+a'], 1]);
  });

  test('that the server closes after its time is taken up at once, from the last version and without a list', async () => {
    const source = collectionOf('a');
    const { clock, heard } = reflecting(source);
    await settle();
    for (let minute = 0; minute < 5; minute += 1) {
      await clock.advance(60_000);
      source.bookmark();
      await settle();
    }
    source.cut();
    await settle();
    expect(source.calls).toEqual(['list', 'watch from 1', 'watch from 6']);
    expect(heard).toEqual(['+a']);
  });

  test('that is closed as soon as it begins is not taken up more than once a second', async () => {
    const source = collectionOf('a');
    const { clock } = reflecting(source);
    await settle();
    for (let second = 0; second < 60; second += 1) {
      source.cut();
      await clock.advance(1_000);
    }
    expect(source.calls.filter((call) => call.startsWith('watch')).length).toBeLessThanOrEqual(61);
    expect(source.calls.filter((call) => call === 'list')).toEqual(['list']);
  });

  test('that is quiet and cut every minute, as load balancers do, is never away for longer than 2 s', async () => {
    for (const error of [undefined, new Error('reset')]) {
      const source = collectionOf('a');
      const { clock } = reflecting(source, { random: () => 1 - Number.EPSILON });
      for (let minute = 0; minute < 10; minute += 1) {
        await clock.advance(60_000);
        source.cut(error);
        await clock.advance(2_000);
        expect(source.watching).toBe(1);
      }
    }
  });

  test('that is refused is tried again with back-off and jitter, from the last version', async () => {
    const source = collectionOf('a');
    const { clock, store } = reflecting(source, { random: () => 0.5 });
    await settle();
    source.put('b', 0);
    await settle();
    source.watchFailures.push(new Error('refused'), new Error('refused'));
    source.cut(new Error('reset'));
    source.put('c', 0);
    await settle();
    expect(source.calls).toEqual(['list', 'watch from 1']);
    await clock.advance(1_500);
    await clock.advance(2_500);
    expect(source.calls).toEqual(['list', 'watch from 1', 'watch from 2', 'watch from 2']);
    await clock.advance(4_500);
    expect(source.calls.at(-1)).toBe('watch from 2');
    expect(titles(store)).toEqual(['a', 'b', 'c']);
  });

  test('that is silent for 90 s is given up and taken up at once from the last version', async () => {
    const source = collectionOf('a');
    const { clock, store } = reflecting(source);
    await settle();
    await clock.advance(60_000);
    source.bookmark();
    await settle();
    source.silence();
    source.put('b', 0);
    await clock.advance(89_999);
    expect([source.calls, titles(store)]).toEqual([['list', 'watch from 1'], ['a']]);
    await clock.advance(1);
    expect([source.calls, titles(store), source.watching]).toEqual([['list', 'watch from 1', 'watch from 2'], ['a', 'b'], 1]);
  });

  test('with an expired version leads to one new list, which tells what happened meanwhile', async () => {
    const source = collectionOf('changed', 'gone', 'kept', 'replaced');
    const { clock, heard } = reflecting(source);
    await clock.advance(60_000);
    source.silence();
    source.put('changed', 1);
    source.delete('gone');
    source.delete('replaced');
    source.put('replaced', 0);
    source.put('new', 0);
    source.compact();
    heard.length = 0;
    await clock.advance(31_000);
    expect([source.calls, heard.toSorted()]).toEqual([
      ['list', 'watch from 4', 'watch from 4', 'list', 'watch from 9'],
      ['+new', '+replaced', '-gone', '-replaced', '~changed'],
    ]);
  });

  test('is asked for with a limit of five to ten minutes', async () => {
    const asked: number[] = [];
    class Asking extends TestCollection {
      override watch(...[from, signal]: Parameters<TestCollection['watch']>) {
        asked.push(from.timeoutSeconds);
        return super.watch(from, signal);
      }
    }
    for (const random of [() => 0, () => 0.5, () => 1 - Number.EPSILON]) reflecting(new Asking(), { random });
    await settle();
    expect(asked).toEqual([300, 450, 600]);
  });
});

function titles(store: Store<Thing>): string[] {
  return [...store.keys()].toSorted();
}

test('a version that the server forgets again and again never leads to a storm of lists', async () => {
  const source = collectionOf('a');
  const { clock } = reflecting(source, { random: () => 0.5 });
  await settle();
  for (let second = 0; second < 120; second += 1) {
    source.put('a', second);
    source.compact();
    source.cut();
    await clock.advance(1_000);
  }
  expect(source.calls.filter((call) => call === 'list').length).toBeLessThanOrEqual(12);
});

test('the same trouble is logged once, and its end', async () => {
  const said: unknown[] = [];
  const log: Log = {
    ...silentLog,
    warn: (fields) => said.push((fields as { err: Error }).err.message),
    info: (_fields, message) => said.push(message),
  };
  const source = collectionOf('a');
  source.listFailures.push(new Error('no'), new Error('no'), new Error('no'), new Error('another'));
  const { clock } = reflecting(source, { log });
  await clock.advance(10_000);
  expect(said).toEqual(['no', 'another', 'API server reachable again']);
});

test('metrics tell each list and watch with its cause and end, and the last contact', async () => {
  const told: string[] = [];
  let read = (): unknown => undefined;
  const metrics: RuntimeMetrics = {
    ...noMetrics,
    reflector(kind, snapshot) {
      read = snapshot;
      return { listed: (cause) => told.push(`${kind} list ${cause}`), watched: (end) => told.push(`${kind} watch ${end}`) };
    },
  };
  const source = collectionOf('a', 'b');
  source.listFailures.push(new Error('no'));
  const { clock } = reflecting(source, { metrics });
  expect(read()).toEqual({ lastContactMs: undefined, objects: 0 });
  await clock.advance(1_000);
  expect(told.splice(0)).toEqual(['Thing list start', 'Thing list failed']);
  source.cut(new Error('reset'));
  await clock.advance(1_000);
  expect(told.splice(0)).toEqual(['Thing watch failed']);
  source.cut();
  await clock.advance(1_000);
  expect(told.splice(0)).toEqual(['Thing watch closed']);
  source.put('a', 1);
  await settle();
  const lastContactMs = clock.now();
  source.silence();
  source.put('b', 1);
  source.delete('b');
  source.compact();
  await clock.advance(89_999);
  expect([told, read()]).toEqual([[], { lastContactMs, objects: 2 }]);
  await clock.advance(2_000);
  expect([told, read()]).toEqual([
    ['Thing watch silent', 'Thing watch expired', 'Thing list expired'],
    { lastContactMs: lastContactMs + 91_000, objects: 1 },
  ]);
});

test('it ends soon after its signal, whatever it is doing, and leaves no watch and no timer', async () => {
  for (const hang of ['watching', 'backing off'] as const) {
    const source = collectionOf('a');
    if (hang === 'backing off') source.listFailures.push(new Error('no'));
    const { clock, running, stop } = reflecting(source);
    await settle();
    stop.abort();
    await running;
    expect([source.watching, clock.sleeping]).toEqual([0, 0]);
  }
});

const name = fc.constantFrom(...'abcdef');
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('put' as const), name, value: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('delete' as const), name }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('bookmark' as const, 'compact' as const, 'cut' as const, 'break' as const, 'silence' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('refuse list' as const, 'refuse watch' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 20_000 }) }) },
);
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

test(`whatever breaks, the store equals the collection in the end, and no object is mixed up with its successor (SEED=${seed})`, async () => {
  const run = fc.asyncProperty(fc.array(step, { minLength: 50, maxLength: 100 }), async (steps) => {
    const source = new TestCollection();
    const { clock, store, stop } = reflecting(source, { pageSize: 2 });
    const told = new Map<string, number>();
    store.onChange((previous, next) => {
      const key = (next ?? previous)?.name ?? '';
      expect(previous?.value).toBe(told.get(key)); // what is called the former state is what was told before
      if (next === undefined) told.delete(key);
      else told.set(key, next.value);
    });
    for (const one of steps) {
      if (one.kind === 'put') source.put(one.name, one.value);
      else if (one.kind === 'delete') source.delete(one.name);
      else if (one.kind === 'pass') await clock.advance(one.ms);
      else if (one.kind === 'refuse list') source.listFailures.push(new Error('list'));
      else if (one.kind === 'refuse watch') source.watchFailures.push(new Error('watch'));
      else if (one.kind === 'break') source.cut(new Error('broken'));
      else source[one.kind]();
    }
    await clock.advance(300_000);
    expect(store.list().toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual(
      [...source.things.values()].map((item) => item.object).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    );
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(store.list().map((thing) => [thing.name, thing.value])));
    stop.abort();
  });
  await fc.assert(run, { seed, numRuns: 100 });
}, 60_000);

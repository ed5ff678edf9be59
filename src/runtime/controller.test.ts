import { afterEach, describe, expect, test } from 'vitest';
import {
  type Attempt,
  type Controller,
  ControllerLoop,
  type Outcome,
  recheck,
  settled,
  type Wake,
  wakeEvery,
  wakeOn,
} from './controller.ts';
import { type Log, silentLog } from './log.ts';
import { ManualClock, settle } from './manual-clock.ts';
import { noMetrics, type RuntimeMetrics } from './metrics.ts';
import { Store } from './store.ts';

interface Thing {
  readonly name: string;
  readonly owner: string;
}

class Refusal extends Error {
  readonly retryAfterMs: number | undefined;
  constructor(retryAfterMs?: number) {
    super('refused');
    this.retryAfterMs = retryAfterMs;
  }
}

const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

type Reconcile = (key: string, signal: AbortSignal, attempt: Attempt) => Promise<Outcome>;

interface Options {
  readonly workers?: number;
  readonly log?: Log;
  readonly metrics?: RuntimeMetrics;
  readonly synced?: boolean;
  readonly tenantsOf?: (key: string) => string[];
  readonly wakes?: readonly Wake<string>[];
}

function running(reconcile: Reconcile, options: Options = {}) {
  const clock = new ManualClock();
  const store = new Store<Thing>({ kind: 'Thing', keyOf: (thing) => thing.name, log: silentLog });
  const { tenantsOf } = options;
  const wakes = options.wakes ?? [wakeOn(store, (thing: Thing) => [thing.owner])];
  const controller: Controller<string> = { name: 'test', wakes, reconcile, ...(tenantsOf && { tenantsOf }) };
  const loop = new ControllerLoop(controller, {
    workers: options.workers ?? 1,
    clock,
    random: () => 0,
    log: options.log ?? silentLog,
    metrics: options.metrics ?? noMetrics,
    classify: (error) => (error instanceof Refusal ? { kind: 'refused', retryAfterMs: error.retryAfterMs } : undefined),
  });
  if (options.synced !== false) store.markSynced();
  const stop = new AbortController();
  const abort = new AbortController();
  stops.push(stop, abort);
  return { clock, store, loop, stop, abort, ended: loop.run(stop.signal, abort.signal) };
}

/** A reconcile that notes which keys it saw, and answers with what the queue of answers holds for a key, else "settled". */
function noting(answers: Record<string, (Outcome | Error)[]> = {}) {
  const seen: string[] = [];
  const reconcile: Reconcile = async (key) => {
    seen.push(key);
    const answer = answers[key]?.shift() ?? settled;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { seen, reconcile };
}

test('attempts that wait for nothing give way after 5 ms, so that probes and the lease have their turn', async () => {
  const order: string[] = [];
  const { clock, loop } = running(async (key) => {
    order.push(`${key} after ${clock.gaveWay}`);
    clock.freeze(2);
    return settled;
  });
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) loop.queue.add(key);
  await settle();
  expect(order).toEqual(['a after 0', 'b after 0', 'c after 0', 'd after 1', 'e after 1', 'f after 1', 'g after 2']);
});

describe('keys come', () => {
  test('from everything that stands, once the stores are filled', async () => {
    const { seen, reconcile } = noting();
    const { store, loop } = running(reconcile, { synced: false });
    store.put({ name: 'a', owner: 'x' });
    store.put({ name: 'b', owner: 'x' });
    store.put({ name: 'c', owner: 'y' });
    await settle();
    expect([seen, loop.queue.depth]).toEqual([[], 2]);
    store.markSynced();
    await settle();
    expect(seen).toEqual(['x', 'y']);
  });

  test('from what a change concerns before and after', async () => {
    const { seen, reconcile } = noting();
    const { store } = running(reconcile);
    store.put({ name: 'a', owner: 'x' });
    await settle();
    store.put({ name: 'a', owner: 'y' });
    await settle();
    store.delete('a');
    await settle();
    expect(seen).toEqual(['x', 'x', 'y', 'y']);
  });

  test('again from everything every ten hours', async () => {
    const { seen, reconcile } = noting();
    const { clock, store } = running(reconcile);
    store.put({ name: 'a', owner: 'x' });
    await settle();
    await clock.advance(9 * 3_600_000);
    expect(seen).toEqual(['x', 'x']); // the jitter of this test takes 10 % off
    await clock.advance(9 * 3_600_000);
    expect(seen).toEqual(['x', 'x', 'x']);
  });

  test('not from updates that `when` leaves out', () => {
    const store = new Store<Thing>({ kind: 'Thing', keyOf: (thing) => thing.name, log: silentLog });
    const woken: string[] = [];
    wakeOn(store, (thing) => [thing.owner], { when: (previous, next) => previous.owner !== next.owner }).subscribe((key, urgency) =>
      woken.push(`${key} ${urgency}`),
    );
    store.put({ name: 'a', owner: 'x' });
    store.markSynced();
    store.put({ name: 'a', owner: 'x' });
    store.put({ name: 'a', owner: 'y' });
    store.delete('a');
    expect(woken).toEqual(['x resync', 'x change', 'y change', 'y change']);
  });

  test('also after a wake that throws, which is logged', async () => {
    const { seen, reconcile } = noting();
    const lines: string[] = [];
    const log = { ...silentLog, error: (_: object, message: string) => void lines.push(message) };
    const things = new Store<Thing>({ kind: 'Thing', keyOf: (thing) => thing.name, log: silentLog });
    const broken = (): string[] => {
      throw new Error('a bug');
    };
    things.markSynced();
    running(reconcile, { log, wakes: [wakeEvery(things, broken), wakeOn(things, ({ name }) => [name])] });
    await settle();
    things.put({ name: 'a', owner: 'x' });
    await settle();
    expect([seen, lines]).toEqual([['a'], ['wake threw']]);
  });

  test('all of them when an object changes on which all rest: at once and one time, however many change in one moment', async () => {
    const { seen, reconcile } = noting();
    const things = new Store<Thing>({ kind: 'Thing', keyOf: (thing) => thing.name, log: silentLog });
    let asked = 0;
    const every = () => {
      asked += 1;
      return things.list().map(({ name }) => name);
    };
    const others = new Store<Thing>({ kind: 'Other', keyOf: (thing) => thing.name, log: silentLog });
    running(reconcile, {
      wakes: [wakeOn(things, ({ name }) => [name]), wakeEvery(others, every, { when: (a, b) => a.owner !== b.owner })],
    });
    for (const name of ['a', 'b']) things.put({ name, owner: 'x' });
    for (const name of ['c', 'd', 'e']) others.put({ name, owner: 'x' });
    things.markSynced();
    others.markSynced();
    await settle();
    expect([seen.splice(0), asked]).toEqual([['a', 'b'], 0]);
    for (const name of ['c', 'd', 'e']) others.put({ name, owner: 'y' });
    await settle();
    expect([seen.splice(0), asked]).toEqual([['a', 'b'], 1]);
    others.put({ name: 'c', owner: 'y' });
    await settle();
    expect([seen, asked]).toEqual([[], 1]);
  });

  test('all of them as drift: one that changed by itself overtakes', async () => {
    const urgencies: string[] = [];
    const store = (kind: string) => new Store<Thing>({ kind, keyOf: (thing) => thing.name, log: silentLog });
    const [things, others] = [store('Thing'), store('Other')];
    running(
      async (key, _, { urgency }) => {
        urgencies.push(`${key} ${urgency}`);
        return settled;
      },
      { wakes: [wakeOn(things, ({ name }) => [name]), wakeEvery(others, () => ['a', 'b'])], workers: 1 },
    );
    for (const each of [things, others]) each.markSynced();
    others.put({ name: 'c', owner: 'x' });
    things.put({ name: 'b', owner: 'x' });
    await settle();
    expect(urgencies).toEqual(['b change', 'a drift']);
  });
});

describe('an attempt that', () => {
  test('asks for a recheck gets it at that time or a little later, never before', async () => {
    const { seen, reconcile } = noting({ x: [recheck(8_000, 'reads back')] });
    const { clock, loop } = running(reconcile);
    loop.queue.add('x');
    await clock.advance(7_999);
    expect(seen).toEqual(['x']);
    await clock.advance(1);
    expect(seen).toEqual(['x', 'x']);
  });

  test('fails is retried with growing pauses, which end with its first success', async () => {
    const { seen, reconcile } = noting({ x: [new Refusal(), new Refusal(), settled, new Refusal()] });
    const { clock, loop } = running(reconcile);
    loop.queue.add('x');
    await clock.advance(0);
    expect([seen.length, loop.queue.failures('x')]).toEqual([1, 1]);
    await clock.advance(1_000);
    expect([seen.length, loop.queue.failures('x')]).toEqual([2, 2]);
    await clock.advance(1_000);
    expect([seen.length, loop.queue.failures('x')]).toEqual([3, 0]);
  });

  test('fails because the other side wants a pause is retried after that pause', async () => {
    const { seen, reconcile } = noting({ x: [new Refusal(30_000)] });
    const { clock, loop } = running(reconcile);
    loop.queue.add('x');
    await clock.advance(29_999);
    expect(seen.length).toBe(1);
    await clock.advance(1);
    expect(seen.length).toBe(2);
  });

  // Contract: failure-apart
  test('throws what nobody foresaw stops no other key, is told apart and retried', async () => {
    const bug = new TypeError('cannot read properties of undefined');
    const { seen, reconcile } = noting({ bad: [bug] });
    const errors: object[] = [];
    const { clock, loop } = running(reconcile, { log: { ...silentLog, error: (fields) => errors.push(fields) } });
    loop.queue.add('bad');
    loop.queue.add('good');
    await clock.advance(1_000);
    expect(seen).toEqual(['bad', 'good', 'bad']);
    expect(errors).toEqual([
      {
        controller: 'test',
        key: 'bad',
        reconcileId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        err: bug,
        failure: 'panic',
        failures: 1,
        retryMs: 1_000,
      },
    ]);
  });

  test('throws before it returns a promise is a failed attempt like any other', async () => {
    const { clock, loop } = running(() => {
      throw new Refusal();
    });
    loop.queue.add('x');
    await clock.advance(0);
    expect(loop.queue.failures('x')).toBe(1);
  });

  test('takes too long is told so by its signal, and retried', async () => {
    const reasons: unknown[] = [];
    const { clock, loop } = running(async (_key, signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      reasons.push(String(signal.reason));
      throw signal.reason;
    });
    loop.queue.add('x');
    await clock.advance(120_000);
    expect([reasons, loop.queue.failures('x')]).toEqual([['TimeoutError: not done after 120 s'], 1]);
  });

  test('does not look at its signal is reported as wedged, and the others go on', async () => {
    const seen: string[] = [];
    const { clock, loop } = running(
      async (key) => {
        seen.push(key);
        if (key === 'stuck') await new Promise(() => {});
        return settled;
      },
      { workers: 2 },
    );
    loop.queue.add('stuck');
    loop.queue.add('a');
    await clock.advance(180_000);
    expect(loop.wedged()).toEqual([]);
    loop.queue.add('b');
    loop.queue.add('stuck');
    await clock.advance(1);
    expect([seen, loop.wedged()]).toEqual([['stuck', 'a', 'b'], ['controller test has been at "stuck" for more than 180 s']]);
  });

  test('is the only one at its key, and knows how it came about', async () => {
    const at = new Map<string, number>();
    const attempts: unknown[] = [];
    const { clock, loop } = running(
      async (key, signal, attempt) => {
        attempts.push([key, attempt.urgency, attempt.failures]);
        at.set(key, (at.get(key) ?? 0) + 1);
        expect(at.get(key)).toBe(1);
        loop.queue.add(key);
        await clock.sleep(1_000, signal);
        at.set(key, 0);
        if (attempts.length === 1) throw new Refusal();
        return settled;
      },
      { workers: 4 },
    );
    loop.queue.add('x', 'drift');
    await clock.advance(1_500);
    expect(attempts).toEqual([
      ['x', 'drift', 0],
      ['x', 'change', 1],
    ]);
  });

  test('that goes on within seconds is as urgent as it was, and one that waits is not', async () => {
    const urgencies: string[] = [];
    const { clock, loop } = running(async (_, __, { urgency }) => {
      urgencies.push(urgency);
      return urgencies.length > 3 ? settled : recheck([0, 0, 10_000, 11_000][urgencies.length] ?? 0, 'x');
    });
    loop.queue.add('x', 'change');
    await clock.advance(30_000);
    expect(urgencies).toEqual(['change', 'change', 'change', 'drift']);
  });

  test('is in the turn of one of its tenants', async () => {
    const seen: string[] = [];
    const { clock, loop } = running(
      async (key) => {
        seen.push(key);
        return settled;
      },
      { workers: 1, tenantsOf: (key) => [key.charAt(0)] },
    );
    for (const key of ['a1', 'a2', 'b1']) loop.queue.add(key);
    await clock.advance(1);
    expect(seen).toEqual(['a1', 'b1', 'a2']);
  });
});

describe('a stop', () => {
  test('lets what is under way finish and begins nothing new', async () => {
    const finished: string[] = [];
    const { clock, loop, stop, ended } = running(async (key, signal) => {
      await clock.sleep(5_000, signal);
      finished.push(key);
      return settled;
    });
    loop.queue.add('under way');
    loop.queue.add('waits');
    await clock.advance(1_000);
    stop.abort();
    loop.queue.add('too late');
    await clock.advance(5_000);
    await ended;
    expect([finished, loop.queue.depth]).toEqual([['under way'], 0]);
  });

  test('that loses patience aborts what is under way, and counts it neither as failure nor as success', async () => {
    const results: string[] = [];
    const metrics: RuntimeMetrics = {
      ...noMetrics,
      controller: () => ({
        ...noMetrics.controller('', 0),
        reconciled: (result) => results.push(result),
        failed: (kind) => results.push(kind),
      }),
    };
    const { clock, loop, abort, ended } = running((_key, signal) => clock.sleep(60_000, signal).then(() => settled), { metrics });
    loop.queue.add('x');
    await clock.advance(1_000);
    abort.abort(new Error('the lease was lost'));
    await ended;
    expect(results).toEqual([]);
  });

  test('does not wait for an attempt that does not break off', async () => {
    const errors: unknown[] = [];
    const { clock, loop, abort, ended } = running(() => new Promise(() => {}), {
      log: { ...silentLog, error: (fields) => errors.push(fields) },
    });
    loop.queue.add('stuck');
    await clock.advance(1_000);
    abort.abort();
    await clock.advance(1_000);
    await ended;
    expect(errors).toEqual([{ controller: 'test', keys: ['stuck'] }]);
  });

  test('before the stores are filled ends it too', async () => {
    const { stop, ended } = running(async () => settled, { synced: false });
    stop.abort();
    await ended;
  });
});

test('metrics tell every result, failure, panic and timeout, and how many workers are busy', async () => {
  const told: unknown[] = [];
  const metrics: RuntimeMetrics = {
    ...noMetrics,
    controller: (name, workers) => {
      told.push([name, workers]);
      return {
        reconciled: (result, seconds) => told.push([result, seconds]),
        failed: (kind) => told.push(kind),
        panicked: () => told.push('a panic'),
        timedOut: () => told.push('a timeout'),
        active: (busy) => told.push(busy),
      };
    },
  };
  const { clock, loop } = running(
    async (key, signal) => {
      if (key === 'settles') return settled;
      if (key === 'rechecks') return recheck(3_600_000, 'to see');
      if (key === 'fails') throw new Refusal(3_600_000);
      if (key === 'hangs') await clock.sleep(Number.MAX_SAFE_INTEGER, signal);
      throw new TypeError('a bug');
    },
    { metrics },
  );
  for (const key of ['settles', 'rechecks', 'fails']) loop.queue.add(key);
  await clock.advance(0);
  expect(told.splice(0)).toEqual([['test', 1], 1, ['success', 0], 0, 1, ['requeue_after', 0], 0, 1, 'refused', ['error', 0], 0]);
  loop.queue.add('panics');
  await clock.advance(0);
  expect(told.splice(0)).toEqual([1, 'a panic', 'panic', ['error', 0], 0]);
  loop.queue.add('hangs');
  await clock.advance(500);
  expect(told.splice(0)).toEqual([1]);
  await clock.advance(119_500);
  expect(told.splice(0, 4)).toEqual(['a timeout', 'timeout', ['error', 120], 0]);
});

// Contract: rule-least-recheck
describe('a recheck', () => {
  for (const afterMs of [-86_400_000, -1, 0, 1, 999])
    test(`that asks for ${afterMs} ms comes after a second, however often it is asked for`, async () => {
      let attempts = 0;
      const { clock, store } = running(async () => {
        attempts += 1;
        return recheck(afterMs, 'a mistake about a time');
      });
      store.put({ name: 'a', owner: 'x' });
      await clock.advance(300_000);
      expect(attempts).toBe(301);
    });
  test('that asks for more comes then', async () => {
    const { seen, reconcile } = noting({ x: [recheck(2_000, 'later')] });
    const { clock, store } = running(reconcile);
    store.put({ name: 'a', owner: 'x' });
    await clock.advance(1_999);
    expect(seen).toEqual(['x']);
    await clock.advance(1);
    expect(seen).toEqual(['x', 'x']);
  });
});

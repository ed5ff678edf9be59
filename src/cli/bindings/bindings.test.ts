import { describe, expect, test } from 'vitest';
import type { BindingStatus, IrsaBinding } from '../../api/binding.ts';
import type { Condition } from '../../api/condition.ts';
import { Fault } from '../../api/fault.ts';
import { isProblem } from '../../api/problem.ts';
import { binding, NOW } from '../../domain/test-observed.ts';
import type { BindingChange, BindingObjects } from '../../ports/binding-objects.ts';
import { ManualClock } from '../../runtime/manual-clock.ts';
import { noProgress } from '../progress.ts';
import { setSuspended } from './change.ts';
import { get, watch } from './get.ts';
import { reconcile } from './reconcile.ts';
import { ageOf, rowOf } from './rows.ts';
import { changeSelectionFrom, type Selection, selectionFrom } from './select.ts';

const condition = (type: Condition['type'], status: Condition['status'], reason: string, message = ''): Condition => ({
  type,
  status,
  reason,
  message,
  observedGeneration: 1,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const readyStatus: BindingStatus = { observedGeneration: 1, conditions: [condition('Ready', 'True', 'Ready')] };
const stalledStatus: BindingStatus = {
  observedGeneration: 1,
  conditions: [condition('Ready', 'False', 'RoleNotFound', 'no such role'), condition('Stalled', 'True', 'RoleNotFound')],
  findings: [{ code: 'RoleNotFound', severity: 'Error' }],
};

const named = (name: string, status: BindingStatus = readyStatus, spec: object = {}): IrsaBinding => ({
  ...binding({ metadata: { name }, spec }),
  status,
});
const ready = named('ready');
const stalled = named('stalled', stalledStatus);
const old = named('old', { ...readyStatus, observedGeneration: 0 });
const suspended = named('suspended', readyStatus, { suspend: true });
const ALL = [ready, stalled, old, suspended];

/** A cluster in memory. `after`: what happens once it is watched. */
class Objects implements BindingObjects {
  readonly writes: string[] = [];
  readonly all: readonly IrsaBinding[];
  readonly after: readonly BindingChange[];
  fault: Fault | undefined;
  constructor(all: readonly IrsaBinding[] = ALL, after: readonly BindingChange[] = []) {
    this.all = all;
    this.after = after;
  }
  async list() {
    return this.all;
  }
  async *changes(_: object, signal: AbortSignal): AsyncGenerator<BindingChange> {
    yield { kind: 'all', all: this.all };
    yield* this.after;
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  }
  async requestReconcile({ name }: { name: string }, value: string) {
    if (this.fault !== undefined) throw this.fault;
    this.writes.push(`reconcile ${name} ${value}`);
  }
  async suspend({ name }: { name: string }, suspend: boolean) {
    if (this.fault !== undefined) throw this.fault;
    this.writes.push(`suspend ${name} ${suspend}`);
  }
}

const clock = new ManualClock(NOW);
const portsOf = (bindings: Objects) => ({ bindings, clock, progress: noProgress, namespace: 'shop' });
const going = new AbortController().signal;
const select = (given: object, names: string[] = []): Selection => {
  const found = selectionFrom(names, { ...given }, 'shop');
  if (isProblem(found)) throw new Error(found.problem);
  return found;
};
const whole = select({});

describe('which bindings are meant', () => {
  const filters: Record<string, [given: object, names: string[], found: string[]]> = {
    'without a filter all': [{}, [], ['ready', 'stalled', 'old', 'suspended']],
    'those that are named': [{}, ['old', 'ready'], ['ready', 'old']],
    'those that are not Ready, of the spec as it is': [{ 'not-ready': true }, [], ['stalled', 'old']],
    'those with a finding': [{ code: 'RoleNotFound' }, [], ['stalled']],
    'those that are suspended': [{ suspended: true }, [], ['suspended']],
    'those for which every filter is true': [{ suspended: true, 'not-ready': true }, [], []],
  };
  for (const [sentence, [given, names, found]] of Object.entries(filters))
    test(sentence, async () => {
      const printed: string[] = [];
      await get(select(given, names), 'json', portsOf(new Objects()), (text) => printed.push(text), going);
      expect((JSON.parse(printed.join('')) as { name: string }[]).map(({ name }) => name)).toEqual(found);
    });

  test('a name that does not exist is a fault, before anything is written', async () => {
    const objects = new Objects();
    await expect(setSuspended(select({}, ['ready', 'none']), true, portsOf(objects), going)).rejects.toThrow(
      'there is no IrsaBinding "none"',
    );
    expect(objects.writes).toEqual([]);
  });

  const refused: Record<string, [given: object, names: string[], says: RegExp]> = {
    'a name beside labels': [{ selector: 'a=b' }, ['app'], /^"app" and -l: give one of the two$/],
    'a name in all namespaces': [{ 'all-namespaces': true }, ['app'], /a name is of one namespace/],
    'a misspelt code': [{ code: 'RoleNotFond' }, [], /Is RoleNotFound meant\?/],
  };
  for (const [sentence, [given, names, says]] of Object.entries(refused))
    test(`${sentence} is refused`, () =>
      expect(selectionFrom(names, { ...given }, 'shop')).toMatchObject({ problem: expect.stringMatching(says) }));

  test('the namespace is that of -n, else that of the context', () =>
    expect(
      [select({ namespace: 'x' }), select({ namespace: '' }), select({ 'all-namespaces': true })].map(({ namespace }) => namespace),
    ).toEqual(['x', 'shop', undefined]));

  test('a change needs a name, a filter or --all', () => {
    expect(changeSelectionFrom([], {}, 'shop')).toMatchObject({ problem: expect.stringMatching(/--all$/) });
    expect(changeSelectionFrom([], { selector: '' }, 'shop')).toMatchObject({ problem: expect.stringMatching(/--all$/) });
    expect(changeSelectionFrom(['a'], { all: true }, 'shop')).toMatchObject({ problem: expect.stringMatching(/one of the two/) });
    for (const [names, given] of [
      [['a'], {}],
      [[], { all: true }],
      [[], { selector: 'a=b' }],
      [[], { suspended: true }],
    ] as const)
      expect(changeSelectionFrom(names, { ...given }, 'shop')).toMatchObject({ namespace: 'shop' });
  });
});

describe('a row', () => {
  test('says what is known of the spec as it is', () => {
    expect(rowOf(old, NOW, false)).toMatchObject({ ready: 'Unknown', reason: 'Pending' });
    expect(rowOf(stalled, NOW, false)).toMatchObject({ ready: 'False', reason: 'RoleNotFound', role: 'role/team/app', age: '24h' });
    expect(rowOf(stalled, NOW, true).role).toMatch(/^arn:aws:iam::/);
    expect(rowOf({ ...ready, metadata: { ...ready.metadata, deleting: true } }, NOW, false).reason).toBe('Deleting');
    expect(rowOf({ ...ready, spec: { problem: 'spec.roleArn: x' } }, NOW, true)).toMatchObject({ role: '', message: 'spec.roleArn: x' });
  });
  test('has its age in the unit of kubectl', () =>
    expect([5, 119, 120, 3 * 3_600 - 1, 3 * 3_600, 172_799, 172_800].map((seconds) => ageOf(seconds * 1_000))).toEqual([
      '5s',
      '119s',
      '2m',
      '179m',
      '3h',
      '47h',
      '2d',
    ]));
});

describe('watch', () => {
  async function watched(selection: Selection, output: 'table' | 'json', all: readonly IrsaBinding[], after: readonly BindingChange[]) {
    const printed: string[] = [];
    const stop = new AbortController();
    const last = after.length;
    let seen = 0;
    const objects = new Objects(all);
    const watching = watch(
      selection,
      output,
      {
        ...portsOf(objects),
        bindings: {
          ...objects,
          list: () => objects.list(),
          requestReconcile: (of, value) => objects.requestReconcile(of, value),
          suspend: (of, suspend) => objects.suspend(of, suspend),
          async *changes() {
            yield { kind: 'all', all } as const;
            for (const change of after) {
              seen += 1;
              yield change;
            }
            stop.abort(new Error('enough'));
            throw stop.signal.reason;
          },
        },
      },
      (text) => printed.push(text),
      stop.signal,
    );
    await expect(watching).rejects.toThrow('enough');
    expect(seen).toBe(last);
    return printed.join('').trimEnd().split('\n');
  }
  const namesIn = (lines: readonly string[]) => lines.map((line) => line.split(/ +/).slice(0, 2).join(' '));

  test('prints what is there, and each change once', async () => {
    const fixed = named('stalled');
    const changes: BindingChange[] = [
      { kind: 'changed', binding: stalled },
      { kind: 'changed', binding: fixed },
      { kind: 'deleted', binding: fixed },
    ];
    expect(namesIn(await watched(whole, 'table', [stalled], changes))).toEqual([
      'NAME READY',
      'stalled False',
      'stalled True',
      'stalled Unknown',
    ]);
  });

  test('prints one that comes to fall out of the filter a last time, and then no more', async () => {
    const fixed = named('stalled');
    const changes: BindingChange[] = [
      { kind: 'changed', binding: fixed },
      { kind: 'changed', binding: { ...fixed, metadata: { ...fixed.metadata, generation: 1, name: 'stalled' } } },
      { kind: 'changed', binding: ready },
      { kind: 'deleted', binding: fixed },
    ];
    expect(namesIn(await watched(select({ 'not-ready': true }), 'table', [stalled], changes))).toEqual([
      'NAME READY',
      'stalled False',
      'stalled True',
    ]);
  });

  test('prints a line of JSON for each', async () => {
    const lines = await watched(whole, 'json', [ready], [{ kind: 'deleted', binding: ready }]);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { name: 'ready', deleting: false },
      { name: 'ready', deleting: true },
    ]);
  });
});

describe('suspend and resume', () => {
  // Contract: suspend-resume
  test('write where the spec says otherwise, and nowhere else', async () => {
    const objects = new Objects([ready, suspended]);
    const { rows, exitCode } = await setSuspended(whole, true, portsOf(objects), going);
    expect([rows.map(({ result }) => result), exitCode, objects.writes]).toEqual([['suspended', 'unchanged'], 0, ['suspend ready true']]);
    const back = await setSuspended(whole, false, portsOf(new Objects([ready, suspended])), going);
    expect(back.rows.map(({ result }) => result)).toEqual(['unchanged', 'resumed']);
  });

  test('a refusal is told with the binding, and ends with 2', async () => {
    const objects = new Objects([ready]);
    objects.fault = new Fault('denied', 'forbidden');
    expect(await setSuspended(whole, true, portsOf(objects), going)).toMatchObject({
      rows: [{ result: 'failed', name: 'ready', message: 'forbidden' }],
      exitCode: 2,
    });
  });
});

describe('reconcile', () => {
  /** What the operator makes of a request. */
  const answered = (one: IrsaBinding, status: BindingStatus = one.status): BindingChange => {
    const value = new Date(clock.wall()).toISOString();
    const metadata = { ...one.metadata, annotations: { 'irsa-operator.dev/reconcile-requested-at': value } };
    return { kind: 'changed', binding: { ...one, metadata, status: { ...status, lastHandledReconcileAt: value } } };
  };
  const unanswered = (one: IrsaBinding): IrsaBinding => ({
    ...one,
    metadata: { ...one.metadata, annotations: { 'irsa-operator.dev/reconcile-requested-at': new Date(clock.wall()).toISOString() } },
  });
  const results = async (objects: Objects, waitMs: number | undefined = 60_000, advanceMs = 0) => {
    const asked = reconcile(whole, waitMs, portsOf(objects), going);
    await clock.giveWay();
    await new Promise((resolve) => setImmediate(resolve));
    if (advanceMs > 0) await clock.advance(advanceMs);
    const { rows, exitCode } = await asked;
    return { exitCode, rows: rows.map(({ result, message }) => (message === undefined ? result : `${result}: ${message}`)) };
  };

  test('without --wait it asks, and that is all', async () => {
    const objects = new Objects([ready]);
    const { rows, exitCode } = await reconcile(whole, undefined, portsOf(objects), going);
    expect([rows.map(({ result }) => result), exitCode]).toEqual([['requested'], 0]);
    expect(objects.writes).toEqual([`reconcile ready ${new Date(NOW).toISOString()}`]);
  });

  // Contract: reconcile-wait
  test('with --wait it comes back when all are Ready and have echoed the request', async () => {
    const objects = new Objects([unanswered(ready), unanswered(stalled)], [answered(ready), answered(stalled, readyStatus)]);
    expect(await results(objects)).toEqual({ exitCode: 0, rows: ['ready', 'ready'] });
  });

  // Contract: commands-progress
  test('with --wait it says how many have ended, and in the end no line is left', async () => {
    const told: string[] = [];
    const objects = new Objects([unanswered(ready), unanswered(stalled)], [answered(ready), answered(stalled, readyStatus)]);
    const progress = (done: number, total: number, what: string) => void told.push(`${done} of ${total} ${what}`);
    await reconcile(whole, 60_000, { ...portsOf(objects), progress }, going);
    expect([told[0], told.includes('1 of 2 bindings'), told.at(-1)]).toEqual(['0 of 2 bindings', true, '2 of 2 bindings']);
  });

  test('Ready from before the request does not count: at the time-out it ends with 1', async () => {
    const objects = new Objects([unanswered(ready)]);
    expect(await results(objects, 60_000, 60_000)).toEqual({
      exitCode: 1,
      rows: ['timedOut: irsa-operator has not handled the request. Is it running?'],
    });
  });

  test('of one that is not Ready at the time-out it says why', async () => {
    const working: BindingStatus = { observedGeneration: 1, conditions: [condition('Ready', 'False', 'PodRoleArnStale', 'restarting')] };
    const objects = new Objects([unanswered(ready)], [answered(ready, working)]);
    expect(await results(objects, 60_000, 60_000)).toEqual({ exitCode: 1, rows: ['timedOut: PodRoleArnStale: restarting'] });
  });

  test('one for which only a change helps is not waited for', async () => {
    const objects = new Objects([unanswered(stalled)], [answered(stalled)]);
    expect(await results(objects)).toEqual({ exitCode: 1, rows: ['stalled: RoleNotFound: no such role'] });
  });

  test('one that is deleted meanwhile is not waited for', async () => {
    const objects = new Objects([unanswered(ready)], [{ kind: 'deleted', binding: ready }]);
    expect(await results(objects)).toEqual({ exitCode: 1, rows: ['deleted'] });
  });
});

import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../test/chaos/random.ts';
import type { IrsaBinding } from '../api/binding.ts';
import { keyOf, type ObjectKey } from '../api/cluster.ts';
import { FINALIZER } from '../api/names.ts';
import { isProblem, problem } from '../api/problem.ts';
import { isEnforcing, MOST_EVALUATED } from '../domain/authorization/authorize.ts';
import { covers } from '../domain/authorization/grants.ts';
import { binding, entry, grant, NOW } from '../domain/test-observed.ts';
import { silentLog } from '../runtime/log.ts';
import { authorizationOf } from './observe.ts';
import { createStores, type OwnedStores } from './stores.ts';
import { putIdentity } from './test-identity.ts';

const ELSEWHERE = 'arn:aws:iam::111122223333:role/elsewhere/app';
const ACCOUNT_KEY: ObjectKey = 'shop/app';
const one = (name: string, age: number, part: { spec?: object; metadata?: object; status?: object } = {}): IrsaBinding =>
  binding({
    metadata: { name, uid: name, createdAt: NOW - age, finalizers: [], ...part.metadata },
    spec: part.spec ?? {},
    status: { roles: [], ...part.status },
  });

function filled(...bindings: readonly IrsaBinding[]): OwnedStores {
  const stores = createStores(silentLog);
  putIdentity(stores);
  stores.namespaces.put({ name: 'shop', labels: {} });
  stores.grants.put(grant());
  for (const each of bindings) stores.bindings.put(each);
  return stores;
}

/** Whom a change wakes beside the binding itself. */
function wokenBy(stores: OwnedStores, change: (stores: OwnedStores) => void): string[] {
  const woken = new Set<string>();
  const off = stores.competitions.wake((key) => [key]).subscribe((key) => woken.add(key.slice('shop/'.length)));
  change(stores);
  off();
  return [...woken].toSorted();
}
const many = (count: number) => Array.from({ length: count }, (_, at) => one(`b-${String(at).padStart(3, '0')}`, count - at));

/** The rule as the contract says it, without an index and without a memory: of at most so many, the oldest that a grant covers. */
function naive(stores: OwnedStores, of: IrsaBinding): string {
  const covered = ({ spec }: IrsaBinding) =>
    !isProblem(spec) &&
    stores.grants
      .list()
      .some((each) => !isProblem(each.spec) && covers(each.spec, spec, stores.namespaces.get('shop') ?? { name: 'shop', labels: {} }));
  if (isProblem(of.spec)) return 'InvalidSpec';
  const { serviceAccountName } = of.spec;
  const rivals = stores.bindings
    .list()
    .filter((other) => isEnforcing(other) && !isProblem(other.spec) && other.spec.serviceAccountName === serviceAccountName)
    .toSorted((a, b) => a.metadata.createdAt - b.metadata.createdAt || (keyOf(a.metadata) < keyOf(b.metadata) ? -1 : 1))
    .slice(0, MOST_EVALUATED);
  if (isEnforcing(of) && !rivals.includes(of)) return 'ServiceAccountTaken';
  if (!covered(of)) return 'NotGranted';
  const winner = rivals.find(covered);
  return !isEnforcing(of) || winner === of ? 'granted' : 'ServiceAccountTaken';
}

const outcomeOf = (stores: OwnedStores, of: IrsaBinding): string => {
  const found = authorizationOf(stores, of);
  return found.kind === 'granted' ? 'granted' : `${found.finding.code}`;
};

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const STEPS = Number(process.env['STEPS'] ?? 3_000);

// Contract: competing-older, competing-bound
for (const names of [3, 30])
  test(`over ${STEPS} random changes of ${names} bindings the index says what the rule says without one, and wakes all whose outcome changed (SEED=${seed})`, () => {
    const random = seededRandom(seed);
    const pick = <T>(...from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
    const stores = filled();
    const seen = new Map<string, number>();
    let before = new Map<string, string>();
    for (let step = 0; step < STEPS; step += 1) {
      const name = `b-${Math.floor(random() * names)}`;
      const known = stores.bindings.get(`shop/${name}`);
      const woken = new Set<string>();
      const offs = [
        stores.competitions.wake((key) => [key]).subscribe((key) => woken.add(key)),
        stores.bindings.onChange((...both) => {
          for (const each of both) if (each) woken.add(keyOf(each.metadata));
        }),
      ];
      const isBinding = random() < 0.9;
      if (!isBinding) {
        const roleArns = [
          'arn:aws:iam::111122223333:role/team/*',
          ...(random() < 0.5 ? ['arn:aws:iam::111122223333:role/elsewhere/*'] : []),
        ];
        pick(
          () => stores.grants.put(grant({ roleArns })),
          () => stores.grants.delete('platform'),
          () => stores.grants.put(grant({ roleArns, namespaces: { selector: { matchLabels: { team: 'a' } } } })),
          () => stores.namespaces.put({ name: 'shop', labels: { team: pick('a', 'b') } }),
        )();
      } else if (known !== undefined && random() < 0.3) stores.bindings.delete(`shop/${name}`);
      else {
        const metadata = known && random() < 0.8 ? known.metadata : { createdAt: NOW - Math.floor(random() * 20), uid: `${step}` };
        const spec = { roleArn: pick(undefined, undefined, ELSEWHERE), serviceAccountName: random() < 0.9 ? 'app' : 'web' };
        const next = one(name, 0, {
          metadata: { ...metadata, deleting: random() < 0.1 },
          spec: { ...JSON.parse(JSON.stringify(spec)), suspend: random() < 0.1, mode: pick('Enforce', 'Enforce', 'Enforce', 'Observe') },
          status: { roles: pick([], [], [entry()]) },
        });
        stores.bindings.put(random() < 0.05 ? { ...next, spec: problem('spec.roleArn: it is empty') } : next);
      }
      for (const off of offs) off();
      const after = new Map<string, string>();
      for (const each of stores.bindings.list()) {
        const outcome = outcomeOf(stores, each);
        expect([step, each.metadata.name, outcome]).toEqual([step, each.metadata.name, naive(stores, each)]);
        after.set(keyOf(each.metadata), outcome);
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      }
      const missed = [...after].filter(([key, outcome]) => isBinding && before.has(key) && before.get(key) !== outcome && !woken.has(key));
      expect([step, missed]).toEqual([step, []]);
      before = after;
    }
    for (const outcome of ['granted', 'NotGranted', 'ServiceAccountTaken', 'InvalidSpec']) expect(seen.get(outcome)).toBeGreaterThan(50);
  });

describe('a change of one of a hundred bindings of one ServiceAccount', () => {
  const hundred = many(100);
  const [first, second] = hundred as [IrsaBinding, IrsaBinding];
  const [last] = hundred.slice(-1) as [IrsaBinding];
  const placed = hundred.slice(0, MOST_EVALUATED).map(({ metadata }) => metadata.name);
  const changed = (of: IrsaBinding, part: { metadata?: object; spec?: object; status?: object }) =>
    one(of.metadata.name, NOW - of.metadata.createdAt, part);

  const changes: Record<string, { change: (stores: OwnedStores) => void; wakes: readonly string[] }> = {
    'the youngest is suspended': { change: ({ bindings }) => bindings.put(changed(last, { spec: { suspend: true } })), wakes: [] },
    'the youngest asks for another role': {
      change: ({ bindings }) => bindings.put(changed(last, { spec: { roleArn: ELSEWHERE } })),
      wakes: [],
    },
    'the youngest goes': { change: ({ bindings }) => bindings.delete(keyOf(last.metadata)), wakes: [] },
    'a younger one comes': { change: ({ bindings }) => bindings.put(one('younger', 0)), wakes: [] },
    'the status of the youngest is written': {
      change: ({ bindings }) => bindings.put(changed(last, { status: { observedGeneration: 1 } })),
      wakes: [],
    },
    'the status of the winner is written': {
      change: ({ bindings }) => bindings.put(changed(first, { status: { observedGeneration: 1 } })),
      wakes: [],
    },
    'the winner is suspended': {
      change: ({ bindings }) => bindings.put(changed(first, { spec: { suspend: true } })),
      wakes: [...placed, 'b-016'],
    },
    'the winner is deleted': {
      change: ({ bindings }) => bindings.put(changed(first, { metadata: { deleting: true } })),
      wakes: [...placed, 'b-016'],
    },
    'the winner asks for another role': {
      change: ({ bindings }) => bindings.put(changed(first, { spec: { roleArn: ELSEWHERE } })),
      wakes: placed,
    },
    'one that may win asks for another role': {
      change: ({ bindings }) => bindings.put(changed(second, { spec: { roleArn: ELSEWHERE } })),
      wakes: placed,
    },
    'the winner is made again, younger': {
      change: ({ bindings }) => bindings.put(one(first.metadata.name, 0, { metadata: { uid: 'again' } })),
      wakes: [...placed, 'b-016'],
    },
    'one that is older than all comes': { change: ({ bindings }) => bindings.put(one('oldest', 1_000)), wakes: [...placed, 'oldest'] },
  };
  for (const [sentence, { change, wakes }] of Object.entries(changes))
    test(`wakes the winner and those that may become it, and nobody else: ${sentence}`, () =>
      expect(wokenBy(filled(...hundred), change)).toEqual(wakes.toSorted()));

  test('bears on those that are evaluated alone, and on those that remember trust', () => {
    const remembering = changed(last, { status: { roles: [entry()] } });
    const passive = one('passive', 0, { spec: { mode: 'Observe' } });
    const { competitions } = filled(...hundred.slice(0, -1), remembering, passive);
    expect(competitions.concerned(ACCOUNT_KEY).map((key) => key.slice('shop/'.length))).toEqual([...placed, 'b-099', 'passive']);
  });
});

describe('a binding that is being deleted', () => {
  const ending = one('ending', 100, { metadata: { deleting: true, finalizers: [FINALIZER] }, status: { roles: [entry()] } });
  const successor = one('successor', 50);
  const condition = (type: 'Trusted' | 'Stalled', status: 'True' | 'False') => ({
    type,
    status,
    reason: 'X',
    message: 'x',
    lastTransitionTime: '2026-01-01T00:00:00Z',
    observedGeneration: 1,
  });
  const trusted = one('successor', 50, { status: { conditions: [condition('Trusted', 'True')] } });
  const wakes = (before: readonly IrsaBinding[], change: (stores: OwnedStores) => void) =>
    wokenBy(filled(ending, ...before), change).includes('ending');

  const changes: Record<string, { before?: readonly IrsaBinding[]; change: (stores: OwnedStores) => void; woken: boolean }> = {
    'its successor has the trust': { change: ({ bindings }) => bindings.put(trusted), woken: true },
    'its successor is stalled': {
      change: ({ bindings }) => bindings.put(one('successor', 50, { status: { conditions: [condition('Stalled', 'True')] } })),
      woken: true,
    },
    'its successor asks for another role': {
      change: ({ bindings }) => bindings.put(one('successor', 50, { spec: { roleArn: ELSEWHERE } })),
      woken: true,
    },
    'its successor goes': { change: ({ bindings }) => bindings.delete('shop/successor'), woken: true },
    'a successor comes': { before: [], change: ({ bindings }) => bindings.put(successor), woken: true },
    'one that remembers the same trust comes': {
      before: [],
      change: ({ bindings }) =>
        bindings.put(one('other', 1, { metadata: { finalizers: [FINALIZER] }, spec: { suspend: true }, status: { roles: [entry()] } })),
      woken: true,
    },
    'its successor is written a time that nothing rests on': {
      change: ({ bindings }) => bindings.put(one('successor', 50, { status: { lastHandledReconcileAt: 'x' } })),
      woken: false,
    },
    'one that only looks comes': { change: ({ bindings }) => bindings.put(one('other', 1, { spec: { mode: 'Observe' } })), woken: false },
    'another one that is being deleted comes': {
      change: ({ bindings }) => bindings.put(one('other', 1, { metadata: { deleting: true, finalizers: [FINALIZER] } })),
      woken: false,
    },
  };
  for (const [sentence, { before = [successor], change, woken }] of Object.entries(changes))
    test(`is ${woken ? '' : 'not '}woken when ${sentence}`, () => expect(wakes(before, change)).toBe(woken));
});

test('a limit that is reached bears on those that may win in its place', () => {
  const { competitions } = filled(one('first', 2), one('second', 1), one('passive', 3, { spec: { suspend: true } }));
  expect(competitions.around('shop/first')).toEqual(['shop/first', 'shop/second']);
  expect(competitions.around('shop/passive')).toEqual(['shop/passive', 'shop/first', 'shop/second']);
});

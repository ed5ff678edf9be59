import { describe, expect, test } from 'vitest';
import type { IrsaBinding } from '../api/binding.ts';
import { problem } from '../api/problem.ts';
import { ARN, binding, grant, NOW, OTHER_ARN } from '../domain/test-observed.ts';
import { silentLog } from '../runtime/log.ts';
import { authorizationOf } from './observe.ts';
import { createStores } from './stores.ts';

const team = (name: string, age: number, part: { namespace?: string; spec?: object } = {}): IrsaBinding =>
  binding({
    metadata: { namespace: part.namespace ?? 'shop', name, uid: name, createdAt: NOW - age },
    spec: { serviceAccountName: name, ...part.spec },
  });
const two = (part: object = {}) => grant({ limits: { bindingsPerNamespace: 2 }, ...part });

function cluster(...bindings: readonly IrsaBinding[]) {
  const stores = createStores(silentLog);
  stores.namespaces.put({ name: 'shop', labels: {} });
  for (const one of bindings) stores.bindings.put(one);
  return {
    stores,
    without: () =>
      stores.fullGrants
        .list()
        .map(({ uid }) => uid)
        .toSorted(),
    authorized: (one: IrsaBinding) => {
      const authorization = authorizationOf(stores, one);
      return authorization.kind === 'refused' ? authorization.finding.code : 'granted';
    },
  };
}

describe('a grant for two bindings of a namespace', () => {
  const [first, second, third] = [team('first', 3), team('second', 2), team('third', 1)];

  // Contract: grant-limit-bindings
  test('authorizes the two oldest, in whatever order they come into view', () => {
    for (const order of [
      [first, second, third],
      [third, second, first],
    ]) {
      const { stores, authorized } = cluster();
      stores.grants.put(two());
      for (const one of order) stores.bindings.put(one);
      expect([first, second, third].map(authorized)).toEqual(['granted', 'granted', 'GrantLimitReached']);
    }
  });

  test('counts those that were there before it', () => {
    const { stores, without } = cluster(third, first, second);
    stores.grants.put(two());
    expect(without()).toEqual(['third']);
  });

  test('counts each namespace by itself', () => {
    const { stores, without } = cluster(first, second, team('elsewhere', 1, { namespace: 'other' }));
    stores.grants.put(two({ namespaces: { names: ['shop', 'other'] } }));
    expect(without()).toEqual([]);
  });

  // Contract: grant-limit-bindings
  test('authorizes the next one when an older one is deleted, or asks for another role, and tells of no other', () => {
    const { stores, without } = cluster(first, second, third, team('fourth', 0));
    stores.grants.put(two({ roleArns: [ARN] }));
    const told: (string | undefined)[] = [];
    stores.fullGrants.onChange((previous, next) => told.push((next ?? previous)?.uid));
    stores.bindings.delete('shop/second');
    expect([told, without()]).toEqual([['third'], ['fourth']]);
    stores.bindings.put(team('first', 3, { spec: { roleArn: OTHER_ARN } }));
    expect([told, without()]).toEqual([['third', 'fourth'], []]);
  });

  test('forgets one without room that is deleted, or asks for another role', () => {
    const { stores, without } = cluster(first, second, third, team('fourth', 0));
    stores.grants.put(two({ roleArns: [ARN] }));
    stores.bindings.delete('shop/fourth');
    expect(without()).toEqual(['third']);
    stores.bindings.put(team('third', 1, { spec: { roleArn: OTHER_ARN } }));
    expect(without()).toEqual([]);
  });

  test('counts what is suspended or being deleted, and not what cannot be read', () => {
    const suspended = team('first', 3, { spec: { suspend: true } });
    const deleting = { ...second, metadata: { ...second.metadata, deleting: true } };
    const { stores, without } = cluster(suspended, deleting, third, { ...team('broken', 9), spec: problem('it is empty') });
    stores.grants.put(two());
    expect(without()).toEqual(['third']);
  });

  test('follows the labels of the namespace', () => {
    const { stores, without } = cluster(first, second, third);
    stores.grants.put(two({ namespaces: { selector: { matchLabels: { team: 'shop' } } } }));
    expect(without()).toEqual([]);
    stores.namespaces.put({ name: 'shop', labels: { team: 'shop' } });
    expect(without()).toEqual(['third']);
    stores.namespaces.put({ name: 'shop', labels: {} });
    expect(without()).toEqual([]);
  });

  test('follows its own spec, and is forgotten with it', () => {
    const { stores, without } = cluster(first, second, third);
    stores.grants.put(two());
    stores.grants.put(grant({ limits: { bindingsPerNamespace: 1 } }));
    expect(without()).toEqual(['second', 'third']);
    stores.grants.put(grant());
    expect(without()).toEqual([]);
    stores.grants.put(two());
    stores.grants.delete('platform');
    expect(without()).toEqual([]);
  });

  test('leaves room where another one has some, and both are told apart', () => {
    const { stores, authorized } = cluster(first, second, third);
    stores.grants.put(two());
    stores.grants.put({ ...grant({ limits: { bindingsPerNamespace: 3 } }), name: 'other' });
    expect(authorized(third)).toBe('granted');
    stores.grants.put({ ...two(), name: 'other' });
    expect([...(stores.fullGrants.get('third')?.grants ?? [])].toSorted()).toEqual(['other', 'platform']);
  });
});

// Contract: grant-limit-bindings
test('what a change costs does not grow with the number of bindings: each is told of once', () => {
  const { stores } = cluster();
  stores.grants.put(two());
  let told = 0;
  stores.fullGrants.onChange(() => {
    told += 1;
  });
  // The youngest first: each next one pushes another out.
  for (let age = 0; age < 3_000; age++) stores.bindings.put(team(`b${age}`, age));
  expect([told, stores.fullGrants.size]).toEqual([2_998, 2_998]);
  for (let age = 0; age < 3_000; age++) {
    const { metadata, ...rest } = team(`b${age}`, age);
    stores.bindings.put({ ...rest, metadata: { ...metadata, resourceVersion: '2' } });
  }
  expect(told).toBe(2_998);
});

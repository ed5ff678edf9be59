import { type ControlPlane, until } from '@irsa-operator/testbed';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ServiceAccount } from '../../src/api/cluster.ts';
import type { ListWatch } from '../../src/runtime/reflector.ts';
import { pathOf } from '../harness/objects.ts';
import { integrationSuite } from '../harness/suite.ts';
import { ROLE_ARN } from '../harness/views.ts';
import { HEAP_SLACK_BYTES, usedHeap } from './heap.ts';
import { expectPaced, startMirror } from './mirror.ts';
import { makeReader } from './reader.ts';

/**
 * etcd forgets the version at which a client stands, and without a watch cache the API server cannot hide it: 410, the one answer that
 * demands a new list. Measured: one list more for each 410 and no other, and the store against an uncached list.
 */
const FLAGS = ['--watch-cache=false'];
const PATIENCE = { timeoutMs: 30_000 };

const suite = integrationSuite({ testbed: { apiServerArgs: FLAGS }, operator: false });
let plane: ControlPlane;
let heapBefore: number;

beforeAll(() => {
  const { controlPlane } = suite.testbed;
  if (controlPlane === undefined) throw new Error('compaction needs a control plane of our own: unset TESTBED_KUBECONFIG');
  plane = controlPlane;
  heapBefore = usedHeap();
});

const accounts = (namespace: string) => pathOf('serviceaccounts', { namespace });
const make = (namespace: string, name: string, role = 'a') =>
  suite.api.call('POST', accounts(namespace), { body: { metadata: { name, annotations: { [ROLE_ARN]: role } } } });

/** What nobody saw: one is made, one changed, one deleted, and one deleted and made again under its name. */
async function changeUnseen(namespace: string, round: number): Promise<void> {
  await make(namespace, `new-${round}`);
  await suite.api.call('PATCH', `${accounts(namespace)}/changed`, {
    patch: 'merge',
    body: { metadata: { annotations: { [ROLE_ARN]: `${round}` } } },
  });
  await suite.api.call('DELETE', `${accounts(namespace)}/deleted-${round}`);
  await suite.api.call('DELETE', `${accounts(namespace)}/again`);
  await make(namespace, 'again', `${round}`);
}

const ROUNDS = [1, 2, 3];

// One after the other: a compaction is everybody's.
describe('a version that etcd has forgotten', () => {
  test('costs a watch one list, and nothing of what happened meanwhile is missed', async () => {
    const namespace = 'chaos-compacted';
    const proxy = await suite.testbed.proxy();
    const mirror = startMirror(await makeReader(suite.testbed, suite.api, namespace, proxy));
    for (const name of ['changed', 'again', ...ROUNDS.map((round) => `deleted-${round}`)]) await make(namespace, name);
    await mirror.equals(suite.api, namespace);
    for (const round of ROUNDS) {
      const [lists, opened] = [mirror.lists.length, mirror.opened()];
      const before = mirror.store.get(`${namespace}/again`)?.uid;
      const seen = mirror.changesIn(namespace).length;
      proxy.redirect(undefined);
      await changeUnseen(namespace, round);
      await plane.compact();
      proxy.redirect(plane.port);
      // It stood at the last change that it saw, which is forgotten: the server accepts the watch, says 410 in it, and a list follows.
      await until('it has listed, and watches', () => mirror.lists.length > lists && mirror.opened() > opened + 1, PATIENCE);
      await mirror.equals(suite.api, namespace);
      const after = mirror.store.get(`${namespace}/again`)?.uid;
      const told = mirror
        .changesIn(namespace)
        .slice(seen)
        .filter((change) => change.startsWith('again: '));
      expect(told).toEqual([`again: ${before} > undefined`, `again: undefined > ${after}`]);
    }
    await mirror.stop();
    expect(mirror.lists).toEqual(['start', 'expired', 'expired', 'expired']);
    expect(mirror.ends.filter((end) => end === 'expired')).toHaveLength(ROUNDS.length);
    expectPaced(mirror.watchedAt);
  });

  test('between two pages of a list begins the list anew', async () => {
    const namespace = 'chaos-paged';
    let pages = 0;
    const forgetful = (source: ListWatch<ServiceAccount>): ListWatch<ServiceAccount> => ({
      ...source,
      async list(page, signal) {
        if (++pages === 2) {
          await make(namespace, 'meanwhile'); // or the page's version would be the present one
          await plane.compact();
        }
        return source.list(page, signal);
      },
    });
    const kubeconfig = await makeReader(suite.testbed, suite.api, namespace);
    for (const name of ['one', 'two', 'three']) await make(namespace, name);
    const mirror = startMirror(kubeconfig, { limits: { pageSize: 2 }, around: forgetful });
    await mirror.equals(suite.api, namespace);
    await mirror.stop();
    expect(mirror.lists).toEqual(['start', 'expired']);
  });
});

test('the heap is back to where it was', () => {
  expect(usedHeap() - heapBefore).toBeLessThan(HEAP_SLACK_BYTES);
});

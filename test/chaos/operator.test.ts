import { setTimeout as sleep } from 'node:timers/promises';
import { type ControlPlane, type TcpProxy, until } from '@irsa-operator/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Kind, LEASE, pathOf } from '../harness/objects.ts';
import { AS_IT_SHIPS, install, type RunningOperator, startOperator } from '../harness/operator.ts';
import type { Scene } from '../harness/scene.ts';
import { metric } from '../harness/scrape.ts';
import { integrationSuite } from '../harness/suite.ts';
import { ACCOUNT, ROLE_ARN } from '../harness/views.ts';
import { allBound, bindNumber } from './work.ts';

/**
 * What happens to the API server under the operator as it ships: a leader, and a standby behind a proxy, which leads after the first test.
 * Measured: that no process ends but a leader that lost its lease, that every binding gets its due, lists beyond those that a 410 demands,
 * the pace of what is refused, and the memory at the end.
 */
const SWEEP = ['--sweep-interval', '5s'];
const AWAY_MS = 20_000;
const DENIED_MS = 6_000;
const STORM_MS = 8_000;
const STORM_PAUSE_MS = 50;
const PATIENCE = { timeoutMs: 90_000 };
/** Node keeps what it once asked for; each fault leaves some compiled code and buffers. What is not let go in an hour of this is gigabytes. */
const RSS_SLACK_BYTES = 64 * 2 ** 20;
const KINDS = [
  'IrsaBinding',
  'IrsaGrant',
  'Namespace',
  'ServiceAccount',
  'Pod',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
];
const CLUSTER_ROLE = pathOf('clusterroles', { name: 'irsa-operator' });

const suite = integrationSuite({ grant: {}, operator: false });
let plane: ControlPlane;
let scene: Scene;
let proxy: TcpProxy;
let leader: RunningOperator;
let operator: RunningOperator;
let rssBefore: number;
let bound = 0;

beforeAll(async () => {
  const { testbed } = suite;
  testbed.expectRefusal('*'); // rights are taken away, and an API server that comes back refuses everybody until it has read its rules
  if (testbed.controlPlane === undefined)
    throw new Error('the API server is stopped here, so it must be our own: unset TESTBED_KUBECONFIG');
  plane = testbed.controlPlane;
  scene = await suite.scene('chaos-operator');
  leader = await startOperator(testbed, SWEEP);
  proxy = await testbed.proxy();
  operator = await startOperator(testbed, SWEEP, [], proxy, undefined, AS_IT_SHIPS);
  await bindNext();
  await allBound(scene, bound);
  rssBefore = await metric(operator, 'process_resident_memory_bytes');
});
afterAll(async () => {
  await Promise.all([leader?.stop(), operator?.stop()]);
});

async function bindNext(): Promise<void> {
  await bindNumber(scene, bound);
  bound += 1;
}

/** It has missed nothing: what is bound has its due, and its caches hold as many objects as uncached lists show. */
async function nothingIsMissed(): Promise<void> {
  await allBound(scene, bound);
  const kinds: Record<string, Kind> = { ServiceAccount: 'serviceaccounts', Pod: 'pods', IrsaBinding: 'irsabindings' };
  for (const [kind, plural] of Object.entries(kinds)) {
    await until(
      `the cache of ${kind} is complete`,
      async () => {
        const { items } = await suite.api.call<{ items: unknown[] }>('GET', pathOf(plural));
        expect(await metric(operator, 'irsa_cache_objects', { kind })).toBe(items.length);
        return true;
      },
      PATIENCE,
    );
  }
}

/** Of each kind there was one list at the start and one for each 410, and no other. A 410 that was just told is yet to be followed by its list. */
async function onlyDemandedLists(): Promise<void> {
  const lists = (kind: string, cause?: string) =>
    metric(operator, 'irsa_reflector_lists_total', cause === undefined ? { kind } : { kind, cause });
  for (const kind of KINDS) {
    await until(
      `the lists of ${kind} are those that were demanded`,
      async () => {
        const demanded = 1 + (await metric(operator, 'irsa_reflector_watches_total', { kind, end: 'expired' }));
        expect({ start: await lists(kind, 'start'), all: await lists(kind) }).toEqual({ start: 1, all: demanded });
        return true;
      },
      PATIENCE,
    );
  }
}

const alive = async ({ healthUrl }: RunningOperator) => (await fetch(`${healthUrl}/livez`)).status;

// Contract: two-leaders
test('the API server is away for 20 s: the leader ends as it lost its lease, the standby lives on, leads and misses nothing', async () => {
  const start = await plane.stopApiServer();
  const gone = performance.now();
  expect(await leader.ended).toBe(1);
  expect(performance.now() - gone).toBeLessThan(15_000); // before another could lead
  await sleep(Math.max(0, AWAY_MS - (performance.now() - gone)));
  expect(await alive(operator)).toBe(200);
  await start();
  await bindNext();
  await until('the standby leads', () => operator.log.some(({ msg }) => msg === 'became leader'), PATIENCE);
  await nothingIsMissed();
  await onlyDemandedLists();
});

// Contract: report-failures
test('rights are taken away: the binding says so, and what is asked again comes at a pace; given back, it goes on by itself', async () => {
  const { rules } = await suite.api.call<{ rules: { resources: string[]; verbs: string[] }[] }>('GET', CLUSTER_ROLE);
  /** Leaves the operator these rights to ServiceAccounts, of list, watch and patch. */
  const allow = (verbs: readonly string[]) => {
    const left = rules.map((rule) => (rule.resources.includes('serviceaccounts') ? { ...rule, verbs } : rule));
    return suite.api.call('PATCH', CLUSTER_ROLE, { patch: 'merge', body: { rules: left } });
  };
  await allow(['list', 'watch']);
  const denied = bound;
  await bindNext();
  const { message } = await scene.conditionIs('Annotated', 'False', 'Denied', `app-${denied}`);
  expect(message).toContain(`serviceaccounts "app-${denied}" is forbidden`);

  await allow(['get']); // a rule without verbs is invalid
  const refused = () => metric(operator, 'rest_client_requests_total', { code: '403' });
  const before = await refused();
  proxy.cut(); // a watch that was granted goes on until it ends
  await scene.patch('serviceaccounts', 'app-0', { metadata: { annotations: { [ROLE_ARN]: `arn:aws:iam::${ACCOUNT}:role/unseen` } } });
  await sleep(DENIED_MS);
  const more = (await refused()) - before;
  expect(more).toBeGreaterThan(0);
  expect(more).toBeLessThanOrEqual((2 * DENIED_MS) / 1_000); // a watch and a key, each once a second at most
  expect(await alive(operator)).toBe(200);

  await allow(['list', 'watch', 'patch']);
  await nothingIsMissed();
  const restored = async () => (await scene.annotations('app-0'))?.[ROLE_ARN] === `${scene.roleArn}-0`;
  await until('what changed unseen is mended', restored, PATIENCE);
  await onlyDemandedLists();
});

test('writers that never rest: the lease is kept, and what conflicted is done when they have passed', async () => {
  const slowPath = await metric(operator, 'leader_election_slowpath_total');
  const storm = new AbortController();
  const writes = Promise.all([
    touchAgain(LEASE, storm.signal),
    bindNext().then(() => touchAgain(scene.path('irsabindings', `app-${bound - 1}`), storm.signal)),
  ]);
  await sleep(STORM_MS);
  storm.abort();
  await writes;
  expect((await metric(operator, 'leader_election_slowpath_total')) - slowPath).toBeGreaterThanOrEqual(2);
  await nothingIsMissed();
  expect(operator.log.filter(({ msg }) => msg === 'the lease was lost')).toEqual([]);
});

test('the CRD is deleted with every binding, and made again: the operator takes up new ones by itself', async () => {
  await suite.testbed.kubectl(['delete', 'crd', 'irsabindings.irsa-operator.dev', '--timeout=60s']);
  await sleep(DENIED_MS);
  expect(await alive(operator)).toBe(200);
  await install(suite.testbed);
  bound = 0;
  await until(
    'the ServiceAccounts are gone',
    async () => {
      await suite.api.call('DELETE', scene.path('serviceaccounts'));
      return true;
    },
    PATIENCE,
  );
  await bindNext();
  await nothingIsMissed();
  await onlyDemandedLists();
});

test('after all that the process that began is at work, with the memory that it had', async () => {
  expect(operator.log.filter(({ level }) => level === 'error')).toEqual([]);
  await until(
    'the memory is back to where it was',
    async () => {
      const rss = await metric(operator, 'process_resident_memory_bytes');
      if (rss - rssBefore > RSS_SLACK_BYTES)
        throw new Error(`${Math.round(rss / 2 ** 20)} MiB, and ${Math.round(rssBefore / 2 ** 20)} MiB before`);
      return true;
    },
    PATIENCE,
  );
});

/** Writes to an object as fast as a controller in contention does. */
async function touchAgain(path: string, signal: AbortSignal): Promise<void> {
  for (let i = 0; !signal.aborted; i++) {
    await suite.api.call('PATCH', path, { patch: 'merge', body: { metadata: { annotations: { 'chaos.example.com/touched': `${i}` } } } });
    await sleep(STORM_PAUSE_MS);
  }
}

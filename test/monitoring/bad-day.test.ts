import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, type Testbed, until } from '@irsa-operator/testbed';
import { expect, test } from 'vitest';
import { rulesFile } from '../../scripts/monitoring/index.ts';
import { makeBinding, makeRole, memberAt, withFleet } from '../bench/bars/fleet.ts';
import { OPERATOR_USER, pathOf } from '../harness/objects.ts';
import { type LogLine, type RunningOperator, startOperator } from '../harness/operator.ts';
import { type Binding, conditionOf, ROLE_ARN } from '../harness/views.ts';
import { FACTOR } from './factor.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';

/**
 * A bad day, played: 1,000 bindings, and AWS is down for two hours. Everything is real but the time, of which twenty minutes are one
 * (`fast-time.ts`). At each quarter of an hour it is written down what a person sees, and what it costs.
 */
const SIZE = { bindings: 1_000, roles: 100, pods: 200 };
const QUARTER_MS = (15 * 60_000) / FACTOR;
const QUARTERS_DOWN = 8;
/** Of the contract: all Ready within 5 min of its return, which is the longest back-off. A loaded machine needs its own time beside that. */
const READY_AGAIN_MS = (5 * 60_000) / FACTOR + 20_000;
/** What a person reads in a quarter: a line for each attempt that failed. */
const MOST_LINES = 150;
/** Those of the play itself: what teams did, and what came of it. */
const MOST_EVENTS = 10;
const PATIENCE = { timeoutMs: 180_000 };
/** The API server answers in its own time: the lease must outlast it. */
const FLAGS = ['--lease-duration', '300s'];
const FAST = ['--import', './test/monitoring/fast-time.ts'];
/** What the play itself makes: bookmarks come once in a real minute, which is twenty of the operator's. */
const OF_THE_PLAY = /watch|list/;

interface Seen {
  readonly at: string;
  readonly ready: number;
  readonly bindings: string;
  readonly events: number;
  readonly logLines: number;
  readonly statusWrites: number;
  readonly calls: number;
  readonly alerts: string;
}

// Contract: outage-played
test('AWS is down for two hours, and then back', async () => {
  await withFleet(SIZE, async (testbed, api) => {
    const prometheus = await startPrometheus(join(testbed.folder, 'prometheus'), rulesFile(FACTOR));
    try {
      await play(testbed, api, prometheus);
    } finally {
      await prometheus.stop();
    }
  });
}, 1_800_000);

async function play(testbed: Testbed, api: Api, prometheus: Prometheus): Promise<void> {
  const log: LogLine[][] = [];
  const start = async (): Promise<RunningOperator> => {
    const operator = await startOperator(testbed, FLAGS, [], undefined, undefined, FAST);
    log.push(operator.log as LogLine[]);
    prometheus.scrape([{ pod: operator.name, metricsUrl: operator.metricsUrl }]);
    return operator;
  };
  const bindings = async () => (await api.call<{ items: Binding[] }>('GET', pathOf('irsabindings'))).items;
  const notReady = async () => (await bindings()).filter((one) => conditionOf(one, 'Ready')?.status !== 'True');
  const allReady = async () => (await notReady()).length === 0;
  const watcher = watcherOf(testbed, api, prometheus, bindings, () => log.flat());

  let operator = await start();
  await until('all are Ready', allReady, { timeoutMs: 600_000 });
  await sleep(2 * QUARTER_MS);
  const table = [await watcher('before')];
  const trustBefore = trustOf(testbed);

  const outage = (['iam', 'sts', 'eks'] as const).map((service) =>
    testbed.aws.fault({ kind: 'serviceUnavailable', service, times: Number.POSITIVE_INFINITY }),
  );
  const inTheQuarter: Readonly<Record<number, () => Promise<unknown>>> = {
    // A team comes.
    1: async () => {
      for (const name of ['new-0', 'new-1', 'new-2']) {
        await makeRole(testbed.aws, api, `role-${name}`, 'team-0');
        await makeBinding(api, { namespace: 'team-0', name, role: `role-${name}`, roleArn: `arn:aws:iam::111122223333:role/role-${name}` });
      }
    },
    // A team goes.
    2: () => api.call('DELETE', pathOf('irsabindings', memberAt(7, SIZE))),
    // A pipeline overwrites an annotation.
    3: () =>
      api.call('PATCH', pathOf('serviceaccounts', memberAt(8, SIZE)), {
        patch: 'merge',
        body: { metadata: { annotations: { [ROLE_ARN]: 'arn:aws:iam::111122223333:role/another' } } },
      }),
    // A node is drained.
    5: async () => {
      expect(await operator.stop()).toBe(0);
      operator = await start();
    },
  };
  for (let quarter = 0; quarter < QUARTERS_DOWN; quarter += 1) {
    await inTheQuarter[quarter]?.();
    await sleep(QUARTER_MS);
    table.push(await watcher(`down for ${(quarter + 1) * 15} min`));
  }
  for (const one of outage) one.end();
  const back = Date.now();
  await until('all are Ready again', allReady, PATIENCE);
  const readyAgainMs = Date.now() - back;
  await sleep(Math.max(0, QUARTER_MS - readyAgainMs));
  table.push(await watcher('back for 15 min'));
  console.log(inLines(table));
  console.log(`all Ready ${((readyAgainMs * FACTOR) / 60_000).toFixed(1)} min after AWS was back`);
  const trustAfter = trustOf(testbed);
  expect(await operator.stop()).toBe(0);

  // The one that was deleted is gone, the new ones are there, and nobody else lost anything.
  const { namespace, name } = memberAt(7, SIZE);
  const gone = `system:serviceaccount:${namespace}:${name}`;
  expect(trustBefore.filter((subject) => !trustAfter.includes(subject))).toEqual([gone]);
  expect(readyAgainMs).toBeLessThanOrEqual(READY_AGAIN_MS);
  // It fires after a quarter of an hour.
  const alerts = table.map((row) => row.alerts);
  expect(alerts.slice(2, -1)).toEqual(alerts.slice(2, -1).map(() => 'IrsaAwsErrors'));
  expect([alerts[0], alerts.at(-1)]).toEqual(['none', 'none']);
  const down = table.slice(1, -1);
  // What worked still works, and the status says so: also after the restart.
  expect(Math.min(...down.map(({ ready }) => ready))).toBe(SIZE.bindings - 1);
  expect(Math.max(...down.map(({ logLines }) => logLines))).toBeLessThanOrEqual(MOST_LINES);
  expect(down.reduce((total, { events }) => total + events, 0)).toBeLessThanOrEqual(MOST_EVENTS);
}

/** Every subject in a trust policy of the account. */
function trustOf(testbed: Testbed): string[] {
  const roles = Array.from({ length: SIZE.roles }, (_, at) => testbed.aws.account().role.get(`role-${at}`)?.trustPolicy ?? '');
  return roles.flatMap((policy) => policy.match(/system:serviceaccount:[\w:-]+/g) ?? []).toSorted();
}

/** Writes down what is there now, and what came since it was called last. */
function watcherOf(
  testbed: Testbed,
  api: Api,
  prometheus: Prometheus,
  bindings: () => Promise<Binding[]>,
  log: () => readonly LogLine[],
): (at: string) => Promise<Seen> {
  const before = { events: 0, logLines: 0, statusWrites: 0, calls: 0 };
  const since = (what: keyof typeof before, now: number) => {
    const added = now - before[what];
    before[what] = now;
    return added;
  };
  return async (at) => {
    const all = await bindings();
    const reasons = Map.groupBy(all, (one) => {
      const ready = conditionOf(one, 'Ready');
      return `${ready?.status} ${ready?.reason}`;
    });
    const events = (await api.call<{ items: { series?: { count: number } }[] }>('GET', pathOf('events'))).items;
    const lines = log().filter(({ msg }) => !OF_THE_PLAY.test(msg));
    const fresh = lines.slice(before.logLines);
    const writes = (await testbed.auditEvents()).filter(
      ({ user, objectRef }) =>
        user.username === OPERATOR_USER && objectRef?.resource === 'irsabindings' && objectRef.subresource === 'status',
    );
    const alerts = new Set((await prometheus.firing()).map(({ alertname = '' }) => alertname));
    console.log(`${at}\n${counted(fresh.map(({ level, msg }) => `${level} ${msg}`))}`);
    return {
      at,
      ready: all.filter((one) => conditionOf(one, 'Ready')?.status === 'True').length,
      bindings: [...reasons].map(([reason, of]) => `${of.length} ${reason}`).join(', '),
      events: since(
        'events',
        events.reduce((total, { series }) => total + (series?.count ?? 1), 0),
      ),
      logLines: since('logLines', lines.length),
      statusWrites: since('statusWrites', writes.length),
      calls: since('calls', testbed.aws.journal.length),
      alerts: [...alerts].join(', ') || 'none',
    };
  };
}

function counted(all: readonly string[]): string {
  const groups = [...Map.groupBy(all, (one) => one)].toSorted(([, a], [, b]) => b.length - a.length);
  return groups.map(([what, of]) => `  ${of.length} ${what}`).join('\n');
}

function inLines(table: readonly Seen[]): string {
  const head = {
    at: '',
    bindings: 'bindings',
    events: 'Events',
    logLines: 'log',
    statusWrites: 'statuses',
    calls: 'calls',
    alerts: 'alerts',
  };
  return [head, ...table]
    .map((row) =>
      [
        row.at.padEnd(18),
        String(row.events).padStart(7),
        String(row.logLines).padStart(6),
        String(row.statusWrites).padStart(9),
        String(row.calls).padStart(7),
        ` ${row.alerts.padEnd(16)}`,
        row.bindings,
      ].join(' '),
    )
    .join('\n');
}

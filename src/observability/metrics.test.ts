import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ManualClock } from '../runtime/manual-clock.ts';
import { metrics } from './metrics.ts';
import { renderings } from './rendering.ts';

/** What a scrape shows. */
async function scrape({ page }: Pick<ReturnType<typeof metrics>, 'page'>): Promise<string> {
  return Buffer.concat(await renderings(page, new ManualClock())()).toString();
}

test("a controller's series stand at zero before anything happened, so that a rate works from the first scrape", async () => {
  const { runtime, ...all } = metrics('1.2.3');
  runtime.controller('trust', 8);
  runtime.queue('trust', () => ({ depth: 3, unfinishedSeconds: 0, longestSeconds: 0 }));
  runtime.reflector('Pod', () => ({ lastContactMs: undefined, objects: 0 }));
  runtime.elector('irsa-operator');
  const text = await scrape(all);
  for (const line of [
    'controller_runtime_reconcile_total{controller="trust",result="success"} 0',
    'controller_runtime_reconcile_total{controller="trust",result="requeue"} 0',
    'controller_runtime_reconcile_errors_total{controller="trust"} 0',
    'controller_runtime_terminal_reconcile_errors_total{controller="trust"} 0',
    'controller_runtime_reconcile_panics_total{controller="trust"} 0',
    'controller_runtime_reconcile_timeouts_total{controller="trust"} 0',
    'controller_runtime_reconcile_time_seconds_count{controller="trust"} 0',
    'controller_runtime_active_workers{controller="trust"} 0',
    'controller_runtime_max_concurrent_reconciles{controller="trust"} 8',
    'workqueue_adds_total{name="trust",controller="trust"} 0',
    'workqueue_retries_total{name="trust",controller="trust"} 0',
    'workqueue_queue_duration_seconds_count{name="trust",controller="trust"} 0',
    'workqueue_work_duration_seconds_count{name="trust",controller="trust"} 0',
    'workqueue_unfinished_work_seconds{name="trust",controller="trust"} 0',
    'workqueue_longest_running_processor_seconds{name="trust",controller="trust"} 0',
    'irsa_reflector_lists_total{kind="Pod",cause="expired"} 0',
    'irsa_reflector_watches_total{kind="Pod",end="silent"} 0',
    'irsa_cache_objects{kind="Pod"} 0',
    'leader_election_master_status{name="irsa-operator"} 0',
    'leader_election_slowpath_total{name="irsa-operator"} 0',
    'workqueue_depth{name="trust",controller="trust",priority=""} 3',
    'irsa_trust_policy_writes_total{result="written"} 0',
    'irsa_drift_total{kind="trust"} 0',
    'irsa_build_info{version="1.2.3"',
  ]) {
    expect(text).toContain(line);
  }
});

// Contract: report-series
test('of a deleted binding or ServiceAccount no series is left', async () => {
  const { observe, ...all } = metrics('1.2.3', 'full');
  const one = {
    namespace: 'a',
    name: 'b',
    conditions: [{ type: 'Ready', status: 'True', reason: 'Ready' }],
    codes: ['TrustOrphaned', 'TrustOrphaned'],
    pods: { current: 2, stale: 0, exempt: 1 },
  };
  let bindings = [one];
  let accounts = [
    { namespace: 'a', name: 's', trusted: true },
    { namespace: 'a', name: 't', trusted: false },
  ];
  observe({
    bindings: () => bindings,
    serviceAccounts: () => accounts,
    policies: () => [{ arn: 'arn', ratio: 0.5 }],
    accounts: () => [
      { account: '111122223333', reachable: true },
      { account: '444455556666', reachable: false },
    ],
    ungranted: () => [{ account: '111122223333', count: 3 }],
  });
  const before = await scrape(all);
  for (const line of [
    'irsa_binding_status_condition{namespace="a",name="b",condition="Ready",status="True"} 1',
    'irsa_binding_status_condition{namespace="a",name="b",condition="Ready",status="False"} 0',
    'irsa_binding_findings{namespace="a",name="b",code="TrustOrphaned"} 2',
    'irsa_pods{namespace="a",name="b",state="exempt"} 1',
    'irsa_serviceaccount_trusted{namespace="a",service_account="s"} 1',
    'irsa_serviceaccount_trusted{namespace="a",service_account="t"} 0',
    'irsa_trust_policy_size_ratio{role_arn="arn"} 0.5',
    'irsa_account_reachable{account="111122223333"} 1',
    'irsa_account_reachable{account="444455556666"} 0',
    'irsa_trust_ungranted{account="111122223333"} 3',
  ]) {
    expect(before).toContain(line);
  }
  bindings = [];
  accounts = [];
  expect(await scrape(all)).not.toContain('namespace="a"');
});

test('the age of a sweep has no series before there was one, nor for an account that is not swept any more', async () => {
  const { swept, unswept, ...all } = metrics('1.2.3');
  const ages = async () => (await scrape(all)).split('\n').filter((line) => line.startsWith('irsa_sweep_age_seconds'));
  expect(await ages()).toEqual([]);
  swept('111122223333');
  expect(await ages()).toHaveLength(1);
  unswept('111122223333');
  expect(await ages()).toEqual([]);
});

test('beside its age is the interval of a sweep, in seconds', async () => {
  const { sweepsEvery, ...all } = metrics('1.2.3');
  sweepsEvery(90);
  expect(await scrape(all)).toContain('\nirsa_sweep_interval_seconds 90\n');
});

test('a limiter shows its rate as it is now, and how long turns were waited for', async () => {
  const { limiter, unlimited, ...all } = metrics('1.2.3');
  let perSecond = 5;
  const waited = limiter('111122223333', 'write', () => perSecond);
  waited(0.2);
  perSecond = 2.5;
  const text = await scrape(all);
  expect(text).toContain('irsa_aws_rate_limit{account="111122223333",action="write"} 2.5');
  expect(text).toContain('irsa_aws_rate_limiter_duration_seconds_sum{action="write"} 0.2');
  unlimited('111122223333');
  expect(await scrape(all)).not.toContain('irsa_aws_rate_limit{');
});

/** Read in controller-runtime and client-go (pkg/internal/controller/metrics, pkg/metrics/workqueue, component-base). */
const EXPECTED: Record<string, { type: string; buckets?: number[] }> = {
  controller_runtime_reconcile_total: { type: 'counter' },
  controller_runtime_reconcile_errors_total: { type: 'counter' },
  controller_runtime_terminal_reconcile_errors_total: { type: 'counter' },
  controller_runtime_reconcile_panics_total: { type: 'counter' },
  controller_runtime_reconcile_timeouts_total: { type: 'counter' },
  controller_runtime_reconcile_time_seconds: {
    type: 'histogram',
    buckets: [
      0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4,
      4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
    ],
  },
  controller_runtime_max_concurrent_reconciles: { type: 'gauge' },
  controller_runtime_active_workers: { type: 'gauge' },
  workqueue_depth: { type: 'gauge' },
  workqueue_adds_total: { type: 'counter' },
  workqueue_retries_total: { type: 'counter' },
  workqueue_queue_duration_seconds: { type: 'histogram', buckets: [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 100, 1000] },
  workqueue_work_duration_seconds: { type: 'histogram', buckets: [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 100, 1000] },
  workqueue_unfinished_work_seconds: { type: 'gauge' },
  workqueue_longest_running_processor_seconds: { type: 'gauge' },
  rest_client_requests_total: { type: 'counter' },
  rest_client_request_duration_seconds: { type: 'histogram', buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60] },
  rest_client_request_retries_total: { type: 'counter' },
  leader_election_master_status: { type: 'gauge' },
  leader_election_slowpath_total: { type: 'counter' },
};
for (const [name, { type, buckets }] of Object.entries(EXPECTED)) {
  test(`${name} has the type${buckets ? ' and buckets' : ''} that dashboards for controller-runtime expect`, async () => {
    const { runtime, kube, ...all } = metrics('1.2.3');
    runtime.controller('c', 1);
    runtime.queue('c', () => ({ depth: 0, unfinishedSeconds: 0, longestSeconds: 0 }));
    kube.requested('200', 'GET', 'api', 0.1);
    const text = await scrape(all);
    expect(text).toContain(`# TYPE ${name} ${type}\n`);
    const edges = [...text.matchAll(new RegExp(`^${name}_bucket{le="([^"+]+)"`, 'gm'))].map(([, edge]) => Number(edge));
    expect(edges.map((edge) => edge.toPrecision(6))).toEqual((buckets ?? []).map((edge) => edge.toPrecision(6)));
  });
}

test('the series of what was not counted yet are 0, so that a rate is seen from the first one on', async () => {
  const lines = (await scrape(metrics('1.2.3'))).split('\n');
  for (const strategy of ['evict', 'delete', 'rollout'])
    for (const result of ['done', 'blocked']) expect(lines).toContain(`irsa_restarts_total{strategy="${strategy}",result="${result}"} 0`);
  for (const kind of ['trust', 'annotation']) expect(lines).toContain(`irsa_drift_total{kind="${kind}"} 0`);
});

test('a histogram has labels of closed sets only: no code of an answer, no object, no role', () => {
  const closed = new Set(['controller', 'name', 'verb', 'host', 'service', 'operation', 'action', 'kind']);
  const labels = metrics('1.2.3')
    .descriptions()
    .flatMap(({ name, type, labelNames }) => (type === 'histogram' ? labelNames.map((label) => `${name} ${label}`) : []));
  expect(labels.length).toBeGreaterThan(0);
  expect(labels.filter((label) => !closed.has(label.split(' ')[1] ?? ''))).toEqual([]);
});

test('docs/metrics.md has every metric, with its type and its labels, and no other', () => {
  const own = metrics('1.2.3')
    .descriptions()
    .filter(({ name }) => !/^(process|nodejs)_/.test(name));
  const rows = readFileSync('docs/metrics.md', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, name, type, labels] = /^\| `(\w+)` \| (\w+) \| ([^|]*)\|/.exec(line) ?? [];
      return name === undefined ? [] : [`${name} ${type} ${(labels ?? '').replaceAll(/[`,]/g, '').trim()}`.trim()];
    });
  expect(rows.toSorted()).toEqual(own.map(({ name, type, labelNames }) => `${name} ${type} ${labelNames.join(' ')}`.trim()).toSorted());
});

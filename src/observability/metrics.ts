import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { linesOf } from './family.ts';
import { longestBlock } from './longest-block.ts';
import { type Collected, type Detail, objectMetrics } from './object-metrics.ts';

/** controller-runtime's buckets, so that its dashboards fit (pkg/internal/controller/metrics). Seconds. */
const RECONCILE_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5,
  5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
const QUEUE_BUCKETS = Array.from({ length: 12 }, (_, power) => 10 ** (power - 8));
const REQUEST_BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

/** As the reflector names them. */
const LIST_CAUSES = ['start', 'expired', 'failed'];
const WATCH_ENDS = ['closed', 'silent', 'expired', 'failed'];

/** Ways in which a restart is done. */
const RESTARTS = ['evict', 'delete', 'rollout'] as const;

/** What `prom-client` keeps of a metric and does not declare. */
interface Described {
  readonly name: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

/** What a queue tells at the moment of a scrape. */
interface QueueReading {
  readonly depth: number;
  readonly unfinishedSeconds: number;
  readonly longestSeconds: number;
}
interface ReflectorReading {
  readonly lastContactMs: number | undefined;
  readonly objects: number;
}

/**
 * Every metric of the operator. The machinery's go under controller-runtime's names, with labels of closed sets. Those with series of single
 * objects are in `objectMetrics`.
 */
export function metrics(version: string, detail: Detail = 'problems') {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const on = { registers: [registry] };
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, labelNames, ...on });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name, help, labelNames, ...on });
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]) =>
    new Histogram<L>({ name, help, labelNames, buckets, ...on });
  /** A gauge whose series are read at each scrape, so that none is stale and none is left of what is gone. */
  const readGauge = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    read: (set: (labels: Record<L, string>, value: number) => void) => void,
  ) =>
    new Gauge<L>({
      name,
      help,
      labelNames,
      ...on,
      collect() {
        this.reset();
        if (labelNames.length === 0) this.remove(); // a reset sets it to 0
        read((labels, value) => this.set(labels, value));
      },
    });

  gauge('irsa_build_info', 'Version of irsa-operator and of Node.', ['version', 'node']).set({ version, node: process.version }, 1);

  const reconciles = counter('controller_runtime_reconcile_total', 'Reconciliations per controller and result.', ['controller', 'result']);
  const reconcileErrors = counter('controller_runtime_reconcile_errors_total', 'Reconciliations that failed.', ['controller']);
  // Nothing of ours gives up on a key: what only a change can mend is settled, and told by the condition Stalled. Dashboards expect it.
  const terminalErrors = counter('controller_runtime_terminal_reconcile_errors_total', 'Reconciliations that are not retried: none.', [
    'controller',
  ]);
  const reconcilePanics = counter('controller_runtime_reconcile_panics_total', 'Reconciliations that threw an unexpected error.', [
    'controller',
  ]);
  const reconcileTimeouts = counter('controller_runtime_reconcile_timeouts_total', 'Reconciliations that took too long.', ['controller']);
  const reconcileTime = histogram(
    'controller_runtime_reconcile_time_seconds',
    'Length of a reconciliation.',
    ['controller'],
    RECONCILE_BUCKETS,
  );
  const maxWorkers = gauge('controller_runtime_max_concurrent_reconciles', 'Workers per controller.', ['controller']);
  const activeWorkers = gauge('controller_runtime_active_workers', 'Workers that are at work.', ['controller']);

  const queues = new Map<string, () => QueueReading>();
  const queueLabels = ['name', 'controller'] as const;
  const adds = counter('workqueue_adds_total', 'Keys added to the queue.', queueLabels);
  const retries = counter('workqueue_retries_total', 'Keys added again after a failure.', queueLabels);
  const waited = histogram('workqueue_queue_duration_seconds', 'How long a key waited.', queueLabels, QUEUE_BUCKETS);
  const worked = histogram('workqueue_work_duration_seconds', 'How long a key was worked on.', queueLabels, QUEUE_BUCKETS);
  readGauge('workqueue_depth', 'Keys that wait.', ['name', 'controller', 'priority'], (set) => {
    for (const [name, read] of queues) set({ name, controller: name, priority: '' }, read().depth);
  });
  readGauge('workqueue_unfinished_work_seconds', 'Work in progress, summed.', queueLabels, (set) => {
    for (const [name, read] of queues) set({ name, controller: name }, read().unfinishedSeconds);
  });
  readGauge('workqueue_longest_running_processor_seconds', 'Longest work in progress.', queueLabels, (set) => {
    for (const [name, read] of queues) set({ name, controller: name }, read().longestSeconds);
  });

  const reflectors = new Map<string, () => ReflectorReading>();
  const lists = counter('irsa_reflector_lists_total', 'Lists of a kind, by cause.', ['kind', 'cause']);
  const watches = counter('irsa_reflector_watches_total', 'Watches of a kind, by how they ended.', ['kind', 'end']);
  readGauge('irsa_reflector_last_contact_timestamp_seconds', 'When the API server was last heard of for a kind.', ['kind'], (set) => {
    for (const [kind, read] of reflectors) {
      const { lastContactMs } = read();
      if (lastContactMs !== undefined) set({ kind }, lastContactMs / 1000);
    }
  });
  readGauge('irsa_cache_objects', 'Objects in the cache.', ['kind'], (set) => {
    for (const [kind, read] of reflectors) set({ kind }, read().objects);
  });

  const leading = gauge('leader_election_master_status', 'Whether this process leads.', ['name']);
  const slowPath = counter('leader_election_slowpath_total', 'Renewals that had to read the lease first.', ['name']);

  const restRequests = counter('rest_client_requests_total', 'Requests to the API server.', ['code', 'method', 'host']);
  const restTime = histogram(
    'rest_client_request_duration_seconds',
    'Length of requests to the API server.',
    ['verb', 'host'],
    REQUEST_BUCKETS,
  );
  const restRetries = counter('rest_client_request_retries_total', 'Requests to the API server that were sent again.', [
    'code',
    'verb',
    'host',
  ]);

  const awsRequests = counter('irsa_aws_requests_total', 'Calls to AWS.', ['service', 'operation', 'code']);
  const awsTime = histogram('irsa_aws_request_duration_seconds', 'Length of calls to AWS.', ['service', 'operation'], REQUEST_BUCKETS);

  const rateLimiterWaits = histogram(
    'irsa_aws_rate_limiter_duration_seconds',
    'How long calls waited for their turn.',
    ['action'],
    REQUEST_BUCKETS,
  );
  const limits = new Map<string, { readonly account: string; readonly action: string; readonly read: () => number }>();
  readGauge('irsa_aws_rate_limit', 'Limit of calls a second. Below the flag while AWS throttles.', ['account', 'action'], (set) => {
    for (const { account, action, read } of limits.values()) set({ account, action }, read());
  });

  const trustWrites = counter('irsa_trust_policy_writes_total', 'Writes of trust policies.', ['result']);
  for (const result of ['written', 'rejected']) trustWrites.inc({ result }, 0);
  const drift = counter('irsa_drift_total', 'Changes by other writers that were seen.', ['kind']);
  const repairs = counter('irsa_repairs_total', 'Writes that fixed what was wrong, the first ones included.', ['kind']);
  for (const kind of ['trust', 'annotation']) for (const series of [drift, repairs]) series.inc({ kind }, 0);
  const restarts = counter('irsa_restarts_total', 'Restarts of pods and workloads.', ['strategy', 'result']);
  for (const strategy of RESTARTS) for (const result of ['done', 'blocked']) restarts.inc({ strategy, result }, 0);

  const confined = gauge('irsa_confined', 'Whether an admission policy confines irsa-operator. Leader only.', ['policy']);

  const sweptAt = new Map<string, number>();
  readGauge('irsa_sweep_age_seconds', 'Time since the roles of the account were all read.', ['account'], (set) => {
    for (const [account, at] of sweptAt) set({ account }, (performance.now() - at) / 1000);
  });
  const sweepInterval = gauge('irsa_sweep_interval_seconds', 'How often all roles of the account are to be read.');

  const block = longestBlock(() => performance.now());
  readGauge('irsa_event_loop_longest_block_seconds', 'Longest time in the last minutes for which nothing else had a turn.', [], (set) =>
    set({}, block()),
  );

  let collected: Collected | undefined;
  const families = objectMetrics(detail, () => collected);
  const rendered = gauge('irsa_metrics_rendered_timestamp_seconds', 'When the values of this page were read.');

  return {
    /** Name, type and labels of each. The types of prom-client leave the names of the labels out. */
    descriptions: () => [...(registry.getMetricsAsArray() as unknown as Described[]), ...families],
    contentType: registry.contentType,
    /** The text of all metrics, in pieces that each take a moment. An empty one is a pause. */
    *page(): Generator<string | Promise<string>> {
      // Begins at the wall clock, and never jumps.
      rendered.set((performance.timeOrigin + performance.now()) / 1_000);
      for (const { name } of registry.getMetricsAsArray()) {
        yield registry.getSingleMetricAsString(name);
        yield '\n';
      }
      for (const family of families) yield* linesOf(family);
    },
    runtime: {
      queue(name: string, read: () => QueueReading) {
        queues.set(name, read);
        const labels = { name, controller: name };
        adds.inc(labels, 0);
        retries.inc(labels, 0);
        for (const series of [waited, worked]) series.zero(labels);
        return {
          added: () => adds.inc(labels),
          retried: () => retries.inc(labels),
          waited: (seconds: number) => waited.observe(labels, seconds),
          worked: (seconds: number) => worked.observe(labels, seconds),
        };
      },
      controller(controller: string, workers: number) {
        for (const result of ['success', 'error', 'requeue', 'requeue_after']) reconciles.inc({ controller, result }, 0);
        for (const series of [reconcileErrors, terminalErrors, reconcilePanics, reconcileTimeouts]) series.inc({ controller }, 0);
        reconcileTime.zero({ controller });
        maxWorkers.set({ controller }, workers);
        activeWorkers.set({ controller }, 0);
        return {
          reconciled(result: string, seconds: number) {
            reconciles.inc({ controller, result });
            reconcileTime.observe({ controller }, seconds);
          },
          failed: () => reconcileErrors.inc({ controller }),
          panicked: () => reconcilePanics.inc({ controller }),
          timedOut: () => reconcileTimeouts.inc({ controller }),
          active: (count: number) => activeWorkers.set({ controller }, count),
        };
      },
      reflector(kind: string, read: () => ReflectorReading) {
        reflectors.set(kind, read);
        for (const cause of LIST_CAUSES) lists.inc({ kind, cause }, 0);
        for (const end of WATCH_ENDS) watches.inc({ kind, end }, 0);
        return {
          listed: (cause: string) => lists.inc({ kind, cause }),
          watched: (end: string) => watches.inc({ kind, end }),
        };
      },
      elector(name: string) {
        leading.set({ name }, 0);
        slowPath.inc({ name }, 0);
        return { leading: (is: boolean) => leading.set({ name }, is ? 1 : 0), slowPath: () => slowPath.inc({ name }) };
      },
    },
    kube: {
      requested(code: string, method: string, host: string, seconds: number) {
        restRequests.inc({ code, method, host });
        restTime.observe({ verb: method, host }, seconds);
      },
      retried: (code: string, verb: string, host: string) => restRetries.inc({ code, verb, host }),
    },
    aws: {
      requested(service: string, operation: string, code: string, seconds: number) {
        awsRequests.inc({ service, operation, code });
        awsTime.observe({ service, operation }, seconds);
      },
    },
    /** One limiter: `action` is what it limits. Proofs are of no account, and a histogram for each account would be too many series. */
    limiter(account: string, action: 'read' | 'write' | 'proof', read: () => number) {
      limits.set(`${account} ${action}`, { account, action, read });
      rateLimiterWaits.zero({ action });
      return (seconds: number) => rateLimiterWaits.observe({ action }, seconds);
    },
    role: {
      wrote: (result: 'written' | 'rejected') => trustWrites.inc({ result }),
      drifted: () => drift.inc({ kind: 'trust' }),
      repaired: () => repairs.inc({ kind: 'trust' }),
    },
    binding: {
      drifted: () => drift.inc({ kind: 'annotation' }),
      repaired: () => repairs.inc({ kind: 'annotation' }),
      restarted: (strategy: (typeof RESTARTS)[number], result: 'done' | 'blocked') => restarts.inc({ strategy, result }),
    },
    confinement: {
      /** Undefined: unknown. */
      confined(policy: string, is: boolean | undefined) {
        if (is === undefined) confined.remove({ policy });
        else confined.set({ policy }, is ? 1 : 0);
      },
    },
    /** How often `swept` is to be called: a gauge, so that an alert on the age needs no setting of its own. */
    sweepsEvery: (seconds: number) => sweepInterval.set(seconds),
    swept(account: string) {
      sweptAt.set(account, performance.now());
    },
    /** Its limiters are gone. */
    unlimited(account: string) {
      for (const [key, one] of limits) if (one.account === account) limits.delete(key);
    },
    /** The account is not swept any more: its age would grow for ever. */
    unswept: (account: string) => void sweptAt.delete(account),
    /** What stands in the stores, read at each scrape. */
    observe(source: Collected) {
      collected = source;
    },
  };
}

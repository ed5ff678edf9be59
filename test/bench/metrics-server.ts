import { monitorEventLoopDelay } from 'node:perf_hooks';
import { CONDITION_TYPES, type Condition } from '../../src/api/condition.ts';
import { subjectOf } from '../../src/api/subject.ts';
import { collector } from '../../src/controllers/collector.ts';
import { createStores } from '../../src/controllers/stores.ts';
import { ARN, binding, ISSUER } from '../../src/domain/test-observed.ts';
import { metrics as makeMetrics } from '../../src/observability/metrics.ts';
import { serveHealth, serveMetrics } from '../../src/observability/server.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';

/** The process that `metrics.ts` asks: the stores of an operator with so many bindings, and what answers scrapes and probes. */
const [bindings = 0, roles = 0, stalled = 0] = process.argv.slice(2).map(Number);
const NAMESPACES = 20;

/** What the parent asks for; each answer begins the next measurement. */
export interface Reading {
  readonly cpuMs: number;
  readonly wallMs: number;
  /** Before a collection. */
  readonly peakMiB: number;
  /** After it. */
  readonly rssMiB: number;
  readonly longestBlockMs: number;
  readonly p99Ms: number;
  readonly longestSliceMs: number;
}

const stores = createStores(silentLog);
for (let at = 0; at < bindings; at += 1) {
  const isStalled = at < stalled;
  const role = `${ARN}-${at % roles}` as typeof ARN;
  const namespace = `team-${at % NAMESPACES}`;
  const name = `application-${at}`;
  const of = { spec: { serviceAccountName: name, roleArn: role }, metadata: { namespace, name, uid: `uid-${at}` } };
  const status = { conditions: conditions(isStalled), pods: { total: 2, current: 2, stale: 0, exempt: 0, summary: '2/2' } };
  stores.bindings.put(binding({ ...of, status }));
  const question = { role, issuer: ISSUER, subject: subjectOf(namespace, name), audience: 'sts.amazonaws.com' };
  const size = { characters: 812, quota: 2048 };
  stores.verdicts.put({
    question,
    urgency: 'resync',
    verdict: { kind: 'allowed', managedBy: 'Operator', message: '', size, findings: [], mayStand: true },
  });
}

function conditions(isStalled: boolean): Condition[] {
  return CONDITION_TYPES.filter((type) => type !== 'Reconciling' && type !== 'Verified' && (isStalled || type !== 'Stalled')).map(
    (type) => ({
      type,
      status: isStalled && type !== 'Stalled' ? 'False' : 'True',
      reason: isStalled ? 'RoleNotFound' : type,
      message: '',
      observedGeneration: 1,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    }),
  );
}

const metrics = makeMetrics('bench');
metrics.observe(collector(stores));
const ANY = { host: '127.0.0.1', port: 0 };
const health = await serveHealth(ANY, { livez: () => [], readyz: () => [] }, systemClock);
/** CPU of the longest slice of a rendering: a block that does not grow when others use the machine. */
let longestSliceMs = 0;
let slice = process.threadCpuUsage();
const clock = {
  ...systemClock,
  async giveWay() {
    const { user, system } = process.threadCpuUsage(slice);
    longestSliceMs = Math.max(longestSliceMs, (user + system) / 1_000);
    await systemClock.giveWay();
    slice = process.threadCpuUsage();
  },
};
const scrapes = await serveMetrics(
  ANY,
  {
    ...metrics,
    page: () => {
      slice = process.threadCpuUsage();
      return metrics.page();
    },
  },
  clock,
);
process.send?.({ metricsPort: scrapes.port, healthPort: health.port });

const delays = monitorEventLoopDelay({ resolution: 1 });
delays.enable();
let cpu = process.threadCpuUsage();
let wall = performance.now();
process.on('message', () => {
  const { user, system } = process.threadCpuUsage(cpu);
  const reading = {
    cpuMs: (user + system) / 1_000,
    wallMs: performance.now() - wall,
    peakMiB: process.memoryUsage.rss() / 2 ** 20,
    longestBlockMs: delays.max / 1e6,
    p99Ms: delays.percentile(99) / 1e6,
    longestSliceMs,
  };
  globalThis.gc?.();
  // Later, so that the collection itself is not measured.
  setTimeout(() => {
    const answer: Reading = { ...reading, rssMiB: process.memoryUsage.rss() / 2 ** 20 };
    process.send?.(answer, () => {
      delays.reset();
      longestSliceMs = 0;
      cpu = process.threadCpuUsage();
      wall = performance.now();
    });
  }, 50);
});

import { setTimeout as wait } from 'node:timers/promises';
import type { RunningOperator } from '../../harness/operator.ts';

/** As Prometheus does by itself. */
const EVERY_MS = 15_000;
/** Node counts the time between two ticks of its meter, which are this far apart when nothing blocks. */
const METER_MS = 10;

export interface Scrape {
  readonly bytes: number;
  readonly series: number;
  readonly ms: number;
  /** In the last one to two minutes. */
  readonly longestBlockMs: number;
  /** Since the scrape before. */
  readonly p99Ms: number;
  /** Collections of garbage, since the process began. */
  readonly gcMs: number;
  /** By controller, since the process began. */
  readonly reconciles: ReadonlyMap<string, number>;
  /** Keys that wait or are worked on. */
  readonly busy: number;
}

type Scraped = Pick<RunningOperator, 'metricsUrl'>;

export async function scrapeOnce({ metricsUrl }: Scraped): Promise<Scrape> {
  const began = performance.now();
  const text = await (await fetch(`${metricsUrl}/metrics`)).text();
  const ms = performance.now() - began;
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const total = (name: string, label = '') => {
    const ofName = lines.filter((line) => (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) && line.includes(label));
    return ofName.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  };
  return {
    bytes: Buffer.byteLength(text),
    series: lines.length,
    ms,
    longestBlockMs: 1_000 * total('irsa_event_loop_longest_block_seconds'),
    p99Ms: Math.max(0, 1_000 * total('nodejs_eventloop_lag_p99_seconds') - METER_MS),
    gcMs: 1_000 * total('nodejs_gc_duration_seconds_sum'),
    reconciles: new Map(['binding', 'role'].map((name) => [name, total('controller_runtime_reconcile_total', `controller="${name}"`)])),
    busy: total('workqueue_depth') + total('controller_runtime_active_workers'),
  };
}

/** Scrapes at the pace of Prometheus until the end, which returns all of them. */
export function scraping(operator: Scraped): { end(): Promise<readonly Scrape[]> } {
  const over = new AbortController();
  const scrapes: Scrape[] = [];
  const scrape = async () => {
    while (!over.signal.aborted) {
      await wait(EVERY_MS, undefined, { signal: over.signal }).catch(() => {});
      scrapes.push(await scrapeOnce(operator));
    }
  };
  // A failure is told by the end.
  const running = scrape().then(
    () => undefined,
    (error: unknown) => error,
  );
  return {
    async end() {
      over.abort();
      const error = await running;
      if (error !== undefined) throw error;
      return scrapes;
    },
  };
}

/** The greatest of them. */
export const worst = (scrapes: readonly Scrape[], of: 'longestBlockMs' | 'p99Ms'): number => Math.max(...scrapes.map((each) => each[of]));

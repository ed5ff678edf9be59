import { type BoundedServer, type Bounds, serveBounded, textAnswer } from './bounded-server.ts';
import type { Address } from './listen.ts';
import { renderings } from './rendering.ts';

export interface HealthChecks {
  /** Sentences about what only a restart can mend; empty when alive. Never a broken watch: restarting in an outage helps nobody. */
  livez(): readonly string[];
  /** Sentences about what is not there yet; empty when ready. A standby with full caches is ready too. */
  readyz(): readonly string[];
}

/** What is served: `metrics` of this folder. */
interface Page {
  readonly contentType: string;
  page(): Iterable<string | Promise<string>>;
}

/** `Clock` of src/runtime. */
type Clock = Parameters<typeof renderings>[1] & Parameters<typeof serveBounded>[3];

/** A probe of the kubelet is given up after a second: with all connections in use by others it waits 130 ms. */
const HEALTH: Bounds = { connections: 64, gapMs: 2, requestMs: 5_000, answerMs: 5_000 };
/** Prometheus gives up after 10 s: with all connections in use by others it waits 3.2 s. */
const METRICS: Bounds = { connections: 64, gapMs: 50, requestMs: 5_000, answerMs: 10_000 };

/** `/livez` and `/readyz`, on a port of their own: nobody who reads metrics delays a probe. */
export async function serveHealth(address: Address, checks: HealthChecks, clock: Clock): Promise<BoundedServer> {
  const report = (troubles: readonly string[]) => textAnswer(troubles.length === 0 ? 200 : 503, troubles.join('\n') || 'ok');
  return await serveBounded(
    address,
    HEALTH,
    (path) => {
      if (path === '/livez') return report(checks.livez());
      if (path === '/readyz') return report(checks.readyz());
      return textAnswer(404, 'there is /livez and /readyz');
    },
    clock,
  );
}

/** `/metrics`. */
export async function serveMetrics(address: Address, { contentType, page }: Page, clock: Clock): Promise<BoundedServer> {
  const latest = renderings(page, clock);
  return await serveBounded(
    address,
    METRICS,
    async (path) => (path === '/metrics' ? { status: 200, type: contentType, body: await latest() } : textAnswer(404, 'there is /metrics')),
    clock,
  );
}

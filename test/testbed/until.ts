import { setTimeout as sleep } from 'node:timers/promises';

export interface Patience {
  timeoutMs: number;
  signal?: AbortSignal;
}

/** Often enough that a warm start loses nothing to it, seldom enough that five probes at once do not load two cores. */
const PROBE_INTERVAL_MS = 50;

/**
 * Probes until the answer is something other than false or undefined, and returns it.
 * A probe that throws counts as "not yet"; the last reason is in the error: `waited 10 s until WHAT: REASON`.
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  { timeoutMs, signal }: Patience,
): Promise<Exclude<T, false | undefined>> {
  const deadline = performance.now() + timeoutMs;
  for (let reason = 'not so'; ; ) {
    signal?.throwIfAborted();
    try {
      const answer = await probe();
      if (answer !== false && answer !== undefined) return answer as Exclude<T, false | undefined>;
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s until ${what}: ${reason}`);
    await sleep(PROBE_INTERVAL_MS, undefined, { signal });
  }
}

import type { Random } from './clock.ts';

export interface Backoff {
  readonly floorMs: number;
  readonly capMs: number;
}

/** Retries of a key: the contract's 1 s to 5 min. The cap is short enough that nobody restarts the operator to get a retry. */
export const RECONCILE_BACKOFF: Backoff = { floorMs: 1_000, capMs: 300_000 };

/** As client-go's reflector (800 ms, doubled up to 30 s), rounded up so that a broken watch is tried at most once a second. */
export const RECONNECT_BACKOFF: Backoff = { floorMs: 1_000, capMs: 30_000 };

/**
 * Milliseconds before retry number `attempt` (0 is the first): anywhere between the floor and a ceiling that starts at twice the floor and
 * doubles each time. Jitter over the whole range keeps apart those that failed together; the floor keeps one from hammering.
 */
export function backoffDelay(backoff: Backoff, attempt: number, random: Random): number {
  const ceiling = Math.min(backoff.capMs, backoff.floorMs * 2 ** (attempt + 1));
  return backoff.floorMs + random() * (ceiling - backoff.floorMs);
}

/** `ms` moved by up to `share` of itself either way, so that what started together does not stay together. */
export function jitter(ms: number, share: number, random: Random): number {
  return ms * (1 + share * (2 * random() - 1));
}

/** `ms`, or up to `share` of itself later; never earlier, for what must have had its time. */
export function jitterLater(ms: number, share: number, random: Random): number {
  return ms * (1 + share * random());
}

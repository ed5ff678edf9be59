import { setTimeout as delay, setImmediate } from 'node:timers/promises';

/** Time is an argument: no code below reads a clock of its own, and no test sleeps. */
export interface Clock {
  /** Wall clock, epoch milliseconds: for what people read. */
  now(): number;
  /** Milliseconds since an arbitrary start; never goes back: for every duration and deadline. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Resolves when every socket and timer that is due has had its turn. */
  giveWay(): Promise<void>;
}

/** A number in [0, 1). */
export type Random = () => number;

/** Timers take a signed 32-bit count of milliseconds and fire at once above it. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    signal.throwIfAborted();
    try {
      await delay(Math.min(Math.max(ms, 0), LONGEST_TIMER_MS), undefined, { signal });
    } catch (error) {
      throw signal.aborted ? signal.reason : error; // the timer throws an AbortError of its own
    }
  },
  giveWay: () => setImmediate(),
};

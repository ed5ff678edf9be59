import { Fifo } from './fifo.ts';

/** Time is an argument: no code below reads a clock of its own, and no test sleeps. */
export interface Clock {
  /**
   * Epoch milliseconds: for ages, for what people read, and beside times that objects carry. It never goes back or jumps, and drifts to the
   * wall clock (`steady`).
   */
  now(): number;
  /** The wall clock as it is set at this moment, which may jump: only to notice that the machine was suspended. */
  wall(): number;
  /** Milliseconds since an arbitrary start: for every duration and deadline. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Resolves when every socket and timer that is due has had its turn. Of many who give way one is next, and then all else again. */
  giveWay(): Promise<void>;
}

/** A number in [0, 1). */
export type Random = () => number;

/** Timers take a signed 32-bit count of milliseconds and fire at once above it. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** No age is wrong by more than this part of it. NTP slews by less, so a step is all that is left to catch up with. */
const DRIFT = 0.01;

/**
 * Epoch milliseconds that begin at the wall clock and go on with the monotonic one. A wall clock that is set, by ten minutes or by a day,
 * neither makes what was just read old nor what is long over young: only the difference is made up for, slowly.
 */
export function steady(wall: () => number, monotonic: () => number): () => number {
  let time = wall();
  let at = monotonic();
  return () => {
    const elapsed = monotonic() - at;
    at += elapsed;
    time += elapsed;
    const most = elapsed * DRIFT;
    time += Math.max(-most, Math.min(most, wall() - time));
    return Math.floor(time);
  };
}

const wall = () => Date.now();
const monotonic = () => performance.now();

export const systemClock: Clock = {
  now: steady(wall, monotonic),
  wall,
  monotonic,
  // Not the one of timers/promises: each that is aborted makes an error of its own, and nearly all deadlines are.
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const over = () => {
        signal.removeEventListener('abort', aborted);
        resolve();
      };
      const timer = setTimeout(over, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
      const aborted = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      signal.addEventListener('abort', aborted, { once: true });
    }),
  giveWay: () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.size === 1) setImmediate(letOneGoOn);
    }),
};

/** Who gave way. Node runs all immediates one after the other: eight workers with a slice each would be one block of eight slices. */
const waiting = new Fifo<() => void>();

function letOneGoOn(): void {
  waiting.shift()?.();
  if (waiting.size > 0) setImmediate(letOneGoOn);
}

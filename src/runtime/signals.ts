import type { Clock } from './clock.ts';

/** Why a timer is not waited for any more. Nobody reads it, and an error with its stack takes as long to make as a reconcile that has nothing to do. */
export const OVER = 'over';

/** The promise, or a rejection with the signal's reason, whichever is first. */
export async function orAborted<V>(promise: Promise<V>, signal: AbortSignal): Promise<V> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** A signal that is aborted `ms` after another one: the end of patience with what that one asked to end. */
export function afterAbort(signal: AbortSignal, ms: number, clock: Clock): AbortSignal {
  const late = new AbortController();
  const wait = () => {
    clock.sleep(ms, late.signal).then(
      () => late.abort(new DOMException(`still running ${ms / 1_000} s after it had to end`, 'TimeoutError')),
      () => {}, // nobody else aborts it
    );
  };
  if (signal.aborted) wait();
  else signal.addEventListener('abort', wait, { once: true });
  return late.signal;
}

/** Runs `call` with a signal that is aborted after `ms`, and not at all later: the timer ends with the call. */
export async function withDeadline<V>(ms: number, clock: Clock, call: (signal: AbortSignal) => Promise<V>): Promise<V> {
  const deadline = new AbortController();
  const over = new AbortController();
  clock.sleep(ms, over.signal).then(
    () => deadline.abort(new DOMException(`not done after ${ms / 1_000} s`, 'TimeoutError')),
    () => {}, // in time
  );
  try {
    return await call(deadline.signal);
  } finally {
    over.abort(OVER);
  }
}

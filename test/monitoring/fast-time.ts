import { FACTOR } from './factor.ts';

/**
 * `node --import` this: every duration of the process is a part of what it is, so that a bad day lasts minutes. The wall clock is left as it
 * is, by which calls to AWS are signed. Times that the operator writes come from its durations (`steady` in src/runtime/clock.ts), so people
 * read a whole day.
 */
const monotonic = performance.now.bind(performance);
performance.now = () => monotonic() * FACTOR;
for (const name of ['setTimeout', 'setInterval'] as const) {
  const timer = globalThis[name] as (callback: () => void, ms?: number, ...args: unknown[]) => unknown;
  Object.assign(globalThis, { [name]: (callback: () => void, ms = 0, ...args: unknown[]) => timer(callback, ms / FACTOR, ...args) });
}

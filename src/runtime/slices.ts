import type { Clock } from './clock.ts';

/** Ten thousand steps that wait for nothing would hold up the renewal of the lease and the probes for a second. */
export const SLICE_MS = 5;

type Work<T> = Generator<void, T, void>;
type Turns = Pick<Clock, 'monotonic' | 'giveWay'>;

/** Works through all steps. After each slice of them whatever else is due has its turn. What takes no longer than one is no promise: done at once. */
export function inSlices<T>(work: Work<T>, clock: Turns): T | Promise<T> {
  const step = slice(work, clock);
  return step.done ? step.value : rest(work, clock);
}

async function rest<T>(work: Work<T>, clock: Turns): Promise<T> {
  for (;;) {
    await clock.giveWay();
    const step = slice(work, clock);
    if (step.done) return step.value;
  }
}

function slice<T>(work: Work<T>, clock: Turns): IteratorResult<void, T> {
  const end = clock.monotonic() + SLICE_MS;
  for (;;) {
    const step = work.next();
    if (step.done || clock.monotonic() >= end) return step;
  }
}

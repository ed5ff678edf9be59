import type { Clock } from '../runtime/clock.ts';

/** Called for each that is done, with how many of how many that are, and of what. */
export type Progress = (done: number, total: number, what: string) => void;

/** For commands that read no more than one thing, and for tests. */
export const noProgress: Progress = () => {};

/** What is over sooner needs no line. */
const AFTER_MS = 1_000;
/** Often enough to see that it moves. */
const EVERY_MS = 200;
/** To the first column, and whatever is in the line is gone (ANSI: CR, EL). */
const ERASE = '\r\u001b[2K';

interface Stream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** A line on standard error that is written over and over, and is gone in the end. There is none in a pipe. */
export function progressOn(stream: Stream, clock: Pick<Clock, 'monotonic'>): { readonly progress: Progress; end(): void } {
  const began = clock.monotonic();
  let last = Number.NEGATIVE_INFINITY;
  let shown = false;
  const end = () => {
    if (shown) stream.write(ERASE);
    shown = false;
  };
  const progress: Progress = (done, total, what) => {
    if (done >= total) return end();
    const now = clock.monotonic();
    if (stream.isTTY !== true || now - began < AFTER_MS || now - last < EVERY_MS) return;
    last = now;
    shown = true;
    stream.write(`${ERASE}${done} of ${total} ${what}`);
  };
  return { progress, end };
}

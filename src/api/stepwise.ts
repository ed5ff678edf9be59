/** Work that may be left after each step and taken up again, so that much of it need not hold the event loop. What it looks at never changes. */
export type Stepwise<T> = Generator<void, T, void>;

/** All steps at once. */
export function atOnce<T>(work: Stepwise<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

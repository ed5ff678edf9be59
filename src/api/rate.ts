/** Calls a second. Slower, and a turn would not come within the minute that a call waits for it; faster is no limit. */
export const LEAST_RATE = 0.1;
export const MOST_RATE = 1_000;

import { monitorEventLoopDelay } from 'node:perf_hooks';

/** So often Node's meter ticks: of a block up to this much is not seen. Half as often as that of `prom-client`, because each tick wakes the process. */
const TICK_MS = 20;
/** What is read covers between one and two of these: whoever reads once a minute misses nothing, however many others read. */
const WINDOW_MS = 60_000;

/** Of a histogram of Node: nanoseconds between two ticks. */
interface Meter {
  readonly max: number;
  reset(): void;
}

/** For how long nothing else had a turn, at worst: seconds, as of the last minutes. */
export function longestBlock(now: () => number, meters: [Meter, Meter] = [meter(), meter()]): () => number {
  let resetAt = now();
  return () => {
    const longestMs = Math.max(...meters.map(({ max }) => max)) / 1e6;
    if (now() - resetAt >= WINDOW_MS) {
      // One after the other: a meter that is reset misses the block that goes on at that moment.
      meters[0].reset();
      meters.reverse();
      resetAt = now();
    }
    return Math.max(0, longestMs - TICK_MS) / 1_000;
  };
}

/** Two of them that begin together tick together, and cost hardly more than one. */
function meter(): Meter {
  const histogram = monitorEventLoopDelay({ resolution: TICK_MS });
  histogram.enable();
  return histogram;
}

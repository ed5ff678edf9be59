import type { Clock } from './clock.ts';
import { lanes, servingOrder, type Urgency } from './queue.ts';
import { NO_TENANT } from './round-robin.ts';
import { OVER, withDeadline } from './signals.ts';

/** Half of what a reconcile may take as a whole: it then fails with the reason, and not because it was late. */
export const LONGEST_WAIT_MS = 60_000;
/** Calls that were under way together are throttled together: one congestion halves the rate once. */
const ONE_CONGESTION_MS = 1_000;
/** One halving is made good in two minutes at the soonest: others share the account, and were throttled too. */
const SOONEST_DOUBLING_MS = 120_000;
/** And not before so many turns: to try again the rate that was too much costs a throttled call or two, and those stay below one in a hundred. */
const TURNS_TO_DOUBLE = 200;
/** So many turns of a low rate take an hour, and whatever used up the account may be over: then it is tried sooner. */
const LATEST_DOUBLING_MS = 420_000;
/** However much the other side throttles, this part of the rate is left: somebody must find out that it is over. */
const LEAST_PART = 1 / 32;

export interface LimiterOptions {
  /** The rate when nothing is throttled. */
  readonly perSecond: number;
  /** So many may go at once after a quiet time. Default: a second's worth, but one at least. */
  readonly burst?: number;
  readonly clock: Clock;
  /** How long each turn was waited for. */
  readonly waited: (seconds: number) => void;
}

interface Waiter {
  go(): void;
  /** Its signal was aborted: it stays in its lane and is skipped. */
  left: boolean;
}

/**
 * A token bucket that all workers share, with the most urgent served first (workers in a first-come limiter would defeat the queue's order)
 * and turns that go round over tenants among equals. The rate is halved when the other side throttles and restored slowly, the more slowly the lower
 * it is: what little the other side allows is not tried again every few calls. No chance is involved: those who wait are spread by their turns.
 */
export class Limiter {
  readonly #o: LimiterOptions;
  readonly #burst: number;
  readonly #lanes = lanes<Waiter>();
  #rate: number;
  #tokens: number;
  #refilledAt: number;
  #slowedAt = Number.NEGATIVE_INFINITY;
  #served = 0;
  #waiting = 0;
  #timer: AbortController | undefined;

  constructor(options: LimiterOptions) {
    this.#o = options;
    this.#burst = options.burst ?? Math.max(1, options.perSecond);
    this.#rate = options.perSecond;
    this.#tokens = this.#burst;
    this.#refilledAt = options.clock.monotonic();
  }

  /** The rate as it is now. */
  get perSecond(): number {
    this.#refill();
    return this.#rate;
  }

  /**
   * Resolves when it is the caller's turn, which is one of those of `tenants`, for whom it calls. Rejects with the signal's reason, or with a
   * `TimeoutError` after `LONGEST_WAIT_MS`.
   */
  async take(urgency: Urgency, signal: AbortSignal, tenants: Iterable<string> = NO_TENANT): Promise<void> {
    signal.throwIfAborted();
    const { clock, waited } = this.#o;
    const began = clock.monotonic();
    if (!this.#takeAtOnce()) {
      await withDeadline(LONGEST_WAIT_MS, clock, (deadline) => this.#wait(urgency, AbortSignal.any([signal, deadline]), tenants));
    }
    waited((clock.monotonic() - began) / 1_000);
  }

  /** A turn that was taken and not used. */
  giveBack(): void {
    this.#refill();
    this.#tokens = Math.min(this.#burst, this.#tokens + 1);
    this.#serve();
  }

  /** The other side said that we are too fast. */
  throttled(): void {
    this.#refill();
    this.#tokens = 0;
    if (this.#refilledAt - this.#slowedAt < ONE_CONGESTION_MS) return;
    this.#slowedAt = this.#refilledAt;
    this.#rate = Math.max(this.#rate / 2, this.#o.perSecond * LEAST_PART);
  }

  #takeAtOnce(): boolean {
    this.#refill();
    if (this.#waiting > 0 || this.#tokens < 1) return false;
    this.#tokens -= 1;
    this.#served += 1;
    return true;
  }

  #wait(urgency: Urgency, signal: AbortSignal, tenants: Iterable<string>): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiter.left = true;
        this.#waiting -= 1;
        this.#arm();
        reject(signal.reason);
      };
      const waiter: Waiter = {
        left: false,
        go: () => {
          signal.removeEventListener('abort', leave);
          this.#waiting -= 1;
          resolve();
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#lanes[urgency].push(waiter, tenants);
      this.#waiting += 1;
      this.#serve();
    });
  }

  #serve(): void {
    this.#refill();
    while (this.#tokens >= 1 && this.#waiting > 0) {
      this.#next()?.go();
      this.#tokens -= 1;
      this.#served += 1;
    }
    this.#arm();
  }

  #next(): Waiter | undefined {
    for (const urgency of servingOrder(this.#served)) {
      const waiter = this.#lanes[urgency].shift(({ left }) => !left);
      if (waiter !== undefined) return waiter;
    }
    return undefined;
  }

  /** What came since the last look, at the rate of then: a rate that grew meanwhile is never anticipated. */
  #refill(): void {
    const now = this.#o.clock.monotonic();
    const elapsedMs = now - this.#refilledAt;
    this.#refilledAt = now;
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs / 1_000) * this.#rate);
    if (this.#rate < this.#o.perSecond) this.#rate = Math.min(this.#o.perSecond, this.#rate * 2 ** (elapsedMs / doublingMs(this.#rate)));
  }

  /** One timer while somebody waits, for the next token. */
  #arm(): void {
    if (this.#waiting === 0) {
      this.#timer?.abort(OVER);
      this.#timer = undefined;
      return;
    }
    if (this.#timer !== undefined) return;
    const timer = new AbortController();
    this.#timer = timer;
    // Whole milliseconds: a shorter sleep could leave the clock where it is.
    const ms = Math.max(1, Math.ceil(((1 - this.#tokens) / this.#rate) * 1_000));
    this.#o.clock.sleep(ms, timer.signal).then(
      () => {
        this.#timer = undefined;
        this.#serve();
      },
      () => {}, // nobody waits any more
    );
  }
}

/** How long the rate takes to double. */
function doublingMs(perSecond: number): number {
  return Math.min(LATEST_DOUBLING_MS, Math.max(SOONEST_DOUBLING_MS, (TURNS_TO_DOUBLE / perSecond) * 1_000));
}

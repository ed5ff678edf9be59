import { type Clock, steady } from './clock.ts';

interface Sleeper {
  readonly at: number;
  readonly order: number;
  wake(): void;
}

/** For tests: time stands still until `advance`, and sleepers wake in the order of their time. */
export class ManualClock implements Clock {
  #elapsed = 0;
  #order = 0;
  #epoch: number;
  readonly now: () => number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(epochMs = Date.UTC(2026, 0, 1)) {
    this.#epoch = epochMs;
    this.now = steady(
      () => this.wall(),
      () => this.#elapsed,
    );
  }

  wall(): number {
    return this.#epoch + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  /** How many sleeps are under way. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const abort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      };
      const sleeper: Sleeper = {
        at: this.#elapsed + Math.max(ms, 0),
        order: this.#order++,
        wake: () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  /** How often somebody gave way; nothing is due here but by `advance`. */
  gaveWay = 0;

  async giveWay(): Promise<void> {
    this.gaveWay += 1;
  }

  /** Moves time on, waking every sleeper on the way and letting it act (and sleep again) before the next. */
  async advance(ms: number): Promise<void> {
    const target = this.#elapsed + ms;
    await settle();
    for (;;) {
      const next = this.#earliest(target);
      if (next === undefined) break;
      this.#elapsed = Math.max(this.#elapsed, next.at);
      this.#sleepers.delete(next);
      next.wake();
      await settle();
    }
    this.#elapsed = target;
    await settle();
  }

  /** Somebody sets the wall clock: no time passes. */
  setWall(byMs: number): void {
    this.#epoch += byMs;
  }

  /** Time passes and nobody runs: what a process sees that was stopped (SIGSTOP) and continued. */
  freeze(ms: number): void {
    this.#elapsed += ms;
  }

  #earliest(limit: number): Sleeper | undefined {
    let found: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.at > limit) continue;
      if (found === undefined || sleeper.at < found.at || (sleeper.at === found.at && sleeper.order < found.order)) found = sleeper;
    }
    return found;
  }
}

/** Lets every promise that can go on do so. A macrotask, because a chain of microtasks has no known length. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

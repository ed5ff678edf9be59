import { type Backoff, backoffDelay, RECONCILE_BACKOFF } from './backoff.ts';
import type { Clock, Random } from './clock.ts';
import { DelayHeap } from './delay-heap.ts';
import { Fifo } from './fifo.ts';
import type { QueueMetrics, RuntimeMetrics } from './metrics.ts';
import { NO_TENANT, RoundRobin } from './round-robin.ts';
import { OVER } from './signals.ts';

/** Why a key waits, the most urgent first: a user changed something, something drifted, or it is merely time to check again. */
export const URGENCIES = ['change', 'drift', 'resync'] as const;
export type Urgency = (typeof URGENCIES)[number];

/** One in this many is not the most urgent that waits: a steady stream of changes must not starve the rest. */
const SERVE_OTHERS_EVERY = 8;
/** In turn, so that neither can starve the other. */
const OTHERS_FIRST: readonly (readonly Urgency[])[] = [
  ['drift', 'resync', 'change'],
  ['resync', 'drift', 'change'],
];

/** In which order the urgencies are looked through, when so many have been served. */
export function servingOrder(served: number): readonly Urgency[] {
  if (served % SERVE_OTHERS_EVERY !== SERVE_OTHERS_EVERY - 1) return URGENCIES;
  return OTHERS_FIRST[Math.floor(served / SERVE_OTHERS_EVERY) % OTHERS_FIRST.length] ?? URGENCIES;
}

/** Whoever waits, by urgency. */
export function lanes<T>(): Readonly<Record<Urgency, RoundRobin<T>>> {
  return { change: new RoundRobin(), drift: new RoundRobin(), resync: new RoundRobin() };
}

export function mostUrgent(a: Urgency, b: Urgency): Urgency {
  return URGENCIES.indexOf(a) <= URGENCIES.indexOf(b) ? a : b;
}

export interface WorkQueueOptions<K> {
  readonly name: string;
  /** For whom a key is worked on: keys of one urgency are served in turns over these. Undefined: for nobody in particular. */
  readonly tenantsOf?: ((key: K) => Iterable<string>) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: RuntimeMetrics;
  readonly backoff?: Backoff;
}

export interface Taken<K> {
  readonly key: K;
  readonly urgency: Urgency;
}

interface Waiting {
  urgency: Urgency;
  readonly since: number;
}

/**
 * client-go's work queue. A key is *dirty* when it needs work and *processing* while a worker has it. Everything in a lane is dirty and not
 * processing; a key that becomes dirty while it is worked on waits for its `done`. So no key is worked on twice at once, however often it
 * is added, and no add is lost: what was added after work on it began is worked on again. Unlike client-go's, each lane goes round over
 * tenants.
 */
export class WorkQueue<K extends string> {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #backoff: Backoff;
  readonly #metrics: QueueMetrics;
  readonly #tenantsOf: (key: K) => Iterable<string>;
  readonly #dirty = new Map<K, Waiting>();
  readonly #processing = new Map<K, number>();
  /** The valid entry of each key in a lane. One that was overtaken by a more urgent one stays in its lane and is skipped. */
  readonly #queued = new Map<K, Taken<K>>();
  readonly #lanes = lanes<Taken<K>>();
  readonly #delayed = new DelayHeap<K>();
  readonly #delayedUrgency = new Map<K, Urgency>();
  readonly #failures = new Map<K, number>();
  readonly #workers = new Fifo<() => void>();
  #taken = 0;
  #timer: { readonly at: number; readonly abort: AbortController } | undefined;
  #shutDown = false;
  #idle: (() => void)[] = [];

  constructor(options: WorkQueueOptions<K>) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#backoff = options.backoff ?? RECONCILE_BACKOFF;
    this.#tenantsOf = options.tenantsOf ?? (() => NO_TENANT);
    this.#metrics = options.metrics.queue(options.name, () => this.#snapshot());
  }

  /** Keys that wait for a worker now (not those whose time has not come). */
  get depth(): number {
    return this.#queued.size;
  }

  /** Whether a worker has the key, or it waits for one. */
  has(key: K): boolean {
    return this.#dirty.has(key) || this.#processing.has(key);
  }

  add(key: K, urgency: Urgency = 'change'): void {
    if (this.#shutDown) return;
    const waiting = this.#dirty.get(key);
    if (waiting !== undefined && mostUrgent(waiting.urgency, urgency) === waiting.urgency) return;
    if (waiting === undefined) {
      this.#metrics.added();
      this.#dirty.set(key, { urgency, since: this.#clock.monotonic() });
    } else {
      waiting.urgency = urgency;
    }
    if (!this.#processing.has(key)) this.#enqueue(key, urgency);
  }

  /** Adds the key once `ms` have passed. A second call keeps the earlier time, and the greater urgency. */
  addAfter(key: K, ms: number, urgency: Urgency = 'drift'): void {
    if (this.#shutDown) return;
    this.#delayed.add(key, this.#clock.monotonic() + ms);
    this.#delayedUrgency.set(key, mostUrgent(urgency, this.#delayedUrgency.get(key) ?? urgency));
    this.#arm();
  }

  /** Adds a key that failed, later each time. `atLeastMs`: what the other side asked for, when that is longer. Returns the delay. */
  addRateLimited(key: K, urgency: Urgency = 'change', atLeastMs = 0): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#metrics.retried();
    const delay = Math.max(backoffDelay(this.#backoff, failures, this.#random), atLeastMs);
    this.addAfter(key, delay, urgency);
    return delay;
  }

  /** The key succeeded: its next failure starts from the floor. */
  forget(key: K): void {
    this.#failures.delete(key);
  }

  /** How often the key failed in a row. */
  failures(key: K): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key, which is the caller's alone until `done`. Undefined when the queue is shut down or the signal aborted. */
  async take(signal: AbortSignal): Promise<Taken<K> | undefined> {
    for (;;) {
      if (this.#shutDown) return undefined;
      if (signal.aborted) {
        this.#wakeAnother();
        return undefined;
      }
      const taken = this.#pop();
      if (taken !== undefined) return taken;
      await this.#somethingToDo(signal);
    }
  }

  done(key: K): void {
    const began = this.#processing.get(key);
    if (began === undefined) return;
    this.#processing.delete(key);
    this.#metrics.worked((this.#clock.monotonic() - began) / 1_000);
    const waiting = this.#dirty.get(key);
    if (waiting !== undefined && !this.#shutDown) this.#enqueue(key, waiting.urgency);
    if (this.#processing.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /**
   * Ends the intake: what is added from now on, and what waits, is dropped (whoever starts next looks at everything anyway; to work through
   * ten thousand keys would outlast any grace period). Keys that a worker has are finished.
   */
  shutDown(): void {
    this.#shutDown = true;
    this.#dirty.clear();
    this.#queued.clear();
    this.#delayed.clear();
    this.#delayedUrgency.clear();
    this.#timer?.abort.abort(OVER);
    this.#timer = undefined;
    for (let wake = this.#workers.shift(); wake !== undefined; wake = this.#workers.shift()) wake();
  }

  /** Resolves when no worker has a key. */
  async drained(): Promise<void> {
    if (this.#processing.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #enqueue(key: K, urgency: Urgency): void {
    const entry = { key, urgency };
    this.#queued.set(key, entry);
    this.#lanes[urgency].push(entry, this.#tenantsOf(key));
    this.#wakeAnother();
  }

  #pop(): Taken<K> | undefined {
    for (const urgency of servingOrder(this.#taken)) {
      const entry = this.#lanes[urgency].shift((one) => this.#queued.get(one.key) === one);
      if (entry !== undefined) return this.#hand(entry);
    }
    return undefined;
  }

  #hand(entry: Taken<K>): Taken<K> {
    const { key } = entry;
    const now = this.#clock.monotonic();
    const since = this.#dirty.get(key)?.since ?? now;
    this.#taken += 1;
    this.#queued.delete(key);
    this.#dirty.delete(key);
    this.#processing.set(key, now);
    this.#metrics.waited((now - since) / 1_000);
    return entry;
  }

  /** Resolves when a key was enqueued, and at shutdown or abort. A worker that was woken for nothing waits again. */
  #somethingToDo(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake);
        if (signal.aborted) this.#wakeAnother(); // it has left, or leaves
        resolve();
      };
      signal.addEventListener('abort', wake, { once: true });
      this.#workers.push(wake);
    });
  }

  /** A wake-up that reaches a worker which leaves is passed on, or its key would lie in the lane until the next add. */
  #wakeAnother(): void {
    if (this.#queued.size > 0) this.#workers.shift()?.();
  }

  #arm(): void {
    const at = this.#delayed.next();
    if (at === undefined || (this.#timer !== undefined && this.#timer.at <= at)) return;
    this.#timer?.abort.abort(OVER);
    const abort = new AbortController();
    this.#timer = { at, abort };
    this.#clock.sleep(at - this.#clock.monotonic(), abort.signal).then(
      () => this.#release(),
      () => {}, // replaced by an earlier timer, or shut down
    );
  }

  #release(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    for (let key = this.#delayed.take(now); key !== undefined; key = this.#delayed.take(now)) {
      const urgency = this.#delayedUrgency.get(key);
      this.#delayedUrgency.delete(key);
      this.add(key, urgency);
    }
    this.#arm();
  }

  #snapshot() {
    const now = this.#clock.monotonic();
    let unfinished = 0;
    let longest = 0;
    for (const began of this.#processing.values()) {
      unfinished += now - began;
      longest = Math.max(longest, now - began);
    }
    return { depth: this.depth, unfinishedSeconds: unfinished / 1_000, longestSeconds: longest / 1_000 };
  }
}

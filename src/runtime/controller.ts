import { randomUUID } from 'node:crypto';
import { jitter, jitterLater } from './backoff.ts';
import type { Clock, Random } from './clock.ts';
import type { Log } from './log.ts';
import type { ControllerMetrics, RuntimeMetrics } from './metrics.ts';
import { mostUrgent, type Urgency, WorkQueue } from './queue.ts';
import { afterAbort, orAborted, withDeadline } from './signals.ts';
import { inSlices, SLICE_MS } from './slices.ts';
import type { StoreReader } from './store.ts';

/** What happens next with a key, said in the type. What is thrown is retried with back-off. */
export type Outcome =
  | { readonly kind: 'settled' } // nothing to do until something changes
  | { readonly kind: 'recheck'; readonly afterMs: number; readonly why: string };

export const settled: Outcome = { kind: 'settled' };
export const recheck = (afterMs: number, why: string): Outcome => ({ kind: 'recheck', afterMs, why });

/** Something whose changes concern keys. */
export interface Wake<K extends string> {
  /** Every key that it knows of: worked through at the start, and again at every resync. */
  all(): Iterable<K>;
  /** Calls `wake` for each key that a change concerns, or `wakeMany` for any number of them; returns how to stop. */
  subscribe(wake: (key: K, urgency?: Urgency) => void, wakeMany?: WakeMany<K>): () => void;
  /** Resolves when what it knows is complete: no key is worked on before. */
  synced(signal: AbortSignal): Promise<void>;
}

/** Whoever calls it often with the same function in one moment has its keys woken once, in slices. */
type WakeMany<K extends string> = (keys: () => Iterable<K>, urgency: Urgency) => void;

/** One attempt at one key. */
export interface Attempt {
  /** On every line that the attempt logs. */
  readonly id: string;
  readonly urgency: Urgency;
  /** How often this key failed in a row before. */
  readonly failures: number;
  readonly log: Log;
}

export interface Controller<K extends string> {
  readonly name: string;
  readonly wakes: readonly Wake<K>[];
  /** For whom a key is worked on, as the queue asks. Undefined: for nobody in particular. */
  readonly tenantsOf?: (key: K) => Iterable<string>;
  reconcile(key: K, signal: AbortSignal, attempt: Attempt): Promise<Outcome>;
}

/**
 * Wakes the keys of an object when it changes: those of its former state too, because what it leaves must be looked at as well.
 * `when` leaves out changes that cannot matter; additions and deletions always matter.
 */
export function wakeOn<T, K extends string>(
  store: StoreReader<T, string>,
  keysOf: (object: T) => Iterable<K>,
  options: { readonly when?: (previous: T, next: T) => boolean; readonly urgency?: Urgency | ((next: T) => Urgency) } = {},
): Wake<K> {
  const { urgency: asked = 'change' } = options;
  const urgencyOf = (next: T | undefined) => (typeof asked === 'string' ? asked : next === undefined ? 'change' : asked(next));
  return {
    *all() {
      for (const object of store.list()) yield* keysOf(object);
    },
    subscribe(wake) {
      return store.onChange((previous, next) => {
        if (previous !== undefined && next !== undefined && options.when?.(previous, next) === false) return;
        // Until the first list is complete nothing is news.
        const urgency = store.hasSynced ? urgencyOf(next) : 'resync';
        for (const object of [previous, next]) if (object !== undefined) for (const key of keysOf(object)) wake(key, urgency);
      });
    },
    synced: (signal) => store.synced(signal),
  };
}

/**
 * Wakes all keys when any object changes, as drift: what is under way is finished before ten thousand others are begun, and whatever a user
 * changes overtakes them. At the start it adds none: another wake of the controller knows them, and a thousand objects with ten thousand
 * keys each would be ten million.
 */
export function wakeEvery<T, K extends string>(
  store: StoreReader<T, string>,
  every: () => Iterable<K>,
  options: { readonly when?: (previous: T, next: T) => boolean } = {},
): Wake<K> {
  return wakeInSlices(store, () => every, options);
}

/** The same for the keys that the object concerns, where those may be as many. */
export function wakeMany<T, K extends string>(store: StoreReader<T, string>, keysOf: (object: T) => Iterable<K>): Wake<K> {
  return wakeInSlices(store, (object) => () => keysOf(object), {});
}

function wakeInSlices<T, K extends string>(
  store: StoreReader<T, string>,
  keysFor: (object: T) => () => Iterable<K>,
  { when }: { readonly when?: (previous: T, next: T) => boolean },
): Wake<K> {
  return {
    all: () => [],
    subscribe(wake, wakeAll) {
      const oneByOne: WakeMany<K> = (keys, urgency) => {
        for (const key of keys()) wake(key, urgency);
      };
      return store.onChange((previous, next) => {
        // Until the first list is complete nothing is news, and then all keys are worked through.
        if (!store.hasSynced) return;
        if (previous !== undefined && next !== undefined && when?.(previous, next) === false) return;
        const object = next ?? previous;
        if (object !== undefined) (wakeAll ?? oneByOne)(keysFor(object), 'drift');
      });
    },
    synced: (signal) => store.synced(signal),
  };
}

/** How a thrown error is retried; `kind` goes into logs and metrics. */
interface Failure {
  readonly kind: string;
  readonly retryAfterMs?: number | undefined;
}

export interface ControllerOptions {
  readonly workers: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: RuntimeMetrics;
  /** Undefined: not a failure that anybody foresaw, so a bug. Counted apart, logged with its stack, retried all the same. */
  readonly classify: (error: unknown) => Failure | undefined;
}

/** One attempt takes a few calls of 10 s at the most; one that takes longer waits for something that will not come. */
const RECONCILE_DEADLINE_MS = 120_000;
/** An attempt that goes on this long after its signal was aborted never looks at it: only a restart frees its worker. */
const WEDGED_AFTER_MS = 60_000;
/** Once it was told to break off, an attempt has this long to do so before the loop ends without it. */
const ABANDON_AFTER_MS = 1_000;
/** Everything is looked at again as a safety net (controller-runtime's 10 h and 10 %); what must be polled says so by a recheck. */
const RESYNC_MS = 10 * 3_600_000;
const RESYNC_JITTER = 0.1;
/** What is due at once although nothing changed would be due at once again: no mistake about a time may become a busy loop of calls. */
export const LEAST_RECHECK_MS = 1_000;
/** What comes again so soon goes on: a write that is not in view yet, one that is read back. */
const GOES_ON_MS = 10_000;
/** Rechecks that were asked for together should not come together; never earlier than asked, as a read-back counts on its age. */
const RECHECK_JITTER = 0.1;
/** A time that is a day away is told to people: it is not to come hours later. */
const RECHECK_JITTER_MOST_MS = 30_000;

/** Runs a controller: queue, workers, deadlines, retries. A key that throws, hangs or fails never stops the others. */
export class ControllerLoop<K extends string> {
  readonly queue: WorkQueue<K>;
  readonly #controller: Controller<K>;
  readonly #o: ControllerOptions;
  readonly #metrics: ControllerMetrics;
  readonly #running = new Map<K, number>();
  /** Keys that are about to be added, by the function that names them. */
  readonly #many = new Map<() => Iterable<K>, Urgency>();
  #sliceEnd = 0;

  constructor(controller: Controller<K>, options: ControllerOptions) {
    this.#controller = controller;
    this.#o = options;
    this.queue = new WorkQueue({ ...options, name: controller.name, tenantsOf: controller.tenantsOf });
    this.#metrics = options.metrics.controller(controller.name, options.workers);
  }

  /**
   * Works until `stop` is aborted, then lets the workers finish what they have in hand. `abort` ends that too: the attempts under way get
   * it as their signal. Rejects only for a bug in a wake. A loop runs once.
   */
  async run(stop: AbortSignal, abort: AbortSignal): Promise<void> {
    const intake = AbortSignal.any([stop, abort]);
    const patience = afterAbort(abort, ABANDON_AFTER_MS, this.#o.clock);
    const unsubscribe = this.#controller.wakes.map((wake) =>
      wake.subscribe(
        (key, urgency) => this.queue.add(key, urgency),
        (keys, urgency) => this.#addMany(keys, urgency),
      ),
    );
    try {
      await Promise.all(this.#controller.wakes.map((wake) => wake.synced(intake)));
      await this.#addAll();
      this.#sliceEnd = this.#o.clock.monotonic() + SLICE_MS;
      const workers = Array.from({ length: this.#o.workers }, () => this.#work(intake, abort));
      await orAborted(Promise.all([this.#resync(intake), ...workers]), patience);
    } catch (error) {
      const fields = { controller: this.#controller.name, keys: [...this.#running.keys()] };
      if (patience.aborted) this.#o.log.error(fields, 'stopping without attempts that do not abort');
      else if (!intake.aborted) throw error;
    } finally {
      for (const off of unsubscribe) off();
      this.queue.shutDown();
    }
  }

  /** Keys whose attempt goes on long after its deadline, as sentences; for /livez. */
  wedged(): string[] {
    const limit = this.#o.clock.monotonic() - RECONCILE_DEADLINE_MS - WEDGED_AFTER_MS;
    return [...this.#running]
      .filter(([, began]) => began < limit)
      .map(
        ([key]) =>
          `controller ${this.#controller.name} has been at "${key}" for more than ${(RECONCILE_DEADLINE_MS + WEDGED_AFTER_MS) / 1_000} s`,
      );
  }

  async #addAll(): Promise<void> {
    for (const wake of this.#controller.wakes) await inSlices(this.#adding(wake.all(), 'resync'), this.#o.clock);
  }

  #addMany(keys: () => Iterable<K>, urgency: Urgency): void {
    const known = this.#many.get(keys);
    this.#many.set(keys, known === undefined ? urgency : mostUrgent(known, urgency));
    if (known !== undefined) return;
    // As in a store: a wake that throws is a bug in the wake, and nobody else pays for it.
    this.#addLater(keys).catch((error: unknown) => {
      this.#o.log.error({ controller: this.#controller.name, err: error }, 'wake threw');
    });
  }

  /** What changes in the same moment wakes them once. */
  async #addLater(keys: () => Iterable<K>): Promise<void> {
    await this.#o.clock.giveWay();
    const urgency = this.#many.get(keys);
    this.#many.delete(keys);
    await inSlices(this.#adding(keys(), urgency ?? 'change'), this.#o.clock);
  }

  *#adding(keys: Iterable<K>, urgency: Urgency): Generator<void, void, void> {
    for (const key of keys) {
      this.queue.add(key, urgency);
      yield;
    }
  }

  async #resync(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#o.clock.sleep(jitter(RESYNC_MS, RESYNC_JITTER, this.#o.random), signal).catch(() => {});
      if (!signal.aborted) await this.#addAll();
    }
  }

  async #work(intake: AbortSignal, abort: AbortSignal): Promise<void> {
    for (let taken = await this.queue.take(intake); taken !== undefined; taken = await this.queue.take(intake)) {
      this.#running.set(taken.key, this.#o.clock.monotonic());
      this.#metrics.active(this.#running.size);
      try {
        await this.#attempt(taken.key, taken.urgency, abort);
      } finally {
        this.#running.delete(taken.key);
        this.#metrics.active(this.#running.size);
        this.queue.done(taken.key);
      }
      await this.#giveWay();
    }
  }

  /** After a slice of attempts in which nothing was waited for, whatever else is due has its turn. */
  async #giveWay(): Promise<void> {
    if (this.#o.clock.monotonic() < this.#sliceEnd) return;
    await this.#o.clock.giveWay();
    this.#sliceEnd = this.#o.clock.monotonic() + SLICE_MS;
  }

  async #attempt(key: K, urgency: Urgency, abort: AbortSignal): Promise<void> {
    const { clock, log } = this.#o;
    const began = clock.monotonic();
    const fields = { controller: this.#controller.name, key, reconcileId: randomUUID() };
    const attempt: Attempt = { id: fields.reconcileId, urgency, failures: this.queue.failures(key), log: withFields(log, fields) };
    let late = false;
    const seconds = () => (clock.monotonic() - began) / 1_000;
    try {
      const outcome = await withDeadline(RECONCILE_DEADLINE_MS, clock, (deadline) => {
        deadline.addEventListener('abort', () => {
          late = true;
        });
        return this.#controller.reconcile(key, AbortSignal.any([abort, deadline]), attempt);
      });
      this.queue.forget(key);
      if (outcome.kind === 'recheck') this.#recheck(key, outcome, attempt);
      this.#metrics.reconciled(outcome.kind === 'recheck' ? 'requeue_after' : 'success', seconds());
    } catch (error) {
      if (abort.aborted) {
        attempt.log.debug({ err: error }, 'attempt aborted, the operator stops');
        return;
      }
      this.#failed(key, error, late, attempt);
      this.#metrics.reconciled('error', seconds());
    }
  }

  #recheck(key: K, outcome: Outcome & { kind: 'recheck' }, attempt: Attempt): void {
    const leastMs = Math.max(outcome.afterMs, LEAST_RECHECK_MS);
    const afterMs = Math.min(jitterLater(leastMs, RECHECK_JITTER, this.#o.random), leastMs + RECHECK_JITTER_MOST_MS);
    // What goes on is as urgent as it was; what waited is only looked at again.
    this.queue.addAfter(key, afterMs, outcome.afterMs <= GOES_ON_MS ? attempt.urgency : 'drift');
    attempt.log.debug({ afterMs: Math.round(afterMs), why: outcome.why }, 'recheck scheduled');
  }

  #failed(key: K, error: unknown, late: boolean, attempt: Attempt): void {
    const failure = late ? { kind: 'timeout' } : this.#o.classify(error);
    if (late) this.#metrics.timedOut();
    if (failure === undefined) this.#metrics.panicked();
    this.#metrics.failed(failure?.kind ?? 'panic');
    const retryMs = Math.round(this.queue.addRateLimited(key, attempt.urgency, failure?.retryAfterMs));
    const fields = { err: error, failure: failure?.kind ?? 'panic', failures: attempt.failures + 1, retryMs };
    if (failure === undefined) attempt.log.error(fields, 'unexpected error, retrying');
    else attempt.log.warn(fields, 'reconcile failed, retrying');
  }
}

function withFields(log: Log, fields: object): Log {
  return {
    debug: (more, message) => log.debug({ ...fields, ...more }, message),
    info: (more, message) => log.info({ ...fields, ...more }, message),
    warn: (more, message) => log.warn({ ...fields, ...more }, message),
    error: (more, message) => log.error({ ...fields, ...more }, message),
  };
}

import { backoffDelay, RECONNECT_BACKOFF } from './backoff.ts';
import type { Clock, Random } from './clock.ts';
import type { Log } from './log.ts';
import type { ListCause, ReflectorMetrics, RuntimeMetrics, WatchEnd } from './metrics.ts';
import type { Store } from './store.ts';

/** An object, with what tells one state of it from another, and one object of that name from the next. */
export interface Item<T> {
  readonly object: T;
  readonly uid: string;
  readonly resourceVersion: string;
}

export type ListPage<T> =
  | { readonly kind: 'page'; readonly items: readonly Item<T>[]; readonly resourceVersion: string; readonly continue?: string }
  | { readonly kind: 'expired' }; // the continue token is older than what the server keeps

export type WatchEvent<T> =
  | { readonly type: 'OPEN' } // the server has accepted the watch
  | ({ readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' } & Item<T>)
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }
  | { readonly type: 'EXPIRED' }; // HTTP 410, or an ERROR event with code 410: the resource version is older than what the server keeps

/** A collection that can be listed in pages and watched. Objects arrive trimmed to what the operator keeps. */
export interface ListWatch<T> {
  list(page: { readonly limit: number; readonly continue?: string }, signal: AbortSignal): Promise<ListPage<T>>;
  /**
   * Events in the bunches in which they arrive: to wait for each by itself would cost more than to decode it. Ends when the server closes the
   * watch; throws when it is refused or breaks, as a bunch may while it is walked through; must end soon after the signal is aborted.
   */
  watch(
    from: { readonly resourceVersion: string; readonly timeoutSeconds: number },
    signal: AbortSignal,
  ): AsyncIterable<Iterable<WatchEvent<T>>>;
}

export interface ReflectorOptions<T> {
  readonly source: ListWatch<T>;
  readonly store: Store<T, string>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: RuntimeMetrics;
  readonly limits?: ReflectorLimits;
}

export interface ReflectorLimits {
  readonly pageSize: number;
  readonly watchSecondsMin: number;
  readonly watchSecondsMax: number;
  readonly silenceMs: number;
}

export const REFLECTOR_LIMITS: ReflectorLimits = {
  /** client-go asks for 500; of pods with 10 kB each that is a stall of 40 ms to parse, and of 200 one of 15 ms. */
  pageSize: 200,
  /** The server closes a watch after a random time within client-go's five to ten minutes, so that watches spread over API servers. */
  watchSecondsMin: 300,
  watchSecondsMax: 600,
  /** Bookmarks come about once a minute; one and a half without a word means that the connection is dead and nobody told us. */
  silenceMs: 90_000,
};

type Version = Pick<Item<unknown>, 'uid' | 'resourceVersion'>;

/** A watch that lived this long was a good one, and so was the list before it (client-go resets its back-off after 2 min). */
const GOOD_WATCH_MS = 120_000;
/** Load balancers cut quiet watches after a minute or so: no reason to stay away for longer each time. What ends sooner than this is one. */
const SHORT_WATCH_MS = 10_000;

/**
 * Keeps a store equal to a collection: lists it, then watches it from there, for ever. Nothing but the signal stops it. An object that was
 * deleted and made again under its name is told as a deletion and an addition, also when only a new list shows it.
 */
export class Reflector<T> {
  readonly #o: ReflectorOptions<T>;
  readonly #limits: ReflectorLimits;
  readonly #metrics: ReflectorMetrics;
  readonly #versions = new Map<string, Version>();
  #lastContactMs: number | undefined;
  #lastContact = 0;
  /** Calls in a row that brought nothing. */
  #failures = 0;
  /** Lists in a row whose version had expired before a good watch came of it. */
  #expiries = 0;
  #problem: string | undefined;

  constructor(options: ReflectorOptions<T>) {
    this.#o = options;
    this.#limits = options.limits ?? REFLECTOR_LIMITS;
    this.#metrics = options.metrics.reflector(options.store.kind, () => ({
      lastContactMs: this.#lastContactMs,
      objects: options.store.size,
    }));
  }

  /** Epoch milliseconds of the last word from the server. */
  get lastContactMs(): number | undefined {
    return this.#lastContactMs;
  }

  /** Why the collection cannot be listed or watched at present, as a sentence; undefined while all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Resolves when the signal is aborted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    let cause: ListCause = 'start';
    while (!signal.aborted) {
      try {
        const from = await this.#list(cause, signal);
        if (from !== undefined) await this.#watchFrom(from, signal);
        cause = 'expired';
        // A list is dear: a server that forgets every version at once is asked less and less often.
        if (this.#expiries > 0) await this.#pause(this.#expiries - 1, signal);
      } catch (error) {
        if (signal.aborted) return;
        cause = 'failed';
        await this.#backOff('list', error, signal);
      }
    }
  }

  /**
   * Lists everything, page by page; the store follows each page, and forgets what no page had at the end. Returns where to watch from, or
   * undefined when a page token expired before the end.
   */
  async #list(cause: ListCause, signal: AbortSignal): Promise<string | undefined> {
    const { source, store } = this.#o;
    this.#metrics.listed(cause);
    const gone = new Set(this.#versions.keys());
    let token: string | undefined;
    for (;;) {
      const page = await source.list({ limit: this.#limits.pageSize, ...(token === undefined ? {} : { continue: token }) }, signal);
      this.#contact();
      if (page.kind === 'expired') {
        this.#expiries += 1;
        return undefined;
      }
      for (const item of page.items) {
        gone.delete(store.keyOf(item.object));
        this.#put(item);
      }
      if (page.continue === undefined) {
        for (const key of gone) this.#forget(key);
        this.#failures = 0;
        this.#recovered();
        store.markSynced();
        return page.resourceVersion;
      }
      token = page.continue;
    }
  }

  /** Watches, again and again, each time from where the last watch ended. Returns when a new list is needed. */
  async #watchFrom(resourceVersion: string, signal: AbortSignal): Promise<void> {
    let from = resourceVersion;
    while (!signal.aborted) {
      const began = this.#o.clock.monotonic();
      const seen = (version: string) => {
        from = version;
      };
      const end = await this.#watchOnce(from, seen, signal).catch((error: unknown) => ({ error }));
      if (signal.aborted) return;
      const lived = this.#o.clock.monotonic() - began;
      const good = lived >= GOOD_WATCH_MS;
      if (good) this.#expiries = 0;
      if (lived >= SHORT_WATCH_MS) this.#failures = 0;
      this.#metrics.watched(typeof end === 'string' ? end : 'failed');
      if (typeof end !== 'string') {
        await this.#backOff('watch', end.error, signal);
      } else if (end === 'expired') {
        if (!good) this.#expiries += 1;
        return;
      } else if (end === 'closed' && lived < SHORT_WATCH_MS) {
        // In good order, but some servers end every watch as soon as it begins.
        await this.#pause(this.#failures, signal);
        this.#failures += 1;
      }
    }
  }

  async #watchOnce(from: string, seen: (resourceVersion: string) => void, signal: AbortSignal): Promise<WatchEnd> {
    const { clock, random, source } = this.#o;
    const { watchSecondsMin, watchSecondsMax } = this.#limits;
    const attempt = new AbortController();
    const both = AbortSignal.any([signal, attempt.signal]);
    const timeoutSeconds = Math.round(watchSecondsMin + random() * (watchSecondsMax - watchSecondsMin));
    let silent = false;
    this.#lastContact = clock.monotonic();
    const watchdog = this.#watchSilence(both).then((isSilent) => {
      silent = isSilent;
      attempt.abort();
    });
    try {
      for await (const bunch of source.watch({ resourceVersion: from, timeoutSeconds }, both)) {
        this.#contact();
        this.#recovered();
        for (const event of bunch) {
          if (event.type === 'OPEN') continue; // no proof yet: some servers accept every watch and end it at once
          this.#failures = 0;
          if (event.type === 'EXPIRED') return 'expired';
          if (event.type === 'DELETED') this.#remove(event);
          else if (event.type !== 'BOOKMARK') this.#put(event);
          seen(event.resourceVersion);
        }
      }
      return silent ? 'silent' : 'closed';
    } catch (error) {
      if (silent) return 'silent';
      throw error;
    } finally {
      attempt.abort();
      await watchdog;
    }
  }

  /** True when nothing was heard for too long, false when the watch ended before. One timer, not one an event. */
  async #watchSilence(signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#o;
    for (;;) {
      const left = this.#lastContact + this.#limits.silenceMs - clock.monotonic();
      if (left <= 0) return true;
      try {
        await clock.sleep(left, signal);
      } catch {
        return false;
      }
    }
  }

  #put({ object, uid, resourceVersion }: Item<T>): void {
    const key = this.#o.store.keyOf(object);
    const standing = this.#versions.get(key);
    if (standing?.uid === uid && standing.resourceVersion === resourceVersion) return; // a new list shows what is known already
    if (standing !== undefined && standing.uid !== uid) this.#o.store.delete(key);
    this.#versions.set(key, { uid, resourceVersion });
    this.#o.store.put(object);
  }

  #remove({ object, uid }: Item<T>): void {
    const key = this.#o.store.keyOf(object);
    if (this.#versions.get(key)?.uid === uid) this.#forget(key);
  }

  #forget(key: string): void {
    this.#versions.delete(key);
    this.#o.store.delete(key);
  }

  /** A word from the server. */
  #contact(): void {
    this.#lastContact = this.#o.clock.monotonic();
    this.#lastContactMs = this.#o.clock.now();
  }

  #recovered(): void {
    if (this.#problem === undefined) return;
    this.#o.log.info({ kind: this.#o.store.kind }, 'API server reachable again');
    this.#problem = undefined;
  }

  async #backOff(what: 'list' | 'watch', error: unknown, signal: AbortSignal): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    // In a long outage the same sentence every 30 s helps nobody.
    const level = message === this.#problem ? 'debug' : 'warn';
    this.#problem = message;
    this.#failures += 1;
    this.#o.log[level]({ kind: this.#o.store.kind, err: error, failures: this.#failures }, `${what} failed, retrying`);
    await this.#pause(this.#failures - 1, signal);
  }

  async #pause(attempt: number, signal: AbortSignal): Promise<void> {
    const delay = backoffDelay(RECONNECT_BACKOFF, attempt, this.#o.random);
    await this.#o.clock.sleep(delay, signal).catch(() => {}); // the callers look at the signal
  }
}

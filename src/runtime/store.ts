import type { Log } from './log.ts';
import { orAborted } from './signals.ts';

/** Undefined before: new. Undefined after: gone. A listener is called after the store and its indexes have changed. */
export type ChangeListener<T> = (previous: T | undefined, next: T | undefined) => void;

export interface StoreOptions<T, Index extends string> {
  /** What it holds, for logs and metrics: `Pod`, `Role`. */
  readonly kind: string;
  readonly keyOf: (object: T) => string;
  /** Named fields to look objects up by; each may have any number of values in an object. */
  readonly indexes?: Record<Index, (object: T) => Iterable<string>>;
  readonly log: Log;
}

/** What all may do with a store. Only its owner holds the `Store` itself, and can put. */
export interface StoreReader<T, Index extends string = never> {
  readonly kind: string;
  readonly size: number;
  get(key: string): T | undefined;
  has(key: string): boolean;
  list(): T[];
  byIndex(name: Index, value: string): T[];
  /** All objects that have a value there, those of one value together. */
  grouped(name: Index): Iterable<T>;
  countByIndex(name: Index, value: string): number;
  /** Hears of every change from now on; what is there already is in `list()`. Returns how to stop. */
  onChange(listener: ChangeListener<T>): () => void;
  /** Whether the store has been filled once. Until then an object that is missing proves nothing. */
  readonly hasSynced: boolean;
  /** Resolves when `hasSynced`; rejects with the signal's reason. */
  synced(signal: AbortSignal): Promise<void>;
}

/**
 * Objects by key, with indexes, and with listeners that hear of every change. One class for what is watched in Kubernetes and for what the
 * operator finds out by itself (roles, verdicts). Objects are never changed in place: a new state is a new object.
 */
export class Store<T, Index extends string = never> implements StoreReader<T, Index> {
  readonly kind: string;
  readonly #keyOf: (object: T) => string;
  readonly #log: Log;
  readonly #objects = new Map<string, T>();
  readonly #fields: readonly (readonly [Index, (object: T) => Iterable<string>])[];
  readonly #indexes = new Map<Index, Map<string, Set<string>>>();
  readonly #listeners = new Set<ChangeListener<T>>();
  readonly #synced = Promise.withResolvers<void>();
  #hasSynced = false;

  constructor(options: StoreOptions<T, Index>) {
    this.kind = options.kind;
    this.#keyOf = options.keyOf;
    this.#log = options.log;
    this.#fields = Object.entries(options.indexes ?? {}) as [Index, (object: T) => Iterable<string>][];
    for (const [name] of this.#fields) this.#indexes.set(name, new Map());
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  has(key: string): boolean {
    return this.#objects.has(key);
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  keyOf(object: T): string {
    return this.#keyOf(object);
  }

  byIndex(name: Index, value: string): T[] {
    const found: T[] = [];
    for (const key of this.#indexes.get(name)?.get(value) ?? []) {
      const object = this.#objects.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  }

  *grouped(name: Index): Generator<T> {
    for (const value of [...(this.#indexes.get(name)?.keys() ?? [])]) yield* this.byIndex(name, value);
  }

  countByIndex(name: Index, value: string): number {
    return this.#indexes.get(name)?.get(value)?.size ?? 0;
  }

  put(object: T): void {
    const key = this.#keyOf(object);
    const previous = this.#objects.get(key);
    this.#objects.set(key, object);
    if (previous !== undefined) this.#unindex(key, previous, object);
    this.#index(key, object);
    this.#tell(previous, object);
  }

  delete(key: string): void {
    const previous = this.#objects.get(key);
    if (previous === undefined) return;
    this.#unindex(key, previous);
    this.#objects.delete(key);
    this.#tell(previous, undefined);
  }

  onChange(listener: ChangeListener<T>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  markSynced(): void {
    this.#hasSynced = true;
    this.#synced.resolve();
  }

  synced(signal: AbortSignal): Promise<void> {
    return orAborted(this.#synced.promise, signal);
  }

  #index(key: string, object: T): void {
    for (const [name, valuesOf] of this.#fields) {
      const index = this.#indexes.get(name);
      for (const value of valuesOf(object)) {
        const keys = index?.get(value);
        if (keys === undefined) index?.set(value, new Set([key]));
        else keys.add(key);
      }
    }
  }

  /** Where the object stays, it keeps its place: an order that changed would look like news. */
  #unindex(key: string, object: T, next?: T): void {
    for (const [name, valuesOf] of this.#fields) {
      const index = this.#indexes.get(name);
      const stays = new Set(next === undefined ? [] : valuesOf(next));
      for (const value of valuesOf(object)) {
        if (stays.has(value)) continue;
        const keys = index?.get(value);
        keys?.delete(key);
        if (keys?.size === 0) index?.delete(value); // or every value ever seen would stay
      }
    }
  }

  /** A listener that throws is a bug in the listener; the writer, and the other listeners, must not pay for it. */
  #tell(previous: T | undefined, next: T | undefined): void {
    for (const listener of this.#listeners) {
      try {
        listener(previous, next);
      } catch (error) {
        this.#log.error({ kind: this.kind, err: error }, 'store listener threw');
      }
    }
  }
}

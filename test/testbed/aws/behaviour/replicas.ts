import type { Random } from '../clock.ts';

/** Longer than any propagation delay that was seen (facts: 3 to 4 s, a tail of a minute); versions that ended before are dropped. */
const MEMORY_MS = 60_000;

interface Version<T> {
  /** Undefined where there was nothing under this key. */
  readonly value: T | undefined;
  /** When the next version took its place, in epoch milliseconds. */
  readonly until: number;
}

/**
 * A map of values that are never changed in place, whose readers may be behind: the map's own methods are the newest state, `seen` and
 * `allSeen` answer as a replica does. Each key of each answer is drawn anew from the versions that are young enough, so what a reader sees
 * may go back in time, and of two writes the later may be seen first.
 */
export class ReplicatedMap<T> extends Map<string, T> {
  readonly #now: () => number;
  readonly #random: Random;
  readonly #past = new Map<string, readonly Version<T>[]>();

  constructor(now: () => number, random: Random) {
    super();
    this.#now = now;
    this.#random = random;
  }

  override set(key: string, value: T): this {
    this.#supersede(key);
    return super.set(key, value);
  }

  override delete(key: string): boolean {
    this.#supersede(key);
    return super.delete(key);
  }

  /** Puts a value (or nothing) as if it had always been so: no reader is behind. */
  plant(key: string, value: T | undefined): void {
    this.#past.delete(key);
    if (value === undefined) super.delete(key);
    else super.set(key, value);
  }

  /** The value as a replica gives it that is `staleMs` behind at most. */
  seen(key: string, staleMs: number): T | undefined {
    const since = this.#now() - staleMs;
    const past = (this.#past.get(key) ?? []).filter(({ until }) => until > since);
    const index = past.length === 0 ? 0 : Math.floor(this.#random() * (past.length + 1));
    return index === past.length ? this.get(key) : past[index]?.value;
  }

  /** All values, each as some replica gives it; also one that was deleted a moment ago. */
  allSeen(staleMs: number): T[] {
    const keys = new Set([...this.keys(), ...this.#past.keys()]);
    return [...keys].flatMap((key) => this.seen(key, staleMs) ?? []);
  }

  #supersede(key: string): void {
    const now = this.#now();
    const young = (this.#past.get(key) ?? []).filter(({ until }) => until > now - MEMORY_MS);
    this.#past.set(key, [...young, { value: this.get(key), until: now }]);
  }
}

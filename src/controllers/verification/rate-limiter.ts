/** The contract's budget of five proofs a second: the account, its STS and its trail are other people's too. */
const INTERVAL_MS = 200;

/** Who may ask STS when: each key has one turn, in the order in which they came. A wait is a recheck, so nobody holds a worker for it. */
export class RateLimiter {
  #lastAt = Number.NEGATIVE_INFINITY;
  readonly #at = new Map<string, number>();

  /** Milliseconds until the key's turn; 0 takes it. */
  take(key: string, now: number): number {
    const at = this.#at.get(key) ?? Math.max(now, this.#lastAt + INTERVAL_MS);
    if (at > this.#lastAt) this.#lastAt = at;
    if (at > now) this.#at.set(key, at);
    else this.#at.delete(key);
    return Math.max(0, at - now);
  }

  forget(key: string): void {
    this.#at.delete(key);
  }
}

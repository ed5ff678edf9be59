import { Fifo } from './fifo.ts';

/** Who has a share of the turns. What is done for no tenant in particular has a share of its own. */
export const NO_TENANT: readonly string[] = [''];

/**
 * First come, first served within a tenant, and one item of each tenant in turn: however many items one has, another waits for one of them.
 * Constant time. A tenant without items takes no memory.
 */
export class RoundRobin<T> {
  readonly #waiting = new Map<string, Fifo<T>>();
  readonly #turns = new Fifo<string>();

  /** An item that several tenants want waits once, with the one that has the fewest: what they share costs none of them its place. */
  push(item: T, tenants: Iterable<string>): void {
    const tenant = this.#leastWaiting(tenants);
    let waiting = this.#waiting.get(tenant);
    if (waiting === undefined) {
      waiting = new Fifo();
      this.#waiting.set(tenant, waiting);
      this.#turns.push(tenant);
    }
    waiting.push(item);
  }

  /** The next item that still counts. One that does not is dropped, and takes nobody's turn. */
  shift(counts: (item: T) => boolean): T | undefined {
    for (let tenant = this.#turns.shift(); tenant !== undefined; tenant = this.#turns.shift()) {
      const waiting = this.#waiting.get(tenant);
      let item = waiting?.shift();
      while (item !== undefined && !counts(item)) item = waiting?.shift();
      if (waiting !== undefined && waiting.size > 0) this.#turns.push(tenant);
      else this.#waiting.delete(tenant);
      if (item !== undefined) return item;
    }
    return undefined;
  }

  /** How many tenants have items. */
  get tenants(): number {
    return this.#waiting.size;
  }

  #leastWaiting(tenants: Iterable<string>): string {
    let [least = '', fewest] = [undefined as string | undefined, Number.POSITIVE_INFINITY];
    for (const tenant of tenants) {
      const count = this.#waiting.get(tenant)?.size ?? 0;
      if (count < fewest) [least, fewest] = [tenant, count];
      if (count === 0) break;
    }
    return least;
  }
}

/** What decides which of several bindings is older: the time, and the name where they are of one age. */
export interface Aged {
  readonly uid: string;
  readonly key: string;
  readonly createdAt: number;
}

/**
 * Bindings in the order of their age, of which only the `most` oldest have a place. A change moves the place of one other binding at most, and
 * tells which: a tenant with thousands of them costs hardly more than one with a few.
 */
export class Oldest<T extends Aged> {
  readonly #most: number;
  readonly #inOrder: T[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** Returns the one that has no place now: the youngest of those that had one, or the new one itself. */
  add(one: T): T | undefined {
    const at = this.#indexOf(one);
    this.#inOrder.splice(at, 0, one);
    return this.#inOrder[Math.max(at, this.#most)];
  }

  /** Returns the one that has the place which became free. */
  remove(one: T): T | undefined {
    const at = this.#indexOf(one);
    if (this.#inOrder[at]?.uid !== one.uid) return undefined;
    this.#inOrder.splice(at, 1);
    return at < this.#most ? this.#inOrder[this.#most - 1] : undefined;
  }

  hasPlace(one: T): boolean {
    return this.#indexOf(one) < this.#most;
  }

  get withPlace(): readonly T[] {
    return this.#inOrder.slice(0, this.#most);
  }

  get all(): readonly T[] {
    return this.#inOrder;
  }

  #indexOf(one: T): number {
    let [low, high] = [0, this.#inOrder.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#inOrder[middle];
      if (other !== undefined && isBefore(other, one)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isBefore(a: Aged, b: Aged): boolean {
  return a.createdAt === b.createdAt ? a.key < b.key : a.createdAt < b.createdAt;
}

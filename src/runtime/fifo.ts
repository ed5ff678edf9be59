/** Consumed slots are given back when there are this many and they are the larger part: amortised constant time, bounded waste. */
const COMPACT_AT = 1_024;

/** First in, first out, in constant time. (`Array.shift` moves every element; a `Set` leaves tombstones that it walks over.) */
export class Fifo<T> {
  #items: T[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head++];
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}

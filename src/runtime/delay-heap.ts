interface Entry<K> {
  readonly key: K;
  readonly at: number;
}

/** Keys with a time each, earliest first. A key stands in it once: the earlier time wins, so that no promise is postponed by a later one. */
export class DelayHeap<K> {
  readonly #due = new Map<K, number>();
  /** A binary heap. Entries whose time is no longer the key's are skipped when they come up: cheaper than to search for them. */
  #heap: Entry<K>[] = [];

  get size(): number {
    return this.#due.size;
  }

  add(key: K, at: number): void {
    const standing = this.#due.get(key);
    if (standing !== undefined && standing <= at) return;
    this.#due.set(key, at);
    this.#heap.push({ key, at });
    this.#up(this.#heap.length - 1);
  }

  /** The earliest time, if any. */
  next(): number | undefined {
    this.#skipStale();
    return this.#heap[0]?.at;
  }

  /** Takes one key out whose time has come. */
  take(now: number): K | undefined {
    this.#skipStale();
    const first = this.#heap[0];
    if (first === undefined || first.at > now) return undefined;
    this.#due.delete(first.key);
    this.#pop();
    return first.key;
  }

  clear(): void {
    this.#due.clear();
    this.#heap = [];
  }

  #skipStale(): void {
    for (let first = this.#heap[0]; first !== undefined && this.#due.get(first.key) !== first.at; first = this.#heap[0]) this.#pop();
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#down(0);
  }

  #at(index: number): number {
    return this.#heap[index]?.at ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }

  #up(start: number): void {
    for (let index = start; index > 0; ) {
      const parent = (index - 1) >> 1;
      if (this.#at(parent) <= this.#at(index)) return;
      this.#swap(parent, index);
      index = parent;
    }
  }

  #down(start: number): void {
    for (let index = start; ; ) {
      const left = 2 * index + 1;
      const smaller = this.#at(left + 1) < this.#at(left) ? left + 1 : left;
      if (this.#at(index) <= this.#at(smaller)) return;
      this.#swap(index, smaller);
      index = smaller;
    }
  }
}

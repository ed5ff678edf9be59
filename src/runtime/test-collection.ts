import type { Item, ListPage, ListWatch, WatchEvent } from './reflector.ts';

export interface Thing {
  readonly name: string;
  readonly value: number;
}

interface Watcher {
  /** Index in the history of the next event to send. */
  next: number;
  wake(): void;
  end: 'open' | 'closed' | { readonly error: Error };
  silent: boolean;
}

/** For tests: a collection in memory that can be listed and watched as an API server's, and that can be made to fail in its ways. */
export class TestCollection implements ListWatch<Thing> {
  readonly things = new Map<string, Item<Thing>>();
  readonly calls: string[] = [];
  /** Errors for the next calls, in order; `undefined` lets one pass. */
  readonly listFailures: (Error | 'expired' | undefined)[] = [];
  readonly watchFailures: (Error | undefined)[] = [];
  readonly #history: WatchEvent<Thing>[] = [];
  readonly #watchers = new Set<Watcher>();
  /** Versions up to this one are forgotten. */
  #compacted = 0;
  #version = 0;
  #uid = 0;

  put(name: string, value: number): void {
    const standing = this.things.get(name);
    const uid = standing?.uid ?? `uid-${++this.#uid}`;
    const item = { object: { name, value }, uid, resourceVersion: this.#nextVersion() };
    this.things.set(name, item);
    this.#tell({ type: standing === undefined ? 'ADDED' : 'MODIFIED', ...item });
  }

  delete(name: string): void {
    const standing = this.things.get(name);
    if (standing === undefined) return;
    this.things.delete(name);
    this.#tell({ type: 'DELETED', ...standing, resourceVersion: this.#nextVersion() });
  }

  bookmark(): void {
    this.#tell({ type: 'BOOKMARK', resourceVersion: this.#nextVersion() });
  }

  /** Forgets the past: watches and page tokens from before are answered "expired". */
  compact(): void {
    this.#compacted = this.#version;
  }

  /** Ends every watch: in good order, or with an error. */
  cut(error?: Error): void {
    for (const watcher of this.#watchers) {
      watcher.end = error === undefined ? 'closed' : { error };
      watcher.wake();
    }
  }

  /** Half-open connections: what happens is not told, and no end either. */
  silence(): void {
    for (const watcher of this.#watchers) watcher.silent = true;
  }

  get watching(): number {
    return this.#watchers.size;
  }

  async list(page: { readonly limit: number; readonly continue?: string }): Promise<ListPage<Thing>> {
    this.calls.push(page.continue === undefined ? 'list' : `list after ${page.continue}`);
    const failure = this.listFailures.shift();
    if (failure === 'expired') return { kind: 'expired' };
    if (failure !== undefined) throw failure;
    const [version, after] = page.continue?.split('/') ?? [String(this.#version), ''];
    if (page.continue !== undefined && Number(version) < this.#compacted) return { kind: 'expired' };
    const rest = [...this.things.values()]
      .filter((item) => item.object.name > (after ?? ''))
      .toSorted((a, b) => (a.object.name < b.object.name ? -1 : 1));
    const items = rest.slice(0, page.limit);
    const last = items.at(-1);
    const more = rest.length > items.length && last !== undefined;
    // A real server answers later pages from the version of the first; here the past is not kept, so the oldest version is told: events since then repeat.
    return { kind: 'page', items, resourceVersion: version ?? '', ...(more ? { continue: `${version}/${last.object.name}` } : {}) };
  }

  async *watch(
    from: { readonly resourceVersion: string; readonly timeoutSeconds: number },
    signal: AbortSignal,
  ): AsyncIterable<readonly WatchEvent<Thing>[]> {
    this.calls.push(`watch from ${from.resourceVersion}`);
    const failure = this.watchFailures.shift();
    if (failure !== undefined) throw failure;
    const start = Number(from.resourceVersion);
    if (start < this.#compacted) {
      yield [{ type: 'EXPIRED' }];
      return;
    }
    const first = this.#history.findIndex((event) => 'resourceVersion' in event && Number(event.resourceVersion) > start);
    let woken = Promise.withResolvers<void>();
    const watcher: Watcher = {
      next: first === -1 ? this.#history.length : first,
      wake: () => woken.resolve(),
      end: 'open',
      silent: false,
    };
    this.#watchers.add(watcher);
    yield [{ type: 'OPEN' }];
    signal.addEventListener('abort', watcher.wake, { once: true });
    try {
      while (!signal.aborted) {
        if (watcher.end === 'closed') return;
        if (watcher.end !== 'open') throw watcher.end.error;
        if (!watcher.silent) {
          for (let event = this.#history[watcher.next]; event !== undefined; event = this.#history[watcher.next]) {
            watcher.next += 1;
            yield [event];
          }
        }
        await woken.promise;
        woken = Promise.withResolvers<void>();
      }
      throw signal.reason;
    } finally {
      this.#watchers.delete(watcher);
      signal.removeEventListener('abort', watcher.wake);
    }
  }

  #nextVersion(): string {
    this.#version += 1;
    return String(this.#version);
  }

  #tell(event: WatchEvent<Thing>): void {
    this.#history.push(event);
    for (const watcher of this.#watchers) watcher.wake();
  }
}

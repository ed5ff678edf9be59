import { keyOf, type ObjectKey, type ObjectName } from '../../api/cluster.ts';

/** An object as the watch shows it. */
interface Versioned extends ObjectName {
  readonly resourceVersion: string;
}

/**
 * Our writes of objects of one kind that the watch has not shown yet. Whoever decides on the state before them is refused with a conflict, or
 * does the same once more.
 */
export class OwnWrites {
  /** By key: the version that was written over. */
  readonly #awaited = new Map<ObjectKey, string>();

  /** `version` is what the API server answered, if that tells: the same one means that nothing changed. */
  wrote(seen: Versioned, version?: string): void {
    if (version !== seen.resourceVersion) this.#awaited.set(keyOf(seen), seen.resourceVersion);
  }

  unseen(seen: Versioned): boolean {
    const key = keyOf(seen);
    if (this.#awaited.get(key) === seen.resourceVersion) return true;
    this.#awaited.delete(key);
    return false;
  }

  forget(key: ObjectKey): void {
    this.#awaited.delete(key);
  }
}

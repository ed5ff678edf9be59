import { keyOf, type ObjectKey, type ObjectName } from '../../api/cluster.ts';

/** An object as the watch shows it. */
interface Versioned extends ObjectName {
  readonly resourceVersion: string;
}

/**
 * Our writes of objects of one kind that the watch has not shown yet: expectations, as kube-controller-manager has them. A decision on the
 * state before them is refused with a conflict, or does the same once more.
 */
export class WriteExpectations {
  /** By key: the version that was written over. */
  readonly #awaited = new Map<ObjectKey, string>();

  /** `version` is what the API server answered, if that tells: the same one means that nothing changed. */
  expect(seen: Versioned, version?: string): void {
    if (version !== seen.resourceVersion) this.#awaited.set(keyOf(seen), seen.resourceVersion);
  }

  isUnseen(seen: Versioned): boolean {
    const key = keyOf(seen);
    if (this.#awaited.get(key) === seen.resourceVersion) return true;
    this.#awaited.delete(key);
    return false;
  }

  forget(key: ObjectKey): void {
    this.#awaited.delete(key);
  }
}

import type { IrsaBinding } from '../../api/binding.ts';
import { keyOf, type ObjectKey } from '../../api/cluster.ts';

/** Our writes of bindings that the watch has not shown yet. To decide on the state before them is to be refused with a conflict. */
export class OwnWrites {
  /** By key: the version that was written over. */
  readonly #awaited = new Map<ObjectKey, string>();

  /** `version` is what the API server answered; the same one means that nothing changed. */
  wrote({ metadata }: IrsaBinding, version: string): void {
    if (version !== metadata.resourceVersion) this.#awaited.set(keyOf(metadata), metadata.resourceVersion);
  }

  unseen({ metadata }: IrsaBinding): boolean {
    const key = keyOf(metadata);
    if (this.#awaited.get(key) === metadata.resourceVersion) return true;
    this.#awaited.delete(key);
    return false;
  }

  forget(key: ObjectKey): void {
    this.#awaited.delete(key);
  }
}

import { keyOf, type ObjectKey, type ObjectName } from '../../api/cluster.ts';
import type { Clock } from '../../runtime/clock.ts';

/** An object as the watch shows it. */
interface Versioned extends ObjectName {
  readonly resourceVersion: string;
}

/** A watch that is silent is reconnected after 90 s. By then it has shown our writes, or there was nothing to show. */
export const UNSEEN_MOST_MS = 120_000;

/**
 * Our writes of objects of one kind that the watch has not shown yet: expectations, as kube-controller-manager has them. A decision on the
 * state before them is refused with a conflict, or does the same once more. None is waited for without end.
 */
export class WriteExpectations {
  /** By key: the versions that were written over, and until when what came of the last one is waited for. */
  readonly #awaited = new Map<ObjectKey, { readonly versions: ReadonlySet<string>; readonly until: number }>();
  readonly #clock: Pick<Clock, 'monotonic'>;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** `version` is what the API server answered, if that tells: the same one means that nothing changed. */
  expect(seen: Versioned, version?: string): void {
    if (version === seen.resourceVersion) return;
    const key = keyOf(seen);
    const versions = new Set([...(this.#awaited.get(key)?.versions ?? []), seen.resourceVersion]);
    this.#awaited.set(key, { versions, until: this.#clock.monotonic() + UNSEEN_MOST_MS });
  }

  isUnseen(seen: Versioned): boolean {
    const key = keyOf(seen);
    const awaited = this.#awaited.get(key);
    if (awaited?.versions.has(seen.resourceVersion) && this.#clock.monotonic() < awaited.until) return true;
    this.#awaited.delete(key);
    return false;
  }

  forget(key: ObjectKey): void {
    this.#awaited.delete(key);
  }
}

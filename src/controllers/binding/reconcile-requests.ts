import { type IrsaBinding, openRequest } from '../../api/binding.ts';
import { keyOf, type ObjectKey } from '../../api/cluster.ts';
import { isProblem } from '../../api/problem.ts';
import type { OwnedStores } from '../stores.ts';

/** Who sweeps seldom relies on requests. */
const LONGEST_INTERVAL_MS = 60_000;

/**
 * Keeps a user's request where the controllers that read AWS see it, until the status says that it was handled. A binding has one fresh look an
 * interval, that of the sweep or a minute: what is requested sooner waits for its end, and of several requests only the last is left then.
 */
export class ReconcileRequests {
  readonly #owned: Pick<OwnedStores, 'reconcileRequests'>;
  readonly #intervalMs: number;
  /** When the last request of a binding was let through. */
  readonly #at = new Map<ObjectKey, number>();

  constructor(owned: Pick<OwnedStores, 'reconcileRequests'>, sweepIntervalMs: number) {
    this.#owned = owned;
    this.#intervalMs = Math.min(sweepIntervalMs, LONGEST_INTERVAL_MS);
  }

  /** Milliseconds until what is requested is let through; undefined where nothing waits. */
  keep(binding: IrsaBinding, now: number): number | undefined {
    const { reconcileRequests } = this.#owned;
    const key = keyOf(binding.metadata);
    const known = reconcileRequests.get(key);
    const value = openRequest(binding);
    const role = isProblem(binding.spec) ? undefined : binding.spec.roleArn;
    if (value !== undefined && known?.value === value) {
      // Of the same time, also for another role: to change the role is not to request anew.
      if (known.role !== role) reconcileRequests.put({ ...known, role });
      return undefined;
    }
    const waitsMs = value === undefined ? undefined : (this.#at.get(key) ?? Number.NEGATIVE_INFINITY) + this.#intervalMs - now;
    if (value !== undefined && waitsMs !== undefined && waitsMs <= 0) {
      this.#at.set(key, now);
      reconcileRequests.put({ binding: key, role, value, at: now });
      return undefined;
    }
    // One under way is still answered, whatever is requested meanwhile.
    const isOver = value === undefined || known?.value === binding.status.lastHandledReconcileAt;
    if (isOver && known !== undefined) reconcileRequests.delete(key);
    return waitsMs;
  }

  forget(key: ObjectKey): void {
    this.#at.delete(key);
    this.#owned.reconcileRequests.delete(key);
  }
}

import type { BindingStatus, IrsaBinding } from '../../api/binding.ts';
import type { Pod, ServiceAccount, Workload } from '../../api/cluster.ts';
import type { Blocked } from '../../domain/pods/restart/attempt.ts';
import type { BindingEvents } from '../../ports/events.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { OwnedStores, Stores } from '../stores.ts';

/** What came of taking a pod away, or of having a workload do so. */
export type Removal =
  | { readonly kind: 'gone' }
  /** It is not what was looked at any more. */
  | { readonly kind: 'changed' }
  | { readonly kind: Blocked['kind']; readonly message: string };

/** Every write to Kubernetes for a binding. All throw `Fault` and nothing else; all are idempotent. Writes of the binding answer with the new version. */
export interface BindingWrites {
  /** Throws where admission removed the finalizer within the request. */
  addFinalizer(binding: IrsaBinding, signal: AbortSignal): Promise<string>;
  /**
   * Throws where admission kept the finalizer within the request. The answer tells no version: of an object that is gone with its last
   * finalizer the API server shows the one before.
   */
  removeFinalizer(binding: IrsaBinding, signal: AbortSignal): Promise<void>;
  /** Everything that we hold of the ServiceAccount becomes exactly this; `{}` takes away what we set. Never makes one. Answers with the ServiceAccount as it is then. */
  annotate(account: ServiceAccount, annotations: Readonly<Record<string, string>>, signal: AbortSignal): Promise<ServiceAccount>;
  evict(pod: Pod, signal: AbortSignal): Promise<Removal>;
  /** Only as it was looked at. */
  deletePod(pod: Pod, signal: AbortSignal): Promise<Removal>;
  /** Has the workload make its pods again, by our annotation of its template; the same time again changes nothing. */
  rollOut(workload: Workload, restartedAt: string, signal: AbortSignal): Promise<Removal>;
  /** Refused with a conflict where the binding is not the one that was looked at any more. */
  report(binding: IrsaBinding, status: BindingStatus, signal: AbortSignal): Promise<string>;
}

export interface BindingMetrics {
  drifted(): void;
  repaired(): void;
  restarted(strategy: 'evict' | 'delete' | 'rollout', result: 'done' | 'blocked'): void;
}

export interface BindingOptions {
  readonly stores: Stores;
  readonly owned: Pick<OwnedStores, 'reconcileRequests'>;
  readonly writes: BindingWrites;
  readonly events: BindingEvents;
  readonly metrics: BindingMetrics;
  /** A binding has one fresh look in each. */
  readonly sweepIntervalMs: number;
  readonly clock: Clock;
}

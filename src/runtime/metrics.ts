/**
 * What the machinery counts, in its own words. src/observability turns each call into controller-runtime's metric of that meaning
 * (named beside each line), so that the dashboards and alerts written for controller-runtime work here.
 */

/** How a reconcile ended, as controller-runtime labels it. `requeue` is not here: nothing asks for a retry without saying when. */
type Result = 'success' | 'error' | 'requeue_after';

/** Why a reflector listed: its first list, or a resource version that the server no longer has. */
export type ListCause = 'start' | 'expired' | 'failed';

/** How a watch ended: the server's time was up, silence, a resource version that expired, or an error. */
export type WatchEnd = 'closed' | 'silent' | 'expired' | 'failed';

/** Read at every scrape, so that a gauge is never stale. */
export interface QueueSnapshot {
  readonly depth: number; // workqueue_depth {name, controller, priority=""}
  readonly unfinishedSeconds: number; // workqueue_unfinished_work_seconds: sum over the keys in work
  readonly longestSeconds: number; // workqueue_longest_running_processor_seconds
}

/** One queue; every call carries the labels `name` and `controller`, both the queue's name. */
export interface QueueMetrics {
  added(): void; // workqueue_adds_total
  retried(): void; // workqueue_retries_total
  waited(seconds: number): void; // workqueue_queue_duration_seconds
  worked(seconds: number): void; // workqueue_work_duration_seconds
}

/** One controller; every call carries the label `controller`. */
export interface ControllerMetrics {
  reconciled(result: Result, seconds: number): void; // controller_runtime_reconcile_total {result}, controller_runtime_reconcile_time_seconds
  failed(kind: string): void; // controller_runtime_reconcile_errors_total; `kind` is the classified failure, for a metric of one's own
  panicked(): void; // controller_runtime_reconcile_panics_total; reconciled('error') and failed('panic') are called besides
  timedOut(): void; // controller_runtime_reconcile_timeouts_total; likewise
  active(workers: number): void; // controller_runtime_active_workers
}

/** One kind of object; every call carries the label `kind`. */
export interface ReflectorMetrics {
  listed(cause: ListCause): void; // irsa_reflector_lists_total {kind, cause}
  watched(end: WatchEnd): void; // irsa_reflector_watches_total {kind, end}
}

interface ReflectorSnapshot {
  readonly lastContactMs: number | undefined; // irsa_reflector_last_contact_timestamp_seconds {kind}; epoch milliseconds, none before the first
  readonly objects: number; // irsa_cache_objects {kind}
}

export interface ElectorMetrics {
  leading(is: boolean): void; // leader_election_master_status {name}
  slowPath(): void; // leader_election_slowpath_total {name}
}

/** Each method is called once per queue, controller, kind or lease, at construction: the place to set every series to zero. */
export interface RuntimeMetrics {
  queue(name: string, read: () => QueueSnapshot): QueueMetrics;
  controller(name: string, workers: number): ControllerMetrics; // `workers`: controller_runtime_max_concurrent_reconciles
  reflector(kind: string, read: () => ReflectorSnapshot): ReflectorMetrics;
  elector(name: string): ElectorMetrics;
}

const nothing = () => {};
export const noMetrics: RuntimeMetrics = {
  queue: () => ({ added: nothing, retried: nothing, waited: nothing, worked: nothing }),
  controller: () => ({ reconciled: nothing, failed: nothing, panicked: nothing, timedOut: nothing, active: nothing }),
  reflector: () => ({ listed: nothing, watched: nothing }),
  elector: () => ({ leading: nothing, slowPath: nothing }),
};

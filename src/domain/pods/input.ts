import type { IrsaBinding } from '../../api/binding.ts';
import type { BatchWorkload, Pod, ServiceAccount, Workload } from '../../api/cluster.ts';
import type { Webhook } from '../../api/webhook.ts';
import type { Blocked } from './restart/attempt.ts';

/** What the decision about the pods of one binding rests on. */
export interface PodsInput {
  readonly now: number;
  readonly binding: IrsaBinding;
  readonly serviceAccount: ServiceAccount | undefined;
  /** Those of the ServiceAccount. */
  readonly pods: readonly Pod[];
  /** All of the namespace. */
  readonly workloads: readonly Workload[];
  /** Those of the namespace that run as the ServiceAccount, or are called as it or as the binding. Only where asked for: there may be many. */
  readonly batchWorkloads: () => readonly BatchWorkload[];
  /** In the namespace of the binding. */
  readonly serviceAccountExists: (name: string) => boolean;
  /** By uid of the pod, or of the workload that was to be rolled out. */
  readonly blocked: ReadonlyMap<string, Blocked>;
  /** As the operator was told of it. */
  readonly webhook: Webhook;
}

import type { IrsaBinding } from '../../api/binding.ts';
import type { Namespace } from '../../api/cluster.ts';
import type { IrsaGrant } from '../../api/grant.ts';
import type { Webhook } from '../../api/webhook.ts';
import type { ReadCluster } from '../../ports/read-cluster.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ReadAws } from '../check/ports.ts';
import type { Progress } from '../progress.ts';

/** What a plan reads. Every method throws `Fault`. */
export interface PlanPorts {
  readonly cluster: Pick<ReadCluster, 'issuer' | 'serviceAccount' | 'pods' | 'workloads' | 'batchWorkloads' | 'apiAudiences'> & {
    bindings(signal: AbortSignal): Promise<readonly IrsaBinding[]>;
    grants(signal: AbortSignal): Promise<readonly IrsaGrant[]>;
    namespaces(signal: AbortSignal): Promise<readonly Namespace[]>;
  };
  readonly aws: Pick<ReadAws, 'caller' | 'eksIssuer' | 'providers' | 'roles'>;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly webhook: Webhook;
  /** Of the kubeconfig's context. */
  readonly namespace: string;
}

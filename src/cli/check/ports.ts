import type { ObjectName } from '../../api/cluster.ts';
import type { Webhook } from '../../api/webhook.ts';
import type { Bound } from '../../domain/check/seen.ts';
import type { CallerView } from '../../domain/state/identity.ts';
import type { OidcProviders } from '../../ports/oidc-providers.ts';
import type { ReadCluster } from '../../ports/read-cluster.ts';
import type { Roles } from '../../ports/roles.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Progress } from '../progress.ts';
import type { Checked } from './text.ts';

/** AWS, as a person reads it. */
export interface ReadAws {
  caller(signal: AbortSignal): Promise<CallerView>;
  readonly roles: Pick<Roles, 'read' | 'list' | 'policyQuota'>;
  readonly providers: Pick<OidcProviders, 'clientIds' | 'list'>;
  /** What EKS says of the cluster that the kubeconfig names; undefined where it names none. */
  readonly eksIssuer: ((signal: AbortSignal) => Promise<string | undefined>) | undefined;
}

/** What files have beside what they stand in for. */
export interface InFiles {
  /** The ServiceAccounts that bindings name. */
  readonly named: readonly ObjectName[];
  bound(of: ObjectName): Bound | undefined;
  placesOf(of: ObjectName): Checked['places'];
}

export interface CheckPorts {
  readonly cluster: ReadCluster;
  readonly aws: ReadAws;
  readonly clock: Clock;
  readonly progress: Progress;
  /** As that of the cluster was started. */
  readonly webhook: Webhook;
  /** Undefined where a cluster and an account are asked. */
  readonly files: InFiles | undefined;
}

/** Where the kubeconfig and the environment lead, or what is read in their place. */
export interface Where {
  readonly what: 'cluster' | 'files';
  /** The name of the cluster, as the kubeconfig has it, or those of the files. */
  readonly cluster: string;
  readonly namespace: string;
  readonly server: string;
  readonly region: string | undefined;
  readonly profile: string | undefined;
}

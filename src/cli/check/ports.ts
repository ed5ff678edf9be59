import type { CallerView } from '../../domain/state/identity.ts';
import type { OidcProviders } from '../../ports/oidc-providers.ts';
import type { ReadCluster } from '../../ports/read-cluster.ts';
import type { Roles } from '../../ports/roles.ts';
import type { Clock } from '../../runtime/clock.ts';

/** AWS, as a person reads it. */
export interface ReadAws {
  caller(signal: AbortSignal): Promise<CallerView>;
  readonly roles: Pick<Roles, 'read' | 'list' | 'policyQuota'>;
  readonly providers: Pick<OidcProviders, 'clientIds' | 'list'>;
  /** What EKS says of the cluster that the kubeconfig names; undefined where it names none. */
  readonly eksIssuer: ((signal: AbortSignal) => Promise<string | undefined>) | undefined;
}

export interface CheckPorts {
  readonly cluster: ReadCluster;
  readonly aws: ReadAws;
  readonly clock: Clock;
}

/** Where the kubeconfig and the environment lead. */
export interface Where {
  /** The name of the cluster, as the kubeconfig has it. */
  readonly cluster: string;
  readonly namespace: string;
  readonly server: string;
  readonly region: string | undefined;
  readonly profile: string | undefined;
}

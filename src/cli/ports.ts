import type { IrsaBinding } from '../api/binding.ts';
import type { Namespace } from '../api/cluster.ts';
import type { CallerView } from '../domain/state/identity.ts';
import type { APIReader } from '../ports/api-reader.ts';
import type { OidcProviders } from '../ports/oidc-providers.ts';
import type { Roles } from '../ports/roles.ts';
import type { Clock, Random } from '../runtime/clock.ts';
import type { Progress } from './progress.ts';

/** The cluster of the kubeconfig. Everything is read from the API server itself, whole or not at all. Every method throws `Fault`. */
export interface Cluster extends APIReader {
  /** What the API server puts into `iss`, as it says itself. */
  issuer(signal: AbortSignal): Promise<string>;
  /** Of all namespaces, or of one. */
  bindings(signal: AbortSignal, namespace?: string): Promise<readonly IrsaBinding[]>;
  namespaces(signal: AbortSignal): Promise<readonly Namespace[]>;
  /** Audiences that open the API server itself, as far as they are known beside its issuer. */
  apiAudiences(signal: AbortSignal): Promise<readonly string[]>;
}

/** What a command may call. */
export interface CommandPorts {
  /** Throws a `notFound` where no cluster is configured at all. */
  cluster(): Cluster;
  /** What EKS says, where the name of the cluster was given. */
  readonly eksIssuer: ((signal: AbortSignal) => Promise<string | undefined>) | undefined;
  /** Whom AWS takes us for; its account is the one whose roles are meant. */
  caller(signal: AbortSignal): Promise<CallerView>;
  readonly roles: Roles;
  readonly providers: Pick<OidcProviders, 'clientIds'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly progress: Progress;
}

/** How a command is told to end. */
export interface Signals {
  /** Somebody wants it to end: nothing new is begun. */
  readonly stop: AbortSignal;
  /** And a while later: what is under way is given up. */
  readonly abort: AbortSignal;
}

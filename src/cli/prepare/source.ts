import type { IrsaBinding } from '../../api/binding.ts';
import type { Namespace } from '../../api/cluster.ts';
import type { IrsaGrant } from '../../api/grant.ts';
import type { Cluster } from '../ports.ts';

/** Bindings, and what decides about them: all of one place. */
export interface Source {
  /** For messages: where all of this stood. */
  readonly of: string;
  readonly bindings: readonly IrsaBinding[];
  readonly grants: readonly IrsaGrant[];
  readonly namespaces: readonly Namespace[];
  readonly apiAudiences: readonly string[];
}

/** What the cluster has at this moment. Throws `Fault`. */
export async function sourceOf(cluster: Cluster, signal: AbortSignal): Promise<Source> {
  const [bindings, grants, namespaces, apiAudiences, issuer] = await Promise.all([
    cluster.bindings(signal),
    cluster.grants(signal),
    cluster.namespaces(signal),
    cluster.apiAudiences(signal),
    cluster.issuer(signal),
  ]);
  return { of: 'the cluster', bindings, grants, namespaces, apiAudiences: [...apiAudiences, issuer] };
}

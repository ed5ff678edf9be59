import type { RoleArn } from '../../api/arn.ts';
import type { Namespace } from '../../api/cluster.ts';
import { Fault } from '../../api/fault.ts';
import { serviceAccountIn } from '../../api/subject.ts';
import { isEvident } from '../../domain/authorization/evidence.ts';
import type { StatedSubject } from '../../trust/own-subjects.ts';
import type { Cluster } from '../ports.ts';

/**
 * Whether no grant covers a subject in a role with these tags, by what the API server says now: the operator's own last look before it
 * revokes. Throws `Fault` where that cannot be known.
 */
export async function ungrantedIn(
  cluster: Cluster,
  signal: AbortSignal,
): Promise<(role: RoleArn, one: StatedSubject, roleTags: ReadonlyMap<string, string>) => boolean> {
  const definition = await cluster.definition('grants', signal);
  if (definition === undefined)
    throw new Fault(
      'invalid',
      'the CRD of the grants is being deleted, or does not exist, so no grant can be known. Install the CRDs again',
    );
  const grants = await cluster.grants(signal);
  if (grants.length === 0)
    throw new Fault(
      'invalid',
      'this cluster has no IrsaGrant. They may not be restored yet. Create a grant first. To remove all subjects see irsa-operator release',
    );
  const namespaces = new Map((await cluster.namespaces(signal)).map((namespace): [string, Namespace] => [namespace.name, namespace]));
  return (role, { subject, audience }, roleTags) => {
    const namespace = namespaces.get(serviceAccountIn(subject)?.namespace ?? '');
    const loss = { role, subject, audience, since: 0, cause: 'unseen', by: [], definition, revokedAt: undefined } as const;
    return isEvident(loss, { grants, namespace, definition, roleTags });
  };
}

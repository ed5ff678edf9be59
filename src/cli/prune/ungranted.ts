import type { RoleArn } from '../../api/arn.ts';
import type { Namespace } from '../../api/cluster.ts';
import { Fault } from '../../api/fault.ts';
import type { IrsaGrant } from '../../api/grant.ts';
import { isProblem, type Problem, problem } from '../../api/problem.ts';
import { pruneCommand } from '../../api/prune-command.ts';
import { serviceAccountIn } from '../../api/subject.ts';
import { evidenceOf } from '../../domain/authorization/evidence.ts';
import type { ClusterName } from '../../domain/state/identity.ts';
import type { StatedSubject } from '../../trust/own-subjects.ts';
import type { Cluster } from '../ports.ts';

/**
 * Whether no grant covers a subject in a role with these tags, by what the API server says now: the operator's own last look before it
 * revokes. A problem says why that is not known of one subject. Throws `Fault` where it is known of none.
 */
export async function ungrantedIn(
  cluster: Cluster,
  { clusterId }: ClusterName,
  signal: AbortSignal,
): Promise<(role: RoleArn, one: StatedSubject, roleTags: ReadonlyMap<string, string>) => boolean | Problem> {
  const definition = await cluster.definition('grants', signal);
  if (definition === undefined)
    throw new Fault(
      'invalid',
      'the CRD of the grants is being deleted, or does not exist, so no grant can be known. Install the CRDs again',
    );
  const grants = await readableGrants(cluster, signal);
  const namespaces = new Map((await cluster.namespaces(signal)).map((namespace): [string, Namespace] => [namespace.name, namespace]));
  return (role, { subject, audience }, roleTags) => {
    const name = serviceAccountIn(subject)?.namespace ?? '';
    const loss = { role, subject, audience, since: 0, cause: 'unseen', by: [], definition, revokedAt: undefined, returns: 0 } as const;
    const evidence = evidenceOf(loss, { grants, namespace: namespaces.get(name), definition, roleTags });
    return evidence === 'unknown' ? namespaceAway(name, clusterId) : evidence === 'lost';
  };
}

/** One grant at the least, and each of them known: what one that cannot be read covers may be any subject. */
async function readableGrants(cluster: Cluster, signal: AbortSignal): Promise<readonly IrsaGrant[]> {
  const grants = await cluster.grants(signal);
  if (grants.length === 0)
    throw new Fault(
      'invalid',
      'this cluster has no IrsaGrant. They may not be restored yet. Create a grant first. To remove all subjects see irsa-operator release',
    );
  for (const { name, spec } of grants) if (isProblem(spec)) throw new Fault('invalid', unreadable(name, spec));
  return grants;
}

const unreadable = (name: string, { problem: why }: Problem): string =>
  `IrsaGrant "${name}" cannot be read: ${why}. Which subjects it covers is not known. Correct it or delete it`;

/** All that is left unknown where every grant can be read. Without its namespace no binding names the subject, so the plain `prune` has it. */
const namespaceAway = (name: string, clusterId: string | undefined): Problem =>
  problem(
    `namespace "${name}" does not exist, so its labels are not known, and an IrsaGrant selects namespaces by label. The subject is kept. If it is no longer needed${clusterId === undefined ? ', and no other cluster has this issuer' : ''}, run: ${pruneCommand(clusterId)}`,
  );

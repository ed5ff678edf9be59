import { parseRoleArn, type RoleArn } from '../api/arn.ts';
import { isProblem } from '../api/problem.ts';
import { type ClusterName, oursIn } from '../domain/state/identity.ts';
import { changedSubjects } from '../trust/changed-statement.ts';
import { parseDocument } from '../trust/document/document.ts';
import { ownSubjects, type StatedSubject } from '../trust/own-subjects.ts';
import type { CommandPorts, Signals } from './ports.ts';

/** The subjects of a cluster in one trust policy. */
export interface Standing {
  /** Our statement names them. */
  readonly own: readonly StatedSubject[];
  /** They get in, or may, by a statement under our Sid that another writer changed, so that we do not. */
  readonly changed: readonly StatedSubject[];
}

/** Every role of the account in which a statement under our Sid lets in somebody who is meant, as the list shows it. Throws `Fault`. */
export async function standingRoles(
  cluster: ClusterName,
  isMeant: (role: RoleArn, named: StatedSubject) => boolean,
  { roles }: CommandPorts,
  { stop }: Signals,
): Promise<ReadonlyMap<RoleArn, Standing>> {
  const found = new Map<RoleArn, Standing>();
  for await (const page of roles.list(stop, 'change')) {
    stop.throwIfAborted();
    for (const listed of page) {
      const role = parseRoleArn(listed.arn);
      if (isProblem(role)) continue;
      const standing = standingIn(role, listed.parse().policy, cluster);
      const meant = (all: readonly StatedSubject[]) => all.filter((named) => isMeant(role, named));
      const [own, changed] = [meant(standing.own), meant(standing.changed)];
      if (own.length > 0 || changed.length > 0) found.set(role, { own, changed });
    }
  }
  return found;
}

/** Nothing of ours can be told apart in a document that cannot be read. */
export function standingIn(role: RoleArn, policy: string, cluster: ClusterName): Standing {
  const document = parseDocument(policy);
  if (isProblem(document)) return { own: [], changed: [] };
  const ours = oursIn(cluster, role);
  return { own: ownSubjects(document, ours), changed: changedSubjects(document, ours) };
}

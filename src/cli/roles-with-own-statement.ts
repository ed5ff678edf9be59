import { type ProviderArn, parseRoleArn, providerArnFor, type RoleArn } from '../api/arn.ts';
import type { Issuer } from '../api/issuer.ts';
import { isProblem } from '../api/problem.ts';
import { parseDocument } from '../trust/document/document.ts';
import { ownSubjects, type StatedSubject } from '../trust/own-subjects.ts';
import type { CommandPorts, Signals } from './ports.ts';

/** Whose statement in which role is ours. */
export const oursIn =
  (issuer: Issuer) =>
  (role: RoleArn): { issuer: Issuer; provider: ProviderArn } => ({ issuer, provider: providerArnFor(role, issuer) });

/** Every role of the account in which our statement for the issuer names somebody who is meant, as the list shows it. Throws `Fault`. */
export async function standingRoles(
  issuer: Issuer,
  isMeant: (role: RoleArn, named: StatedSubject) => boolean,
  { roles }: CommandPorts,
  { stop }: Signals,
): Promise<ReadonlyMap<RoleArn, readonly StatedSubject[]>> {
  const found = new Map<RoleArn, readonly StatedSubject[]>();
  for await (const page of roles.list(stop, 'change')) {
    stop.throwIfAborted();
    for (const listed of page) {
      const role = parseRoleArn(listed.arn);
      if (isProblem(role)) continue;
      const meant = standingIn(role, listed.parse().policy, issuer).filter((named) => isMeant(role, named));
      if (meant.length > 0) found.set(role, meant);
    }
  }
  return found;
}

/** Nothing of ours can be told apart in a document that cannot be read. */
export function standingIn(role: RoleArn, policy: string, issuer: Issuer): readonly StatedSubject[] {
  const document = parseDocument(policy);
  return isProblem(document) ? [] : ownSubjects(document, oursIn(issuer)(role));
}

import { providerHostPath, type RoleArn, sharesAccount } from '../api/arn.ts';
import { pruneCommand } from '../api/prune-command.ts';
import { member, type PolicyDocument } from './document/document.ts';
import { principalValues } from './evaluate/principals.ts';

/** A full policy makes room by what no cluster uses any more. Told by number only: whose it was is not for every reader of a status. */

/** More numbers than these nobody reads. */
const MAX_NUMBERS = 8;

/** In words, the statements that let nobody in: all their principals are OIDC providers which the account has not. Nothing while those are not known. */
export function statementsOfNobody(
  { statements }: PolicyDocument,
  { role, providers }: { readonly role: RoleArn; readonly providers?: ReadonlySet<string> },
): string[] {
  if (providers === undefined) return [];
  const isGone = ({ kind, value }: { kind: string; value: string }) =>
    kind === 'Federated' && providerHostPath(value) !== undefined && sharesAccount(role, value) && !providers.has(value);
  const dead = statements
    .filter(({ node }) => {
      const effect = member(node, 'Effect');
      const principals = principalValues(node);
      return effect?.kind === 'string' && effect.value === 'Allow' && principals.length > 0 && principals.every(isGone);
    })
    .map(({ index }) => index);
  if (dead.length === 0) return [];
  const more = dead.length > MAX_NUMBERS ? ` and ${dead.length - MAX_NUMBERS} more` : '';
  return dead.length === 1
    ? [`statement ${dead[0]} (its OIDC provider does not exist in the account)`]
    : [`statements ${dead.slice(0, MAX_NUMBERS).join(', ')}${more} (their OIDC providers do not exist in the account)`];
}

/** In words, the subjects of our own statements that no binding names. */
export function subjectsOfNobody(orphans: number, clusterId: string | undefined): string[] {
  if (orphans === 0) return [];
  const subjects = orphans === 1 ? '1 subject' : `${orphans} subjects`;
  const condition = clusterId === undefined ? ', if no other cluster has this issuer' : '';
  return [`${subjects} of irsa-operator that no binding of this cluster names (${pruneCommand(clusterId)}${condition})`];
}

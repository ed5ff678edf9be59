import type { Finding } from '../../api/finding.ts';
import { isGrantStillLost } from '../../domain/authorization/grant-loss.ts';
import type { DesiredTrust } from '../../domain/role/desired-trust.ts';
import type { EditDecision } from '../../domain/role/edit.ts';
import type { Log } from '../../runtime/log.ts';
import type { RoleOptions } from './ports.ts';

/** What was decided on a fresh read, and what else speaks against the write. */
export type Decision =
  | EditDecision
  /** An uncached read does not confirm that trust is to be revoked. */
  | { readonly kind: 'unconfirmed' }
  /** Another writer keeps taking out what we write. */
  | { readonly kind: 'contended'; readonly until: number; readonly finding: Finding };

/**
 * Whether uncached reads confirm what revokes trust. For a deletion: that the binding is meant, and not the CRD with every binding in it. For
 * a lost grant: that there is none, and not only none in the cache.
 */
export async function confirmRevocation(
  { changes }: { readonly changes: readonly DesiredTrust[] },
  { apiReader }: RoleOptions,
  log: Log,
  signal: AbortSignal,
): Promise<boolean> {
  const going = changes.filter(({ kind }) => kind === 'revoke');
  if (going.length === 0) return true;
  if (going.some(({ binding }) => binding.metadata.deleting) && (await apiReader.isCrdDeleting(signal))) {
    log.warn({}, 'not revoking: the CRD of the bindings is being deleted');
    return false;
  }
  const grantLoss = going.filter((desired) => desired.grantLoss !== undefined);
  if (grantLoss.length === 0) return true;
  const grants = await apiReader.grants(signal);
  for (const { binding } of grantLoss) {
    const name = binding.metadata.namespace;
    const namespace = await apiReader.namespace(name, signal);
    if (namespace !== undefined && !isGrantStillLost(binding, { grants, namespace })) {
      log.warn({ binding: `${name}/${binding.metadata.name}` }, 'not revoking: an uncached read shows a grant');
      return false;
    }
  }
  return true;
}

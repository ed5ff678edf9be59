import type { Finding } from '../../api/finding.ts';
import { serviceAccountIn } from '../../api/subject.ts';
import { evidenceOf } from '../../domain/authorization/evidence.ts';
import type { DueLoss } from '../../domain/authorization/loss.ts';
import type { EditDecision } from '../../domain/role/edit.ts';
import type { Log } from '../../runtime/log.ts';
import type { RoleOptions } from './ports.ts';

/** What was decided on a fresh read, and what else speaks against the write. */
export type Decision =
  | EditDecision
  /** Uncached reads do not confirm that trust is to be revoked: of these losses, or of a deletion. */
  | { readonly kind: 'unconfirmed'; readonly losses: readonly DueLoss[] }
  /** Another writer keeps taking out what we write. */
  | { readonly kind: 'contended'; readonly until: number; readonly finding: Finding };

/**
 * Whether uncached reads confirm what revokes trust. For a deletion: that the binding is meant, and not the CRD with every binding in it. For
 * a lost grant: that there is none, and not only none in the cache. Undefined where they do.
 */
export async function unconfirmed(
  { changes, revoked }: Pick<Extract<EditDecision, { kind: 'write' }>, 'changes' | 'revoked'>,
  roleTags: ReadonlyMap<string, string>,
  { apiReader }: RoleOptions,
  log: Log,
  signal: AbortSignal,
): Promise<Extract<Decision, { kind: 'unconfirmed' }> | undefined> {
  const deleted = changes.some(({ kind, binding }) => kind === 'revoke' && binding.metadata.deleting);
  if (!deleted && revoked.length === 0) return undefined;
  if ((await apiReader.definition('bindings', signal)) === undefined) {
    log.warn({}, 'not revoking: the CRD of the bindings is being deleted');
    return { kind: 'unconfirmed', losses: revoked };
  }
  if (revoked.length === 0) return undefined;
  // In this order: a list that was answered after the CRD had this uid is a list of its grants.
  const definition = await apiReader.definition('grants', signal);
  const grants = await apiReader.grants(signal);
  const losses: DueLoss[] = [];
  for (const loss of revoked) {
    const name = serviceAccountIn(loss.subject)?.namespace;
    const namespace = name === undefined ? undefined : await apiReader.namespace(name, signal);
    if (evidenceOf(loss, { grants, namespace, definition, roleTags }) === 'lost') continue;
    log.warn({ subject: loss.subject }, 'not revoking: no evidence that its grant was deleted or narrowed');
    losses.push(loss);
  }
  return losses.length === 0 ? undefined : { kind: 'unconfirmed', losses };
}

import type { Finding } from '../../api/finding.ts';
import { isStillLost } from '../../domain/authorization/grant-loss.ts';
import type { Stance } from '../../domain/role/desired-trust.ts';
import type { EditDecision } from '../../domain/role/edit.ts';
import type { Log } from '../../runtime/log.ts';
import type { TrustOptions } from './ports.ts';

/** What was decided on a fresh read, and what else speaks against the write. */
export type Decision =
  | EditDecision
  /** What no cache has touched does not bear it out that trust is to be taken away. */
  | { readonly kind: 'unproven' }
  /** Somebody takes out what we write, again and again. */
  | { readonly kind: 'contended'; readonly until: number; readonly finding: Finding };

/**
 * Whether what takes trust away is so, by what no cache has touched. For a deletion: that the binding is meant, and not the CRD with every
 * binding in it. For a lost grant: that there is none, and not only none in view.
 */
export async function isEvident(
  { changes }: { readonly changes: readonly Stance[] },
  { evidence }: TrustOptions,
  log: Log,
  signal: AbortSignal,
): Promise<boolean> {
  const going = changes.filter(({ kind }) => kind === 'released');
  if (going.length === 0) return true;
  if (going.some(({ binding }) => binding.metadata.deleting) && (await evidence.isRetiring(signal))) {
    log.warn({}, 'takes no trust away: the CRD of the bindings is being deleted, and nobody asked for an end of each');
    return false;
  }
  const lost = going.filter((stance) => stance.lost !== undefined);
  if (lost.length === 0) return true;
  const grants = await evidence.grants(signal);
  for (const { binding } of lost) {
    const name = binding.metadata.namespace;
    const namespace = await evidence.namespace(name, signal);
    if (namespace !== undefined && !isStillLost(binding, { grants, namespace })) {
      log.warn(
        { binding: `${name}/${binding.metadata.name}` },
        'takes no trust away: the API server knows a grant that the cache does not show',
      );
      return false;
    }
  }
  return true;
}

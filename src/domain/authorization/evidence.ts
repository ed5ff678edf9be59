import type { Namespace } from '../../api/cluster.ts';
import type { IrsaGrant } from '../../api/grant.ts';
import { isProblem } from '../../api/problem.ts';
import { covers, coversByLabel, hasConsent } from './grants.ts';
import { askedBy, type Loss } from './loss.ts';

/** What the API server and IAM themselves say right before a revocation: read past every cache, and answered. */
export interface LastLook {
  readonly grants: readonly IrsaGrant[];
  /** The subject's namespace; undefined where there is none of that name. */
  readonly namespace: Namespace | undefined;
  /** The uid of the CRD of grants; undefined where it is being deleted, or away. */
  readonly definition: string | undefined;
  readonly roleTags: ReadonlyMap<string, string>;
}

/**
 * What the last look says of an entry: that a grant covers it, that none does, or neither. Nothing is revoked without the second, and nobody
 * is told that all is covered without the first.
 */
export type Evidence = 'covered' | 'lost' | 'unknown';

/**
 * A loss is real where no grant covers the entry, and each that did is gone, was changed, or lost the label or tag by which it did. A grant
 * that reads otherwise without having changed was read by another CRD, and one that cannot be read says nothing.
 */
export function evidenceOf(loss: Loss, { grants, namespace, definition, roleTags }: LastLook): Evidence {
  if (definition === undefined || (loss.cause !== 'unseen' && definition !== loss.definition)) return 'unknown';
  const asked = askedBy(loss);
  if (asked === undefined) return 'lost'; // No ServiceAccount has this subject, so no grant can cover it.
  const readable = grants.flatMap(({ spec }) => (isProblem(spec) ? [] : [spec]));
  const at = namespace ?? { name: asked.namespace, labels: {} };
  if (readable.some((spec) => covers(spec, asked, at) && hasConsent([spec.requiredRoleTags], roleTags))) return 'covered';
  // The labels of a namespace that is away are not known to have gone.
  if (namespace === undefined && readable.some((spec) => coversByLabel(spec, asked))) return 'unknown';
  if (loss.by.length === 0) return readable.length === grants.length ? 'lost' : 'unknown';
  const changed = loss.by.every(({ uid, generation }) => {
    const now = grants.find((grant) => grant.uid === uid);
    if (now === undefined) return true;
    if (isProblem(now.spec)) return false;
    return now.generation > generation || coversByLabel(now.spec, asked) || covers(now.spec, asked, at);
  });
  return changed ? 'lost' : 'unknown';
}

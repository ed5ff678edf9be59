import type { IrsaBinding } from '../api/binding.ts';
import { conditionOf } from '../api/condition.ts';
import { type Finding, finding } from '../api/finding.ts';
import { ANNOTATIONS } from '../api/names.ts';
import { isProblem } from '../api/problem.ts';
import type { Claim, ClaimWorld } from './claim.ts';
import { grantsFor, grantsForSomeLabels } from './grants.ts';
import { standsOn } from './stance.ts';

/** A grant was deleted or narrowed: time enough for a rename in Git, which is a deletion and a creation. */
const GRANT_GRACE_MS = 60_000;
/** A label of a namespace, or a tag of a role, went: those are moved by hand and by tools that take their time. */
export const LABEL_GRACE_MS = 10 * 60_000;
/** More losses than these are more likely a mistake than a wish. */
const MANY_LOSSES = 10;
export const REVOCATIONS_WINDOW_MS = 3_600_000;

/** A binding that had a grant has none any more. */
export interface Loss {
  readonly since: number;
  /** When its trust is taken away: epoch milliseconds; undefined while somebody has to confirm first. */
  readonly dueAt: number | undefined;
  /** Why nothing is taken away. */
  readonly paused: Finding | undefined;
}

/** How many bindings are without the grant that they had, and what was confirmed. */
export interface Losses {
  /** Those that still stand on their role, however long ago it was, and those whose trust was taken away within the window. */
  readonly count: number;
  /** Losses up to this time may be acted on, however many they are: epoch milliseconds. */
  readonly confirmedAt: number | undefined;
}

/**
 * Since when a binding that stands on its role is covered by no grant any more. The condition is the memory: it is written as soon as the
 * loss is seen, its time moves only when it changes, and it outlives a restart of the operator.
 */
export function lossOf(binding: IrsaBinding, claim: Claim, world: ClaimWorld, losses: Losses): Loss | undefined {
  const { spec } = binding;
  if (claim.kind === 'granted' || claim.finding.code !== 'NotGranted' || isProblem(spec)) return undefined;
  const since = lostSince(binding);
  if (since === undefined) return undefined;
  const paused = pausedBy(losses, since);
  if (paused !== undefined) return { since, dueAt: undefined, paused };
  const grace = grantsForSomeLabels(spec, world.grants) ? LABEL_GRACE_MS : GRANT_GRACE_MS;
  return { since, dueAt: since + grace, paused: undefined };
}

/** When the status says that the grant went; undefined where it says nothing of the kind, or nothing of ours stands. */
export function lostSince(binding: IrsaBinding): number | undefined {
  const { spec, metadata, status } = binding;
  // Leaving alone is not revoking.
  if (isProblem(spec) || metadata.deleting || spec.suspend || spec.mode === 'Observe') return undefined;
  if (!standsOn(binding, spec.roleArn, spec.audience)) return undefined;
  const authorized = conditionOf(status.conditions, 'Authorized');
  if (authorized?.status !== 'False' || authorized.reason !== 'NotGranted') return undefined;
  // What it asks for now was never granted: what stands is from what it asked for before.
  if (authorized.observedGeneration !== metadata.generation) return undefined;
  return Date.parse(authorized.lastTransitionTime);
}

/** The last look, on grants and labels that no cache has touched: whether the loss is real. */
export function isStillLost(binding: IrsaBinding, { grants, namespace }: Pick<ClaimWorld, 'grants' | 'namespace'>): boolean {
  return !isProblem(binding.spec) && grantsFor(binding.spec, namespace, grants).length === 0;
}

/** Why a loss is not acted on. */
export function pausedBy({ count, confirmedAt }: Losses, since: number): Finding | undefined {
  if (count <= MANY_LOSSES || (confirmedAt !== undefined && since <= confirmedAt)) return undefined;
  return finding(
    'RevocationPaused',
    `${count} bindings lost their grant within an hour, which is more than ${MANY_LOSSES}: no trust is taken away before somebody confirms that it is meant: kubectl annotate irsagrant <any> ${ANNOTATIONS.revocationConfirmed}="$(date -u +%FT%TZ)" --overwrite; or give the grants back`,
  );
}

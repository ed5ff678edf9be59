import type { IrsaBinding } from '../../api/binding.ts';
import { conditionOf, timestamp } from '../../api/condition.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { ANNOTATIONS } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { isReleased, type Observed } from '../binding/observed.ts';
import { standsOn } from '../role/desired-trust.ts';
import type { Claim, ClaimWorld } from './authorize.ts';
import { grantsFor, grantsForSomeLabels } from './grants.ts';

/** A grant was deleted or narrowed: time enough for a rename in Git, which is a deletion and a creation. */
const GRANT_GRACE_MS = 60_000;
/** A label of a namespace, or a tag of a role, went: those are moved by hand and by tools that take their time. */
export const LABEL_GRACE_MS = 10 * 60_000;
/** More losses than these are more likely a mistake than a wish. */
const MANY_LOSSES = 10;
/** A loss counts for as long after the trust went. */
const REVOCATIONS_WINDOW_MS = 3_600_000;

/** A binding that had a grant has none any more. */
export interface Loss {
  readonly since: number;
  /** When its trust is taken away: epoch milliseconds; undefined while nothing is. */
  readonly dueAt: number | undefined;
  readonly paused: Pause | undefined;
}

/** Why nothing is taken away, and until when at the latest: epoch milliseconds, `Infinity` where only an event ends it. */
export interface Pause {
  readonly finding: Finding;
  readonly until: number;
}

/** Whether too many bindings are without the grant that they had, and what was confirmed. */
export interface Losses {
  /** As `manyUntil` says, where that is still to come. */
  readonly manyUntil: number | undefined;
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

/**
 * Until when a binding counts as one that lost its grant: while its trust stands without one, however long that is, and for an hour after it
 * went. Undefined where it lost none.
 */
export function countsUntil(binding: IrsaBinding): number | undefined {
  if (isLost(binding)) return Number.POSITIVE_INFINITY;
  const { revokedAt } = binding.status;
  return revokedAt === undefined ? undefined : Date.parse(revokedAt) + REVOCATIONS_WINDOW_MS;
}

/** Its trust stands without a grant, as far as is known. A role whose tags went keeps its entry, so that the entry alone does not tell. */
function isLost(binding: IrsaBinding): boolean {
  const since = lostSince(binding);
  const { revokedAt } = binding.status;
  return since !== undefined && !(revokedAt !== undefined && since <= Date.parse(revokedAt));
}

/** Until when more than ten bindings count: epoch milliseconds; undefined where they are no more than that. */
export function manyUntil(bindings: readonly IrsaBinding[]): number | undefined {
  const ends: number[] = [];
  let standing = 0;
  for (const binding of bindings) {
    const end = countsUntil(binding);
    if (end === undefined) continue;
    if (end === Number.POSITIVE_INFINITY) standing += 1;
    // They may be thousands, and this is asked for each of them.
    if (standing > MANY_LOSSES) return end;
    ends.push(end);
  }
  return ends.toSorted((a, b) => b - a)[MANY_LOSSES];
}

/** What the status says of `revokedAt`. The release that takes the entry, or the last word on it, away says it in the same write: nothing is lost between. */
export function revokedAtFor({ binding, verdictOn, now }: Pick<Observed, 'binding' | 'verdictOn' | 'now'>): string | undefined {
  const { spec, status } = binding;
  const entry = isProblem(spec) ? undefined : status.roles?.find(({ arn, audience }) => arn === spec.roleArn && audience === spec.audience);
  if (isLost(binding) && entry !== undefined && isReleased(verdictOn(entry))) return timestamp(now);
  const end = countsUntil(binding) ?? now;
  // As long as it goes on having no grant, it did not lose it anew.
  return now < end || lostSince(binding) !== undefined ? status.revokedAt : undefined;
}

/** Why a loss is not acted on. Without their number, which changes with each of them, and then each would be told again. */
export function pausedBy({ manyUntil: until, confirmedAt }: Losses, since: number): Pause | undefined {
  if (until === undefined || (confirmedAt !== undefined && since <= confirmedAt)) return undefined;
  const found = `more than ${MANY_LOSSES} bindings lost their grant within an hour: no trust is taken away before somebody confirms that it is meant`;
  const byItself =
    until === Number.POSITIVE_INFINITY ? '' : `; it goes on by itself at ${timestamp(until)}, when no more than ${MANY_LOSSES} count`;
  const todo = `kubectl annotate irsagrant <any> ${ANNOTATIONS.revocationConfirmed}="$(date -u +%FT%TZ)" --overwrite; or give the grants back`;
  return { finding: finding('RevocationPaused', `${found}${byItself}; ${todo}`), until };
}

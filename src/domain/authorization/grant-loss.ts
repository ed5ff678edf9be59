import type { IrsaBinding } from '../../api/binding.ts';
import { conditionOf, timestamp } from '../../api/condition.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { ANNOTATIONS } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { isCurrentEntry, mayStandOn } from '../state/role-entry.ts';
import { isReleased, type Verdict } from '../state/verdict.ts';
import { type Authorization, type AuthorizationInput, isPassive } from './authorize.ts';
import { couldBeGrantedByLabel, grantsFor } from './grants.ts';

/**
 * From a lost grant to the end of the trust:
 *
 *   granted ── no grant covers it ──▶ lost ── grace ──▶ due ── uncached read agrees ──▶ revoked
 *      ▲                              │  ▲               │
 *      ├───── a grant covers it ◀─────┤  └─ retry in 5 s ┴─ uncached read shows a grant
 *      │                              ▼
 *      └───── a grant covers it ◀── paused (more than 10 within an hour) ── confirmed, or 10 count at most ──▶ due
 *
 * The condition `Authorized` is the memory of "lost", so a restart of the operator neither forgets the time nor starts it anew.
 */

/** Grace where a grant was deleted or narrowed: time enough for a rename in Git, which is a deletion and a creation. */
const GRANT_GRACE_MS = 60_000;
/** Grace where a label of a namespace, or a tag of a role, went: those are moved by hand and by tools that take their time. */
export const LABEL_OR_TAG_GRACE_MS = 10 * 60_000;
/** More lost grants than these are more likely a mistake than meant. */
const MANY_LOSSES = 10;
/** A lost grant counts for as long after the trust was revoked. */
const REVOCATIONS_WINDOW_MS = 3_600_000;

/** A binding that had a grant has none any more. */
export interface GrantLoss {
  readonly since: number;
  /** When its trust is revoked: epoch milliseconds; undefined while it is not. */
  readonly dueAt: number | undefined;
  readonly paused: Pause | undefined;
}

/** Why nothing is revoked, and until when at the latest: epoch milliseconds, `Infinity` where only an event ends it. */
export interface Pause {
  readonly finding: Finding;
  readonly until: number;
}

/** Stops a mass revocation: whether too many bindings are without the grant that they had, and what was confirmed. */
export interface RevocationGuard {
  /** As `guardActiveUntil` says, where that is still to come. */
  readonly activeUntil: number | undefined;
  /** Losses up to this time may be acted on, however many they are: epoch milliseconds. */
  readonly confirmedAt: number | undefined;
}

export const GUARD_OFF: RevocationGuard = { activeUntil: undefined, confirmedAt: undefined };

/** Since when a binding whose trust may stand is covered by no grant any more; undefined in every other case. */
export function grantLossOf(
  binding: IrsaBinding,
  authorization: Authorization,
  { grants }: Pick<AuthorizationInput, 'grants'>,
  guard: RevocationGuard,
): GrantLoss | undefined {
  const { spec } = binding;
  if (authorization.kind === 'granted' || authorization.finding.code !== 'NotGranted' || isProblem(spec)) return undefined;
  const since = grantLostSince(binding);
  if (since === undefined) return undefined;
  const paused = pausedBy(guard, since);
  if (paused !== undefined) return { since, dueAt: undefined, paused };
  const grace = couldBeGrantedByLabel(spec, grants) ? LABEL_OR_TAG_GRACE_MS : GRANT_GRACE_MS;
  return { since, dueAt: since + grace, paused: undefined };
}

/** When the status says that the grant went; undefined where it says nothing of the kind, or no trust may stand. */
export function grantLostSince(binding: IrsaBinding): number | undefined {
  const { spec, metadata, status } = binding;
  if (isProblem(spec) || metadata.deleting || isPassive(spec)) return undefined;
  if (!mayStandOn(binding, { arn: spec.roleArn, audience: spec.audience })) return undefined;
  const authorized = conditionOf(status.conditions, 'Authorized');
  if (authorized?.status !== 'False' || authorized.reason !== 'NotGranted') return undefined;
  // What it asks for now was never granted: what stands is from what it asked for before.
  if (authorized.observedGeneration !== metadata.generation) return undefined;
  return Date.parse(authorized.lastTransitionTime);
}

/** The last check, on grants and labels that were read without a cache: whether the loss is real. */
export function isGrantStillLost(binding: IrsaBinding, { grants, namespace }: Pick<AuthorizationInput, 'grants' | 'namespace'>): boolean {
  return !isProblem(binding.spec) && grantsFor(binding.spec, namespace, grants).length === 0;
}

/**
 * Until when the guard counts a binding: while its trust stands without a grant, however long that is, and for an hour after it was revoked.
 * Undefined where it lost none.
 */
export function countedUntil(binding: IrsaBinding): number | undefined {
  if (hasLostGrant(binding)) return Number.POSITIVE_INFINITY;
  const { revokedAt } = binding.status;
  return revokedAt === undefined ? undefined : Date.parse(revokedAt) + REVOCATIONS_WINDOW_MS;
}

/** Its trust stands without a grant, as far as is known. A role whose tags went keeps its entry, so that the entry alone does not tell. */
function hasLostGrant(binding: IrsaBinding): boolean {
  const since = grantLostSince(binding);
  const { revokedAt } = binding.status;
  return since !== undefined && !(revokedAt !== undefined && since <= Date.parse(revokedAt));
}

/** Until when more than ten bindings count: epoch milliseconds; undefined where they are no more than that. */
export function guardActiveUntil(bindings: readonly IrsaBinding[]): number | undefined {
  const ends: number[] = [];
  let endless = 0;
  for (const binding of bindings) {
    const end = countedUntil(binding);
    if (end === undefined) continue;
    if (end === Number.POSITIVE_INFINITY) endless += 1;
    // They may be thousands, and this is asked for each of them.
    if (endless > MANY_LOSSES) return end;
    ends.push(end);
  }
  return ends.toSorted((a, b) => b - a)[MANY_LOSSES];
}

interface RevokedInput {
  readonly now: number;
  readonly binding: IrsaBinding;
  readonly verdictOn: (entry: NonNullable<IrsaBinding['status']['roles']>[number]) => Verdict | undefined;
}

/** What the status says of `revokedAt`. The release that takes the entry, or the last word on it, away says it in the same write: nothing is lost between. */
export function revokedAtFor({ binding, verdictOn, now }: RevokedInput): string | undefined {
  const { spec, status } = binding;
  const entry = isProblem(spec) ? undefined : status.roles?.find((one) => isCurrentEntry(spec, one));
  if (hasLostGrant(binding) && entry !== undefined && isReleased(verdictOn(entry))) return timestamp(now);
  const end = countedUntil(binding) ?? now;
  // As long as it goes on having no grant, it did not lose it anew.
  return now < end || grantLostSince(binding) !== undefined ? status.revokedAt : undefined;
}

/** Why a loss is not acted on. Without their number, which changes with each of them, and then each would be told again. */
export function pausedBy({ activeUntil: until, confirmedAt }: RevocationGuard, since: number): Pause | undefined {
  if (until === undefined || (confirmedAt !== undefined && since <= confirmedAt)) return undefined;
  const found = `more than ${MANY_LOSSES} bindings lost their grant within an hour. Revocation is paused until you confirm it`;
  const byItself =
    until === Number.POSITIVE_INFINITY ? '' : `. It continues by itself at ${timestamp(until)}, when no more than ${MANY_LOSSES} count`;
  const todo = `Restore the grants, or confirm: kubectl annotate irsagrant <any> ${ANNOTATIONS.revocationConfirmed}="$(date -u +%FT%TZ)" --overwrite`;
  return { finding: finding('RevocationPaused', `${found}${byItself}. ${todo}`), until };
}

import { timestamp } from '../../api/condition.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { ANNOTATIONS } from '../../api/names.ts';
import { serviceAccountIn } from '../../api/subject.ts';

/** More losses than these are more likely a mistake than meant. */
const MANY_LOSSES = 10;
/** Of one namespace no more count, so that one tenant does not pause the revocation for the others. */
const MOST_OF_A_NAMESPACE = 5;
/** A loss counts for as long after the trust was revoked. */
const REVOCATIONS_WINDOW_MS = 3_600_000;

/** What the guard looks at in a loss. */
interface Counted {
  readonly subject: string;
  readonly revokedAt: number | undefined;
}

/** Why nothing is revoked, and until when at the latest: epoch milliseconds, `Infinity` where only an event ends it. */
export interface Pause {
  readonly finding: Finding;
  readonly until: number;
}

/** What stops every revocation for want of a grant, and what was confirmed. Times are epoch milliseconds. */
export interface RevocationGuard {
  /** As `guardActiveUntil` says, where that is still to come. */
  readonly activeUntil: number | undefined;
  /** Losses up to this time may be acted on, however many they are. */
  readonly confirmedAt: number | undefined;
  /** This process has not seen one grant yet: perhaps nobody may have any, and perhaps they are not restored yet. */
  readonly noGrantSeen: boolean;
  /** A CRD of ours is being deleted, or away: grants and bindings go with it, and nobody meant one of them. */
  readonly definitionGone: boolean;
}

export const GUARD_OFF: RevocationGuard = { activeUntil: undefined, confirmedAt: undefined, noGrantSeen: false, definitionGone: false };

/** Until when a loss is remembered: while the subject may stand, and for an hour after it went. */
export const rememberedUntil = ({ revokedAt }: Pick<Counted, 'revokedAt'>): number =>
  revokedAt === undefined ? Number.POSITIVE_INFINITY : revokedAt + REVOCATIONS_WINDOW_MS;

/** Until when more than ten losses count: epoch milliseconds, `Infinity` while they stand; undefined where they are no more than that. */
export function guardActiveUntil(losses: readonly Counted[]): number | undefined {
  const latest = (ends: readonly number[]) => ends.toSorted((a, b) => b - a);
  const namespaces = Map.groupBy(losses, ({ subject }) => serviceAccountIn(subject)?.namespace);
  const counted = [...namespaces.values()].flatMap((of) => latest(of.map(rememberedUntil)).slice(0, MOST_OF_A_NAMESPACE));
  return latest(counted)[MANY_LOSSES];
}

/** Why a loss is not acted on. Without their number, which changes with each of them, and then each would be told again. */
export function pausedBy(guard: RevocationGuard, since: number): Pause | undefined {
  if (guard.definitionGone)
    return paused('a CRD of irsa-operator is being deleted, or does not exist, so nothing is revoked. Install the CRDs again');
  if (guard.confirmedAt !== undefined && since <= guard.confirmedAt) return undefined;
  if (guard.noGrantSeen)
    return paused(
      `irsa-operator has seen no IrsaGrant since it started, so it revokes nothing. Restore the grants, or confirm that there are none: kubectl annotate namespace <namespace of irsa-operator> ${CONFIRM}`,
    );
  const { activeUntil: until } = guard;
  if (until === undefined) return undefined;
  const byItself =
    until === Number.POSITIVE_INFINITY ? '' : `. It continues by itself at ${timestamp(until)}, when no more than ${MANY_LOSSES} count`;
  return paused(
    `more than ${MANY_LOSSES} subjects lost their grant within an hour. Revocation is paused until you confirm it${byItself}. Restore the grants, or confirm: kubectl annotate irsagrant <any> ${CONFIRM}`,
    until,
  );
}

const CONFIRM = `${ANNOTATIONS.revocationConfirmed}="$(date -u +%FT%TZ)" --overwrite`;

function paused(message: string, until = Number.POSITIVE_INFINITY): Pause {
  return { finding: finding('RevocationPaused', message), until };
}

import type { RoleArn } from '../../api/arn.ts';
import { timestamp } from '../../api/condition.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { otherCluster, pruneCommand } from '../../api/prune-command.ts';
import { serviceAccountIn, type TokenSubject } from '../../api/subject.ts';
import type { Asked } from './grants.ts';
import { type Pause, pausedBy, type RevocationGuard } from './revocation-guard.ts';

/**
 * From a lost grant to the end of the trust:
 *
 *   covered ── no grant covers it ──▶ lost ── in the record, then a grace ──▶ due ── evidence ──▶ revoked ── an hour ──▶ forgotten
 *      ▲                              │  ▲                                    │
 *      ├───── a grant covers it ◀─────┤  └───────── retry in a minute ─────────┴─ no evidence, or a grant after all
 *      │                              ▼
 *      └───── a grant covers it ◀── paused ── confirmed, or few enough count ──▶ due
 *
 * It is about what stands and not about what a binding says: nothing that a tenant may write delays or prevents it. Where another cluster may
 * write the same statement, a subject that no binding here names and that came back after it went is not fought over: the first time it has the
 * grace of one that nobody saw covered, then it is paused.
 */

/** A subject that may stand in our statement of a role: the statement names it, or a status remembers it. */
export interface TrustEntry extends TokenSubject<string> {
  readonly role: RoleArn;
}

export const trustEntryKey = ({ role, subject, audience }: TrustEntry): string => JSON.stringify([role, subject, audience]);

/** What a grant would have to cover, and in which namespace; undefined where the subject is that of no ServiceAccount. */
export function askedBy({ role, subject, audience }: TrustEntry): (Asked & { readonly namespace: string }) | undefined {
  const account = serviceAccountIn(subject);
  return account && { namespace: account.namespace, roleArn: role, serviceAccountName: account.name, audience };
}

/** A grant as it was when it covered an entry. */
export interface GrantSeen {
  readonly uid: string;
  readonly generation: number;
}

/**
 * Why no grant covers an entry. `grant`: one was deleted or narrowed. `labelOrTag`: one would cover it, if the namespace had its label or the
 * role its tag. `unseen`: nobody saw that one ever did.
 */
export const LOSS_CAUSES = ['grant', 'labelOrTag', 'unseen'] as const;

/** An entry that no grant covers, as the revocation record has it. Times are epoch milliseconds. */
export interface Loss extends TrustEntry {
  readonly since: number;
  readonly cause: (typeof LOSS_CAUSES)[number];
  /** The grants that covered it last; none where that was before this process. */
  readonly by: readonly GrantSeen[];
  /** The uid of the CRD of grants at that time. */
  readonly definition: string;
  /** When the subject was seen to be gone; undefined while it may stand. */
  readonly revokedAt: number | undefined;
  /** How often it came back after it went, where another cluster may have done that. */
  readonly returns: number;
}

/** Time enough for a rename in Git, which is a deletion and a creation. */
const GRANT_GRACE_MS = 60_000;
/** Labels and tags are moved by hand, and by tools that take their time. */
const LABEL_OR_TAG_GRACE_MS = 10 * 60_000;

/** One return may be an old document that somebody restored. Two are somebody who needs it. */
const RETURNS_UNTIL_PAUSED = 2;

/** A loss, and when it is acted on. */
export interface DueLoss extends Loss {
  /** Epoch milliseconds; undefined while it is not known when, or never. */
  readonly dueAt: number | undefined;
  readonly paused: Pause | undefined;
}

/** `ungrantedGraceMs` may be `Infinity`. */
export function dueLoss(loss: Loss, guard: RevocationGuard, ungrantedGraceMs: number): DueLoss {
  const paused = loss.revokedAt === undefined ? (pausedBy(guard, loss.since) ?? pausedByReturns(loss)) : undefined;
  const ofCause = { grant: GRANT_GRACE_MS, labelOrTag: LABEL_OR_TAG_GRACE_MS, unseen: ungrantedGraceMs }[loss.cause];
  const grace = loss.returns > 0 ? ungrantedGraceMs : ofCause;
  const never = paused !== undefined || grace === Number.POSITIVE_INFINITY;
  return { ...loss, dueAt: never ? undefined : loss.since + grace, paused };
}

const pausedByReturns = (loss: Loss): Pause | undefined =>
  loss.returns < RETURNS_UNTIL_PAUSED ? undefined : { finding: ungranted(loss, undefined), until: Number.POSITIVE_INFINITY };

export const isDue = (loss: DueLoss | undefined, now: number): boolean => loss?.dueAt !== undefined && loss.dueAt <= now;

/** Whether it is reported: that this cluster took a grant away does not explain why the subject stands. */
export const isUngranted = ({ cause, revokedAt, returns }: Loss): boolean => revokedAt === undefined && (cause === 'unseen' || returns > 0);

/** What is told of it. `revokedAt`: epoch milliseconds, undefined where irsa-operator keeps the subject. Only without an ID a subject returns. */
export function ungranted({ role, subject, audience, returns }: Loss, revokedAt: number | undefined, clusterId?: string): Finding {
  const at = revokedAt === undefined ? undefined : timestamp(revokedAt);
  const named = `"${subject}" with audience "${audience}"`;
  if (returns === 0) {
    const when = at === undefined ? '' : `It is revoked at ${at}. `;
    const now = clusterId === undefined ? `${otherCluster('it')}. If there is no other, revoke it now` : 'To revoke it now';
    return finding(
      'TrustUngranted',
      `no IrsaGrant of this cluster covers ${named} in the trust policy of "${role}", where the statement of irsa-operator allows it. ${when}To keep it, create a grant. ${now}: ${pruneCommand(clusterId, 'ungranted')}`,
    );
  }
  const when = at === undefined ? 'irsa-operator does not revoke it again' : `It is revoked at ${at}`;
  return finding(
    'TrustUngranted',
    `irsa-operator revoked ${named} in the trust policy of "${role}", and another writer allowed it again. No IrsaGrant of this cluster covers it and no IrsaBinding names it. ${otherCluster('it')}. ${when}. If there is no other, revoke it now: ${pruneCommand(undefined, 'ungranted')}`,
  );
}

import type { RoleArn } from '../../api/arn.ts';
import type { Namespace } from '../../api/cluster.ts';
import { isProblem } from '../../api/problem.ts';
import { subjectKey, type TokenSubject } from '../../api/subject.ts';
import { leftAloneUntil, type UndoneSubjects } from '../state/undone.ts';
import type { GrantIndex } from './grant-index.ts';
import { hasConsent } from './grants.ts';
import { askedBy, type GrantSeen, type Loss } from './loss.ts';
import { rememberedUntil } from './revocation-guard.ts';

/** By subject: the grants that covered it when it was looked at last, and the uid that their CRD had then. */
export type Coverage = ReadonlyMap<string, Covered>;

interface Covered {
  readonly by: readonly GrantSeen[];
  readonly definition: string;
}

/** What is known of one role, and what was lost in it before. */
export interface LossesInput {
  readonly now: number;
  readonly role: RoleArn;
  /** Subjects that our statement lets in. */
  readonly standing: readonly Standing[];
  /** Whether what is not among them is certain to be gone. */
  readonly certain: boolean;
  readonly recorded: readonly Loss[];
  readonly coverage: Coverage;
  readonly grants: GrantIndex;
  readonly namespace: (name: string) => Namespace;
  /** Undefined while they are not known: then nothing is lost for want of one. */
  readonly roleTags: ReadonlyMap<string, string> | undefined;
  /** The uid of the CRD of grants. */
  readonly definition: string;
  /** Whether another cluster with this issuer would write the same statement: the two cannot be told apart without an ID. */
  readonly mayShareStatement: boolean;
  /** What somebody allowed again before it was certain to be gone. */
  readonly undone: UndoneSubjects;
}

interface Standing extends TokenSubject<string> {
  /** Whether a status remembers it: then a grant covered it once, by the CRD of today. */
  readonly remembered: boolean;
  /** Whether a binding of this cluster wants it in this role, or has it there. */
  readonly named: boolean;
}

/** Which subjects of a role no grant covers, each with the time since when: what the record is to say. Pure. */
export function lossesIn(input: LossesInput): { readonly losses: readonly Loss[]; readonly coverage: Coverage } {
  const { now, recorded, standing, certain } = input;
  const before = new Map(recorded.map((loss) => [subjectKey(loss), loss]));
  const coverage = new Map(certain ? [] : input.coverage);
  const losses = new Map<string, Loss>();
  const stands = new Set<string>();
  for (const one of standing) {
    const key = subjectKey(one);
    stands.add(key);
    const by = coveredBy(one, input);
    if (by.length > 0) coverage.set(key, { by, definition: input.definition });
    else {
      const seen = input.coverage.get(key);
      if (seen !== undefined) coverage.set(key, seen);
      losses.set(key, standingLoss(one, before.get(key), seen, input));
    }
  }
  // What went is remembered for an hour; what may only not be in view is as it was.
  for (const [key, loss] of before) {
    if (stands.has(key)) continue;
    if (coveredBy(loss, input).length > 0) continue;
    const gone = certain && loss.revokedAt === undefined ? { ...loss, revokedAt: now } : loss;
    if (now < rememberedUntil(gone)) losses.set(key, gone);
  }
  return { losses: [...losses.values()], coverage };
}

function coveredBy(one: TokenSubject<string>, { role, grants, namespace, roleTags }: LossesInput): GrantSeen[] {
  const asked = askedBy({ ...one, role });
  if (asked === undefined) return [];
  const at = namespace(asked.namespace);
  return grants
    .covering(asked, at)
    .flatMap(({ uid, generation, spec }) =>
      !isProblem(spec) && (roleTags === undefined || hasConsent([spec.requiredRoleTags], roleTags)) ? [{ uid, generation }] : [],
    );
}

/** A loss that stands. What was seen to be gone and is there again is lost anew. */
function standingLoss(
  { subject, audience, remembered, named }: Standing,
  before: Loss | undefined,
  seen: Covered | undefined,
  input: LossesInput,
): Loss {
  const { now, role, definition, mayShareStatement } = input;
  const entry = { role, subject, audience };
  if (before !== undefined) {
    // The CRD was made again and the grants with it: that this one is not among them says nothing.
    if (before.cause !== 'unseen' && before.definition !== definition)
      return { ...before, cause: 'unseen', since: now, by: [], revokedAt: undefined };
    const isNotOurs = mayShareStatement && !named;
    const undone = input.undone.get(subjectKey(entry));
    const isUndone = undone !== undefined && undone.at > before.since && leftAloneUntil(undone) > now;
    if (before.revokedAt === undefined && !(isNotOurs && isUndone)) return before;
    return { ...before, since: now, revokedAt: undefined, returns: before.returns + (isNotOurs ? 1 : 0) };
  }
  const wasSeen = seen === undefined ? remembered : seen.definition === definition;
  const cause = !wasSeen ? 'unseen' : isNearlyCovered(entry, input) ? 'labelOrTag' : 'grant';
  return { ...entry, since: now, cause, by: cause === 'unseen' ? [] : (seen?.by ?? []), definition, revokedAt: undefined, returns: 0 };
}

/** A grant would cover it, with the label of the namespace or the tags of the role. */
function isNearlyCovered(entry: Parameters<typeof askedBy>[0], { grants, namespace }: LossesInput): boolean {
  const asked = askedBy(entry);
  if (asked === undefined) return false;
  const at = namespace(asked.namespace);
  return grants.coversByLabel(asked) || grants.covering(asked, at).length > 0;
}

import { type RoleArn, roleArnParts } from '../../api/arn.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { isProblem } from '../../api/problem.ts';
import { atOnce, type Stepwise } from '../../api/stepwise.ts';
import { subjectKey } from '../../api/subject.ts';
import { unreadable as cannotRead } from '../../trust/diagnose/diagnose.ts';
import { type PolicyDocument, parseDocument } from '../../trust/document/document.ts';
import { ownSubjects, type StatedSubject, sameOwnSubjects } from '../../trust/own-subjects.ts';
import { type DesiredStatement, planTrustStepwise } from '../../trust/plan.ts';
import { undoneIn } from '../../trust/undone.ts';
import { notGranted } from '../authorization/authorize.ts';
import { type DueLoss, isDue } from '../authorization/loss.ts';
import type { ClusterView } from '../state/identity.ts';
import type { ProviderView } from '../state/oidc-provider.ts';
import type { Question } from '../state/question.ts';
import type { Reach } from '../state/reach.ts';
import { entryFor } from '../state/role-entry.ts';
import {
  type Debounce,
  GONE_AFTER_MS,
  isGone,
  type PresentState,
  type RoleRecord,
  readByNameAt,
  type WriteState,
} from '../state/role-record.ts';
import type { Verdict } from '../state/verdict.ts';
import { type Consent, consentOf } from './consent.ts';
import { trustContended } from './contention.ts';
import { desiredStatementOf, neededElsewhereUntil, releasedByOwners, type StatedRole } from './desired-statement.ts';
import { awaitsAnswer, type BindingAuthorization, type DesiredTrust, desiredTrustOf, needsVerdict, WANTS } from './desired-trust.ts';
import { type Edit, otherRole } from './edit.ts';
import { refusal, type VerdictInput, verdictsOn } from './verdicts.ts';

/**
 * Write and read back, as the steps of a role:
 *
 *   read ──▶ debounce ──▶ edit ──────────▶ pending ── 2 s ──▶ pending ── 8 s ──▶ confirmed
 *             (others      (fresh read,      │    (presence      │   (absence       │
 *              have no      decideEdit,      │     counts)       │    counts too)   │ our subject went, seen by a fresh read
 *              intent yet)  write)           │                   │                  ▼
 *                ▲             ▲             └─ not what we sent ┴▶ conflict      revert, counted as contention
 *                │             └──── random wait ◀───────────────────┘              │
 *                └───────────────────────────────────────────────────────── edit ◀──┘
 *
 * What is added meanwhile does not wait for a read-back: `pending` may go straight to the next `edit`.
 */

/** Everything that the decision about one role rests on. */
export interface RoleObserved {
  readonly now: number;
  readonly arn: RoleArn;
  readonly bindings: readonly BindingAuthorization[];
  readonly record: RoleRecord | undefined;
  readonly cluster: ClusterView;
  readonly reach: Reach;
  readonly provider: ProviderView | undefined;
  /** Subjects in our statement that no grant covers, whoever's they are. */
  readonly losses: readonly DueLoss[];
  /** A user requested a reconcile at this time: epoch milliseconds. */
  readonly requestedAt?: number;
  /** Since when this process leads: what the leader before it wrote may not show yet. Epoch milliseconds. */
  readonly leadsSince?: number | undefined;
  /** The ARNs of all OIDC providers of the account, where they are known. */
  readonly providers?: ReadonlySet<string> | undefined;
  /** Subjects whose ServiceAccount does not exist. */
  readonly absent?: ReadonlySet<string>;
}

export type RoleStep =
  /** `readBackDueAt`: it shows whether our write is there, and is due since then; what a list shows will do. Epoch milliseconds. */
  | { readonly do: 'read'; readonly why: string; readonly readBackDueAt?: number }
  /** More bindings of the role are about to have their intent on the API server: all of them make one write. */
  | { readonly do: 'debounce'; readonly debounce: Debounce }
  /** A fresh read, `decideEdit` on it, and the write. */
  | { readonly do: 'edit'; readonly edit: Edit }
  /** Our write was read back at all its ages: from now on a change is somebody else's. */
  | { readonly do: 'confirm' }
  /** Our write was overwritten: another one comes after a random wait. `undone` are the subjects that somebody allowed again. */
  | { readonly do: 'retryAfterConflict'; readonly undone: readonly StatedSubject[] };

export interface RolePlan {
  readonly steps: readonly RoleStep[];
  readonly verdicts: readonly (readonly [Question, Verdict])[];
  readonly recheck: Recheck | undefined;
}

interface Recheck {
  readonly inMs: number;
  readonly why: string;
}

/** A write is confirmed once it was read back at both ages: IAM reads may be seconds old. Presence counts at the first, absence only at the second. */
export const FIRST_READ_BACK_MS = 2_000;
export const LAST_READ_BACK_MS = 8_000;
/** Whether a read of then shows every write up to this time, also one whose subject is not in it. */
export const showsAllSince = (at: number | undefined, asOf: number): boolean => at === undefined || asOf - at >= LAST_READ_BACK_MS;
/** Bindings that are applied together come within moments of each other. */
const DEBOUNCE_MS = 3_000;
/** However many bindings come, the first of them waits no longer than this for the others. */
const LONGEST_DEBOUNCE_MS = 30_000;
/** What IAM would not let us read is asked for again after as long as it has been so: a tenant may name any number of such roles. */
const UNREADABLE_RETRY_LEAST_MS = 60_000;
const UNREADABLE_RETRY_MOST_MS = 3_600_000;
/** A tag that is missing is looked for again at this pace: a binding waits for it. */
const TAGS_RETRY_MS = 60_000;
const TAGS_WANTED = 'whether the role has the tags that the grant requires';

const nothing: RolePlan = { steps: [], verdicts: [], recheck: undefined };

/** All bindings of a role make one write. Pure: same observation, same plan; without steps when nothing is to do. */
export function planRole(seen: RoleObserved): RolePlan {
  return atOnce(planRoleStepwise(seen));
}

/** The same, a binding a step: a team can create any number of them for one role. */
export function* planRoleStepwise(seen: RoleObserved): Stepwise<RolePlan> {
  const { cluster, reach, record, arn, provider, now, absent } = seen;
  if (cluster.kind === 'unknown' || reach.kind !== 'reached') return nothing;
  const { quota } = reach;
  const losses = new Map(seen.losses.map((loss) => [subjectKey(loss), loss]));
  const desiredTrust: DesiredTrust[] = [];
  for (const authorization of seen.bindings) {
    desiredTrust.push(
      ...desiredTrustOf(authorization, { now, arn, issuer: cluster.issuer, record, provider, losses, ...(absent && { absent }) }),
    );
    yield;
  }
  const due = dueLosses(seen);
  // A binding that needs the verdict has the last word on a question that another one only releases.
  const inOrder = desiredTrust.toSorted((a, b) => Number(needsVerdict(a)) - Number(needsVerdict(b)));
  const { requestedAt = 0, leadsSince, providers } = seen;
  const plan = yield* planDesired({ now, arn, desiredTrust: inOrder, cluster, quota, due, requestedAt, leadsSince, providers }, record);
  return { ...plan, recheck: soonest(plan.recheck, nextRevocation(seen, due)) };
}

/** Those whose time has come, and which were not found to be without evidence a moment ago. */
function dueLosses({ losses, now, record }: RoleObserved): DueLoss[] {
  const unconfirmed = record?.state.kind === 'present' ? record.state.writes.unconfirmed : undefined;
  return losses.filter((loss) => loss.revokedAt === undefined && isDue(loss, now) && (unconfirmed?.get(subjectKey(loss)) ?? now) <= now);
}

interface Role extends Omit<StatedRole, 'state'> {
  readonly requestedAt: number;
  readonly leadsSince: number | undefined;
}

function* planDesired(role: Role, record: RoleRecord | undefined): Stepwise<RolePlan> {
  const { desiredTrust, due } = role;
  // Not one call is made for a role that no granted binding asks about, and in which no trust of ours may stand.
  if (!desiredTrust.some(awaitsAnswer) && due.length === 0) return yield* unasked(role, record);
  if (record === undefined) return { ...nothing, steps: [{ do: 'read', why: 'it was not read yet' }] };
  if (readByNameAt(record) < role.requestedAt) return { ...nothing, steps: [{ do: 'read', why: 'a reconcile was requested' }] };
  switch (record.state.kind) {
    case 'missing':
      return missing(role, record, record.state);
    case 'unreadable':
      return unreadable(role, record, record.state);
    case 'present':
      return yield* present({ ...role, record, state: record.state });
  }
}

/** What others read of it is told, and what we wrote is read back. */
function* unasked(role: Role, record: RoleRecord | undefined): Stepwise<RolePlan> {
  if (record?.state.kind === 'present') return yield* present({ ...role, record, state: record.state });
  return record?.state.kind === 'missing' ? { ...nothing, verdicts: missing(role, record, record.state).verdicts } : nothing;
}

/** Whether what IAM answered may be told to a binding. */
function consentOn({ requiredTags, mayStand, binding, question: { role: arn, audience } }: DesiredTrust, record: RoleRecord): Consent {
  return consentOf(requiredTags, record, mayStand ? entryFor(binding, { arn, audience })?.roleId : undefined);
}

function missing({ now, desiredTrust }: Role, record: RoleRecord, { since }: { since: number }): RolePlan {
  const certain = isGone(record);
  const verdicts = desiredTrust.flatMap((desired): [Question, Verdict][] => {
    if (needsVerdict(desired)) return [[desired.question, refusal(whyMissing(desired, record), { mayStand: !certain })]];
    return (desired.kind === 'revoke' || desired.kind === 'retain') && certain ? [[desired.question, { kind: 'released' }]] : [];
  });
  if (certain) return { ...nothing, verdicts };
  return readLater(since + GONE_AFTER_MS - now, 'whether the role is still missing', verdicts);
}

/** A role under a path that the binding may not know of is no role to it. */
function whyMissing(desired: DesiredTrust, record: RoleRecord): Finding {
  const { arn } = record;
  if (desired.knownAs !== undefined) return otherRole(arn, desired.knownAs);
  if (consentOn(desired, record) !== 'given') return notGranted(desired.binding, desired.spec);
  return finding('RoleNotFound', `IAM has no role "${arn}". Create it, or correct the ARN (path and case count)`);
}

function unreadable({ now, desiredTrust }: Role, record: RoleRecord, { since, why }: { since: number; why: string }): RolePlan {
  const { asOf } = record;
  const denied = refusal(finding('RoleAccessDenied', why), { terminal: false });
  const verdicts = desiredTrust.filter(awaitsAnswer).map((desired): [Question, Verdict] => {
    const isTold = !needsVerdict(desired) || consentOn(desired, record) === 'given';
    return [desired.question, isTold ? denied : refusal(notGranted(desired.binding, desired.spec))];
  });
  const waitMs = Math.min(UNREADABLE_RETRY_MOST_MS, Math.max(UNREADABLE_RETRY_LEAST_MS, asOf - since));
  return readLater(asOf + waitMs - now, 'whether the role can be read now', verdicts);
}

function readLater(inMs: number, why: string, verdicts: RolePlan['verdicts']): RolePlan {
  return inMs <= 0 ? { steps: [{ do: 'read', why }], verdicts, recheck: undefined } : { steps: [], verdicts, recheck: { inMs, why } };
}

interface PresentRole extends Role {
  readonly record: RoleRecord;
  readonly state: PresentState;
}

function* present(role: PresentRole): Stepwise<RolePlan> {
  const { arn, record, state } = role;
  // Nothing of a role is told, and no intent asked for, before it is known to carry the tags.
  if (role.desiredTrust.some((desired) => needsVerdict(desired) && consentOn(desired, record) === 'unknown'))
    return { ...nothing, steps: [{ do: 'read', why: TAGS_WANTED }] };
  const desiredTrust = role.desiredTrust.map((desired) => withTags(desired, role));
  const document = parseDocument(state.policy);
  if (isProblem(document)) {
    const found = refusal(cannotRead(document, { role: arn }));
    const verdicts = desiredTrust.flatMap((desired): [Question, Verdict][] => {
      if (desired.kind === 'tagsMissing') return [[desired.question, refusal(notGranted(desired.binding, desired.spec))]];
      return awaitsAnswer(desired) ? [[desired.question, found]] : [];
    });
    const tags = nextTags({ ...role, desiredTrust });
    return tags === undefined ? { ...nothing, verdicts } : readLater(tags.inMs, tags.why, verdicts);
  }
  const byOwners = new Set(releasedByOwners(role.desiredTrust).map(({ question }) => subjectKey(question)));
  const tagged = {
    ...role,
    desiredTrust,
    // What its owner releases anyhow needs no evidence that a grant went.
    due: role.due.filter((loss) => !byOwners.has(subjectKey(loss))),
  };
  const desiredStatement = desiredStatementOf(tagged, document);
  return state.writes.pending === undefined
    ? yield* write(tagged, document, desiredStatement, [])
    : yield* readBack(tagged, document, desiredStatement, state.writes.pending);
}

/** Without the tags that its grant asks for a binding has no grant; what stands goes as a loss. */
function withTags(desired: DesiredTrust, { record }: PresentRole): DesiredTrust {
  return needsVerdict(desired) && consentOn(desired, record) === 'withheld' ? { ...desired, kind: 'tagsMissing' } : desired;
}

/** Our last write is younger than IAM's reads are sure to be. What is added meanwhile does not wait for that. */
function* readBack(
  role: PresentRole,
  document: PolicyDocument,
  desiredStatement: DesiredStatement,
  pending: NonNullable<WriteState['pending']>,
): Stepwise<RolePlan> {
  const { now, record } = role;
  const age = record.asOf - pending.at;
  const sent = parseDocument(pending.policy);
  const isAsSent = !isProblem(sent) && sameOwnSubjects(document, sent, desiredStatement);
  if (age >= LAST_READ_BACK_MS) {
    if (isAsSent) return yield* write(role, document, desiredStatement, [{ do: 'confirm' }]);
    const undone = isProblem(sent) || pending.unanswered ? [] : undoneIn(document, sent, desiredStatement);
    return { ...nothing, steps: [{ do: 'retryAfterConflict', undone }], verdicts: [] };
  }
  const next = age < FIRST_READ_BACK_MS ? FIRST_READ_BACK_MS : LAST_READ_BACK_MS;
  const later = { inMs: pending.at + next - now, why: `whether the write is there after ${next / 1000} s` };
  const due: RoleStep = { do: 'read', why: later.why, ...(pending.unanswered ? {} : { readBackDueAt: pending.at + next }) };
  if (later.inMs <= 0) return { steps: [due], verdicts: [], recheck: undefined };
  // Where no answer came it may not have been made: the next attempt finds out.
  const more = isAsSent || pending.unanswered ? yield* write(role, document, desiredStatement, []) : nothing;
  // That a subject is gone is an absence, which a stale read shows too; that it is there counts from the first read-back on.
  const verdicts = age < FIRST_READ_BACK_MS ? [] : more.verdicts;
  return { steps: more.steps, verdicts, recheck: soonest(more.recheck, later) };
}

function* write(
  role: PresentRole,
  document: PolicyDocument,
  desiredStatement: DesiredStatement,
  before: readonly RoleStep[],
): Stepwise<RolePlan> {
  const { now, state, desiredTrust } = role;
  const plan = yield* planTrustStepwise(document, desiredStatement);
  const verdicts = yield* verdictsOn(verdictInput(role), document, desiredStatement, plan);
  const { hold, writes } = state;
  const held = hold !== undefined && now < hold.until ? { inMs: hold.until - now, why: 'the hold on the role ends then' } : undefined;
  const again = [nextTags(role), nextCertain(role, document, desiredStatement), nextAttempt(role)].reduce(soonest);
  if (again !== undefined && again.inMs <= 0) return { steps: [...before, { do: 'read', why: again.why }], verdicts, recheck: undefined };
  const rest: RolePlan = { steps: before, verdicts, recheck: soonest(held, again) };
  if (plan.document === undefined || onlyAwsMayChange(role.arn) || (held !== undefined && !hold?.allowsRevocation)) return rest;
  const retryInMs = writes.retryAt === undefined ? 0 : writes.retryAt - now;
  if (retryInMs > 0) return { ...rest, recheck: soonest(rest.recheck, { inMs: retryInMs, why: 'another writer of the role is first' }) };
  const coming = desiredTrust.filter(({ kind }) => kind === 'awaitIntent');
  // Whoever loses trust loses it at once.
  if (coming.length > 0 && desiredStatement.released.length === 0) {
    const known = writes.debounce;
    const debounce =
      known === undefined || comeOn(coming, known) ? { since: known?.since ?? now, awaited: coming.length, progressAt: now } : known;
    const inMs = debouncedUntil(debounce) - now;
    const steps: RoleStep[] = debounce === known ? [...before] : [...before, { do: 'debounce', debounce }];
    if (inMs > 0)
      return { ...rest, steps, recheck: soonest(rest.recheck, { inMs, why: 'more bindings of the role are about to be written' }) };
  }
  const { roleId, policy } = state;
  const meant = new Set([...desiredStatement.wanted, ...desiredStatement.released].map(subjectKey));
  const edit: Edit = {
    desiredStatement,
    desiredTrust: desiredTrust.filter(({ question }) => meant.has(subjectKey(question))),
    due: role.due,
    roleId,
    policy,
    confirmed: writes.confirmed,
  };
  return { ...rest, steps: [...before, { do: 'edit', edit }] };
}

/** Whether some of them got their intent, others came, or the binding controller has one in hand: on a busy machine each waits for its turn. */
function comeOn(coming: readonly DesiredTrust[], known: Debounce): boolean {
  return known.awaited !== coming.length || coming.some(({ underway }) => underway);
}

const debouncedUntil = ({ since, progressAt }: Debounce): number => Math.min(since + LONGEST_DEBOUNCE_MS, progressAt + DEBOUNCE_MS);

/** A binding that waits for a tag of the role waits for a read of it. */
function nextTags({ now, desiredTrust, state: { tags } }: PresentRole): Recheck | undefined {
  if (tags === undefined || !desiredTrust.some(({ kind }) => kind === 'tagsMissing')) return undefined;
  return { inMs: tags.asOf + TAGS_RETRY_MS - now, why: TAGS_WANTED };
}

/** A release that another cluster undid is tried again the next day. */
function nextAttempt(role: PresentRole): Recheck | undefined {
  const ends = releasedByOwners(role.desiredTrust).map((one) => neededElsewhereUntil(one, role));
  const next = ends.reduce((soonest, at) => (at > role.now ? Math.min(soonest, at) : soonest), Number.POSITIVE_INFINITY);
  return next === Number.POSITIVE_INFINITY ? undefined : { inMs: next - role.now, why: 'whether another cluster still needs it' };
}

/** That a subject is gone is certain by a read that shows whatever the leader before this one wrote. What stands is certain without it. */
function nextCertain(role: PresentRole, document: PolicyDocument, ours: DesiredStatement): Recheck | undefined {
  const { desiredTrust, record, leadsSince, now } = role;
  if (showsAllSince(leadsSince, record.asOf)) return undefined;
  const own = new Set(ownSubjects(document, ours).map(subjectKey));
  const seemsGone = ({ kind, mayStand, question }: DesiredTrust) => mayStand && !WANTS.has(kind) && !own.has(subjectKey(question));
  if (!desiredTrust.some((desired) => desired.kind === 'revoke' || seemsGone(desired))) return undefined;
  return { inMs: (leadsSince ?? 0) + LAST_READ_BACK_MS - now, why: 'what the leader before may have written' };
}

function verdictInput(role: PresentRole): VerdictInput {
  const { arn, desiredTrust, record, state, now, leadsSince } = role;
  const { pending } = state.writes;
  const inDoubt = !showsAllSince(pending?.at, record.asOf) || !showsAllSince(leadsSince, record.asOf);
  return {
    arn,
    desiredTrust,
    now,
    inDoubt,
    hold: state.hold,
    contended: trustContended(arn, state.writes.contention, now),
    unmodifiable: onlyAwsMayChange(arn),
    isNeededElsewhere: (desired) => neededElsewhereUntil(desired, role) > now,
  };
}

/** When trust is revoked for want of a grant. */
function nextRevocation({ losses, record, now }: RoleObserved, due: readonly DueLoss[]): Recheck | undefined {
  const unconfirmed = record?.state.kind === 'present' ? record.state.writes.unconfirmed : undefined;
  const isDueNow = new Set(due);
  const next = losses.reduce((soonest, loss) => {
    if (loss.revokedAt !== undefined || isDueNow.has(loss)) return soonest;
    const at = Math.max(loss.dueAt ?? loss.paused?.until ?? Number.POSITIVE_INFINITY, unconfirmed?.get(subjectKey(loss)) ?? 0);
    return Math.min(soonest, at);
  }, Number.POSITIVE_INFINITY);
  return next === Number.POSITIVE_INFINITY ? undefined : { inMs: Math.max(0, next - now), why: 'whether there is still no grant' };
}

function soonest(a: Recheck | undefined, b: Recheck | undefined): Recheck | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.inMs <= b.inMs ? a : b;
}

/** Paths under which only AWS changes roles: service-linked ones, and those of IAM Identity Center. */
const AWS_PATHS = ['/aws-service-role/', '/aws-reserved/'];

export function onlyAwsMayChange(arn: RoleArn): Finding | undefined {
  if (!AWS_PATHS.some((path) => roleArnParts(arn).path.startsWith(path))) return undefined;
  return finding('RoleUnmodifiable', `"${arn}" is a role that only AWS can change. Bind a role of your own`);
}

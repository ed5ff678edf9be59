import { providerArnFor, type RoleArn, roleArnParts, sharesAccount } from '../../api/arn.ts';
import { type Finding, finding } from '../../api/finding.ts';
import type { Issuer } from '../../api/issuer.ts';
import { isProblem } from '../../api/problem.ts';
import { unreadable as cannotRead } from '../../trust/diagnose/diagnose.ts';
import { type PolicyDocument, parseDocument } from '../../trust/document/document.ts';
import { sameOwn } from '../../trust/own-subjects.ts';
import { planTrust, type TrustWish } from '../../trust/plan.ts';
import { LABEL_GRACE_MS, type Losses, pausedBy } from '../authorization/grant-loss.ts';
import type { CallerView, ClusterView, OwnWrites, ProviderView, RoleRecord, Verdict } from '../binding/observed.ts';
import { trustContended } from './contention.ts';
import { asks, type Question, type RoleClaim, type Stance, stancesOf, waits } from './desired-trust.ts';
import { consents, type Edit, otherRole } from './edit.ts';
import { refusal, type Situation, verdictsOn } from './verdicts.ts';

/** Everything that the decision about one role rests on. */
export interface RoleObserved {
  readonly now: number;
  readonly arn: RoleArn;
  readonly claims: readonly RoleClaim[];
  readonly record: RoleRecord | undefined;
  readonly cluster: ClusterView;
  readonly caller: CallerView;
  readonly provider: ProviderView | undefined;
  /** Characters that the account allows for a trust policy; undefined while it was not asked. */
  readonly quota: number | undefined;
  readonly losses: Losses;
  /** A user asked for a fresh look at this time: epoch milliseconds. */
  readonly freshSince?: number;
}

export type RoleStep =
  | { readonly do: 'read'; readonly why: string }
  /** More bindings of the role are about to have their intent on the API server: all of them make one write. */
  | { readonly do: 'gather' }
  /** A fresh read, `decideEdit` on it, and the write. */
  | { readonly do: 'edit'; readonly edit: Edit }
  /** Our write was read back at all its ages: from now on a change is somebody else's. */
  | { readonly do: 'believe' }
  /** Our write was overwritten by somebody who had read before it: another one comes after a random wait. */
  | { readonly do: 'lose' };

export interface RolePlan {
  readonly steps: readonly RoleStep[];
  readonly verdicts: readonly (readonly [Question, Verdict])[];
  readonly lookAgain: LookAgain | undefined;
}

interface LookAgain {
  readonly inMs: number;
  readonly why: string;
}

/** A write is believed once it was read back at both ages: IAM reads may be seconds old. Presence counts at the first, absence only at the second. */
const FIRST_READ_BACK_MS = 2_000;
const LAST_READ_BACK_MS = 8_000;
/** A role is gone when IAM said so twice, this far apart. */
const GONE_AFTER_MS = 60_000;
/** What IAM would not let us read is asked for again at this pace. */
const UNREADABLE_RETRY_MS = 60_000;
/** A tag that is missing is looked for again at this pace: somebody waits for it. */
const TAGS_RETRY_MS = 60_000;
const TAGS_WANTED = 'whether the role carries the tags that the grant asks for';

const nothing: RolePlan = { steps: [], verdicts: [], lookAgain: undefined };

/** All bindings of a role make one write. Pure: same observation, same plan; without steps when nothing is to do. */
export function planRole(seen: RoleObserved): RolePlan {
  const { cluster, caller, record, quota, arn, provider, now } = seen;
  if (seen.claims.length === 0 || cluster.kind === 'unknown' || caller.kind === 'unknown' || quota === undefined) return nothing;
  if (!sharesAccount(arn, caller.arn)) return nothing;
  const stances = seen.claims.flatMap((claim) => stancesOf(claim, { now, arn, issuer: cluster.issuer, record, provider }));
  // Who asks gets the last word on a question that another binding only lets go of.
  const inOrder = stances.toSorted((a, b) => Number(asks(a)) - Number(asks(b)));
  const { losses, freshSince = 0 } = seen;
  const plan = planStances({ now, arn, stances: inOrder, issuer: cluster.issuer, quota, losses, freshSince }, record);
  return { ...plan, lookAgain: soonest(plan.lookAgain, nextLoss(stances, now)) };
}

interface Role {
  readonly now: number;
  readonly arn: RoleArn;
  readonly stances: readonly Stance[];
  readonly issuer: Issuer;
  readonly quota: number;
  readonly losses: Losses;
  readonly freshSince: number;
}

function planStances(role: Role, record: RoleRecord | undefined): RolePlan {
  const { stances } = role;
  // Not one call is made for a role that no granted binding asks about, and that no trust of ours may stand on.
  if (!stances.some(waits)) return nothing;
  if (record === undefined) return { ...nothing, steps: [{ do: 'read', why: 'it was not read yet' }] };
  if (record.asOf < role.freshSince) return { ...nothing, steps: [{ do: 'read', why: 'a fresh look was asked for' }] };
  switch (record.state.kind) {
    case 'missing':
      return missing(role, record, record.state);
    case 'unreadable':
      return unreadable(role, record, record.state.why);
    case 'present':
      return present({ ...role, record, state: record.state });
  }
}

function missing(
  { now, stances }: Role,
  { arn, asOf }: RoleRecord,
  { since, foundAs }: { since: number; foundAs: string | undefined },
): RolePlan {
  const found = foundAs === undefined ? notFound(arn) : otherRole(arn, foundAs);
  const certain = asOf - since >= GONE_AFTER_MS;
  const verdicts = stances.flatMap((stance): [Question, Verdict][] => {
    if (asks(stance)) return [[stance.question, refusal(found, { stands: !certain })]];
    return stance.kind === 'released' && certain ? [[stance.question, { kind: 'released' }]] : [];
  });
  if (certain) return { ...nothing, verdicts };
  return readLater(since + GONE_AFTER_MS - now, 'whether the role is still gone', verdicts);
}

function notFound(arn: RoleArn): Finding {
  return finding('RoleNotFound', `IAM has no role "${arn}"; make it, or correct spec.roleArn (path and case count)`);
}

function unreadable({ now, stances }: Role, record: RoleRecord, why: string): RolePlan {
  const verdicts = stances
    .filter(waits)
    .map(({ question }): [Question, Verdict] => [question, refusal(finding('RoleAccessDenied', why), { terminal: false })]);
  return readLater(record.asOf + UNREADABLE_RETRY_MS - now, 'whether the role can be read now', verdicts);
}

function readLater(inMs: number, why: string, verdicts: RolePlan['verdicts']): RolePlan {
  return inMs <= 0 ? { steps: [{ do: 'read', why }], verdicts, lookAgain: undefined } : { steps: [], verdicts, lookAgain: { inMs, why } };
}

export type PresentState = Extract<RoleRecord['state'], { kind: 'present' }>;

interface PresentRole extends Role {
  readonly record: RoleRecord;
  readonly state: PresentState;
}

function present(role: PresentRole): RolePlan {
  const { arn, stances, state } = role;
  const document = parseDocument(state.policy);
  if (isProblem(document)) {
    const found = cannotRead(document, { role: arn });
    return { ...nothing, verdicts: stances.filter(waits).map(({ question }) => [question, refusal(found)]) };
  }
  if (state.tags === undefined && stances.some(isNewUnderTags)) return { ...nothing, steps: [{ do: 'read', why: TAGS_WANTED }] };
  const tagged = { ...role, stances: stances.map((stance) => withTags(stance, role)) };
  const wish = wishOf(tagged, document);
  return state.own.pending === undefined ? write(tagged, document, wish, []) : readBack(tagged, document, wish, state.own.pending);
}

/** Nothing of a role is told, and no intent asked for, before it is known to carry the tags; who stands on it had them once. */
function isNewUnderTags(stance: Stance): boolean {
  return asks(stance) && !stance.stands && !consents(stance, new Map());
}

/** Without the tags that its grant asks for a binding has no grant; it keeps for a while what stands. */
function withTags(stance: Stance, { now, losses, state: { tags } }: PresentRole): Stance {
  if (!asks(stance) || tags === undefined || consents(stance, tags.values)) return stance;
  if (stance.kind !== 'wanted') return { ...stance, kind: 'withheld' };
  const isOver = now >= tags.since + LABEL_GRACE_MS && pausedBy(losses, tags.since) === undefined;
  return { ...stance, kind: isOver ? 'disowned' : 'withheld' };
}

/** Our last write is younger than IAM's reads are sure to be. What is added meanwhile does not wait for that. */
function readBack(role: PresentRole, document: PolicyDocument, wish: TrustWish, pending: NonNullable<OwnWrites['pending']>): RolePlan {
  const { now, record } = role;
  const age = record.asOf - pending.at;
  const sent = parseDocument(pending.policy);
  const stands = !isProblem(sent) && sameOwn(document, sent, wish);
  if (age >= LAST_READ_BACK_MS) {
    return stands ? write(role, document, wish, [{ do: 'believe' }]) : { ...nothing, steps: [{ do: 'lose' }], verdicts: [] };
  }
  const next = age < FIRST_READ_BACK_MS ? FIRST_READ_BACK_MS : LAST_READ_BACK_MS;
  const later = { inMs: pending.at + next - now, why: `whether the write stands after ${next / 1000} s` };
  if (later.inMs <= 0) return { steps: [{ do: 'read', why: later.why }], verdicts: [], lookAgain: undefined };
  const more = stands ? write(role, document, wish, []) : nothing;
  // That a subject is gone is an absence, which a stale read shows too; that it is there counts from the first read-back on.
  const verdicts = age < FIRST_READ_BACK_MS ? [] : more.verdicts;
  return { steps: more.steps, verdicts, lookAgain: soonest(more.lookAgain, later) };
}

function write(role: PresentRole, document: PolicyDocument, wish: TrustWish, before: readonly RoleStep[]): RolePlan {
  const { now, state, stances } = role;
  const plan = planTrust(document, wish);
  const verdicts = verdictsOn(situation(role), document, wish, plan);
  const { hold, own } = state;
  const held = hold !== undefined && now < hold.until ? { inMs: hold.until - now, why: 'the role may take the write by then' } : undefined;
  const tags = nextTags(role);
  if (tags !== undefined && tags.inMs <= 0) return { steps: [...before, { do: 'read', why: tags.why }], verdicts, lookAgain: undefined };
  const rest: RolePlan = { steps: before, verdicts, lookAgain: soonest(held, tags) };
  if (plan.document === undefined || onlyAwsMayChange(role.arn) || (held !== undefined && !hold?.revocable)) return rest;
  const waits = own.waitsUntil === undefined ? 0 : own.waitsUntil - now;
  if (waits > 0) return { ...rest, lookAgain: soonest(rest.lookAgain, { inMs: waits, why: 'another writer of the role goes first' }) };
  if (stances.some(({ kind }) => kind === 'intending')) {
    if (own.gathersUntil === undefined) return { ...rest, steps: [...before, { do: 'gather' }] };
    const inMs = own.gathersUntil - now;
    if (inMs > 0)
      return { ...rest, lookAgain: soonest(rest.lookAgain, { inMs, why: 'more bindings of the role are about to be written' }) };
  }
  const { roleId, policy } = state;
  const edit: Edit = { wish, stances: stances.filter((stance) => isMeant(stance, wish)), roleId, policy, believed: own.believed };
  return { ...rest, steps: [...before, { do: 'edit', edit }] };
}

function isMeant({ question: { subject, audience } }: Stance, { wanted, released }: TrustWish): boolean {
  return [...wanted, ...released].some((one) => one.subject === subject && one.audience === audience);
}

const isWithheld = ({ kind }: Stance): boolean => kind === 'withheld' || kind === 'disowned';

/** Whoever waits for a tag of the role waits for a read of it. */
function nextTags({ now, stances, state: { tags } }: PresentRole): LookAgain | undefined {
  if (tags === undefined || !stances.some(isWithheld)) return undefined;
  return { inMs: tags.asOf + TAGS_RETRY_MS - now, why: TAGS_WANTED };
}

function situation({ arn, stances, record, state, now }: PresentRole): Situation {
  const { pending } = state.own;
  const inDoubt = pending !== undefined && record.asOf - pending.at < LAST_READ_BACK_MS;
  return {
    arn,
    stances,
    now,
    inDoubt,
    hold: state.hold,
    contended: trustContended(arn, state.own.fight, now),
    unmodifiable: onlyAwsMayChange(arn),
  };
}

function wishOf({ arn, stances, issuer, quota, now, state }: PresentRole, document: PolicyDocument): TrustWish {
  const base = { role: arn, issuer, provider: providerArnFor(arn, issuer), quota, now, ...(state.tags && { roleTags: state.tags.values }) };
  const { hold } = state;
  const paused = hold?.revocable && now < hold.until;
  const wanted = stances.filter(({ kind }) => kind === 'wanted' && !paused).toSorted(byAge);
  // What another binding is about to have, or may still stand on, is not taken away because one lets go of it.
  const needs = (other: Stance) => WANTS.has(other.kind) || (!lets(other) && other.stands);
  const released = stances
    .filter((one) => lets(one) && !stances.some((other) => needs(other) && isSame(one, other)))
    .filter((one) => one.kind !== 'yielding' || isAllowedWithout(one, document, base));
  return { ...base, wanted: wanted.map(trusted), released: released.map(trusted) };
}

/** Whoever has the trust, or is on the way to it. */
const WANTS: ReadonlySet<Stance['kind']> = new Set(['wanted', 'intending', 'expecting']);
const lets = ({ kind }: Stance): boolean => kind === 'released' || kind === 'yielding' || kind === 'disowned';
const trusted = ({ question: { subject, audience } }: Stance) => ({ subject, audience });
const isSame = (a: Stance, b: Stance) => a.question.subject === b.question.subject && a.question.audience === b.question.audience;
const byAge = (a: Stance, b: Stance) => a.binding.metadata.createdAt - b.binding.metadata.createdAt;

/** Somebody else writes the policy: our subject goes when theirs lets it in, and no sooner. */
function isAllowedWithout(stance: Stance, document: PolicyDocument, base: Omit<TrustWish, 'wanted' | 'released'>): boolean {
  const without = planTrust(document, { ...base, wanted: [], released: [trusted(stance)] }).document;
  if (without === undefined) return false;
  const plan = planTrust(parseDocument(without), { ...base, wanted: [trusted(stance)], released: [] });
  return plan.document === undefined && plan.verdicts[0]?.state === 'allowed';
}

/** When trust is taken away for want of a grant. */
function nextLoss(stances: readonly Stance[], now: number): LookAgain | undefined {
  const times = stances.flatMap(({ kind, lost }) => (kind === 'kept' ? (lost?.dueAt ?? lost?.paused?.until ?? []) : []));
  const due = times.filter((time) => time !== Number.POSITIVE_INFINITY).map((time) => time - now);
  return due.length === 0 ? undefined : { inMs: Math.max(0, Math.min(...due)), why: 'whether there is still no grant' };
}

function soonest(a: LookAgain | undefined, b: LookAgain | undefined): LookAgain | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.inMs <= b.inMs ? a : b;
}

/** Paths under which only AWS changes roles: service-linked ones, and those of IAM Identity Center. */
const AWS_PATHS = ['/aws-service-role/', '/aws-reserved/'];

export function onlyAwsMayChange(arn: RoleArn): Finding | undefined {
  if (!AWS_PATHS.some((path) => roleArnParts(arn).path.startsWith(path))) return undefined;
  return finding('RoleUnmodifiable', `"${arn}" is a role that only AWS can change; bind a role of your own`);
}

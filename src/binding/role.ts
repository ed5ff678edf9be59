import { providerArnFor, type RoleArn, roleArnParts } from '../api/arn.ts';
import { type Finding, finding } from '../api/finding.ts';
import type { Issuer } from '../api/issuer.ts';
import { isProblem } from '../api/problem.ts';
import { unreadable as cannotRead, diagnose } from '../trust/diagnose.ts';
import { type PolicyDocument, parseDocument } from '../trust/document.ts';
import { allOwn } from '../trust/own-statement.ts';
import { type PlannedVerdict, planTrust, type TrustPlan, type TrustWish } from '../trust/plan.ts';
import { type Edit, otherRole } from './edit.ts';
import type { CallerView, ClusterView, Hold, ProviderView, RoleRecord, Verdict } from './observed.ts';
import { asks, type Question, type RoleClaim, type Stance, stanceOf, waits } from './stance.ts';

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
}

export type RoleStep =
  | { readonly do: 'read'; readonly why: string }
  /** A fresh read, `decideEdit` on it, and the write. */
  | { readonly do: 'edit'; readonly edit: Edit }
  /** Our write was read back at all its ages: from now on a change is somebody else's. */
  | { readonly do: 'believe' };

export interface RolePlan {
  readonly steps: readonly RoleStep[];
  readonly verdicts: readonly (readonly [Question, Verdict])[];
  readonly lookAgain: { readonly inMs: number; readonly why: string } | undefined;
}

/** A write is believed once it was read back at both ages: IAM reads may be seconds old. Presence counts at the first, absence only at the second. */
const FIRST_READ_BACK_MS = 2_000;
const LAST_READ_BACK_MS = 8_000;
/** A role is gone when IAM said so twice, this far apart. */
const GONE_AFTER_MS = 60_000;
/** What IAM would not let us read is asked for again at this pace. */
const UNREADABLE_RETRY_MS = 60_000;

const nothing: RolePlan = { steps: [], verdicts: [], lookAgain: undefined };

/** All bindings of a role make one write. Pure: same observation, same plan; without steps when nothing is to do. */
export function planRole(seen: RoleObserved): RolePlan {
  const { cluster, caller, record, quota, arn, provider } = seen;
  if (seen.claims.length === 0 || cluster.kind === 'unknown' || caller.kind === 'unknown' || quota === undefined) return nothing;
  if (roleArnParts(arn).account !== caller.account) return nothing;
  const world = { arn, issuer: cluster.issuer, record, provider };
  const stances = seen.claims.flatMap((claim) => stanceOf(claim, world) ?? []);
  // Not one call is made for a role that no granted binding asks about, and that no trust of ours may stand on.
  if (!stances.some(waits)) return nothing;
  if (record === undefined) return { ...nothing, steps: [{ do: 'read', why: 'it was not read yet' }] };
  switch (record.state.kind) {
    case 'missing':
      return missing(seen.now, record, stances, record.state);
    case 'unreadable':
      return unreadable(seen.now, record, stances, record.state.why);
    case 'present':
      return present({ now: seen.now, arn, stances, record, state: record.state, issuer: cluster.issuer, quota });
  }
}

function missing(
  now: number,
  record: RoleRecord,
  stances: readonly Stance[],
  { since, foundAs }: { since: number; foundAs: string | undefined },
): RolePlan {
  const found = foundAs === undefined ? notFound(record.arn) : otherRole(record.arn, foundAs);
  const certain = record.asOf - since >= GONE_AFTER_MS;
  const verdicts = stances.flatMap((stance): [Question, Verdict][] => {
    if (asks(stance)) return [[stance.question, refusal(found)]];
    return stance.kind === 'released' && certain ? [[stance.question, { kind: 'released' }]] : [];
  });
  if (certain) return { ...nothing, verdicts };
  return readLater(since + GONE_AFTER_MS - now, 'whether the role is still gone', verdicts);
}

function notFound(arn: RoleArn): Finding {
  return finding('RoleNotFound', `IAM has no role "${arn}"; make it, or correct spec.roleArn (path and case count)`);
}

function unreadable(now: number, record: RoleRecord, stances: readonly Stance[], why: string): RolePlan {
  const verdicts = stances
    .filter(waits)
    .map(({ question }): [Question, Verdict] => [question, refusal(finding('RoleAccessDenied', why), false)]);
  return readLater(record.asOf + UNREADABLE_RETRY_MS - now, 'whether the role can be read now', verdicts);
}

function readLater(inMs: number, why: string, verdicts: RolePlan['verdicts']): RolePlan {
  return inMs <= 0 ? { steps: [{ do: 'read', why }], verdicts, lookAgain: undefined } : { steps: [], verdicts, lookAgain: { inMs, why } };
}

interface PresentRole {
  readonly now: number;
  readonly arn: RoleArn;
  readonly stances: readonly Stance[];
  readonly record: RoleRecord;
  readonly state: Extract<RoleRecord['state'], { kind: 'present' }>;
  readonly issuer: Issuer;
  readonly quota: number;
}

function present(role: PresentRole): RolePlan {
  const { now, arn, stances, record, state } = role;
  const document = parseDocument(state.policy);
  if (isProblem(document)) {
    const found = cannotRead(document, { role: arn });
    return { ...nothing, verdicts: stances.filter(waits).map(({ question }) => [question, refusal(found)]) };
  }
  const hold = state.hold !== undefined && now < state.hold.until ? state.hold : undefined;
  const wish = wishOf(role, hold);
  const plan = planTrust(document, wish);
  if (state.writtenAt !== undefined) {
    const age = record.asOf - state.writtenAt;
    const stands = plan.document === undefined;
    const next = age < FIRST_READ_BACK_MS ? FIRST_READ_BACK_MS : LAST_READ_BACK_MS;
    if (age < LAST_READ_BACK_MS) {
      // That a subject is gone is an absence, which a stale read shows too.
      const verdicts =
        stands && age >= FIRST_READ_BACK_MS
          ? verdictsOn(role, document, wish, plan, hold).filter(([, verdict]) => verdict.kind !== 'released')
          : [];
      return readLater(state.writtenAt + next - now, `whether the write stands after ${next / 1000} s`, verdicts);
    }
  }
  const believe: RoleStep[] = state.writtenAt === undefined ? [] : [{ do: 'believe' }];
  const held = hold && { inMs: hold.until - now, why: 'the role may take the write by then' };
  const verdicts = verdictsOn(role, document, wish, plan, hold);
  if (plan.document === undefined) return { steps: believe, verdicts, lookAgain: held };
  const unmodifiable = onlyAwsMayChange(arn);
  if (unmodifiable !== undefined) return { ...nothing, verdicts: instead(verdicts, unmodifiable) };
  if (hold !== undefined && 'all' in hold) return { steps: believe, verdicts: instead(verdicts, hold.all), lookAgain: held };
  const edit: Edit = { wish, stances: stances.filter(({ kind }) => kind === 'wanted'), roleId: state.roleId, policy: state.policy };
  return { steps: [...believe, { do: 'edit', edit }], verdicts, lookAgain: held };
}

function wishOf({ arn, stances, issuer, quota, now }: PresentRole, hold: Hold | undefined): TrustWish {
  const trusted = ({ question: { subject, audience } }: Stance) => ({ subject, audience });
  const same = (a: Stance) => (b: Stance) => a.question.subject === b.question.subject && a.question.audience === b.question.audience;
  const withheld = hold !== undefined && 'some' in hold ? hold.some : {};
  const wanted = stances
    .filter(({ kind, question }) => kind === 'wanted' && !(question.subject in withheld))
    .toSorted((a, b) => a.createdAt - b.createdAt);
  // What another binding is about to have, or may still stand on, is not taken away because one lets go of it.
  const needs = ({ kind, stands }: Stance) => kind === 'wanted' || kind === 'intending' || (kind !== 'released' && stands);
  const released = stances.filter((one) => one.kind === 'released' && !stances.some((other) => needs(other) && same(one)(other)));
  return {
    role: arn,
    issuer,
    provider: providerArnFor(arn, issuer),
    wanted: wanted.map(trusted),
    released: released.map(trusted),
    quota,
    now,
  };
}

function verdictsOn(
  role: PresentRole,
  document: PolicyDocument,
  wish: TrustWish,
  plan: TrustPlan,
  hold: Hold | undefined,
): [Question, Verdict][] {
  const standing = allOwn(document, wish.issuer, wish.provider);
  return role.stances.flatMap((stance): [Question, Verdict][] => {
    const { question, kind } = stance;
    if (kind === 'kept') return [];
    if (kind === 'released') {
      const stands = standing.some(({ audience, subjects }) => audience === question.audience && subjects.includes(question.subject));
      if (!stands) return [[question, { kind: 'released' }]];
      return hold !== undefined && 'all' in hold ? [[question, refusal(revocationBlocked(role.arn, hold.all), false)]] : [];
    }
    const alone = planTrust(document, { ...wish, wanted: [question], released: [] });
    const together = plan.verdicts.find(({ subject, audience }) => subject === question.subject && audience === question.audience);
    const orphans = plan.findings.filter(({ code }) => code !== 'TrustOrphaned' || orphansRemain(role.stances, plan));
    const found: [Question, Verdict] = [question, verdictOf(stance, document, wish, alone, together, orphans)];
    const withheld = hold !== undefined && 'some' in hold ? hold.some[question.subject] : undefined;
    // Nothing of the policy is told to whom its owner did not consent.
    return [withheld !== undefined && wouldBeMended(found[1]) ? [question, refusal(withheld)] : found];
  });
}

/** A subject that a binding of this role names, though it does not want it now, is nobody's orphan. */
function orphansRemain(stances: readonly Stance[], { orphans }: TrustPlan): boolean {
  return orphans.some(
    ({ subject, audience }) => !stances.some(({ question }) => question.subject === subject && question.audience === audience),
  );
}

function verdictOf(
  { question, kind }: Stance,
  document: PolicyDocument,
  wish: TrustWish,
  alone: TrustPlan,
  together: PlannedVerdict | undefined,
  general: readonly Finding[],
): Verdict {
  const planned = together ?? alone.verdicts[0];
  if (planned === undefined) return { kind: 'released' };
  const size = { characters: document.text.length, quota: wish.quota };
  const findings = [...planned.findings, ...general];
  switch (planned.state) {
    case 'unknown':
      return { kind: 'unknown', message: planned.reason, size, findings };
    case 'refused': {
      const [first = finding('TrustNoWebIdentityStatement', `the trust policy of "${wish.role}" does not allow "${question.subject}"`)] =
        findings;
      return { kind: 'refused', finding: first, findings, size, terminal: true, wouldWrite: undefined };
    }
    case 'allowed': {
      if (alone.document === undefined) {
        const by = planned.managedBy === 'Operator' ? 'our statement' : 'a statement of somebody else';
        return {
          kind: 'allowed',
          managedBy: planned.managedBy,
          message: `${by} lets "${question.subject}" assume the role`,
          size,
          findings,
        };
      }
      const request = {
        provider: wish.provider,
        issuer: wish.issuer,
        subject: question.subject,
        audience: question.audience,
        ...(wish.now === undefined ? {} : { now: wish.now }),
      };
      const why = diagnose(document, request, { role: wish.role });
      const [first = finding('TrustNoWebIdentityStatement', `the trust policy of "${wish.role}" does not allow "${question.subject}"`)] =
        why;
      const wouldWrite = `add "${question.subject}" to our statement in the trust policy of "${wish.role}" (${alone.size.characters} of ${wish.quota} characters then)`;
      // Somebody else has to act where the binding does not let us.
      return { kind: 'refused', finding: first, findings: why, size, terminal: kind === 'watched', wouldWrite };
    }
  }
}

const refusal = (found: Finding, terminal = true): Verdict => ({
  kind: 'refused',
  finding: found,
  findings: [found],
  size: undefined,
  terminal,
  wouldWrite: undefined,
});

/** A binding that lets go says why it still stands. */
function revocationBlocked(arn: RoleArn, { message }: Finding): Finding {
  return finding(
    'TrustRevocationBlocked',
    `the subject of this binding cannot be taken out of the trust policy of "${arn}" for now; it is tried again: ${message}`,
  );
}

/** What would have been mended is refused for this reason; what is allowed or refused anyhow stays so. */
function instead(verdicts: readonly (readonly [Question, Verdict])[], found: Finding): [Question, Verdict][] {
  return verdicts.map(([question, verdict]) => {
    return [
      question,
      wouldBeMended(verdict) ? { ...verdict, finding: found, findings: [found, ...verdict.findings], terminal: true } : verdict,
    ];
  });
}

/** A revocation that is held up says so itself. */
function wouldBeMended(verdict: Verdict): verdict is Extract<Verdict, { kind: 'refused' }> {
  return verdict.kind === 'refused' && !verdict.terminal && verdict.finding.code !== 'TrustRevocationBlocked';
}

/** Paths under which only AWS changes roles: service-linked ones, and those of IAM Identity Center. */
const AWS_PATHS = ['/aws-service-role/', '/aws-reserved/'];

function onlyAwsMayChange(arn: RoleArn): Finding | undefined {
  if (!AWS_PATHS.some((path) => roleArnParts(arn).path.startsWith(path))) return undefined;
  return finding('RoleUnmodifiable', `"${arn}" is a role that only AWS can change; bind a role of your own`);
}

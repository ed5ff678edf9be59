import type { RoleArn } from '../../api/arn.ts';
import { type Finding, type FindingCode, finding } from '../../api/finding.ts';
import { ANNOTATIONS } from '../../api/names.ts';
import { otherCluster } from '../../api/prune-command.ts';
import type { Stepwise } from '../../api/stepwise.ts';
import { subjectKey } from '../../api/subject.ts';
import { admittedByChanged } from '../../trust/changed-statement.ts';
import { diagnose } from '../../trust/diagnose/diagnose.ts';
import type { PolicyDocument } from '../../trust/document/document.ts';
import { sidFor } from '../../trust/document/own-statement.ts';
import { quote } from '../../trust/document/quote.ts';
import type { Truth } from '../../trust/evaluate/truth.ts';
import { ownSubjects } from '../../trust/own-subjects.ts';
import { type DesiredStatement, type PlannedVerdict, planTrust, type TrustPlan } from '../../trust/plan.ts';
import { notGranted } from '../authorization/authorize.ts';
import { isDue } from '../authorization/loss.ts';
import type { Question } from '../state/question.ts';
import type { Hold } from '../state/role-record.ts';
import type { Verdict } from '../state/verdict.ts';
import { type DesiredTrust, wantedSubject } from './desired-trust.ts';

/** What the answers about a role that is there rest on, beside its policy. */
export interface VerdictInput {
  readonly arn: RoleArn;
  readonly desiredTrust: readonly DesiredTrust[];
  readonly now: number;
  readonly hold: Hold | undefined;
  /** A write of ours is still in doubt: what does not show may stand all the same. */
  readonly inDoubt: boolean;
  /** Another writer keeps taking our statement out. */
  readonly contended: Finding | undefined;
  /** The role is one that only AWS may change. */
  readonly unmodifiable: Finding | undefined;
  /** Somebody allows its subject again each time that it is taken out. */
  readonly isNeededElsewhere: (desired: DesiredTrust) => boolean;
}

/** A revocation that IAM refuses for this long needs a person: a deleted principal heals by itself within minutes, or not at all. */
const REVOCATION_BLOCKED_AFTER_MS = 10 * 60_000;

/** The answer to each binding of the role that waits for one; no answer yet is none. */
export function* verdictsOn(
  at: VerdictInput,
  document: PolicyDocument,
  desiredStatement: DesiredStatement,
  plan: TrustPlan,
): Stepwise<[Question, Verdict][]> {
  const verdictOf = verdictsBy(at, document, desiredStatement, plan);
  const verdicts: [Question, Verdict][] = [];
  for (const desired of at.desiredTrust) {
    const verdict = verdictOf(desired);
    if (verdict !== undefined) verdicts.push([desired.question, verdict]);
    yield;
  }
  return verdicts;
}

/** The answer to one binding; what is the same for all is found out once. */
function verdictsBy(
  at: VerdictInput,
  document: PolicyDocument,
  desiredStatement: DesiredStatement,
  plan: TrustPlan,
): (desired: DesiredTrust) => Verdict | undefined {
  const own = new Set(ownSubjects(document, desiredStatement).map(subjectKey));
  const planned = new Map(plan.verdicts.map((verdict) => [subjectKey(verdict), verdict]));
  const told = plan.findings.filter(({ code }) => isToldToAll(code, at.desiredTrust, plan));
  const general = at.contended === undefined ? told : [at.contended, ...told];
  return (desired) => {
    const { question, kind } = desired;
    if (kind === 'awaitProvider') return undefined;
    // What is not in our form is not gone: another writer may have changed the very statement that lets the subject in.
    const byChanged = admittedByChanged(document, question, desiredStatement);
    // Where it is to be ensured a write may be under way, from this very plan.
    const mayStand = own.has(subjectKey(question)) || byChanged !== false || at.inDoubt || kind === 'ensure';
    const blocked = byChanged === false ? undefined : changedByOthers(question, desiredStatement.clusterId, byChanged);
    if (kind === 'tagsMissing') return tagsMissing(desired, mayStand, at.now, blocked);
    if (kind === 'retain' || kind === 'revoke') {
      // Of what is kept nothing is asked, but that it is gone all the same.
      const stands = kind === 'retain' ? undefined : whyNotRevoked(at, blocked ?? leftAlone(desired, at));
      return mayStand ? stands : { kind: 'released' };
    }
    const together = planned.get(subjectKey(question));
    // Where all together need no write, each alone needs none: the plan for all is the answer, and not as many plans as bindings.
    const inOrder = together !== undefined && plan.document === undefined;
    let planAlone: TrustPlan | undefined;
    const alone = () => {
      planAlone ??= inOrder ? plan : planTrust(document, { ...desiredStatement, wanted: [wantedSubject(desired)], released: [] });
      return planAlone;
    };
    const verdict = verdictOf(desired, document, desiredStatement, { alone, together, general, mayStand });
    return reasonToWait(verdict, alone, at);
  };
}

/** Whose subject cannot be taken out is told so (`whyNotRevoked`). The others need not know of its audience, nor of the Sid for that. */
function isToldToAll(code: FindingCode, desiredTrust: readonly DesiredTrust[], plan: TrustPlan): boolean {
  return code !== 'TrustSidTaken' && (code !== 'TrustOrphaned' || orphansRemain(desiredTrust, plan));
}

/** A subject that a binding of this role names, though it does not want it now, is nobody's orphan. */
function orphansRemain(desiredTrust: readonly DesiredTrust[], { orphans }: TrustPlan): boolean {
  const named = new Set(desiredTrust.map(({ question }) => subjectKey(question)));
  return orphans.some((orphan) => !named.has(subjectKey(orphan)));
}

interface Planned {
  /** The plan if this binding were the only one; made where it is asked for, and that is seldom for one of thousands. */
  readonly alone: () => TrustPlan;
  /** What the plan for all says of it. */
  readonly together: PlannedVerdict | undefined;
  readonly general: readonly Finding[];
  readonly mayStand: boolean;
}

function verdictOf(
  { question, kind }: DesiredTrust,
  document: PolicyDocument,
  desiredStatement: DesiredStatement,
  { alone, together, general, mayStand }: Planned,
): Verdict {
  const planned = together ?? alone().verdicts[0];
  if (planned === undefined) throw new TypeError('a plan without a verdict on what it was asked for');
  const size = { characters: document.text.length, quota: desiredStatement.quota };
  const findings = [...planned.findings, ...general];
  switch (planned.state) {
    case 'unknown':
      return { kind: 'unknown', message: planned.reason, size, findings, mayStand };
    case 'refused':
      return {
        kind: 'refused',
        finding: findings[0] ?? notAllowed(question),
        findings,
        size,
        terminal: true,
        wouldWrite: undefined,
        mayStand,
      };
    case 'allowed': {
      if (alone().document === undefined) {
        const { managedBy } = planned;
        const by = managedBy === 'Operator' ? 'the statement of irsa-operator' : 'a foreign statement';
        const message = `${by} allows "${question.subject}" to assume the role`;
        return { kind: 'allowed', managedBy, mayStand, message, size, findings };
      }
      const { role, provider, issuer, clusterId, now, roleTags } = desiredStatement;
      const { subject, audience } = question;
      const request = {
        provider,
        issuer,
        clusterId,
        subject,
        audience,
        ...(now === undefined ? {} : { now }),
        ...(roleTags && { roleTags }),
      };
      const why = diagnose(document, request, { role });
      const wouldWrite = `add "${subject}" to the statement of irsa-operator in the trust policy of "${role}" (${alone().size.characters} of ${desiredStatement.quota} characters then)`;
      // Others have to act where the binding does not let us.
      const terminal = kind === 'observe' || kind === 'releaseWhenRedundant';
      return { kind: 'refused', finding: why[0] ?? notAllowed(question), findings: why, size, terminal, wouldWrite, mayStand };
    }
  }
}

function notAllowed({ role, subject }: Question): Finding {
  return finding('TrustNoWebIdentityStatement', `the trust policy of "${role}" does not allow "${subject}"`);
}

/** The role's owner did not consent: told in the words of a missing grant, so that nobody learns of a role by binding it. */
function tagsMissing({ loss, binding, spec }: DesiredTrust, mayStand: boolean, now: number, blocked: Finding | undefined): Verdict {
  const refused = refusal(notGranted(binding, spec), { mayStand });
  // Only one that had the consent can have expired: its own trust is no news to it.
  return isDue(loss, now) && blocked !== undefined && refused.kind === 'refused'
    ? { ...refused, findings: [...refused.findings, blocked] }
    : refused;
}

/** What would be fixed by a write waits for what the last attempt met with; what is allowed or refused anyhow stays so. */
function reasonToWait(verdict: Verdict, alone: () => TrustPlan, { hold, unmodifiable }: VerdictInput): Verdict {
  const found = unmodifiable ?? hold?.finding;
  if (found === undefined || verdict.kind === 'released' || alone().document === undefined) return verdict;
  const findings = [found, ...verdict.findings.filter(({ code }) => code !== found.code)];
  if (verdict.kind !== 'refused') return { ...verdict, findings };
  return verdict.terminal ? verdict : { ...verdict, finding: found, findings, terminal: true };
}

/** Why trust that is to be revoked still stands: after some time, that a person has to help. */
function whyNotRevoked({ hold, now, arn, unmodifiable }: VerdictInput, blocked: Finding | undefined): Verdict | undefined {
  if (blocked !== undefined) return refusal(blocked);
  if (unmodifiable !== undefined) return refusal(revocationBlocked(arn, unmodifiable));
  if (hold === undefined || hold.allowsRevocation) return undefined;
  return refusal(now - hold.since < REVOCATION_BLOCKED_AFTER_MS ? hold.finding : revocationBlocked(arn, hold.finding), { terminal: false });
}

/** What no grant covers is no binding's to keep: how long that is left alone is in its loss. */
const leftAlone = (desired: DesiredTrust, { arn, isNeededElsewhere }: VerdictInput): Finding | undefined =>
  desired.loss === undefined && isNeededElsewhere(desired) ? neededElsewhere(arn, desired.question) : undefined;

function neededElsewhere(role: RoleArn, { subject }: Question): Finding {
  return finding(
    'TrustRevocationBlocked',
    `irsa-operator removed "${subject}" from the trust policy of "${role}", and another writer added it again each time. ${otherCluster('it')}. irsa-operator tries again after a day. To delete the binding and keep the access, annotate the binding with ${ANNOTATIONS.forceDelete}: "true"`,
  );
}

function revocationBlocked(arn: RoleArn, { message }: Finding): Finding {
  return finding(
    'TrustRevocationBlocked',
    `the subject of this binding cannot be removed from the trust policy of "${arn}". irsa-operator retries: ${message}`,
  );
}

/** Another writer's statement is not changed, whatever its Sid: who wrote it last has to take the subject out. */
function changedByOthers({ role, issuer, audience }: Question, clusterId: string | undefined, admits: Truth): Finding {
  const sid = quote(sidFor(issuer, audience, clusterId));
  const still = admits === true ? 'It still allows' : 'It may still allow';
  return finding(
    'TrustRevocationBlocked',
    `trust policy of ${role}: another writer changed the statement ${sid}, which has the Sid of irsa-operator, or added a second one. ${still} the subject of this binding, and irsa-operator does not change it. Remove the subject or the statement. To keep the access without irsa-operator, give the statement another Sid`,
  );
}

/** Terminal, and something may stand, unless it is said otherwise. */
export function refusal(found: Finding, { terminal = true, mayStand = true }: { terminal?: boolean; mayStand?: boolean } = {}): Verdict {
  return { kind: 'refused', finding: found, findings: [found], size: undefined, terminal, wouldWrite: undefined, mayStand };
}

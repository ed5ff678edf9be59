import type { RoleArn } from '../../api/arn.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { isProblem } from '../../api/problem.ts';
import { diagnose } from '../../trust/diagnose/diagnose.ts';
import type { PolicyDocument } from '../../trust/document/document.ts';
import { allOwn } from '../../trust/document/own-statement.ts';
import { type PlannedVerdict, planTrust, type TrustPlan, type TrustWish } from '../../trust/plan.ts';
import { notGranted } from '../authorization/authorize.ts';
import type { Hold, Verdict } from '../binding/observed.ts';
import type { Question, Stance } from './desired-trust.ts';

/** What the answers about a role that is there rest on, beside its policy. */
export interface Situation {
  readonly arn: RoleArn;
  readonly stances: readonly Stance[];
  readonly now: number;
  readonly hold: Hold | undefined;
  /** A write of ours is still in doubt: what does not show may stand all the same. */
  readonly inDoubt: boolean;
  /** Somebody takes our statement out again and again. */
  readonly contended: Finding | undefined;
  /** The role is one that only AWS may change. */
  readonly unmodifiable: Finding | undefined;
}

/** A revocation that IAM refuses for this long is somebody's business: a deleted principal heals by itself within minutes, or not at all. */
const REVOCATION_BLOCKED_AFTER_MS = 10 * 60_000;

/** The answer to each binding of the role that waits for one; no answer yet is none. */
export function verdictsOn(at: Situation, document: PolicyDocument, wish: TrustWish, plan: TrustPlan): [Question, Verdict][] {
  const standing = allOwn(document, wish.issuer, wish.provider);
  return at.stances.flatMap((stance): [Question, Verdict][] => {
    const { question, kind } = stance;
    if (kind === 'kept' || kind === 'expecting') return [];
    const shows = standing.some(({ audience, subjects }) => audience === question.audience && subjects.includes(question.subject));
    // For whoever wants it a write may be under way, from this very plan.
    const stands = shows || at.inDoubt || kind === 'wanted';
    if (kind === 'withheld' || kind === 'disowned') return [[question, withheld(stance, stands)]];
    if (kind === 'released') {
      const verdict: Verdict | undefined = stands ? whyItStands(at) : { kind: 'released' };
      return verdict === undefined ? [] : [[question, verdict]];
    }
    const together = plan.verdicts.find(({ subject, audience }) => subject === question.subject && audience === question.audience);
    // Where all together need no write, each alone needs none: the plan for all is the answer, and not as many plans as bindings.
    const inOrder = together !== undefined && plan.document === undefined;
    const alone = inOrder ? plan : planTrust(document, { ...wish, wanted: [question], released: [] });
    const orphans = plan.findings.filter(({ code }) => code !== 'TrustOrphaned' || orphansRemain(at.stances, plan));
    const general = at.contended === undefined ? orphans : [at.contended, ...orphans];
    const verdict = verdictOf(stance, document, wish, { alone, together, general, stands });
    return [[question, reasonToWait(verdict, alone, at)]];
  });
}

/** A subject that a binding of this role names, though it does not want it now, is nobody's orphan. */
function orphansRemain(stances: readonly Stance[], { orphans }: TrustPlan): boolean {
  return orphans.some(
    ({ subject, audience }) => !stances.some(({ question }) => question.subject === subject && question.audience === audience),
  );
}

interface Planned {
  /** The plan if this binding were the only one. */
  readonly alone: TrustPlan;
  /** What the plan for all says of it. */
  readonly together: PlannedVerdict | undefined;
  readonly general: readonly Finding[];
  readonly stands: boolean;
}

function verdictOf(
  { question, kind }: Stance,
  document: PolicyDocument,
  wish: TrustWish,
  { alone, together, general, stands }: Planned,
): Verdict {
  const planned = together ?? alone.verdicts[0];
  if (planned === undefined) return { kind: 'released' };
  const size = { characters: document.text.length, quota: wish.quota };
  const findings = [...planned.findings, ...general];
  switch (planned.state) {
    case 'unknown':
      return { kind: 'unknown', message: planned.reason, size, findings, stands };
    case 'refused':
      return {
        kind: 'refused',
        finding: findings[0] ?? notAllowed(question),
        findings,
        size,
        terminal: true,
        wouldWrite: undefined,
        stands,
      };
    case 'allowed': {
      if (alone.document === undefined) {
        const { managedBy } = planned;
        const by = managedBy === 'Operator' ? 'our statement' : 'a statement of somebody else';
        const message = `${by} lets "${question.subject}" assume the role`;
        return { kind: 'allowed', managedBy, stands, message, size, findings };
      }
      const { role, provider, issuer, now, roleTags } = wish;
      const { subject, audience } = question;
      const request = { provider, issuer, subject, audience, ...(now === undefined ? {} : { now }), ...(roleTags && { roleTags }) };
      const why = diagnose(document, request, { role });
      const wouldWrite = `add "${subject}" to our statement in the trust policy of "${role}" (${alone.size.characters} of ${wish.quota} characters then)`;
      // Somebody else has to act where the binding does not let us.
      const terminal = kind === 'watched' || kind === 'yielding';
      return { kind: 'refused', finding: why[0] ?? notAllowed(question), findings: why, size, terminal, wouldWrite, stands };
    }
  }
}

function notAllowed({ role, subject }: Question): Finding {
  return finding('TrustNoWebIdentityStatement', `the trust policy of "${role}" does not allow "${subject}"`);
}

/** The role's owner did not consent: told in the words of a missing grant, so that nobody learns of a role by binding it. */
function withheld({ binding }: Stance, stands: boolean): Verdict {
  const found = isProblem(binding.spec) ? finding('NotGranted', 'no IrsaGrant covers this binding') : notGranted(binding, binding.spec);
  return refusal(found, { stands });
}

/** What would be mended waits for what the last attempt met with; what is allowed or refused anyhow stays so. */
function reasonToWait(verdict: Verdict, alone: TrustPlan, { hold, unmodifiable }: Situation): Verdict {
  const found = unmodifiable ?? hold?.finding;
  if (found === undefined || verdict.kind === 'released' || alone.document === undefined) return verdict;
  const findings = [found, ...verdict.findings.filter(({ code }) => code !== found.code)];
  if (verdict.kind !== 'refused') return { ...verdict, findings };
  return verdict.terminal ? verdict : { ...verdict, finding: found, findings, terminal: true };
}

/** A binding that lets go says why it still stands: after some time, that somebody has to help. */
function whyItStands({ hold, now, arn, unmodifiable }: Situation): Verdict | undefined {
  if (unmodifiable !== undefined) return refusal(revocationBlocked(arn, unmodifiable));
  if (hold === undefined || hold.revocable) return undefined;
  return refusal(now - hold.since < REVOCATION_BLOCKED_AFTER_MS ? hold.finding : revocationBlocked(arn, hold.finding), { terminal: false });
}

function revocationBlocked(arn: RoleArn, { message }: Finding): Finding {
  return finding(
    'TrustRevocationBlocked',
    `the subject of this binding cannot be taken out of the trust policy of "${arn}" for now; it is tried again: ${message}`,
  );
}

/** Terminal, and something may stand, unless it is said otherwise. */
export function refusal(found: Finding, { terminal = true, stands = true }: { terminal?: boolean; stands?: boolean } = {}): Verdict {
  return { kind: 'refused', finding: found, findings: [found], size: undefined, terminal, wouldWrite: undefined, stands };
}

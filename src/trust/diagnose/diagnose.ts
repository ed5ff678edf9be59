import type { RoleArn } from '../../api/arn.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { isProblem, type Problem } from '../../api/problem.ts';
import type { PolicyDocument } from '../document/document.ts';
import { type Judged, judgeStatements, verdictOf, type WebIdentity } from '../evaluate/evaluate.ts';
import { allowedFindings } from './allowed.ts';
import { deniedFindings } from './deny.ts';
import { withoutWebIdentity, writeObstacles } from './document.ts';
import type { PartialFinding } from './partial-finding.ts';
import { nearMissOf } from './statement.ts';

/** What the messages say beyond the document itself. */
export interface DiagnosisContext {
  readonly role: RoleArn;
}

/** More than these nobody reads, and a status has a size; the most telling come first. */
const MAX_FINDINGS = 8;

/**
 * Why the token is refused, or what is too broad about the policy that lets it in; the most telling finding first. Each message says what
 * stands there and what was wanted; values of other tenants are quoted only where they nearly name this subject.
 */
export function diagnose(document: PolicyDocument | Problem, request: WebIdentity, context: DiagnosisContext): readonly Finding[] {
  if (isProblem(document)) return [unreadable(document, context)];
  return diagnoseJudged(document, judgeStatements(document, request), request, context);
}

/** The same for statements that were judged already. */
export function diagnoseJudged(
  document: PolicyDocument,
  judged: readonly Judged[],
  request: WebIdentity,
  context: DiagnosisContext,
): readonly Finding[] {
  const allowed = judged.some(({ effect, truth }) => effect === 'Allow' && truth === true);
  const partials = [
    ...deniedFindings(judged, request.issuer),
    ...(allowed ? allowedFindings(judged, document.version, request) : refused(judged, request)),
  ];
  const findings = partials.map(({ code, text }) => finding(code, `trust policy of ${context.role}: ${text}`));
  if (verdictOf(judged).kind !== 'allowed') findings.push(...writeObstacles(document, context));
  return unique(findings).slice(0, MAX_FINDINGS);
}

/** The one finding for a document that cannot be read: nothing is said about STS, and nothing is written. */
export function unreadable({ problem }: Problem, { role }: DiagnosisContext): Finding {
  return finding(
    'TrustPolicyUnparseable',
    `trust policy of ${role}: the document cannot be parsed, so irsa-operator does not evaluate or change it: ${problem}`,
  );
}

/** The statement that comes closest speaks first. */
function refused(judged: readonly Judged[], request: WebIdentity): PartialFinding[] {
  const nearMisses = judged.filter(({ effect }) => effect === 'Allow').map((one) => nearMissOf(one, request));
  const partials = nearMisses.toSorted((a, b) => a.distance - b.distance).flatMap((nearMiss) => nearMiss.partials);
  return partials.length > 0 ? partials : withoutWebIdentity(judged);
}

function unique(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((one) => [one.message, one])).values()];
}

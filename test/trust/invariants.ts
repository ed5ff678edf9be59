import { providerArnFor } from '../../src/api/arn.ts';
import { issuerHostPath } from '../../src/api/issuer.ts';
import { isProblem } from '../../src/api/problem.ts';
import { subjectOf } from '../../src/api/subject.ts';
import { compacted, type PolicyDocument, parseDocument, statementTexts } from '../../src/trust/document/document.ts';
import { sidFor } from '../../src/trust/document/own-statement.ts';
import { evaluate, type TrustVerdict, type WebIdentity } from '../../src/trust/evaluate/evaluate.ts';
import type { DesiredStatement, TrustPlan } from '../../src/trust/plan.ts';
import { AUDIENCES, SUBJECTS } from './arbitraries.ts';
import { ACTION, ISSUER, NOW, OTHER_ISSUER, ROLE } from './cluster.ts';

/** What must hold of every plan. Each function answers with what is wrong, or with nothing; random tests and the fuzzer share them. */

/** The statements that are not ours to edit, and everything around the statements, go out as the tokens that came in. */
export function foreignChange(before: PolicyDocument, plan: TrustPlan, desired: DesiredStatement): string | undefined {
  if (plan.document === undefined) return undefined;
  const after = parseDocument(plan.document);
  if (isProblem(after)) return `the plan cannot be read: ${after.problem}`;
  const [was, is] = [compacted(before), after].map((document) => ({ around: around(document), foreign: foreign(document, desired) }));
  return JSON.stringify(was) === JSON.stringify(is)
    ? undefined
    : `foreign parts changed: ${JSON.stringify(was)} became ${JSON.stringify(is)}`;
}

function foreign(document: PolicyDocument, desired: DesiredStatement): readonly string[] {
  const sids = document.statements.map(({ sid }) => sid);
  const isAlone = (at: number) => sids.indexOf(sids[at]) === sids.lastIndexOf(sids[at]);
  return statementTexts(document).filter((text, at) => !isAlone(at) || !isOurs(JSON.parse(text), desired));
}

/** Written without a look at `src/trust/document/own-statement.ts`, which it checks: exactly our members, each with what we write. */
function isOurs(statement: unknown, { issuer, provider }: DesiredStatement): boolean {
  const host = issuerHostPath(issuer);
  const only = (value: unknown) => (Array.isArray(value) && value.length === 1 ? value[0] : value);
  const members = (value: unknown, ...names: readonly string[]): Record<string, unknown> | undefined =>
    typeof value === 'object' && value !== null && Object.keys(value).toSorted().join() === names.join()
      ? (value as Record<string, unknown>)
      : undefined;
  const all = members(statement, 'Action', 'Condition', 'Effect', 'Principal', 'Sid');
  const equals = members(members(all?.['Condition'], 'StringEquals')?.['StringEquals'], `${host}:aud`, `${host}:sub`);
  const principal = members(all?.['Principal'], 'Federated');
  const audience = only(equals?.[`${host}:aud`]);
  const subjects = [equals?.[`${host}:sub`]].flat();
  if (typeof audience !== 'string' || all?.['Sid'] !== sidFor(issuer, audience) || only(principal?.['Federated']) !== provider)
    return false;
  if (only(all['Effect']) !== 'Allow' || only(all['Action']) !== ACTION || subjects.length === 0) return false;
  return [audience, ...subjects].every((value) => typeof value === 'string' && !value.includes('${'));
}

function around({ text, container }: PolicyDocument): readonly [string, string] {
  return [text.slice(0, container.start), text.slice(container.end)];
}

function everybody(): WebIdentity[] {
  const subjects = [...SUBJECTS, subjectOf('some-other', 'stranger'), subjectOf('gone', 'app')];
  return [ISSUER, OTHER_ISSUER].flatMap((issuer) =>
    subjects.flatMap((subject) =>
      [...AUDIENCES, 'sigstore'].map((audience) => ({ provider: providerArnFor(ROLE, issuer), issuer, subject, audience, now: NOW })),
    ),
  );
}
/** Everybody who might come: wanted or not, of this cluster or another, with this audience or another. */
export const EVERYBODY: readonly WebIdentity[] = everybody();

/** Nobody but the wanted gains anything, and nobody but the released loses anything. */
export function wrongfulChange(before: PolicyDocument, plan: TrustPlan, desired: DesiredStatement): string | undefined {
  if (plan.document === undefined) return undefined;
  const after = parseDocument(plan.document);
  if (isProblem(after)) return `the plan cannot be read: ${after.problem}`;
  for (const one of EVERYBODY) {
    const isIn = (list: DesiredStatement['released']) =>
      one.issuer === desired.issuer && list.some(({ subject, audience }) => one.subject === subject && one.audience === audience);
    const [was, is] = [rank(evaluate(before, one)), rank(evaluate(after, one))];
    if (is > was && !isIn(desired.wanted)) return `gained: ${JSON.stringify(one)}`;
    if (is < was && !isIn(desired.released)) return `lost: ${JSON.stringify(one)}`;
  }
  return undefined;
}

function rank({ kind }: TrustVerdict): number {
  return ['denied', 'unknown', 'allowed'].indexOf(kind);
}

/** What may stand in the way of somebody who is wanted. */
const OBSTACLES: ReadonlySet<string> = new Set(['TrustExplicitDeny', 'TrustPolicyTooLarge', 'TrustSidTaken', 'TrustRestrictedByOwner']);

/** Who is wanted is allowed afterwards, or a reason is given. */
export function unexplained(plan: TrustPlan): string | undefined {
  for (const verdict of plan.verdicts) {
    if (verdict.state === 'allowed' || verdict.findings.some(({ code }) => OBSTACLES.has(code))) continue;
    if (verdict.state === 'unknown' && verdict.findings.some(({ message }) => message.includes('may deny this token'))) continue;
    return `${verdict.state} without a reason: ${JSON.stringify(verdict)}`;
  }
  return undefined;
}

/**
 * Nobody is let in past a limit of an owner. Written without a look at `src/trust/diagnose/restriction.ts`, which it checks: a foreign Allow
 * that would not refuse the token if its conditions on keys of AWS were not there, and whose conditions on those keys are not met for sure.
 */
export function bypassed(before: PolicyDocument, plan: TrustPlan, desired: DesiredStatement): string | undefined {
  if (plan.document === undefined) return undefined;
  const after = parseDocument(plan.document);
  if (isProblem(after)) return `the plan cannot be read: ${after.problem}`;
  const { provider, issuer, now } = desired;
  for (const { subject, audience } of desired.wanted) {
    const one: WebIdentity = { provider, issuer, subject, audience, ...(now === undefined ? {} : { now }) };
    if (rank(evaluate(after, one)) <= rank(evaluate(before, one))) continue;
    const limited = foreign(before, desired).find((text) => limits(JSON.parse(text), before.version, one));
    if (limited !== undefined) return `${subject} was let in past the limit of ${limited}`;
  }
  return undefined;
}

function limits(statement: Readonly<Record<string, unknown>>, version: string | undefined, one: WebIdentity): boolean {
  const { Effect, Condition, Principal } = statement;
  if (Effect !== 'Allow' || typeof Condition !== 'object' || Condition === null || Array.isArray(Condition)) return false;
  const isOfAws = (key: string) => /^(?:aws|sts):/i.test(key);
  const having = (wanted: (key: string) => boolean) =>
    Object.fromEntries(
      Object.entries(Condition).map(([name, keys]) => [name, Object.fromEntries(Object.entries(keys).filter(([key]) => wanted(key)))]),
    );
  const says = (Statement: object) => {
    const document = parseDocument(JSON.stringify({ Version: version, Statement }));
    return isProblem(document) ? document.problem : evaluate(document, one).kind;
  };
  const limit = { Effect, Principal: { Federated: one.provider }, Action: ACTION, Condition: having(isOfAws) };
  const names = JSON.stringify(Principal ?? '').includes(JSON.stringify(one.provider));
  const isAboutIssuer = Object.values(Condition).some((keys) =>
    Object.keys(keys).some((key) => key.startsWith(`${issuerHostPath(one.issuer)}:`)),
  );
  const rest = { ...statement, Condition: having((key) => !isOfAws(key)) };
  return (names || isAboutIssuer) && says(limit) !== 'allowed' && says(rest) !== 'denied';
}

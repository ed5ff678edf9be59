import { isProblem } from '../api/problem.ts';
import { subjectKey, type TokenSubject } from '../api/subject.ts';
import { type PolicyDocument, parseDocument } from './document/document.ts';
import { allOwn, OPERATOR_SID, type Ours, previously } from './document/own-statement.ts';

/** As it stands in a statement: any text may. */
export type StatedSubject = TokenSubject<string>;

/** Whether our statements name the same subjects in both: what was written stands, whatever else changed. */
export function sameOwnSubjects(a: PolicyDocument, b: PolicyDocument, ours: Ours): boolean {
  return ownKeys(a, ours).symmetricDifference(ownKeys(b, ours)).size === 0;
}

/**
 * Whether a subject that is wanted was taken out of our statements since the `confirmed` document. Where another operator's statement came at
 * the same time it is a lost update between two clusters and nobody's intent.
 */
export function reverts(
  document: PolicyDocument,
  confirmed: string,
  desired: Ours & { readonly wanted: readonly StatedSubject[] },
): boolean {
  const before = parseDocument(confirmed);
  if (isProblem(before)) return false;
  const then = ownKeys(before, desired);
  const now = ownKeys(document, desired);
  const sids = new Set(before.statements.map(({ sid }) => sid));
  if (document.statements.some(({ sid }) => sid !== undefined && OPERATOR_SID.test(sid) && !sids.has(sid))) return false;
  return desired.wanted.some((one) => then.has(subjectKey(one)) && !now.has(subjectKey(one)));
}

/** Whether a statement of ours names the subject for this audience. */
export function namesSubject(document: PolicyDocument, one: StatedSubject, ours: Ours): boolean {
  return ownKeys(document, ours).has(subjectKey(one));
}

/** All that our statements name, for whatever audience, also under the cluster's previous ID. */
export function ownSubjects(document: PolicyDocument, ours: Ours): StatedSubject[] {
  const before = previously(ours);
  const own = [...allOwn(document, ours), ...(before === undefined ? [] : allOwn(document, before))];
  return own.flatMap(({ audience, subjects }) => subjects.map((subject) => ({ subject, audience })));
}

/** The text of each of our statements that names a subject. */
export function ownStatementTexts(document: PolicyDocument, ours: Ours): string[] {
  const named = allOwn(document, ours).filter(({ subjects }) => subjects.length > 0);
  return named.map(({ statement: { node } }) => document.text.slice(node.start, node.end));
}

function ownKeys(document: PolicyDocument, ours: Ours): Set<string> {
  return new Set(ownSubjects(document, ours).map(subjectKey));
}

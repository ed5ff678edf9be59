import { subjectKey } from '../api/subject.ts';
import type { PolicyDocument } from './document/document.ts';
import { allOwn, OPERATOR_SID, type Ours } from './document/own-statement.ts';
import { ownSubjects, type StatedSubject } from './own-subjects.ts';

/**
 * Released subjects that were not in what we sent and stand all the same: somebody allowed them again. Where a statement of another operator is
 * not as we sent it, its cluster wrote what it had read before us: that is a lost update, and nobody's intent.
 */
export function undoneIn(
  document: PolicyDocument,
  sent: PolicyDocument,
  desired: Ours & { readonly released: readonly StatedSubject[] },
): StatedSubject[] {
  if (ofOthers(document, desired).symmetricDifference(ofOthers(sent, desired)).size > 0) return [];
  const keys = (of: PolicyDocument) => new Set(ownSubjects(of, desired).map(subjectKey));
  const back = keys(document).difference(keys(sent));
  return desired.released.filter((one) => back.has(subjectKey(one)));
}

/** The statements of other operators, each as one text whatever the order in which IAM keeps what is in it. */
function ofOthers(document: PolicyDocument, ours: Ours): Set<string> {
  const own = new Set(allOwn(document, ours).map(({ statement }) => statement));
  const others = document.statements.filter((one) => one.sid !== undefined && OPERATOR_SID.test(one.sid) && !own.has(one));
  return new Set(others.map(({ node }) => textInOrder(JSON.parse(document.text.slice(node.start, node.end)))));
}

function textInOrder(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textInOrder).toSorted().join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, of]) => `${JSON.stringify(key)}:${textInOrder(of)}`);
  return `{${members.toSorted().join()}}`;
}

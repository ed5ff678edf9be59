import { type PolicyDocument, statementTexts, withStatements } from './document/document.ts';
import { allOwn, type Ours, writeOwn } from './document/own-statement.ts';

/** Subjects of our statements by audience. */
export type Subjects = ReadonlyMap<string, readonly string[]>;

/**
 * The document's text in which our statements for these audiences have these subjects; its own when there are none. A statement of ours
 * that is left without subjects goes, unless it would be the last one: IAM refuses a document without statements.
 */
export function withSubjects(document: PolicyDocument, ours: Ours, changed: Subjects): string {
  if (changed.size === 0) return document.text;
  const own = allOwn(document, ours);
  const kept = statementTexts(document).flatMap((text, at) => {
    const standing = own.find(({ statement }) => statement === document.statements[at]);
    if (standing === undefined) return [text];
    const subjects = changed.get(standing.audience);
    if ((subjects ?? standing.subjects).length === 0) return [];
    return [subjects === undefined ? text : writeOwn(ours, standing.audience, subjects)];
  });
  const added = [...changed].filter(([audience, subjects]) => subjects.length > 0 && own.every((one) => one.audience !== audience));
  const texts = [...kept, ...added.map(([audience, subjects]) => writeOwn(ours, audience, subjects))];
  const [first] = changed.keys();
  return withStatements(document, texts.length > 0 || first === undefined ? texts : [writeOwn(ours, first, [])]);
}

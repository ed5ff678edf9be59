import { type Subject, subjectOf } from '../../api/subject.ts';
import { member, statementName } from '../document/document.ts';
import { list, quote, quoteAll } from '../document/quote.ts';
import { scalarText } from '../evaluate/comparisons.ts';
import { type Judged, judgeStatement, type WebIdentity } from '../evaluate/evaluate.ts';
import { kindOfKey } from '../evaluate/request.ts';
import { like } from '../evaluate/text.ts';
import type { PartialFinding } from './partial-finding.ts';

/** What is too broad about the foreign statements that let the token in: they work, and they let others in too. */
export function allowedFindings(judged: readonly Judged[], version: string | undefined, request: WebIdentity): PartialFinding[] {
  const allowing = judged.filter(({ effect, truth, ours }) => effect === 'Allow' && truth === true && !ours);
  return allowing.flatMap((one) => [...tooBroad(one, version, request), ...setOperators(one, request)]);
}

/** Asks the statement about strangers, so that every way of being broad is found, also those nobody thought of. */
function tooBroad(judged: Judged, version: string | undefined, request: WebIdentity): PartialFinding[] {
  const name = statementName(judged.statement);
  const partials: PartialFinding[] = [];
  const stranger = strangers(request.subject).find(
    ({ subject }) => judgeStatement(judged.statement, version, { ...request, subject }).truth === true,
  );
  if (stranger !== undefined) {
    partials.push({
      code: 'TrustOverPermissive',
      text: `${name} also allows ${stranger.who}: ${cause(judged, request)}. Name each subject with StringEquals`,
    });
  }
  if (stranger === undefined && holdsWithoutSubject(judged, request)) {
    partials.push({
      code: 'TrustOverPermissive',
      text: `${name} also allows a token without a subject: ${cause(judged, request)}. Compare the subject with StringEquals`,
    });
  }
  if (member(judged.statement.node, 'NotAction') !== undefined) {
    partials.push({
      code: 'TrustOverPermissive',
      text: `${name} allows every action except those in "NotAction". List the allowed actions instead`,
    });
  }
  return partials;
}

/** IfExists and ForAllValues alone: they stop at strangers, and not at a token that lacks the claim. */
function holdsWithoutSubject({ conditions }: Judged, { issuer }: WebIdentity): boolean {
  const onSubject = conditions.filter(({ key }) => kindOfKey(key, issuer) === 'subject');
  return onSubject.every(({ operator }) => operator?.ifExists === true || operator?.set === 'ForAllValues');
}

/** Others who might come, the broadest group first. */
function strangers(subject: Subject): readonly { readonly subject: Subject; readonly who: string }[] {
  const [, , namespace = '', account = ''] = subject.split(':');
  // A name that ends with 0 is its own last variant, and no stranger.
  const variants = (text: string) => [`${text}-x`, `x-${text}`, `${text.slice(0, -1)}0`].filter((other) => other !== text);
  return [
    { subject: subjectOf('some-other-namespace', 'some-other-name'), who: 'every ServiceAccount of the cluster' },
    { subject: subjectOf('some-other-namespace', account), who: `ServiceAccounts named ${quote(account)} in every namespace` },
    ...variants(namespace).map((other) => ({ subject: subjectOf(other, account), who: 'ServiceAccounts of other namespaces' })),
    { subject: subjectOf(namespace, 'some-other-name'), who: `every ServiceAccount of the namespace ${quote(namespace)}` },
    ...variants(account).map((other) => ({
      subject: subjectOf(namespace, other),
      who: `other ServiceAccounts of the namespace ${quote(namespace)}`,
    })),
  ];
}

function cause({ conditions }: Judged, { issuer, subject }: WebIdentity): string {
  const onSubject = conditions.filter(({ key }) => kindOfKey(key, issuer) === 'subject');
  if (onSubject.length === 0) return `it has no condition on ":sub"`;
  const found = onSubject.map(({ operatorName, values }) => {
    const texts = values.map((value) => scalarText(value) ?? '').filter((text) => like(text, subject));
    return texts.length === 0 ? operatorName : `${operatorName} ${quoteAll(texts)}`;
  });
  return `its ${found.length === 1 ? 'condition on ":sub" is' : 'conditions on ":sub" are'} ${list(found)}`;
}

function setOperators({ conditions, statement }: Judged, { issuer }: WebIdentity): PartialFinding[] {
  const misused = conditions.filter(
    ({ key, operator }) => operator?.set !== undefined && ['subject', 'audience'].includes(kindOfKey(key, issuer)),
  );
  return misused.map(({ key, operatorName, operator }) => {
    const why = operator?.set === 'ForAllValues' ? 'also holds when the key is absent' : 'is for keys with several values';
    return {
      code: 'TrustSetOperatorMisuse',
      text: `${statementName(statement)} compares ${quote(key)} with ${operatorName}, which ${why}. A claim has one value. Compare it with StringEquals`,
    };
  });
}

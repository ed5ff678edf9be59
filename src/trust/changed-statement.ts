import { STS_AUDIENCE } from '../api/names.ts';
import { type Subject, subjectKey } from '../api/subject.ts';
import type { PolicyDocument, Statement } from './document/document.ts';
import type { JsonNode } from './document/json.ts';
import { findOwn, NOBODY, type Ours, sidFor } from './document/own-statement.ts';
import { type Judged, judgeStatement } from './evaluate/evaluate.ts';
import { kindOfKey } from './evaluate/request.ts';
import { all, any, type Truth, unknown } from './evaluate/truth.ts';
import type { StatedSubject } from './own-subjects.ts';

/**
 * Whether a subject gets in by a statement under our Sid that is not ours any more, because another writer changed it or put a second one
 * there. Only what the token itself carries counts against it: time, tags, networks and the audience that a pod asks for may change.
 */
export function admittedByChanged(document: PolicyDocument, { subject, audience }: StatedSubject, ours: Ours): Truth {
  return any(changedFor(document, audience, ours).map((statement) => admits(statement, document, subject, ours)));
}

/** Whom such statements name, and let in or may; `*` stands for one that may let in whom it does not name. */
export function changedSubjects(document: PolicyDocument, ours: Ours): StatedSubject[] {
  const audiences = new Set([
    STS_AUDIENCE,
    ...document.statements.flatMap(({ sid, node }) => (sid?.startsWith('Irsa') ? textsIn(node) : [])),
  ]);
  const found = [...audiences].flatMap((audience) =>
    changedFor(document, audience, ours).flatMap((statement) => {
      const named = namedIn(statement, document, ours);
      const admitted = named.filter((subject) => admits(statement, document, subject, ours) !== false);
      const anybody = admits(statement, document, STRANGER, ours) !== false;
      return (anybody ? ['*'] : admitted).map((subject) => ({ subject, audience }));
    }),
  );
  return [...new Map(found.map((one) => [subjectKey(one), one])).values()];
}

/** Whom no statement names: a name of Kubernetes begins with a letter or digit. */
const STRANGER = 'system:serviceaccount:-:stranger';

function changedFor(document: PolicyDocument, audience: string, ours: Ours): readonly Statement[] {
  if (findOwn(document, ours, audience) !== 'taken') return [];
  return document.statements.filter(({ sid }) => sid === sidFor(ours.issuer, audience, ours.clusterId));
}

function admits(statement: Statement, document: PolicyDocument, subject: string, ours: Ours): Truth {
  const { effect, action, principal, members, block, conditions } = judge(statement, document, subject, ours);
  if (effect === 'Deny') return false;
  const known = effect === 'Allow' ? true : unknown('its "Effect" is neither "Allow" nor "Deny"');
  const limits = conditions.filter(({ key }) => kindOfKey(key, ours.issuer) !== 'audience');
  return all([action, principal, known, members, block, ...limits.map(({ truth }) => truth)]);
}

function namedIn(statement: Statement, document: PolicyDocument, ours: Ours): string[] {
  const { conditions } = judge(statement, document, NOBODY, ours);
  const onSubject = conditions.filter(({ key }) => kindOfKey(key, ours.issuer) === 'subject');
  return onSubject.flatMap(({ values }) => values.flatMap(textsIn)).filter((subject) => subject !== NOBODY);
}

function judge(statement: Statement, { version }: PolicyDocument, subject: string, { issuer, provider }: Ours): Judged {
  // Any text may stand in a statement: it is judged as it stands.
  return judgeStatement(statement, version, { issuer, provider, subject: subject as Subject, audience: STS_AUDIENCE });
}

/** Every text in it, also that of keys' values: one of them may be the audience, from which the Sid was computed. */
function textsIn(node: JsonNode): string[] {
  if (node.kind === 'string') return [node.value];
  if (node.kind === 'object') return node.members.flatMap(({ value }) => textsIn(value));
  return node.kind === 'array' ? node.items.flatMap(textsIn) : [];
}

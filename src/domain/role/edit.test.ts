import { expect, test } from 'vitest';
import { providerArnFor } from '../../api/arn.ts';
import { PAUSED_ROLE_TAG, STS_AUDIENCE } from '../../api/names.ts';
import { type Subject, subjectOf } from '../../api/subject.ts';
import { ARN, binding, ISSUER, NOW, own, policy, question, ROLE_ID, SERVICE, SUBJECT, spec } from '../test-observed.ts';
import type { DesiredTrust } from './desired-trust.ts';
import { decideEdit, type Edit, type RoleBeforeWrite } from './edit.ts';

const OTHER = subjectOf('shop', 'other');
const EMPTY = policy(SERVICE);

function wanted(subject: Subject = SUBJECT, requiredTags: DesiredTrust['requiredTags'] = [{}]): DesiredTrust {
  return {
    kind: 'ensure',
    question: question({ subject }),
    binding: binding(),
    spec: spec(),
    mayStand: true,
    requiredTags,
    loss: undefined,
  };
}

interface EditPart {
  readonly desiredTrust?: readonly DesiredTrust[];
  readonly released?: readonly Subject[];
  readonly policy?: string;
  readonly confirmed?: string;
}

function edit({ desiredTrust = [wanted()], released = [], policy: text = EMPTY, confirmed }: EditPart = {}): Edit {
  return {
    desiredStatement: {
      role: ARN,
      issuer: ISSUER,
      provider: providerArnFor(ARN, ISSUER),
      wanted: desiredTrust.flatMap(({ kind, question: { subject, audience } }) => (kind === 'ensure' ? [{ subject, audience }] : [])),
      released: released.map((subject) => ({ subject, audience: STS_AUDIENCE })),
      quota: 2048,
      now: NOW,
    },
    desiredTrust,
    due: [],
    roleId: ROLE_ID,
    policy: text,
    confirmed,
  };
}

function fresh(part: Partial<RoleBeforeWrite> = {}, tags: Record<string, string> = {}): RoleBeforeWrite {
  return { arn: ARN, roleId: ROLE_ID, policy: EMPTY, tags: new Map(Object.entries(tags)), ...part };
}

/** What is sent, and whom it changes. */
function outcome(desiredStatement: Edit, role: RoleBeforeWrite) {
  const decision = decideEdit(desiredStatement, role);
  switch (decision.kind) {
    case 'write':
      return {
        kind: decision.kind,
        document: decision.document,
        changes: decision.changes.map(({ question: { subject } }) => subject),
        ...(decision.reverted ? { reverted: true } : {}),
      };
    case 'nothing':
    case 'changed':
      return { kind: decision.kind };
    case 'paused':
      return { kind: decision.kind, code: decision.finding.code };
  }
}

const neighbour = { ...SERVICE, Sid: 'Irsaabcdefgh2345' };
const PAUSED = { [PAUSED_ROLE_TAG]: 'true' };
const tagged = wanted(OTHER, [{ owner: 'shop' }]);

const cases: Record<string, { edit?: EditPart; role?: RoleBeforeWrite; expected: ReturnType<typeof outcome> }> = {
  'writes what is wanted where the role is as it was seen': {
    expected: { kind: 'write', document: policy(SERVICE, own()), changes: [SUBJECT] },
  },
  'writes nothing where the subject stands already': {
    edit: { policy: policy(SERVICE, own()) },
    role: fresh({ policy: policy(SERVICE, own()) }),
    expected: { kind: 'nothing' },
  },
  'stops at a role that IAM knows under another path': {
    role: fresh({ arn: 'arn:aws:iam::111122223333:role/app' }),
    expected: { kind: 'changed' },
  },
  'stops at a role whose name differs in case only': {
    role: fresh({ arn: 'arn:aws:iam::111122223333:role/team/App' }),
    expected: { kind: 'changed' },
  },
  // Contract: trust-recreated
  'stops where the role was made again': { role: fresh({ roleId: 'AROANEW' }), expected: { kind: 'changed' } },
  // Contract: trust-read-before-write
  'stops where somebody wrote since': { role: fresh({ policy: policy() }), expected: { kind: 'changed' } },
  'writes nothing to a paused role': { role: fresh({}, PAUSED), expected: { kind: 'paused', code: 'RolePaused' } },
  'is not held up by a pause that is not "true"': {
    role: fresh({}, { [PAUSED_ROLE_TAG]: 'false' }),
    expected: { kind: 'write', document: policy(SERVICE, own()), changes: [SUBJECT] },
  },
  'revokes on a paused role, and adds nothing': {
    edit: { released: [OTHER], policy: policy(SERVICE, own([OTHER, 'system:serviceaccount:shop:third'])) },
    role: fresh({ policy: policy(SERVICE, own([OTHER, 'system:serviceaccount:shop:third'])) }, PAUSED),
    expected: { kind: 'write', document: policy(SERVICE, own(['system:serviceaccount:shop:third'])), changes: [] },
  },
  // Contract: api-tags-fresh
  'withholds who lacks the consent of the role, and writes for the others': {
    edit: { desiredTrust: [wanted(), tagged] },
    expected: { kind: 'write', document: policy(SERVICE, own()), changes: [SUBJECT] },
  },
  'writes for both where the role carries the tag': {
    edit: { desiredTrust: [wanted(), tagged] },
    role: fresh({}, { owner: 'shop' }),
    expected: { kind: 'write', document: policy(SERVICE, own([SUBJECT, OTHER])), changes: [SUBJECT, OTHER] },
  },
  'withholds where the tag has another value': {
    edit: { desiredTrust: [tagged] },
    role: fresh({}, { owner: 'Shop' }),
    expected: { kind: 'nothing' },
  },
  'withholds where one of two tags is missing': {
    edit: { desiredTrust: [wanted(OTHER, [{ owner: 'shop', tier: 'one' }])] },
    role: fresh({}, { owner: 'shop' }),
    expected: { kind: 'nothing' },
  },
  'is content with one of two grants': {
    edit: { desiredTrust: [wanted(SUBJECT, [{ owner: 'nobody' }, { owner: 'shop' }])] },
    role: fresh({}, { owner: 'shop' }),
    expected: { kind: 'write', document: policy(SERVICE, own()), changes: [SUBJECT] },
  },
  'notices that somebody took out what had been believed': {
    edit: { confirmed: policy(SERVICE, own()) },
    expected: { kind: 'write', document: policy(SERVICE, own()), changes: [SUBJECT], reverted: true },
  },
  'does not take a subject that never stood for one that was taken out': {
    edit: { confirmed: policy(SERVICE, own([OTHER])) },
    expected: { kind: 'write', document: policy(SERVICE, own()), changes: [SUBJECT] },
  },
  // Contract: contention-lost-update
  "takes another operator's statement that came meanwhile for a lost update, and for nobody's will": {
    edit: { confirmed: policy(SERVICE, own()), policy: policy(SERVICE, neighbour) },
    role: fresh({ policy: policy(SERVICE, neighbour) }),
    expected: { kind: 'write', document: policy(SERVICE, neighbour, own()), changes: [SUBJECT] },
  },
  'does not tell of a pause to whom the role did not consent': {
    edit: { desiredTrust: [tagged] },
    role: fresh({}, PAUSED),
    expected: { kind: 'nothing' },
  },
};
for (const [sentence, { edit: part, role = fresh(), expected }] of Object.entries(cases))
  test(`an edit ${sentence}`, () => expect(outcome(edit(part), role)).toEqual(expected));

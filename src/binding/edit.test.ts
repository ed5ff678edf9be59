import { expect, test } from 'vitest';
import { providerArnFor } from '../api/arn.ts';
import { PAUSED_ROLE_TAG, STS_AUDIENCE } from '../api/names.ts';
import { type Subject, subjectOf } from '../api/subject.ts';
import { decideEdit, type Edit, type RoleBeforeWrite } from './edit.ts';
import type { Stance } from './stance.ts';
import { ARN, ISSUER, NOW, own, policy, question, ROLE_ID, SERVICE, SUBJECT } from './test-observed.ts';

const OTHER = subjectOf('shop', 'other');
const EMPTY = policy(SERVICE);

function wanted(subject: Subject = SUBJECT, consents: Stance['consents'] = [{}]): Stance {
  return { kind: 'wanted', question: question({ subject }), createdAt: NOW, stands: true, consents };
}

interface EditPart {
  readonly stances?: readonly Stance[];
  readonly released?: readonly Subject[];
  readonly policy?: string;
}

function edit({ stances = [wanted()], released = [], policy: text = EMPTY }: EditPart = {}): Edit {
  return {
    wish: {
      role: ARN,
      issuer: ISSUER,
      provider: providerArnFor(ARN, ISSUER),
      wanted: stances.map(({ question: { subject, audience } }) => ({ subject, audience })),
      released: released.map((subject) => ({ subject, audience: STS_AUDIENCE })),
      quota: 2048,
      now: NOW,
    },
    stances,
    roleId: ROLE_ID,
    policy: text,
  };
}

function fresh(part: Partial<RoleBeforeWrite> = {}, tags: Record<string, string> = {}): RoleBeforeWrite {
  return { arn: ARN, roleId: ROLE_ID, policy: EMPTY, tags: new Map(Object.entries(tags)), ...part };
}

/** What is sent and for whom it is not. */
function outcome(wish: Edit, role: RoleBeforeWrite) {
  const decision = decideEdit(wish, role);
  switch (decision.kind) {
    case 'write':
      return { kind: decision.kind, document: decision.document, withheld: decision.withheld.map(({ question: { subject } }) => subject) };
    case 'nothing':
      return { kind: decision.kind, withheld: decision.withheld.map(({ question: { subject } }) => subject) };
    case 'changed':
      return { kind: decision.kind };
    case 'refused':
      return { kind: decision.kind, code: decision.finding.code };
  }
}

const PAUSED = { [PAUSED_ROLE_TAG]: 'true' };
const tagged = wanted(OTHER, [{ owner: 'shop' }]);

const cases: Record<string, { edit?: EditPart; role?: RoleBeforeWrite; expected: ReturnType<typeof outcome> }> = {
  'writes what is wanted where the role is as it was seen': {
    expected: { kind: 'write', document: policy(SERVICE, own()), withheld: [] },
  },
  'writes nothing where the subject stands already': {
    edit: { policy: policy(SERVICE, own()) },
    role: fresh({ policy: policy(SERVICE, own()) }),
    expected: { kind: 'nothing', withheld: [] },
  },
  'refuses a role that IAM knows under another path': {
    role: fresh({ arn: 'arn:aws:iam::111122223333:role/app' }),
    expected: { kind: 'refused', code: 'RoleArnMismatch' },
  },
  'refuses a role whose name differs in case only': {
    role: fresh({ arn: 'arn:aws:iam::111122223333:role/team/App' }),
    expected: { kind: 'refused', code: 'RoleArnMismatch' },
  },
  'stops where the role was made again': { role: fresh({ roleId: 'AROANEW' }), expected: { kind: 'changed' } },
  'stops where somebody wrote since': { role: fresh({ policy: policy() }), expected: { kind: 'changed' } },
  'writes nothing to a paused role': { role: fresh({}, PAUSED), expected: { kind: 'refused', code: 'RolePaused' } },
  'is not held up by a pause that is not "true"': {
    role: fresh({}, { [PAUSED_ROLE_TAG]: 'false' }),
    expected: { kind: 'write', document: policy(SERVICE, own()), withheld: [] },
  },
  'revokes on a paused role, and adds nothing': {
    edit: { released: [OTHER], policy: policy(SERVICE, own([OTHER, 'system:serviceaccount:shop:third'])) },
    role: fresh({ policy: policy(SERVICE, own([OTHER, 'system:serviceaccount:shop:third'])) }, PAUSED),
    expected: { kind: 'write', document: policy(SERVICE, own(['system:serviceaccount:shop:third'])), withheld: [] },
  },
  'withholds who lacks the consent of the role, and writes for the others': {
    edit: { stances: [wanted(), tagged] },
    expected: { kind: 'write', document: policy(SERVICE, own()), withheld: [OTHER] },
  },
  'writes for both where the role carries the tag': {
    edit: { stances: [wanted(), tagged] },
    role: fresh({}, { owner: 'shop' }),
    expected: { kind: 'write', document: policy(SERVICE, own([SUBJECT, OTHER])), withheld: [] },
  },
  'withholds where the tag has another value': {
    edit: { stances: [tagged] },
    role: fresh({}, { owner: 'Shop' }),
    expected: { kind: 'nothing', withheld: [OTHER] },
  },
  'withholds where one of two tags is missing': {
    edit: { stances: [wanted(OTHER, [{ owner: 'shop', tier: 'one' }])] },
    role: fresh({}, { owner: 'shop' }),
    expected: { kind: 'nothing', withheld: [OTHER] },
  },
  'is content with one of two grants': {
    edit: { stances: [wanted(SUBJECT, [{ owner: 'nobody' }, { owner: 'shop' }])] },
    role: fresh({}, { owner: 'shop' }),
    expected: { kind: 'write', document: policy(SERVICE, own()), withheld: [] },
  },
  'does not tell of a pause to whom the role did not consent': {
    edit: { stances: [tagged] },
    role: fresh({}, PAUSED),
    expected: { kind: 'nothing', withheld: [OTHER] },
  },
};
for (const [sentence, { edit: part, role = fresh(), expected }] of Object.entries(cases))
  test(`an edit ${sentence}`, () => expect(outcome(edit(part), role)).toEqual(expected));

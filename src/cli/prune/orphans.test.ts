import { expect, test } from 'vitest';
import type { IrsaBinding } from '../../api/binding.ts';
import { problem } from '../../api/problem.ts';
import { serviceAccountIn } from '../../api/subject.ts';
import { ARN, arn, binding, entry, OTHER_ARN, SUBJECT } from '../../domain/test-observed.ts';
import { unnamedBy } from './orphans.ts';

const AUDIENCE = 'sts.amazonaws.com';
const unread: IrsaBinding = { ...binding({ status: { roles: [] } }), spec: problem('spec.roleArn: it is none') };
const unknown = problem(
  'IrsaBinding "shop/app" cannot be read: spec.roleArn: it is none. Whether it names the subject is not known. The subject is kept. Correct the binding or delete it',
);

const cases: Record<
  string,
  { bindings: IrsaBinding[]; role?: typeof ARN; subject?: string; audience?: string; isOrphan: boolean | ReturnType<typeof problem> }
> = {
  'a subject is named by the spec of a binding': { bindings: [binding({ status: { roles: [] } })], isOrphan: false },
  'by the role on which it still stands': {
    bindings: [binding({ spec: { roleArn: OTHER_ARN }, status: { roles: [entry(ARN)] } })],
    isOrphan: false,
  },
  'by a former audience': {
    bindings: [binding({ status: { roles: [entry(ARN, 'AROAAPP', 'sigstore')] } })],
    audience: 'sigstore',
    isOrphan: false,
  },
  'by a binding that is being deleted': { bindings: [binding({ metadata: { deleting: true } })], isOrphan: false },
  'by one that is suspended': { bindings: [binding({ spec: { suspend: true } })], isOrphan: false },
  'by one that observes': { bindings: [binding({ spec: { mode: 'Observe' } })], isOrphan: false },
  'by one whose trust somebody else writes': { bindings: [binding({ spec: { trustPolicy: 'External' } })], isOrphan: false },
  'by one that errs in the path and case of the role': {
    bindings: [binding({ spec: { roleArn: 'arn:aws:iam::111122223333:role/APP' }, status: { roles: [] } })],
    isOrphan: false,
  },
  'it is not known of the whole namespace of a binding that cannot be read': {
    bindings: [unread],
    subject: 'system:serviceaccount:shop:any',
    isOrphan: unknown,
  },
  'but of what another binding there names it is': { bindings: [unread, binding()], isOrphan: false },
  'and no other namespace': { bindings: [unread], subject: 'system:serviceaccount:shop2:any', isOrphan: true },
  'a subject is an orphan without bindings': { bindings: [], isOrphan: true },
  'with a binding for another ServiceAccount': { bindings: [binding()], subject: 'system:serviceaccount:shop:other', isOrphan: true },
  'of that name in another namespace': { bindings: [binding()], subject: 'system:serviceaccount:other:app', isOrphan: true },
  'for another role': { bindings: [binding()], role: OTHER_ARN, isOrphan: true },
  'in another account': { bindings: [binding()], role: arn('arn:aws:iam::999900001111:role/team/app'), isOrphan: true },
  'for another audience': { bindings: [binding()], audience: 'sigstore', isOrphan: true },
  'where it is the subject of no ServiceAccount': { bindings: [binding(), unread], subject: 'repo:shop/app', isOrphan: true },
};
for (const [sentence, { bindings, role = ARN, subject = SUBJECT, audience = AUDIENCE, isOrphan }] of Object.entries(cases))
  test(sentence, () => expect(unnamedBy(bindings)(role, { subject, audience })).toEqual(isOrphan));

test('the namespace of a subject is told only where it is that of a ServiceAccount', () => {
  expect(serviceAccountIn(SUBJECT)).toEqual({ namespace: 'shop', name: 'app' });
  expect(
    ['repo:a/b', 'system:serviceaccount:shop', 'system:serviceaccount:shop:app:x', 'system:serviceaccount::app'].map(serviceAccountIn),
  ).toEqual([undefined, undefined, undefined, undefined]);
});

import { expect, test } from 'vitest';
import type { IrsaBinding } from '../../api/binding.ts';
import { problem } from '../../api/problem.ts';
import { serviceAccountIn } from '../../api/subject.ts';
import { ARN, arn, binding, entry, OTHER_ARN, SUBJECT } from '../../domain/test-observed.ts';
import { namedBy } from './orphans.ts';

const AUDIENCE = 'sts.amazonaws.com';
const unread: IrsaBinding = { ...binding({ status: { roles: [] } }), spec: problem('spec.roleArn: it is none') };

const cases: Record<string, { bindings: IrsaBinding[]; role?: typeof ARN; subject?: string; audience?: string; named: boolean }> = {
  'a subject is named by the spec of a binding': { bindings: [binding({ status: { roles: [] } })], named: true },
  'by the role on which it still stands': {
    bindings: [binding({ spec: { roleArn: OTHER_ARN }, status: { roles: [entry(ARN)] } })],
    named: true,
  },
  'by a former audience': {
    bindings: [binding({ status: { roles: [entry(ARN, 'AROAAPP', 'sigstore')] } })],
    audience: 'sigstore',
    named: true,
  },
  'by a binding that is being deleted': { bindings: [binding({ metadata: { deleting: true } })], named: true },
  'by one that is suspended': { bindings: [binding({ spec: { suspend: true } })], named: true },
  'by one that observes': { bindings: [binding({ spec: { mode: 'Observe' } })], named: true },
  'by one whose trust somebody else writes': { bindings: [binding({ spec: { trustPolicy: 'External' } })], named: true },
  'by one that errs in the path and case of the role': {
    bindings: [binding({ spec: { roleArn: 'arn:aws:iam::111122223333:role/APP' }, status: { roles: [] } })],
    named: true,
  },
  'a binding that cannot be read keeps its whole namespace': { bindings: [unread], subject: 'system:serviceaccount:shop:any', named: true },
  'and no other namespace': { bindings: [unread], subject: 'system:serviceaccount:shop2:any', named: false },
  'a subject is an orphan without bindings': { bindings: [], named: false },
  'with a binding for another ServiceAccount': { bindings: [binding()], subject: 'system:serviceaccount:shop:other', named: false },
  'of that name in another namespace': { bindings: [binding()], subject: 'system:serviceaccount:other:app', named: false },
  'for another role': { bindings: [binding()], role: OTHER_ARN, named: false },
  'in another account': { bindings: [binding()], role: arn('arn:aws:iam::999900001111:role/team/app'), named: false },
  'for another audience': { bindings: [binding()], audience: 'sigstore', named: false },
  'where it is the subject of no ServiceAccount': { bindings: [binding(), unread], subject: 'repo:shop/app', named: false },
};
for (const [sentence, { bindings, role = ARN, subject = SUBJECT, audience = AUDIENCE, named }] of Object.entries(cases))
  test(sentence, () => expect(namedBy(bindings)(role, { subject, audience })).toBe(named));

test('the namespace of a subject is told only where it is that of a ServiceAccount', () => {
  expect(serviceAccountIn(SUBJECT)).toEqual({ namespace: 'shop', name: 'app' });
  expect(
    ['repo:a/b', 'system:serviceaccount:shop', 'system:serviceaccount:shop:app:x', 'system:serviceaccount::app'].map(serviceAccountIn),
  ).toEqual([undefined, undefined, undefined, undefined]);
});

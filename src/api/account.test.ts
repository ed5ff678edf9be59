import { expect, test } from 'vitest';
import { parseAccountSpec, parseAccountStatus } from './account.ts';
import { isProblem } from './problem.ts';

const ROLE = 'arn:aws:iam::444455556666:role/irsa-operator-member';
const said = (spec: object, name = '444455556666') => {
  const parsed = parseAccountSpec(name, spec);
  return isProblem(parsed) ? parsed.problem : 'read';
};

const cases: Record<string, { spec: object; name?: string; wanted: string | RegExp }> = {
  'a role is all that it needs': { spec: { roleArn: ROLE }, wanted: 'read' },
  'with everything': {
    spec: { roleArn: ROLE, externalId: 'platform-7f3a', readsPerSecond: 0.5, writesPerSecond: 2, suspend: true },
    wanted: 'read',
  },
  'the role is of the account that is the name': {
    spec: { roleArn: ROLE },
    name: '777788889999',
    wanted: /Wanted: one of account 777788889999/,
  },
  'a name that is no account has no role': { spec: { roleArn: ROLE }, name: 'payments', wanted: /Wanted: one of account payments/ },
  'what is no ARN of a role is told': { spec: { roleArn: 'arn:aws:iam::444455556666:user/x' }, wanted: /kind "user"/ },
  'an external ID has two characters at least': { spec: { roleArn: ROLE, externalId: 'x' }, wanted: /externalId/ },
  'an external ID has 1224 characters at most': { spec: { roleArn: ROLE, externalId: 'x'.repeat(1_225) }, wanted: /1225 characters/ },
  'a rate of nothing is none': { spec: { roleArn: ROLE, writesPerSecond: 0 }, wanted: /writesPerSecond/ },
};
for (const [sentence, { spec, name, wanted }] of Object.entries(cases)) test(sentence, () => expect(said(spec, name)).toMatch(wanted));

test('a status that somebody spoiled is as if it were not there', () => {
  expect(parseAccountStatus({ conditions: 'none', trustPolicyQuota: 'many' })).toEqual({ conditions: [] });
  expect(parseAccountStatus(undefined)).toEqual({ conditions: [] });
});

import { expect, test } from 'vitest';
import { type AccountId, type RoleArn, roleArnParts } from '../../api/arn.ts';
import { finding } from '../../api/finding.ts';
import { ACCOUNT, ARN, caller } from '../test-observed.ts';
import type { AccountView } from './account.ts';
import type { CallerView } from './identity.ts';
import { reachOf } from './reach.ts';

const OTHER = '444455556666' as AccountId;
const THERE = ARN.replace(ACCOUNT, OTHER) as RoleArn;
const IN_CHINA = ARN.replace('arn:aws:', 'arn:aws-cn:') as RoleArn;
const denied = finding('RoleAccessDenied', 'AWS does not let irsa-operator in');

const reached = (account: AccountId, policyQuota: number | undefined): AccountView => ({
  account,
  access: { kind: 'reached', callerArn: `arn:aws:sts::${account}:assumed-role/irsa-operator/x`, policyQuota },
});
const own = reached(ACCOUNT, 2048);

const cases: Record<string, { role?: RoleArn; by?: CallerView; accounts?: readonly AccountView[]; wanted: object }> = {
  'a role of the own account is reached, with the quota of that account': { wanted: { kind: 'reached', quota: 2048 } },
  'a role of an account that answers is reached, with its own quota': {
    role: THERE,
    accounts: [own, reached(OTHER, 4096)],
    wanted: { kind: 'reached', quota: 4096 },
  },
  'nothing is reached while it is not known who we are': {
    role: THERE,
    by: { kind: 'unknown', why: 'no answer' },
    accounts: [own, reached(OTHER, 4096)],
    wanted: { kind: 'unknown', reason: 'CallerUnknown', message: expect.stringContaining('no answer') },
  },
  'a role of an account that nobody named is in another account': {
    role: THERE,
    wanted: { kind: 'refused', finding: { code: 'RoleInOtherAccount', message: expect.stringContaining(`in account ${OTHER}`) } },
  },
  'the same digits in another partition are another account': {
    role: IN_CHINA,
    wanted: { kind: 'refused', finding: { code: 'RoleInOtherAccount', message: expect.stringContaining('in partition aws-cn') } },
  },
  'an account that has not answered yet is waited for': {
    role: THERE,
    accounts: [own, { account: OTHER, access: { kind: 'unknown', why: 'timed out' } }],
    wanted: { kind: 'unknown', reason: 'AccountUnknown', message: expect.stringContaining('timed out') },
  },
  'an account that refuses says why, and the others are none the worse': {
    role: THERE,
    accounts: [own, { account: OTHER, access: { kind: 'refused', finding: denied } }],
    wanted: { kind: 'refused', finding: denied },
  },
  'an account that did not say its quota is waited for': {
    accounts: [reached(ACCOUNT, undefined)],
    wanted: { kind: 'unknown', reason: 'QuotaUnknown' },
  },
  'the own account is waited for until it said its quota': { accounts: [], wanted: { kind: 'unknown', reason: 'QuotaUnknown' } },
};
for (const [sentence, { role = ARN, by = caller, accounts = [own], wanted }] of Object.entries(cases)) {
  test(sentence, () => {
    const account = (id: AccountId) => accounts.find((one) => one.account === id);
    expect(reachOf(role, { caller: by, account })).toMatchObject(wanted);
  });
}

test('in view of all accounts a role is judged by its own alone', () => {
  const account = (id: AccountId) => (id === ACCOUNT ? own : reached(id, 100));
  expect([ARN, THERE].map((role) => [roleArnParts(role).account, reachOf(role, { caller, account })])).toEqual([
    [ACCOUNT, { kind: 'reached', quota: 2048 }],
    [OTHER, { kind: 'reached', quota: 100 }],
  ]);
});

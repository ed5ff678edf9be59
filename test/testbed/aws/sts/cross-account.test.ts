import { describe, expect, test } from 'vitest';
import { createAws } from '../in-process.ts';
import { never, refusalOf, trusting } from '../testing.ts';

/** sts:AssumeRole from a role of one account into a role of another: both sides must allow. */
const HUB = '111122223333';
const MEMBER = '444455556666';
const OPERATOR = `arn:aws:iam::${HUB}:role/platform/operator`;
const SESSION = `arn:aws:sts::${HUB}:assumed-role/operator/session`;
const TARGET = `arn:aws:iam::${MEMBER}:role/irsa/member`;
const DENIED = `403 AccessDenied: User: ${SESSION} is not authorized to perform: sts:AssumeRole on resource: ${TARGET}`;
const NOT_ALLOWED = `${DENIED} because no identity-based policy allows the sts:AssumeRole action`;

/** The variable, joined, since a linter would take it for a forgotten template. */
const OWN_ORGANISATION = ['$', '{aws:PrincipalOrgID}'].join('');
const where = (operator: string, key: string, value: string) => ({ Condition: { [operator]: { [key]: value } } });
const allowing = (Resource: string, members: object = {}) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource, ...members }],
});

/** A role of the hub and one of a member, in one organisation. */
function setUp() {
  const aws = createAws();
  const [hub, member] = [aws.account(HUB), aws.account(MEMBER)];
  const putOperator = () => hub.role.put({ name: 'operator', path: '/platform/', trustPolicy: '{}', tags: { team: 'platform' } });
  putOperator();
  member.role.put({ name: 'member', path: '/irsa/', trustPolicy: trusting(HUB), tags: { purpose: 'irsa' } });
  hub.setOrganization('o-mine');
  member.setOrganization('o-mine');
  const assume = (params: Readonly<Record<string, string>> = {}, RoleArn = TARGET) =>
    refusalOf(aws.as({ roleName: 'operator' })('sts', 'AssumeRole', { RoleArn, RoleSessionName: 'session', ...params }, never));
  return { aws, hub, member, putOperator, assume };
}

describe('the trust policy names', () => {
  const principals: Record<string, [principal: string, lets: boolean]> = {
    'the account of the caller': [HUB, true],
    'the root of that account': [`arn:aws:iam::${HUB}:root`, true],
    'the role of the caller': [OPERATOR, true],
    'the session of the caller': [SESSION, true],
    everybody: ['*', true],
    'another account': ['777788889999', false],
    'the root of its own account': [`arn:aws:iam::${MEMBER}:root`, false],
    'the role without its path': [OPERATOR.replace('/platform', ''), false],
    'another session of the role': [`${SESSION}2`, false],
  };
  test.each(Object.entries(principals))('%s', async (_, [principal, lets]) => {
    const { member, assume } = setUp();
    member.role.setTrustPolicy('member', trusting(principal));
    expect(await assume()).toBe(lets ? 'accepted' : DENIED);
  });

  test('a role that is made again under its name: by its account and aws:PrincipalArn it is trusted as before, by its ARN no longer', async () => {
    const { member, putOperator, assume } = setUp();
    for (const [trustPolicy, after] of [
      [trusting(HUB, where('ArnEquals', 'aws:PrincipalArn', OPERATOR)), 'accepted'],
      [trusting(OPERATOR), DENIED],
    ] as const) {
      member.role.setTrustPolicy('member', trustPolicy);
      expect(await assume()).toBe('accepted');
      putOperator();
      expect(await assume()).toBe(after);
    }
  });
});

describe('the trust policy has a condition on', () => {
  const conditions: Record<string, [operator: string, key: string, value: string, lets: boolean]> = {
    'the ARN of the role': ['ArnEquals', 'aws:PrincipalArn', OPERATOR, true],
    'the ARN of the role without its path': ['ArnEquals', 'aws:PrincipalArn', OPERATOR.replace('/platform', ''), false],
    'the ARN of the session, which is not what the key has': ['ArnEquals', 'aws:PrincipalArn', SESSION, false],
    'the account': ['StringEquals', 'aws:PrincipalAccount', HUB, true],
    'another account': ['StringEquals', 'aws:PrincipalAccount', MEMBER, false],
    'the organisation': ['StringEquals', 'aws:PrincipalOrgID', 'o-mine', true],
    'another organisation': ['StringEquals', 'aws:PrincipalOrgID', 'o-other', false],
    'a tag of the role': ['StringEquals', 'aws:PrincipalTag/team', 'platform', true],
    'another value of that tag': ['StringEquals', 'aws:PrincipalTag/team', 'payments', false],
    'the name of the session': ['StringEquals', 'sts:RoleSessionName', 'session', true],
    'another name': ['StringEquals', 'sts:RoleSessionName', 'other', false],
    'aws:SourceAccount, which only a service brings': ['StringEquals', 'aws:SourceAccount', HUB, false],
    'that there is no aws:SourceAccount': ['Null', 'aws:SourceAccount', 'true', true],
  };
  test.each(Object.entries(conditions))('%s', async (_, [operator, key, value, lets]) => {
    const { member, assume } = setUp();
    member.role.setTrustPolicy('member', trusting(HUB, where(operator, key, value)));
    expect(await assume()).toBe(lets ? 'accepted' : DENIED);
  });

  test('an external ID', async () => {
    const { member, assume } = setUp();
    member.role.setTrustPolicy('member', trusting(HUB, where('StringEquals', 'sts:ExternalId', 'secret')));
    expect([await assume(), await assume({ ExternalId: 'Secret' })]).toEqual([DENIED, DENIED]);
    expect(await assume({ ExternalId: 'secret' })).toBe('accepted');
  });

  test('an external ID, which no call may send in another form', async () => {
    const { assume } = setUp();
    expect(await assume({ ExternalId: 'a:b/c' })).toBe('accepted');
    expect(await assume({ ExternalId: 'a' })).toMatch(/^400 ValidationError: .* at 'externalId' .* length greater than or equal to 2$/);
    expect(await assume({ ExternalId: 'a b' })).toMatch(/^400 ValidationError: .* at 'externalId' .* regular expression pattern: /);
  });

  test('the organisation, where the caller is in none', async () => {
    const { hub, member, assume } = setUp();
    member.role.setTrustPolicy('member', trusting(HUB, where('StringEquals', 'aws:PrincipalOrgID', 'o-mine')));
    hub.setOrganization(undefined);
    expect(await assume()).toBe(DENIED);
  });
});

describe('the caller’s own policy', () => {
  test('must allow as well, whomever the role trusts', async () => {
    const { hub, assume } = setUp();
    hub.role.setIdentityPolicy('operator', allowing(TARGET));
    expect(await assume()).toBe('accepted');
    hub.role.setIdentityPolicy('operator', allowing(TARGET.replace('member', 'other')));
    expect(await assume()).toBe(NOT_ALLOWED);
  });

  const all = `arn:aws:iam::*:role/irsa/member`;
  const resources: Record<string, [operator: string, key: string, value: string, lets: boolean]> = {
    'the account of the role': ['StringEquals', 'aws:ResourceAccount', MEMBER, true],
    'another account': ['StringEquals', 'aws:ResourceAccount', HUB, false],
    'the organisation of the role': ['StringEquals', 'aws:ResourceOrgID', 'o-mine', true],
    'another organisation': ['StringEquals', 'aws:ResourceOrgID', 'o-other', false],
    'the organisation of the role, which is the caller’s': ['StringEquals', 'aws:ResourceOrgID', OWN_ORGANISATION, true],
    'a tag of the role': ['StringEquals', 'aws:ResourceTag/purpose', 'irsa', true],
    'another value of that tag': ['StringEquals', 'aws:ResourceTag/purpose', 'admin', false],
  };
  test.each(Object.entries(resources))('may have a condition on %s', async (_, [operator, key, value, lets]) => {
    const { hub, assume } = setUp();
    hub.role.setIdentityPolicy('operator', allowing(all, where(operator, key, value)));
    expect(await assume()).toBe(lets ? 'accepted' : NOT_ALLOWED);
  });

  const elsewhere: Record<string, [hubIn: string | undefined, memberIn: string | undefined]> = {
    'the role is in another organisation': ['o-mine', 'o-other'],
    'the role is in no organisation': ['o-mine', undefined],
    'the caller is in no organisation': [undefined, 'o-mine'],
    'neither is in one, which is not the same one': [undefined, undefined],
  };
  test.each(Object.entries(elsewhere))('that asks for its own organisation refuses where %s', async (_, [hubIn, memberIn]) => {
    const { hub, member, assume } = setUp();
    hub.setOrganization(hubIn);
    member.setOrganization(memberIn);
    hub.role.setIdentityPolicy('operator', allowing(all, where('StringEquals', 'aws:ResourceOrgID', OWN_ORGANISATION)));
    expect(await assume()).toBe(NOT_ALLOWED);
  });
});

describe('the same sentence is said of', () => {
  test('a role that does not exist, and one whose path or case is wrong', async () => {
    const { assume } = setUp();
    for (const arn of [TARGET.replace('member', 'none'), TARGET.replace('/irsa', ''), TARGET.replace('member', 'Member')])
      expect(await assume({}, arn)).toBe(DENIED.replace(TARGET, arn));
  });

  test('an account that does not exist', async () => {
    const arn = TARGET.replace(MEMBER, '777788889999');
    expect(await setUp().assume({}, arn)).toBe(DENIED.replace(TARGET, arn));
  });
});

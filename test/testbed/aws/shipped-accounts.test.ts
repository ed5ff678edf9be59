import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type AwsInProcess, createAws } from './in-process.ts';
import { evaluateTrust, type TrustRequest } from './policy/evaluate.ts';
import { evaluateIdentityPolicy } from './policy/identity-policy.ts';
import { unusedGrants } from './unused-grants.ts';

/** config/iam/accounts, evaluated as IAM and STS would: a hub, and its member in another account. */
const read = (name: string): string => readFileSync(new URL(`../../../config/iam/accounts/${name}`, import.meta.url), 'utf8');
const hub = read('hub.json');
const hubByAccount = read('hub-by-account.json');
const memberTrust = read('member-trust.json');
const member = read('member.json');
const boundary = read('member-boundary.json');

const HUB = '111122223333';
const MEMBER = '444455556666';
const MEMBER_ROLE = `arn:aws:iam::${MEMBER}:role/irsa-operator-member`;
const TRUST = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});

type Params = Record<string, string>;
/** Code of one call; `Denied` where a Deny was the reason. */
async function codeOf(aws: AwsInProcess, caller: Parameters<AwsInProcess['as']>[0], operation: string, params: Params): Promise<string> {
  const service = operation === 'AssumeRole' ? 'sts' : operation === 'DescribeCluster' ? 'eks' : 'iam';
  try {
    await aws.as(caller)(service, operation, params, new AbortController().signal);
    return 'OK';
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return message.includes('explicit deny') ? 'Denied' : code;
  }
}

describe('whom the hub may assume, in its organization', () => {
  const both = { 'aws:PrincipalOrgID': 'o-1', 'aws:ResourceOrgID': 'o-1' };
  const cases: Record<string, [resource: string, context: Params, allowed: boolean]> = {
    'a member': [MEMBER_ROLE, both, true],
    'a member of any account': [MEMBER_ROLE.replace(MEMBER, '999988887777'), both, true],
    'not one of another organization': [MEMBER_ROLE, { ...both, 'aws:ResourceOrgID': 'o-2' }, false],
    'not one of an account in no organization': [MEMBER_ROLE, { 'aws:PrincipalOrgID': 'o-1' }, false],
    'none, where the hub is in no organization': [MEMBER_ROLE, { 'aws:ResourceOrgID': 'o-1' }, false],
    'none, where no account is in one': [MEMBER_ROLE, {}, false],
    'not another role': [MEMBER_ROLE.replace('irsa-operator-member', 'OrganizationAccountAccessRole'), both, false],
    'not a role whose name begins like it': [`${MEMBER_ROLE}-2`, both, false],
    'not a role of this name under another path': [MEMBER_ROLE.replace('role/', 'role/team/'), both, false],
  };
  for (const [sentence, [resource, context, allowed]] of Object.entries(cases))
    test.each(['sts:AssumeRole', 'sts:TagSession'])(`${sentence}: %s`, (action) => {
      expect(evaluateIdentityPolicy(hub, { action, resource, context })).toEqual(
        allowed ? { decision: 'allowed', sids: ['AssumeMembers'] } : { decision: 'implicitDeny', sids: [] },
      );
    });

  test('nothing else', () => {
    const request = { resource: MEMBER_ROLE, context: both };
    for (const action of ['sts:SetSourceIdentity', 'iam:GetRole', 'iam:UpdateAssumeRolePolicy'])
      expect(evaluateIdentityPolicy(hub, { ...request, action }).decision).toBe('implicitDeny');
  });
});

test('without an organization the hub may assume the members of the accounts that are listed', () => {
  const decisionOn = (action: string, account: string) =>
    evaluateIdentityPolicy(hubByAccount, { action, resource: MEMBER_ROLE.replace(MEMBER, account), context: {} }).decision;
  for (const action of ['sts:AssumeRole', 'sts:TagSession'])
    expect([MEMBER, '777788889999', '999988887777'].map((account) => decisionOn(action, account))).toEqual([
      'allowed',
      'allowed',
      'implicitDeny',
    ]);
});

// Contract: accounts-trust
describe('whom a member trusts', () => {
  const ask = { RoleArn: MEMBER_ROLE, RoleSessionName: 'irsa-operator-ab12cd34ef56', ExternalId: 'EXAMPLE-EXTERNAL-ID' };
  const withMember = (trustPolicy = memberTrust): AwsInProcess => {
    const aws = createAws();
    aws.account(MEMBER).role.put({ name: 'irsa-operator-member', trustPolicy });
    return aws;
  };
  const asHub = { roleName: 'irsa-operator', identityPolicy: hubByAccount };

  test('the hub, with the external ID', async () => {
    const aws = withMember();
    expect(await codeOf(aws, asHub, 'AssumeRole', ask)).toBe('OK');
    expect(aws.journal.at(-1)?.allowedBy).toEqual(['AssumeMembers']);
  });

  const refused: Record<string, [caller: Parameters<AwsInProcess['as']>[0], params: Params]> = {
    'another external ID': [asHub, { ...ask, ExternalId: 'other' }],
    'another role of the hub': [{ roleName: 'other' }, ask],
    'a role of the hub whose name begins like it': [{ roleName: 'irsa-operator-2' }, ask],
    'a user of the hub': [{}, ask],
    'a role of the same name in another account': [{ ...asHub, accountId: '999988887777' }, ask],
    'a role of its own account': [{ ...asHub, accountId: MEMBER }, ask],
  };
  for (const [sentence, [caller, params]] of Object.entries(refused))
    test(`not ${sentence}`, async () => {
      expect(await codeOf(withMember(), caller, 'AssumeRole', params)).toBe('AccessDenied');
    });

  test('not the hub without the external ID', async () => {
    const { ExternalId, ...without } = ask;
    expect(await codeOf(withMember(), asHub, 'AssumeRole', without)).toBe('AccessDenied');
  });

  test('not a role of the same name under another path', async () => {
    const aws = withMember();
    aws.account(HUB).role.put({ name: 'irsa-operator', path: '/other/', trustPolicy: TRUST });
    expect(await codeOf(aws, asHub, 'AssumeRole', ask)).toBe('AccessDenied');
  });

  test('a hub role that was deleted and created again, which a principal with its ARN would not', async () => {
    const byName = memberTrust.replaceAll(':root"', ':role/irsa-operator"');
    const again = async (trustPolicy: string): Promise<string[]> => {
      const aws = createAws();
      aws.account(HUB).role.put({ name: 'irsa-operator', trustPolicy: TRUST });
      aws.account(MEMBER).role.put({ name: 'irsa-operator-member', trustPolicy });
      const before = await codeOf(aws, asHub, 'AssumeRole', ask);
      aws.account(HUB).role.delete('irsa-operator');
      return [before, await codeOf(aws, asHub, 'AssumeRole', ask)];
    };
    expect(await again(memberTrust)).toEqual(['OK', 'OK']);
    expect(await again(byName)).toEqual(['OK', 'AccessDenied']);
  });

  test('sts:TagSession: the hub alone, and without the external ID', () => {
    const decisionFor = (role: string, action = 'sts:TagSession', externalId: Params = {}) => {
      const account = role.split(':')[4];
      const request: TrustRequest = {
        action,
        principal: { kind: 'AWS', names: [role, `arn:aws:iam::${account}:root`] },
        context: { 'aws:PrincipalArn': role, ...externalId },
      };
      return evaluateTrust({ document: memberTrust, request });
    };
    const hubRole = `arn:aws:iam::${HUB}:role/irsa-operator`;
    expect(decisionFor(hubRole)).toBe('allowed');
    expect(decisionFor(hubRole, 'sts:TagSession', { 'sts:ExternalId': 'EXAMPLE-EXTERNAL-ID' })).toBe('allowed');
    expect(decisionFor(hubRole, 'sts:SetSourceIdentity')).toBe('implicitDeny');
    expect(decisionFor(`arn:aws:iam::${HUB}:role/other`)).toBe('implicitDeny');
    expect(decisionFor('arn:aws:iam::999988887777:role/irsa-operator')).toBe('implicitDeny');
  });
});

const ROLES_OF_THE_ORGANIZATION = [
  'OrganizationAccountAccessRole',
  'AWSControlTowerExecution',
  'AWSCloudFormationStackSetExecutionRole',
  'stacksets-exec-0123456789abcdef0123456789abcdef',
];

describe.each([
  ['what a member may do', member],
  ['what its boundary allows at most', boundary],
])('%s', (_, policy) => {
  const withRole = (name: string, path: string): AwsInProcess => {
    const aws = createAws();
    const { role, provider } = aws.account(MEMBER);
    role.put({ name, path, trustPolicy: TRUST });
    provider.put({ issuer: 'https://issuer.example' });
    return aws;
  };
  const as = { accountId: MEMBER, roleName: 'irsa-operator-member', identityPolicy: policy };
  const write = (name: string, path: string, RoleName = name) =>
    codeOf(withRole(name, path), as, 'UpdateAssumeRolePolicy', { RoleName, PolicyDocument: TRUST });

  // Contract: accounts-never
  test('never write the member role or a role of the organization, under any path', async () => {
    for (const path of ['/', '/platform/', '/platform/eu/']) {
      for (const name of ['irsa-operator-member', ...ROLES_OF_THE_ORGANIZATION])
        expect([path, name, await write(name, path)]).toEqual([path, name, 'Denied']);
      expect(await write('irsa-operator-member', path, 'IRSA-Operator-Member')).toBe('Denied');
    }
  });

  test.each(['/', '/platform/'])('write any other role, with the path %s', async (path) => {
    for (const name of ['lbc', 'irsa-operator-member-2', 'my-stacksets-exec-0123', 'OrganizationAccountAccessRole2'])
      expect([name, await write(name, path)]).toEqual([name, 'OK']);
  });

  test('read, and nothing of it is unused', async () => {
    const aws = withRole('lbc', '/');
    const reads: Record<string, Params> = {
      ListRoles: {},
      ListOpenIDConnectProviders: {},
      GetAccountSummary: {},
      GetRole: { RoleName: 'lbc' },
      GetOpenIDConnectProvider: { OpenIDConnectProviderArn: `arn:aws:iam::${MEMBER}:oidc-provider/issuer.example` },
      UpdateAssumeRolePolicy: { RoleName: 'lbc', PolicyDocument: TRUST },
    };
    for (const [operation, params] of Object.entries(reads))
      expect([operation, await codeOf(aws, as, operation, params)]).toEqual([operation, 'OK']);
    expect(unusedGrants(policy, aws.journal)).toEqual([]);
  });

  test('create, tag, delete and assume nothing', async () => {
    const calls: Record<string, Params> = {
      CreateRole: { RoleName: 'new', AssumeRolePolicyDocument: TRUST },
      TagRole: { RoleName: 'lbc', 'Tags.member.1.Key': 'team', 'Tags.member.1.Value': 'payments' },
      DeleteRole: { RoleName: 'lbc' },
      CreateOpenIDConnectProvider: { Url: 'https://attacker.example' },
      DeleteOpenIDConnectProvider: { OpenIDConnectProviderArn: `arn:aws:iam::${MEMBER}:oidc-provider/issuer.example` },
      AssumeRole: { RoleArn: `arn:aws:iam::${MEMBER}:role/lbc`, RoleSessionName: 'session' },
      DescribeCluster: { name: 'blue' },
    };
    for (const [operation, params] of Object.entries(calls))
      expect([operation, await codeOf(withRole('lbc', '/'), as, operation, params)]).toEqual([operation, 'AccessDenied']);
  });

  test.each([
    ['NeverItself', ['irsa-operator-member']],
    ['NeverRolesOfTheOrganization', ROLES_OF_THE_ORGANIZATION],
  ])('%s is what denies', (sid, names) => {
    const resources = names.flatMap((name) => [`arn:aws:iam::${MEMBER}:role/${name}`, `arn:aws:iam::${MEMBER}:role/team/eu/${name}`]);
    for (const resource of resources)
      expect([resource, evaluateIdentityPolicy(policy, { action: 'iam:UpdateAssumeRolePolicy', resource, context: {} })]).toEqual([
        resource,
        { decision: 'explicitDeny', sids: [sid] },
      ]);
  });
});

import { DescribeClusterCommand } from '@aws-sdk/client-eks';
import {
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  GetAccountSummaryCommand,
  GetOpenIDConnectProviderCommand,
  GetRoleCommand,
  ListOpenIDConnectProvidersCommand,
  ListRolesCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AwsDouble, startAwsDouble } from './index.ts';
import { type Clients, clientsOf, HOST, ISSUER, refusalOf } from './testing.ts';
import { unusedGrants } from './unused-grants.ts';

const OPERATOR = 'arn:aws:sts::111122223333:assumed-role/operator/session';
const TRUST = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::111122223333:root' }, Action: 'sts:AssumeRole' }],
});
const LBC = 'arn:aws:iam::111122223333:role/team/lbc';
const PROVIDER = `arn:aws:iam::111122223333:oidc-provider/${HOST}`;

let double: AwsDouble;
beforeAll(async () => {
  double = await startAwsDouble();
  double.account().role.put({ name: 'lbc', path: '/team/', trustPolicy: TRUST, tags: { team: 'platform' } });
  double.account().provider.put({ issuer: ISSUER });
  double.cluster({ name: 'blue', issuer: ISSUER });
});
afterAll(() => double.stop());

const policy = (...Statement: object[]) => ({ Version: '2012-10-17', Statement });
const allow = (Action: string | string[], Resource: string | string[] = '*', more: object = {}) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
});
const operator = (identityPolicy: object): Clients => clientsOf(double, { roleName: 'operator', identityPolicy });

/** Every call that has a caller, with the resource that AWS sees and the one that it names in a refusal. */
const calls: Record<string, [(clients: Clients) => Promise<unknown>, string, string]> = {
  'iam:GetRole': [({ iam }) => iam.send(new GetRoleCommand({ RoleName: 'lbc' })), LBC, 'role lbc'],
  'iam:ListRoles': [({ iam }) => iam.send(new ListRolesCommand({})), '*', 'arn:aws:iam::111122223333:role/'],
  'iam:UpdateAssumeRolePolicy': [
    ({ iam }) => iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'lbc', PolicyDocument: TRUST })),
    LBC,
    'role lbc',
  ],
  'iam:CreateRole': [
    ({ iam }) => iam.send(new CreateRoleCommand({ RoleName: 'new', Path: '/team/', AssumeRolePolicyDocument: TRUST })),
    'arn:aws:iam::111122223333:role/team/new',
    'arn:aws:iam::111122223333:role/team/new',
  ],
  'iam:GetAccountSummary': [({ iam }) => iam.send(new GetAccountSummaryCommand({})), '*', '*'],
  'iam:ListOpenIDConnectProviders': [
    ({ iam }) => iam.send(new ListOpenIDConnectProvidersCommand({})),
    '*',
    'arn:aws:iam::111122223333:oidc-provider/*',
  ],
  'iam:GetOpenIDConnectProvider': [
    ({ iam }) => iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: PROVIDER })),
    PROVIDER,
    PROVIDER,
  ],
  'iam:CreateOpenIDConnectProvider': [
    ({ iam }) => iam.send(new CreateOpenIDConnectProviderCommand({ Url: 'https://issuer.example/x' })),
    'arn:aws:iam::111122223333:oidc-provider/issuer.example/x',
    'arn:aws:iam::111122223333:oidc-provider/issuer.example/x',
  ],
  'sts:AssumeRole': [({ sts }) => sts.send(new AssumeRoleCommand({ RoleArn: LBC, RoleSessionName: 'session' })), LBC, LBC],
  'eks:DescribeCluster': [
    ({ eks }) => eks.send(new DescribeClusterCommand({ name: 'blue' })),
    'arn:aws:eks:us-east-1:111122223333:cluster/blue',
    'arn:aws:eks:us-east-1:111122223333:cluster/blue',
  ],
};

describe.each(Object.entries(calls))('%s', (action, [call, resource, named]) => {
  test('is refused, in AWS’s own sentence, where no policy of the caller allows it', async () => {
    const code = action.startsWith('eks') ? 'AccessDeniedException' : 'AccessDenied';
    expect(await refusalOf(call(operator(policy(allow('s3:*')))))).toBe(
      `403 ${code}: User: ${OPERATOR} is not authorized to perform: ${action} on resource: ${named} because no identity-based policy allows the ${action} action`,
    );
    expect(double.journal.at(-1)).toMatchObject({ caller: OPERATOR, code: 'AccessDenied' });
  });

  test('is done where one allows it, and the journal names the statement', async () => {
    const more = { ...allow(action, 'arn:aws:iam::444455556666:role/*'), Sid: 'Other' };
    expect(await refusalOf(call(operator(policy(more, { ...allow(action, resource), Sid: 'This' }))))).toBe('accepted');
    expect(double.journal.at(-1)?.allowedBy).toEqual(['This']);
  });
});

const getRole = ({ iam }: Clients, RoleName = 'lbc') => refusalOf(iam.send(new GetRoleCommand({ RoleName })));
const refusedGet = (why: string) =>
  `403 AccessDenied: User: ${OPERATOR} is not authorized to perform: iam:GetRole on resource: role lbc ${why}`;

describe('the policies of a caller', () => {
  test('a Deny in its identity policy', async () =>
    expect(await getRole(operator(policy(allow('*'), { Effect: 'Deny', Action: 'iam:GetRole', Resource: LBC })))).toBe(
      refusedGet('with an explicit deny in an identity-based policy'),
    ));

  test('tags of the role, by either key', async () => {
    const where = (key: string, value: string) =>
      getRole(operator(policy(allow('iam:GetRole', '*', { Condition: { StringEquals: { [key]: value } } }))));
    expect(await where('aws:ResourceTag/team', 'platform')).toBe('accepted');
    expect(await where('iam:ResourceTag/team', 'platform')).toBe('accepted');
    expect(await where('aws:ResourceTag/team', 'payments')).toBe(
      refusedGet('because no identity-based policy allows the iam:GetRole action'),
    );
  });

  test('a role that is not there is refused before it is missed', async () => {
    const clients = operator(policy(allow('iam:GetRole', 'arn:aws:iam::111122223333:role/team/*')));
    expect(await getRole(clients, 'none')).toMatch(/^403 AccessDenied: .* on resource: role none because no identity-based policy/);
    expect(await getRole(operator(policy(allow('iam:GetRole'))), 'none')).toBe(
      '404 NoSuchEntityException: The role with name none cannot be found.',
    );
    expect(double.journal.at(-1)?.allowedBy).toEqual(['statement 1']);
  });

  test('a service control policy limits every caller of the account, also one that may do everything', async () => {
    const user = clientsOf(double);
    const asUser = (why: string) => refusedGet(why).replace(OPERATOR, 'arn:aws:iam::111122223333:user/testbed');
    double.account().setServiceControlPolicy(policy(allow('*'), { Effect: 'Deny', Action: 'iam:Get*', Resource: '*' }));
    expect(await getRole(user)).toBe(asUser('with an explicit deny in a service control policy'));
    double.account().setServiceControlPolicy(policy(allow('sts:*')));
    expect(await getRole(user)).toBe(asUser('because no service control policy allows the iam:GetRole action'));
    expect(await refusalOf(user.sts.send(new GetCallerIdentityCommand({})))).toBe('accepted');
    double.account().setServiceControlPolicy(undefined);
    expect(await getRole(user)).toBe('accepted');
  });

  test('a session policy takes everything but the question who one is', async () => {
    const Policy = JSON.stringify(policy({ Effect: 'Deny', Action: '*', Resource: '*' }));
    const { Credentials } = await clientsOf(double).sts.send(new AssumeRoleCommand({ RoleArn: LBC, RoleSessionName: 'proof', Policy }));
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
    const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
    const { iam, sts } = clientsOf(double);
    iam.config.credentials = async () => credentials;
    sts.config.credentials = async () => credentials;
    expect(await getRole({ iam, sts, eks: clientsOf(double).eks })).toBe(
      refusedGet('with an explicit deny in a session policy').replace('operator/session', 'lbc/proof'),
    );
    expect(await refusalOf(sts.send(new GetCallerIdentityCommand({})))).toBe('accepted');
  });
});

test('what is granted and was never used', async () => {
  const document = policy(
    { ...allow(['iam:GetRole', 'iam:GetOpenIDConnectProvider']), Sid: 'Read' },
    { ...allow('iam:List*'), Sid: 'List' },
    { Effect: 'Deny', Action: 'sts:*', Resource: '*', Sid: 'Never' },
  );
  const before = double.journal.length;
  const clients = operator(document);
  await getRole(clients);
  await clients.iam.send(new ListRolesCommand({}));
  expect(unusedGrants(JSON.stringify(document), double.journal.slice(before))).toEqual(['Read: iam:GetOpenIDConnectProvider']);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resourcesOf } from './cloudformation.ts';
import { complaintsAbout, localsOf } from './terraform.ts';

/** config/iam/accounts as JSON, for Terraform and for CloudFormation: filled in alike, all three are the same. */
const FOLDER = 'config/iam/accounts';
const read = (name: string) => readFileSync(join(FOLDER, name), 'utf8');
type Statement = Readonly<Record<string, unknown>> & { readonly Sid: string; readonly Effect: string; readonly Action: string | string[] };
interface Document {
  readonly Version: string;
  readonly Statement: readonly Statement[];
}

interface Setup {
  readonly partition: string;
  readonly hubAccount: string;
  readonly hubRole: string;
  readonly account: string;
  readonly externalId: string;
  readonly rolePath: string;
}
/** What the JSON has, and something else in each place. */
const EXAMPLE: Setup = {
  partition: 'aws',
  hubAccount: '111122223333',
  hubRole: 'arn:aws:iam::111122223333:role/irsa-operator',
  account: '444455556666',
  externalId: 'EXAMPLE-EXTERNAL-ID',
  rolePath: '/',
};
const OTHER: Setup = {
  partition: 'aws-us-gov',
  hubAccount: '999988887777',
  hubRole: 'arn:aws-us-gov:iam::999988887777:role/platform/keeper',
  account: '123456789012',
  externalId: 'team@example.com:irsa/1',
  rolePath: '/platform/eu/',
};
const setups: Record<string, Setup> = {
  'as the JSON is': EXAMPLE,
  'in other accounts, in another partition, under a path': OTHER,
  'without an external ID': { ...OTHER, externalId: '' },
};
const SECOND_ACCOUNT = '777788889999';

/** The JSON as a person fills it in. */
function filledIn(name: string, { partition, hubAccount, hubRole, account, externalId }: Setup): Document {
  const text = read(name)
    .replaceAll(EXAMPLE.hubRole, hubRole)
    .replaceAll(EXAMPLE.hubAccount, hubAccount)
    .replaceAll(EXAMPLE.account, account)
    .replaceAll('arn:aws:', `arn:${partition}:`)
    .replaceAll(EXAMPLE.externalId, externalId);
  return JSON.parse(text, (_, value) => (value?.['sts:ExternalId'] === '' ? undefined : value));
}
const memberOf = (setup: Setup) => ({
  trust: filledIn('member-trust.json', setup),
  permissions: filledIn('member.json', setup),
  boundary: filledIn('member-boundary.json', setup),
});
function hubOf(name: string, setup: Setup): Document {
  const text = JSON.stringify(filledIn(name, setup));
  return JSON.parse(text.replaceAll('role/irsa-operator-member', `role${setup.rolePath}irsa-operator-member`));
}
const document = (Statement: unknown) => ({ Version: '2012-10-17', Statement });
const fromCloudFormation = ({ partition, account, hubRole, externalId, rolePath }: Setup) => ({
  'AWS::Partition': partition,
  'AWS::AccountId': account,
  HubRoleArn: hubRole,
  ExternalId: externalId,
  RolePath: rolePath,
});

describe.each(Object.entries(setups))('%s', (_, setup) => {
  const { partition, account, hubAccount, hubRole, externalId, rolePath } = setup;
  const variables = { hub_role_arn: hubRole, external_id: externalId, role_path: rolePath };

  // Contract: install-iam-accounts
  test('the member of Terraform is that of the JSON', async () => {
    const { trust_statements, statements, boundary_statements } = await localsOf(
      join(FOLDER, 'terraform/member/statements.tf'),
      ['trust_statements', 'statements', 'boundary_statements'],
      { local: { partition, account, hub_account: hubAccount }, var: variables },
    );
    expect({ trust: document(trust_statements), permissions: document(statements), boundary: document(boundary_statements) }).toEqual(
      memberOf(setup),
    );
  });

  // Contract: install-iam-accounts
  test('the member of CloudFormation is that of the JSON', () => {
    const { Role, Boundary } = resourcesOf(join(FOLDER, 'member.yaml'), fromCloudFormation(setup));
    const { trust, permissions, boundary } = memberOf(setup);
    const name = 'irsa-operator-member';
    expect(Role).toEqual({
      RoleName: name,
      Path: rolePath,
      AssumeRolePolicyDocument: trust,
      PermissionsBoundary: 'the resource Boundary',
      Policies: [{ PolicyName: name, PolicyDocument: permissions }],
    });
    expect(Boundary).toMatchObject({ ManagedPolicyName: `${name}-boundary`, Path: rolePath, PolicyDocument: boundary });
  });

  // Contract: install-iam-accounts
  test('the hub is the same in all three, and by account in the two that have it', async () => {
    const { organization_statements, account_statements } = await localsOf(
      join(FOLDER, 'terraform/hub/statements.tf'),
      ['organization_statements', 'account_statements'],
      { local: { partition, accounts: [account, SECOND_ACCOUNT] }, var: variables },
    );
    const { Policy } = resourcesOf(join(FOLDER, 'hub.yaml'), fromCloudFormation(setup));
    const organization = hubOf('hub.json', setup);
    expect(document(organization_statements)).toEqual(organization);
    expect(Policy).toMatchObject({ RoleName: 'irsa-operator', PolicyDocument: organization });
    expect(document(account_statements)).toEqual(hubOf('hub-by-account.json', setup));
  });
});

describe('the rest for Terraform', () => {
  const main = (module: string) => read(`terraform/${module}/main.tf`).replaceAll(/ +/g, ' ');

  test.each(['hub', 'member'])('%s is in its language', async (module) => {
    expect(await complaintsAbout(join(FOLDER, 'terraform', module, 'main.tf'))).toEqual(['Unsupported argument', 'Unsupported block type']);
  });

  test('fills in what the statements name, and uses each list of them where it belongs', () => {
    const member = main('member');
    expect(member).toContain('hub_account = split(":", var.hub_role_arn)[4]');
    expect(member).toMatch(/resource "aws_iam_policy" "boundary" \{[^}]*Statement = local\.boundary_statements\n/);
    expect(member).toMatch(/resource "aws_iam_role" "member" \{[^}]*Statement = local\.trust_statements\n/);
    expect(member).toMatch(/resource "aws_iam_role_policy" "member" \{[^}]*Statement = local\.statements\n/);
    expect(member).toContain('permissions_boundary = aws_iam_policy.boundary.arn');
    const hub = main('hub');
    expect(hub).toContain('accounts = var.accounts == null ? [] : var.accounts');
    expect(hub).toContain(
      'var.accounts == null ? local.organization_statements : [],\n var.accounts == null ? [] : local.account_statements,',
    );
  });
});

describe('a wildcard would name other roles too', () => {
  const refused: Record<string, Partial<Setup>> = {
    'in the ARN of the hub': { hubRole: 'arn:aws:iam::111122223333:role/irsa-*' },
    'in a path of the hub': { hubRole: 'arn:aws:iam::111122223333:role/?/irsa-operator' },
    'in the path of the members': { rolePath: '/*/' },
  };
  test.each(Object.entries(refused))('%s it is refused', (_, wrong) => {
    expect(() => resourcesOf(join(FOLDER, 'member.yaml'), fromCloudFormation({ ...EXAMPLE, ...wrong }))).toThrow('may not be');
  });

  test('and Terraform has the same patterns', () => {
    const [member, hub] = ['member', 'hub'].map((module) => read(`terraform/${module}/main.tf`));
    const patterns = [...read('member.yaml').matchAll(/AllowedPattern: "?(\^[^"\n]*\$)"?\n/g)].map(([, pattern]) => pattern);
    const [hubRole, , rolePath] = patterns;
    expect(member).toContain(`can(regex("${hubRole}", var.hub_role_arn))`);
    for (const module of [member, hub]) expect(module).toContain(`can(regex("${rolePath}", var.role_path))`);
  });
});

/** Quotas of IAM do not count white space. */
const sizeOf = (...policies: object[]) => policies.map((policy) => JSON.stringify(policy).length).reduce((a, b) => a + b);

test('what the docs say has room in the quotas of IAM', () => {
  // 10,240 for all inline policies of a role: the operator's own, one that creates the provider, and a hundred members.
  const [own, provider] = ['policy.json', 'manage-oidc-provider.json'].map((name) =>
    JSON.parse(readFileSync(`config/iam/${name}`, 'utf8')),
  );
  const [statement] = hubOf('hub-by-account.json', OTHER).Statement;
  const hundred = document([{ ...statement, Resource: new Array(100).fill('arn:aws-us-gov:iam::444455556666:role/irsa-operator-member') }]);
  expect(sizeOf(own, provider, hundred)).toBeLessThan(10_240);
  // 2,048 for a trust policy, with the longest external ID too.
  expect(sizeOf(filledIn('member-trust.json', { ...OTHER, externalId: 'x'.repeat(1_224) }))).toBeLessThan(2_048);
});

describe('a member and the operator', () => {
  const own = JSON.parse(readFileSync('config/iam/policy.json', 'utf8').replaceAll('111122223333', EXAMPLE.account)) as Document;
  const { permissions, boundary } = memberOf(EXAMPLE);
  const denies = ({ Statement }: Document) => Statement.filter(({ Effect }) => Effect === 'Deny');
  const allows = ({ Statement }: Document) => Statement.filter(({ Effect }) => Effect === 'Allow');

  test('may do the same in their accounts, but for EKS', () => {
    expect(allows(permissions)).toEqual(allows(own).filter(({ Action }) => !String(Action).startsWith('eks:')));
    const itself = JSON.stringify(own.Statement.find(({ Sid }) => Sid === 'NeverItself'));
    expect(denies(permissions)[0]).toEqual(JSON.parse(itself.replaceAll('irsa-operator', 'irsa-operator-member')));
  });

  test('the boundary of the member has its actions, and its denials', () => {
    expect(allows(boundary).flatMap(({ Action }) => Action)).toEqual(allows(permissions).flatMap(({ Action }) => Action));
    expect(denies(boundary)).toEqual(denies(permissions));
  });
});

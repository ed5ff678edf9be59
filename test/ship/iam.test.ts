import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Parameters, resourcesOf } from './cloudformation.ts';
import { complaintsAbout, localsOf } from './terraform.ts';

/** config/iam as JSON, for Terraform and for CloudFormation: filled in alike, all three are the same. */
const ISSUER = 'oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE';
const ACCOUNT = '111122223333';
const read = (name: string) => readFileSync(join('config/iam', name), 'utf8');
interface Document {
  readonly Version: string;
  readonly Statement: readonly object[];
}
const documentOf = (name: string) => JSON.parse(read(name)) as Document;
const policy = documentOf('policy.json');
const manage = documentOf('manage-oidc-provider.json');
/** Of the page that says who may be the operator. */
const trust = JSON.parse(
  /## Who may be the operator[\s\S]*?```json\n([^`]*)```/.exec(readFileSync('docs/iam.md', 'utf8'))?.[1] ?? '',
) as Document;

const terraform = (variables: object) =>
  localsOf('config/iam/terraform/statements.tf', ['statements', 'manage_oidc_provider_statements'], variables);

// Contract: install-iam
test('the statements for Terraform are those of the JSON', async () => {
  const variables = { local: { partition: 'aws', account: ACCOUNT }, var: { name: 'irsa-operator', manage_oidc_provider: ISSUER } };
  expect(await terraform(variables)).toEqual({ statements: policy.Statement, manage_oidc_provider_statements: manage.Statement });
});

// Contract: install-iam
test('in another account and partition, under another name, each ARN for Terraform follows', async () => {
  const variables = {
    local: { partition: 'aws-cn', account: '444455556666' },
    var: { name: 'keeper', manage_oidc_provider: 'oidc.example' },
  };
  const found = JSON.stringify(await terraform(variables));
  expect(found).not.toMatch(/111122223333|arn:aws:|role\/irsa-operator|EXAMPLE/);
  expect(found).toContain('arn:aws-cn:iam::444455556666:role/*/keeper');
});

test('the rest for Terraform is in its language, uses these statements, and trusts what the docs say', async () => {
  expect(await complaintsAbout('config/iam/terraform/main.tf')).toEqual(['Unsupported argument', 'Unsupported block type']);
  const main = read('terraform/main.tf');
  expect(main).toContain('concat(local.statements, var.manage_oidc_provider == "" ? [] : local.manage_oidc_provider_statements)');
  expect(trust.Statement).toEqual([
    { Effect: 'Allow', Principal: { Service: 'pods.eks.amazonaws.com' }, Action: ['sts:AssumeRole', 'sts:TagSession'] },
  ]);
  expect(main.replaceAll(/ +/g, ' ')).toContain(
    'Effect = "Allow"\n Principal = { Service = "pods.eks.amazonaws.com" }\n Action = ["sts:AssumeRole", "sts:TagSession"]',
  );
});

function roleOf(given: Parameters) {
  const { Role } = resourcesOf('config/iam/cloudformation.yaml', { 'AWS::Partition': 'aws', 'AWS::AccountId': ACCOUNT, ...given });
  const { AssumeRolePolicyDocument, Policies } = Role as {
    AssumeRolePolicyDocument: Document;
    Policies: [{ PolicyDocument: Document }];
  };
  return { policy: Policies[0].PolicyDocument, trust: AssumeRolePolicyDocument };
}

// Contract: install-iam
test('the role of CloudFormation has the policy of the JSON, and the trust policy of the docs', () => {
  expect(roleOf({})).toEqual({ policy, trust });
  expect(roleOf({ ManageOidcProvider: ISSUER }).policy.Statement).toEqual([...policy.Statement, ...manage.Statement]);
});

// Contract: install-iam
test('in another account and partition, under another name, each ARN of CloudFormation follows', () => {
  const found = JSON.stringify(
    roleOf({ 'AWS::Partition': 'aws-cn', 'AWS::AccountId': '444455556666', Name: 'keeper', ManageOidcProvider: 'oidc.example' }),
  );
  expect(found).not.toMatch(/111122223333|arn:aws:|role\/irsa-operator|EXAMPLE/);
  expect(found).toContain('arn:aws-cn:iam::444455556666:role/*/keeper');
});

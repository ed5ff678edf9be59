import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureTool } from '@irsa-operator/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';

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

/** Of the locals that are generated, which need no provider of Terraform. */
const SPEC = `
block {
  block_type = "locals"
  object {
    attr "statements" {
      type = any
    }
    attr "manage_oidc_provider_statements" {
      type = any
    }
  }
}
`;
let specFile: string;
beforeAll(() => {
  specFile = join(mkdtempSync(join(tmpdir(), 'irsa-operator-iam-')), 'locals.hcldec');
  writeFileSync(specFile, SPEC);
});
afterAll(() => rmSync(join(specFile, '..'), { recursive: true }));

/** Evaluated by the library of Terraform's language. */
async function hcldec(file: string, ...args: string[]): Promise<string> {
  const program = await ensureTool('hcldec', AbortSignal.timeout(60_000));
  const run = promisify(execFile)(program, ['--spec', specFile, ...args, join('config/iam/terraform', file)]);
  // Diagnostics end it with 1, and are where a shell shows errors.
  const { stdout, stderr } = await run.catch((error: { stdout: string; stderr: string }) => error);
  return stdout + stderr;
}

// Contract: install-iam
test('the statements for Terraform are those of the JSON', async () => {
  const variables = { local: { partition: 'aws', account: ACCOUNT }, var: { name: 'irsa-operator', manage_oidc_provider: ISSUER } };
  expect(JSON.parse(await hcldec('statements.tf', '--vars', JSON.stringify(variables)))).toEqual({
    statements: policy.Statement,
    manage_oidc_provider_statements: manage.Statement,
  });
});

// Contract: install-iam
test('in another account and partition, under another name, each ARN for Terraform follows', async () => {
  const variables = {
    local: { partition: 'aws-cn', account: '444455556666' },
    var: { name: 'keeper', manage_oidc_provider: 'oidc.example' },
  };
  const found = await hcldec('statements.tf', '--vars', JSON.stringify(variables));
  expect(found).not.toMatch(/111122223333|arn:aws:|role\/irsa-operator|EXAMPLE/);
  expect(found).toContain('arn:aws-cn:iam::444455556666:role/*/keeper');
});

test('the rest for Terraform is in its language, uses these statements, and trusts what the docs say', async () => {
  const { diagnostics } = JSON.parse(await hcldec('main.tf', '--diags', 'json')) as { diagnostics: { summary: string }[] };
  // The specification knows none of its blocks; a mistake of syntax has another summary.
  expect([...new Set(diagnostics.map(({ summary }) => summary))].sort()).toEqual(['Unsupported argument', 'Unsupported block type']);
  const main = read('terraform/main.tf');
  expect(main).toContain('concat(local.statements, var.manage_oidc_provider == "" ? [] : local.manage_oidc_provider_statements)');
  expect(trust.Statement).toEqual([
    { Effect: 'Allow', Principal: { Service: 'pods.eks.amazonaws.com' }, Action: ['sts:AssumeRole', 'sts:TagSession'] },
  ]);
  expect(main.replaceAll(/ +/g, ' ')).toContain(
    'Effect = "Allow"\n Principal = { Service = "pods.eks.amazonaws.com" }\n Action = ["sts:AssumeRole", "sts:TagSession"]',
  );
});

type Parameters = Readonly<Record<string, string>>;

/** What CloudFormation makes of its functions, for these parameters. Undefined: AWS::NoValue. */
function resolved(node: unknown, parameters: Parameters, conditions: Readonly<Record<string, unknown>>): unknown {
  const inner = (value: unknown) => resolved(value, parameters, conditions);
  if (Array.isArray(node)) return node.map(inner).filter((value) => value !== undefined);
  if (typeof node !== 'object' || node === null) return node;
  const [[name = '', value] = []] = Object.entries(node);
  if (name === 'Ref') return value === 'AWS::NoValue' ? undefined : parameters[String(value)];
  if (name === 'Fn::Sub') return String(value).replaceAll(/\$\{([^}]+)\}/g, (_, of) => parameters[of] ?? `no ${of}`);
  if (name === 'Fn::Equals') return new Set((value as unknown[]).map(inner)).size === 1;
  if (name === 'Fn::Not') return !inner((value as unknown[])[0]);
  if (name === 'Fn::If') {
    const [condition, then, otherwise] = value as [string, unknown, unknown];
    return inner(inner(conditions[condition]) === true ? then : otherwise);
  }
  return Object.fromEntries(Object.entries(node).map(([key, each]) => [key, inner(each)]));
}

interface Template {
  Parameters: Record<string, { Default: string }>;
  Conditions: Record<string, unknown>;
  Resources: {
    Role: { Properties: { AssumeRolePolicyDocument: Document; Policies: [{ PolicyDocument: Document }] } };
    Association: { Condition: string };
  };
}

function roleOf(given: Parameters) {
  const template = parse(read('cloudformation.yaml')) as Template;
  const defaults = Object.fromEntries(Object.entries(template.Parameters).map(([name, { Default }]) => [name, Default]));
  const parameters = { 'AWS::Partition': 'aws', 'AWS::AccountId': ACCOUNT, ...defaults, ...given };
  const { Role } = resolved(template.Resources, parameters, template.Conditions) as Template['Resources'];
  return { policy: Role.Properties.Policies[0].PolicyDocument, trust: Role.Properties.AssumeRolePolicyDocument };
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

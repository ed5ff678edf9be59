import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';

/** The account of AWS's examples, and names that a user may choose, as they are in config/iam/*.json. */
const ACCOUNT = '111122223333';
const NAME = 'irsa-operator';
const EXAMPLE_ISSUER = /oidc\.eks\.us-east-1\.amazonaws\.com\/id\/\w+/;

type Statement = Readonly<Record<string, string | readonly string[]>>;
const HEADER = '# Generated from config/iam/*.json by `npm run generate`. Do not edit.\n';

/** What the operator may do in AWS, for people who write no JSON: by path. config/iam/policy.json is the source. */
export function iam(): Record<string, string> {
  const statements = statementsOf('policy.json');
  const manage = statementsOf('manage-oidc-provider.json');
  return {
    'config/iam/terraform/statements.tf': HEADER + terraform(statements, manage),
    'config/iam/cloudformation.yaml': HEADER + stringify(cloudFormation(statements, manage), { lineWidth: 140, version: '1.1' }),
  };
}

function statementsOf(file: string): Statement[] {
  return (JSON.parse(readFileSync(`config/iam/${file}`, 'utf8')) as { Statement: Statement[] }).Statement;
}

/** With each ARN in place of the account, the partition, the name and the issuer of the example. */
function withArns(statement: Statement, replaced: (arn: string) => unknown): Record<string, unknown> {
  const each = (text: string) => (text.startsWith('arn:') ? replaced(text) : text);
  return Object.fromEntries(
    Object.entries(statement).map(([key, value]) => [key, typeof value === 'string' ? each(value) : value.map(each)]),
  );
}

/** Terraform and CloudFormation write it alike. */
const reference = (name: string) => `\${${name}}`;

function filledIn(arn: string, ...[partition = '', account = '', name = '', issuer = '']: string[]): string {
  return arn
    .replace(/^arn:aws:/, `arn:${partition}:`)
    .replace(`:${ACCOUNT}:`, `:${account}:`)
    .replace(new RegExp(`/${NAME}$`), `/${name}`)
    .replace(EXAMPLE_ISSUER, issuer);
}

/** Locals alone, so that the file can be evaluated without a provider. */
function terraform(statements: readonly Statement[], manage: readonly Statement[]): string {
  const hcl = (all: readonly Statement[]) =>
    all.map((statement) =>
      withArns(statement, (arn) =>
        filledIn(arn, ...['local.partition', 'local.account', 'var.name', 'var.manage_oidc_provider'].map(reference)),
      ),
    );
  const list = (all: readonly Record<string, unknown>[]) =>
    all
      .map(
        (one) =>
          `    {\n${Object.entries(one)
            .map(([key, value]) => `      ${key.padEnd(WIDEST)} = ${inHcl(value)}`)
            .join('\n')}\n    },`,
      )
      .join('\n');
  return `locals {\n  statements = [\n${list(hcl(statements))}\n  ]\n\n  manage_oidc_provider_statements = [\n${list(hcl(manage))}\n  ]\n}\n`;
}

/** Of the keys of a statement, so that terraform fmt changes nothing. */
const WIDEST = 'Resource'.length;

const inHcl = (value: unknown): string => (Array.isArray(value) ? `[${value.map(inHcl).join(', ')}]` : JSON.stringify(value));

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html */
function cloudFormation(statements: readonly Statement[], manage: readonly Statement[]): object {
  const arn = (text: string) => ({
    'Fn::Sub': filledIn(text, ...['AWS::Partition', 'AWS::AccountId', 'Name', 'ManageOidcProvider'].map(reference)),
  });
  const optional = manage.map((statement) => ({ 'Fn::If': ['Manages', withArns(statement, arn), { Ref: 'AWS::NoValue' }] }));
  const parameter = (description: string, value = '') => ({ Type: 'String', Description: description, Default: value });
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: 'The IAM role of irsa-operator.',
    Parameters: {
      Name: parameter('The name of the role. irsa-operator never writes the trust policy of this role.', NAME),
      ClusterName: parameter('The EKS cluster that gets the role by Pod Identity. Empty: no association is created.'),
      Namespace: parameter('The namespace of irsa-operator.', 'irsa-operator-system'),
      ServiceAccount: parameter('The ServiceAccount of irsa-operator.', NAME),
      ManageOidcProvider: parameter(
        'With --manage-oidc-provider: the issuer of the cluster, without https://. Empty: it creates no provider.',
      ),
    },
    Conditions: {
      HasCluster: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'ClusterName' }, ''] }] },
      Manages: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'ManageOidcProvider' }, ''] }] },
    },
    Resources: {
      Role: {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: { Ref: 'Name' },
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              { Effect: 'Allow', Principal: { Service: 'pods.eks.amazonaws.com' }, Action: ['sts:AssumeRole', 'sts:TagSession'] },
            ],
          },
          Policies: [
            {
              PolicyName: NAME,
              PolicyDocument: {
                Version: '2012-10-17',
                Statement: [...statements.map((statement) => withArns(statement, arn)), ...optional],
              },
            },
          ],
        },
      },
      Association: {
        Type: 'AWS::EKS::PodIdentityAssociation',
        Condition: 'HasCluster',
        Properties: {
          ClusterName: { Ref: 'ClusterName' },
          Namespace: { Ref: 'Namespace' },
          ServiceAccount: { Ref: 'ServiceAccount' },
          RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
        },
      },
    },
    Outputs: { RoleArn: { Value: { 'Fn::GetAtt': ['Role', 'Arn'] } } },
  };
}

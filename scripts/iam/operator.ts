import { document, inTemplate, written } from './cloudformation.ts';
import { reference, type Statement, statementsOf } from './statements.ts';
import { locals, statementIn } from './terraform.ts';

/** The account of AWS's examples, and names that a user may choose, as they are in config/iam/*.json. */
const ACCOUNT = '111122223333';
const NAME = 'irsa-operator';
const EXAMPLE_ISSUER = /oidc\.eks\.us-east-1\.amazonaws\.com\/id\/\w+/;

const HEADER = '# Generated from config/iam/*.json by `npm run generate`. Do not edit.\n';

/** The role of the operator in the account of its cluster. */
export function operatorRole(): Record<string, string> {
  const statements = statementsOf('policy.json');
  const manage = statementsOf('manage-oidc-provider.json');
  return {
    'config/iam/terraform/statements.tf': HEADER + terraform(statements, manage),
    'config/iam/cloudformation.yaml': HEADER + written(cloudFormation(statements, manage)),
  };
}

function filledIn(text: string, ...[partition = '', account = '', name = '', issuer = '']: string[]): string {
  if (!text.startsWith('arn:')) return text;
  return text
    .replace(/^arn:aws:/, `arn:${partition}:`)
    .replace(`:${ACCOUNT}:`, `:${account}:`)
    .replace(new RegExp(`/${NAME}$`), `/${name}`)
    .replace(EXAMPLE_ISSUER, issuer);
}

function terraform(statements: readonly Statement[], manage: readonly Statement[]): string {
  const names = ['local.partition', 'local.account', 'var.name', 'var.manage_oidc_provider'].map(reference);
  const list = (all: readonly Statement[]) => all.map((statement) => statementIn(statement, (text) => filledIn(text, ...names)));
  return locals({ statements: list(statements), manage_oidc_provider_statements: list(manage) });
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html */
function cloudFormation(statements: readonly Statement[], manage: readonly Statement[]): object {
  const names = ['AWS::Partition', 'AWS::AccountId', 'Name', 'ManageOidcProvider'].map(reference);
  const statement = (one: Statement) =>
    inTemplate(one, (text) => (text.startsWith('arn:') ? { 'Fn::Sub': filledIn(text, ...names) } : text)) as object;
  const optional = manage.map((one) => ({ 'Fn::If': ['Manages', statement(one), { Ref: 'AWS::NoValue' }] }));
  const parameter = (description: string, value = '') => ({ Type: 'String', Description: description, Default: value });
  return {
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
          AssumeRolePolicyDocument: document([
            { Effect: 'Allow', Principal: { Service: 'pods.eks.amazonaws.com' }, Action: ['sts:AssumeRole', 'sts:TagSession'] },
          ]),
          Policies: [{ PolicyName: NAME, PolicyDocument: document([...statements.map(statement), ...optional]) }],
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

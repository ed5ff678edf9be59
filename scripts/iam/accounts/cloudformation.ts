import { document, inTemplate } from '../cloudformation.ts';
import { type Json, reference, type Statement } from '../statements.ts';
import { conditionsOf, filledIn, type Hub, MEMBER_ROLE, type Member, memberFilledIn, type Names } from './examples.ts';

const NAMES: Names = {
  partition: 'AWS::Partition',
  account: 'AWS::AccountId',
  hubAccount: 'HubAccount',
  hubRole: 'HubRoleArn',
  externalId: 'ExternalId',
  rolePath: 'RolePath',
};
/** The one name that is no parameter: the fifth part of the ARN. */
const HUB_ACCOUNT = { HubAccount: { 'Fn::Select': ['4', { 'Fn::Split': [':', { Ref: 'HubRoleArn' }] }] } };

/** Characters of a path or a name. There is no wildcard among them, which would name other roles too. */
const NAME = '[A-Za-z0-9+=,.@_-]+';
const ROLE_PATH = {
  Type: 'String',
  Description: 'The path of the member roles, the same in each account.',
  Default: '/',
  AllowedPattern: `^/(${NAME}/)*$`,
};

/** Into the policies of a role that exists. https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-rolepolicy.html */
export function hubTemplate({ organization }: Pick<Hub, 'organization'>): object {
  const statement = (one: Statement) => templated(one, (text) => memberFilledIn(text, NAMES));
  return {
    Description: "irsa-operator's own role may assume the member roles of the organization's accounts.",
    Parameters: {
      RoleName: { Type: 'String', Description: "The name of irsa-operator's own role.", Default: 'irsa-operator' },
      RolePath: ROLE_PATH,
    },
    Resources: {
      Policy: {
        Type: 'AWS::IAM::RolePolicy',
        Properties: {
          PolicyName: 'irsa-operator-accounts',
          RoleName: { Ref: 'RoleName' },
          PolicyDocument: document(organization.map(statement)),
        },
      },
    },
  };
}

/** For StackSets, which fill in the account and the partition of each stack. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html */
export function memberTemplate({ trust, permissions, boundary }: Member): object {
  const statement = (one: Json) => templated(one, (text) => filledIn(text, NAMES));
  const trusting = (one: Statement): object => {
    const conditions = conditionsOf(one);
    if (conditions === undefined) return statement(one);
    const { asking, without } = conditions;
    return { ...statement(one), Condition: { 'Fn::If': ['HasExternalId', statement(asking), statement(without)] } };
  };
  return {
    Description: 'The role of this account that irsa-operator assumes from the account of its cluster.',
    Parameters: {
      HubRoleArn: {
        Type: 'String',
        Description: "The ARN of irsa-operator's own role, with its path.",
        AllowedPattern: `^arn:[a-z-]+:iam::[0-9]{12}:role/(${NAME}/)*${NAME}$`,
      },
      ExternalId: {
        Type: 'String',
        Description: 'The external ID that irsa-operator has to send. Empty: none.',
        Default: '',
        AllowedPattern: '^([A-Za-z0-9_+=,.@:/-]{2,1224})?$',
      },
      RolePath: ROLE_PATH,
    },
    Conditions: { HasExternalId: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'ExternalId' }, ''] }] } },
    Resources: {
      Boundary: {
        Type: 'AWS::IAM::ManagedPolicy',
        Properties: {
          ManagedPolicyName: `${MEMBER_ROLE}-boundary`,
          Path: { Ref: 'RolePath' },
          Description: `The most that ${MEMBER_ROLE} may do.`,
          PolicyDocument: document(boundary.map(statement)),
        },
      },
      Role: {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: MEMBER_ROLE,
          Path: { Ref: 'RolePath' },
          AssumeRolePolicyDocument: document(trust.map(trusting)),
          PermissionsBoundary: { Ref: 'Boundary' },
          Policies: [{ PolicyName: MEMBER_ROLE, PolicyDocument: document(permissions.map(statement)) }],
        },
      },
    },
    Outputs: { RoleArn: { Value: { 'Fn::GetAtt': ['Role', 'Arn'] } } },
  };
}

/** Each text that has something to fill in becomes the shortest function that does it. */
function templated(value: Json, filled: (text: string) => string): object {
  return inTemplate(value, (text) => (filled(text) === text ? text : substituted(filled(text)))) as object;
}

function substituted(text: string) {
  const whole = /^\$\{(\w+)\}$/.exec(text)?.[1];
  if (whole !== undefined) return { Ref: whole };
  return { 'Fn::Sub': text.includes(reference(NAMES.hubAccount)) ? [text, HUB_ACCOUNT] : text };
}

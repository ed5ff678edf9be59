import { describe, expect, test } from 'vitest';
import type { RequestContext } from './context.ts';
import { evaluateIdentityPolicy } from './identity-policy.ts';
import { checkIdentityPolicy } from './validate.ts';

const ROLE = 'arn:aws:iam::111122223333:role/team/app/lbc';
type Members = Record<string, unknown>;
const policy = (...statements: Members[]): string => JSON.stringify({ Version: '2012-10-17', Statement: statements });
const allow = (members: Members = {}): Members => ({ Effect: 'Allow', Action: 'iam:GetRole', Resource: ROLE, ...members });
const ask = (document: string, context: RequestContext = {}, action = 'iam:GetRole', resource = ROLE) =>
  evaluateIdentityPolicy(document, { action, resource, context }).decision;

describe('what a statement covers', () => {
  const cases: Record<string, [Members, boolean]> = {
    'the action and the resource, as they are': [{}, true],
    'the action in another case': [{ Action: 'IAM:getrole' }, true],
    'the resource in another case': [{ Resource: ROLE.replace('lbc', 'LBC') }, false],
    'another action': [{ Action: 'iam:ListRoles' }, false],
    'one of several': [{ Action: ['iam:ListRoles', 'iam:GetRole'], Resource: ['arn:aws:s3:::x', ROLE] }, true],
    'a wildcard in the action': [{ Action: 'iam:Get*' }, true],
    'a question mark in the action': [{ Action: 'iam:GetRol?' }, true],
    'every action': [{ Action: '*' }, true],
    'every action of another service': [{ Action: 'sts:*' }, false],
    'all actions but others': [{ Action: undefined, NotAction: 'iam:Update*' }, true],
    'all actions but this': [{ Action: undefined, NotAction: 'iam:Get*' }, false],
    'every resource': [{ Resource: '*' }, true],
    'roles below a path, however deep': [{ Resource: 'arn:aws:iam::111122223333:role/team/*' }, true],
    'roles below another path': [{ Resource: 'arn:aws:iam::111122223333:role/other/*' }, false],
    'a role whose path is left out': [{ Resource: 'arn:aws:iam::111122223333:role/lbc' }, false],
    'roles of any account': [{ Resource: 'arn:aws:iam::*:role/team/*' }, true],
    'roles of another account': [{ Resource: 'arn:aws:iam::444455556666:role/*' }, false],
    'a wildcard that would have to reach over a colon': [{ Resource: 'arn:aws:iam::*/lbc' }, false],
    'all resources but others': [{ Resource: undefined, NotResource: 'arn:aws:iam::111122223333:role/irsa-operator' }, true],
    'all resources but this': [{ Resource: undefined, NotResource: 'arn:aws:iam::111122223333:role/team/*' }, false],
    'no resource at all': [{ Resource: undefined }, false],
  };
  test.each(Object.entries(cases))('%s', (_, [members, expected]) =>
    expect(ask(policy(allow(members)))).toBe(expected ? 'allowed' : 'implicitDeny'),
  );
});

describe('conditions', () => {
  const tagged = policy(allow({ Condition: { StringEquals: { 'aws:ResourceTag/irsa-operator.dev/managed': 'true' } } }));
  test('a role with the tag', () => expect(ask(tagged, { 'aws:ResourceTag/irsa-operator.dev/managed': 'true' })).toBe('allowed'));
  test('a role with another value', () => expect(ask(tagged, { 'aws:ResourceTag/irsa-operator.dev/managed': 'no' })).toBe('implicitDeny'));
  test('a role without the tag', () => expect(ask(tagged)).toBe('implicitDeny'));

  test('a variable in a resource takes the value of the request', () => {
    // Joined, since a linter would take it for a forgotten template.
    const own = policy(allow({ Resource: ['arn:aws:iam::$', '{aws:PrincipalAccount}:role/*'].join('') }));
    expect(ask(own, { 'aws:PrincipalAccount': '111122223333' })).toBe('allowed');
    expect(ask(own, { 'aws:PrincipalAccount': '444455556666' })).toBe('implicitDeny');
    expect(ask(own)).toBe('implicitDeny');
  });
});

test('a Deny wins, whatever allows; what decided is named by its Sid', () => {
  const document = policy(
    allow({ Sid: 'Read' }),
    allow({ Action: 'iam:*' }),
    { Sid: 'Never', Effect: 'Deny', Action: 'iam:Update*', Resource: '*' },
    allow({ Sid: 'Other', Resource: 'arn:aws:iam::111122223333:role/other' }),
  );
  const decided = (action: string) => evaluateIdentityPolicy(document, { action, resource: ROLE, context: {} });
  expect(decided('iam:GetRole')).toEqual({ decision: 'allowed', sids: ['Read', 'statement 2'] });
  expect(decided('iam:UpdateAssumeRolePolicy')).toEqual({ decision: 'explicitDeny', sids: ['Never'] });
  expect(decided('sts:AssumeRole')).toEqual({ decision: 'implicitDeny', sids: [] });
});

describe('IAM would not store', () => {
  const refused: Record<string, [string, string]> = {
    'what is no JSON': ['{', 'This policy contains invalid Json'],
    'a policy without statements': [policy(), 'Syntax errors in policy.'],
    'a statement with a principal': [policy(allow({ Principal: '*' })), 'Policy document should not specify a principal.'],
    'a statement without action': [policy(allow({ Action: undefined })), 'Policy statement must contain actions.'],
    'an action without service': [
      policy(allow({ Action: 'GetRole' })),
      'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
    ],
    'both Action and NotAction': [policy(allow({ NotAction: 'iam:*' })), 'Syntax errors in policy.'],
    'a statement without resource': [policy(allow({ Resource: undefined })), 'Policy statement must contain resources.'],
    'a resource that is no ARN': [policy(allow({ Resource: 'lbc' })), 'Resource lbc must be in ARN format or "*".'],
    'an unknown operator': [policy(allow({ Condition: { StringIs: { 'aws:PrincipalArn': 'x' } } })), 'Syntax errors in policy.'],
    'two statements with one Sid': [policy(allow({ Sid: 'a' }), allow({ Sid: 'a' })), 'The Statement Ids in the policy are not unique'],
    'more than ten thousand characters': [
      policy(...Array.from({ length: 120 }, (_, i) => allow({ Sid: `s${i}` }))),
      'Cannot exceed quota for RolePolicySize: 10240',
    ],
  };
  test.each(Object.entries(refused))('%s', (_, [document, message]) => expect(() => checkIdentityPolicy(document, 'aws')).toThrow(message));
});

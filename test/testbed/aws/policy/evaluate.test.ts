import { describe, expect, test } from 'vitest';
import { evaluateTrust, type TrustRequest } from './evaluate.ts';
import type { Decision } from './statement.ts';

const HOST = 'oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF';
const PROVIDER = `arn:aws:iam::111122223333:oidc-provider/${HOST}`;
const SUB = `${HOST}:sub`;
const AUD = `${HOST}:aud`;
const LBC = 'system:serviceaccount:kube-system:lbc';

/** `${name}`, which a linter would take for a forgotten template. */
const variable = (name: string): string => `$\{${name}}`;

type Members = Record<string, unknown>;
type Context = Record<string, string | string[]>;

/** A statement that allows the request below, but for the members that are given. */
const allow = (members: Members = {}): Members => ({
  Effect: 'Allow',
  Principal: { Federated: PROVIDER },
  Action: 'sts:AssumeRoleWithWebIdentity',
  ...members,
});
const deny = (members: Members = {}): Members => allow({ Effect: 'Deny', ...members });
const when = (condition: Members): Members => allow({ Condition: condition });

const web: TrustRequest = {
  action: 'sts:AssumeRoleWithWebIdentity',
  principal: { kind: 'Federated', names: [PROVIDER] },
  context: {
    [SUB]: LBC,
    [AUD]: 'sts.amazonaws.com',
    'sts:RoleSessionName': 'lbc-1',
    'aws:SourceIp': '203.0.113.7',
    'aws:CurrentTime': '2026-03-01T12:00:00Z',
    'aws:EpochTime': '1772366400',
    'aws:SecureTransport': 'true',
  },
};

function decide(
  statement: unknown,
  { context = {}, version = '2012-10-17' }: { context?: Context; version?: string | null } = {},
): Decision {
  const document = JSON.stringify({ ...(version === null ? {} : { Version: version }), Statement: statement });
  return evaluateTrust({ document, request: { ...web, context: { ...web.context, ...context } } });
}

describe('statements', () => {
  const cases: Record<string, [unknown, Decision]> = {
    'a statement that names the provider and the action allows': [allow(), 'allowed'],
    'a list of statements allows when one of them does': [[when({ StringEquals: { [SUB]: 'other' } }), allow()], 'allowed'],
    'no statement denies without saying so': [[], 'implicitDeny'],
    'a deny that matches wins over any allow': [[allow(), deny()], 'explicitDeny'],
    'a deny whose condition fails does nothing': [[allow(), deny({ Condition: { StringEquals: { [SUB]: 'other' } } })], 'allowed'],
    'a deny on another action does nothing': [[allow(), deny({ Action: 'sts:TagSession' })], 'allowed'],
    'sub in one statement and aud in another let any subject in': [
      [when({ StringEquals: { [SUB]: 'other' } }), when({ StringEquals: { [AUD]: 'sts.amazonaws.com' } })],
      'allowed',
    ],
    'an effect in another case is none': [allow({ Effect: 'allow' }), 'implicitDeny'],
  };
  for (const [sentence, [statement, decision]] of Object.entries(cases)) test(sentence, () => expect(decide(statement)).toBe(decision));

  test.each(['', '[]', '{', '{"Statement":{},"Statement":{}}', 'null'])('a document that is no policy allows nothing: %s', (document) =>
    expect(evaluateTrust({ document, request: web })).toBe('implicitDeny'),
  );
});

describe('actions', () => {
  const cases: Record<string, [Members, boolean]> = {
    'case does not matter': [{ Action: 'STS:assumerolewithwebidentity' }, true],
    'a wildcard matches': [{ Action: 'sts:Assume*' }, true],
    'a question mark is one character': [{ Action: 'sts:AssumeRoleWithWebIdentit?' }, true],
    'sts:AssumeRole is another action': [{ Action: 'sts:AssumeRole' }, false],
    'one of a list is enough': [{ Action: ['sts:TagSession', 'sts:AssumeRoleWithWebIdentity'] }, true],
    'NotAction allows everything else': [{ Action: undefined, NotAction: 'sts:AssumeRole' }, true],
    'NotAction does not allow what it names': [{ Action: undefined, NotAction: 'sts:AssumeRole*' }, false],
    'neither Action nor NotAction is no statement': [{ Action: undefined }, false],
    'both of them are no statement': [{ NotAction: 'sts:TagSession' }, false],
  };
  for (const [sentence, [members, allowed]] of Object.entries(cases))
    test(sentence, () => expect(decide(allow(members))).toBe(allowed ? 'allowed' : 'implicitDeny'));
});

describe('principals', () => {
  const cases: Record<string, [Members, boolean]> = {
    'one of a list is enough': [{ Principal: { Federated: ['accounts.google.com', PROVIDER] } }, true],
    'one of several kinds is enough': [{ Principal: { Service: 'ec2.amazonaws.com', Federated: PROVIDER } }, true],
    'a bare star is everybody': [{ Principal: '*' }, true],
    'AWS star is everybody, federated or not': [{ Principal: { AWS: '*' } }, true],
    'a Federated star is a name that nobody has': [{ Principal: { Federated: '*' } }, false],
    'a wildcard within an ARN is not one': [{ Principal: { Federated: `${PROVIDER.slice(0, -1)}*` } }, false],
    'case matters': [{ Principal: { Federated: PROVIDER.toLowerCase() } }, false],
    'a trailing slash matters': [{ Principal: { Federated: `${PROVIDER}/` } }, false],
    'another account is another provider': [{ Principal: { Federated: PROVIDER.replace('1111', '9999') } }, false],
    'the right name under the wrong kind is another principal': [{ Principal: { AWS: PROVIDER } }, false],
    'the account does not speak for its providers': [{ Principal: { AWS: 'arn:aws:iam::111122223333:root' } }, false],
    'NotPrincipal allows everybody else': [{ Principal: undefined, NotPrincipal: { AWS: '111122223333' } }, true],
    'NotPrincipal does not allow whom it names': [{ Principal: undefined, NotPrincipal: { Federated: PROVIDER } }, false],
    'no principal is no statement': [{ Principal: undefined }, false],
  };
  for (const [sentence, [members, allowed]] of Object.entries(cases))
    test(sentence, () => expect(decide(allow(members))).toBe(allowed ? 'allowed' : 'implicitDeny'));

  const session = ['arn:aws:sts::111122223333:assumed-role/hop/s', 'AROAAAAAAAAAAAAAAAAAA', 'arn:aws:iam::111122223333:root'];
  const aws: Record<string, [string, boolean]> = {
    'an account number is its root': ['111122223333', true],
    'the root is the account': ['arn:aws:iam::111122223333:root', true],
    'a role by its unique ID': ['AROAAAAAAAAAAAAAAAAAA', true],
    'a session by its ARN': ['arn:aws:sts::111122223333:assumed-role/hop/s', true],
    'another account': ['444455556666', false],
  };
  for (const [sentence, [AWS, allowed]] of Object.entries(aws))
    test(`sts:AssumeRole: ${sentence}`, () => {
      const document = JSON.stringify({ Statement: { Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole' } });
      const request: TrustRequest = { action: 'sts:AssumeRole', principal: { kind: 'AWS', names: session }, context: {} };
      expect(evaluateTrust({ document, request })).toBe(allowed ? 'allowed' : 'implicitDeny');
    });
});

/** Condition, whether it holds, and what the request has beside the usual. */
type ConditionCase = [condition: Members, holds: boolean, context?: Context];

describe('conditions', () => {
  const cases: Record<string, ConditionCase> = {
    'operators and keys all must hold': [{ StringEquals: { [SUB]: LBC, [AUD]: 'other' } }, false],
    'one of the values is enough': [{ StringEquals: { [SUB]: ['other', LBC] } }, true],
    'no values match nothing': [{ StringEquals: { [SUB]: [] } }, false],
    'key names have no case': [{ StringEquals: { [SUB.toUpperCase()]: LBC } }, true],
    'values have case': [{ StringEquals: { [SUB]: LBC.toUpperCase() } }, false],
    'operators are read in any case': [{ stringequals: { [SUB]: LBC } }, true],
    'an operator that is none never holds': [{ StringEqual: { [SUB]: LBC } }, false],
    'StringEquals has no wildcards': [{ StringEquals: { [SUB]: 'system:serviceaccount:*:lbc' } }, false],
    'StringEquals: a star in the request is a star': [{ StringEquals: { [SUB]: '*' } }, true, { [SUB]: '*' }],
    'a blank more is another text': [{ StringEquals: { [SUB]: 'system:serviceaccount: kube-system:lbc' } }, false],
    'an absent key fails a positive operator': [{ StringEquals: { 'aws:PrincipalOrgID': 'o-1' } }, false],
    'an absent key satisfies a negated operator': [{ StringNotEquals: { 'aws:PrincipalOrgID': 'o-1' } }, true],
    'an absent key satisfies IfExists': [{ StringEqualsIfExists: { 'aws:PrincipalOrgID': 'o-1' } }, true],
    'a present key must match IfExists': [{ StringEqualsIfExists: { [SUB]: 'other' } }, false],
    'StringNotEquals: none of the values may match': [{ StringNotEquals: { [SUB]: ['other', LBC] } }, false],
    'StringNotEquals: no values match nothing': [{ StringNotEquals: { [SUB]: [] } }, true],
    'StringEqualsIgnoreCase has no case': [{ StringEqualsIgnoreCase: { [SUB]: LBC.toUpperCase() } }, true],
    'StringNotEqualsIgnoreCase has no case': [{ StringNotEqualsIgnoreCase: { [SUB]: LBC.toUpperCase() } }, false],
    'StringLike: a star crosses colons': [{ StringLike: { [SUB]: 'system:*' } }, true],
    'StringLike: a star may be nothing': [{ StringLike: { [SUB]: `${LBC}*` } }, true],
    'StringLike: a question mark is exactly one character': [{ StringLike: { [SUB]: 'system:serviceaccount:kube-system:lb?' } }, true],
    'StringLike: a question mark is not nothing': [{ StringLike: { [SUB]: `${LBC}?` } }, false],
    'StringLike: several stars': [{ StringLike: { [SUB]: '*service*:*:l*c' } }, true],
    'StringLike: the whole text must match': [{ StringLike: { [SUB]: 'kube-system:*' } }, false],
    'StringLike has case': [{ StringLike: { [SUB]: 'System:*' } }, false],
    'StringNotLike is its opposite': [{ StringNotLike: { [SUB]: 'system:*' } }, false],
    'Null true wants the key absent': [{ Null: { [SUB]: 'true' } }, false],
    'Null false wants the key present': [{ Null: { [SUB]: false } }, true],
    'Null true on an absent key': [{ Null: { 'aws:PrincipalOrgID': true } }, true],
    'ForAllValues holds for an absent key': [{ 'ForAllValues:StringEquals': { 'aws:TagKeys': 'a' } }, true],
    'ForAllValues: each value of the request must match': [
      { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a', 'b'] } },
      false,
      { 'aws:TagKeys': ['a', 'c'] },
    ],
    'ForAllValues: each value matches another one': [
      { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a', 'b', 'd'] } },
      true,
      { 'aws:TagKeys': ['a', 'b'] },
    ],
    'ForAllValues negated: none of the values may match': [
      { 'ForAllValues:StringNotEquals': { 'aws:TagKeys': 'b' } },
      false,
      { 'aws:TagKeys': ['a', 'b'] },
    ],
    'ForAnyValue fails for an absent key, negated too': [{ 'ForAnyValue:StringNotEquals': { 'aws:TagKeys': 'a' } }, false],
    'ForAnyValue: one value of the request is enough': [
      { 'ForAnyValue:StringLike': { 'aws:TagKeys': 'b*' } },
      true,
      { 'aws:TagKeys': ['a', 'bc'] },
    ],
    'ForAnyValue negated: one value that does not match is enough': [
      { 'ForAnyValue:StringNotEquals': { 'aws:TagKeys': 'b' } },
      true,
      { 'aws:TagKeys': ['a', 'b'] },
    ],
    'ForAnyValue on a single value works': [{ 'ForAnyValue:StringEquals': { [SUB]: LBC } }, true],
    'Bool compares without case': [{ Bool: { 'aws:SecureTransport': 'TRUE' } }, true],
    'Bool takes a JSON boolean': [{ Bool: { 'aws:SecureTransport': false } }, false],
    'BoolIfExists on an absent key': [{ BoolIfExists: { 'aws:MultiFactorAuthPresent': 'true' } }, true],
    'NumericEquals compares numbers, not texts': [
      { NumericEquals: { 'sts:DurationSeconds': '900.0' } },
      true,
      { 'sts:DurationSeconds': '900' },
    ],
    NumericNotEquals: [{ NumericNotEquals: { 'sts:DurationSeconds': 900 } }, false, { 'sts:DurationSeconds': '900' }],
    'NumericLessThan is not for equals': [{ NumericLessThan: { 'sts:DurationSeconds': 900 } }, false, { 'sts:DurationSeconds': '900' }],
    'NumericLessThanEquals is': [{ NumericLessThanEquals: { 'sts:DurationSeconds': 900 } }, true, { 'sts:DurationSeconds': '900' }],
    NumericGreaterThan: [{ NumericGreaterThan: { 'sts:DurationSeconds': 899 } }, true, { 'sts:DurationSeconds': '900' }],
    NumericGreaterThanEquals: [{ NumericGreaterThanEquals: { 'sts:DurationSeconds': 901 } }, false, { 'sts:DurationSeconds': '900' }],
    'what is no number compares with none': [{ NumericLessThan: { 'sts:RoleSessionName': 5 } }, false],
    'DateGreaterThan a day before': [{ DateGreaterThan: { 'aws:CurrentTime': '2026-02-28T00:00:00Z' } }, true],
    'DateLessThan a day before': [{ DateLessThan: { 'aws:CurrentTime': '2026-02-28' } }, false],
    'a date may be written in seconds': [{ DateEquals: { 'aws:CurrentTime': '1772366400' } }, true],
    'the time in seconds may be compared with a date': [{ DateLessThanEquals: { 'aws:EpochTime': '2026-03-01T12:00:00Z' } }, true],
    DateNotEquals: [{ DateNotEquals: { 'aws:CurrentTime': '2026-03-01T12:00:00Z' } }, false],
    DateGreaterThanEquals: [{ DateGreaterThanEquals: { 'aws:CurrentTime': '2026-03-01T12:00:00Z' } }, true],
    'IpAddress: a range': [{ IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } }, true],
    'IpAddress: one address': [{ IpAddress: { 'aws:SourceIp': '203.0.113.7' } }, true],
    'IpAddress: outside': [{ IpAddress: { 'aws:SourceIp': ['203.0.113.8', '198.51.100.0/24'] } }, false],
    'IpAddress: IPv6': [{ IpAddress: { 'aws:SourceIp': '2001:db8::/32' } }, true, { 'aws:SourceIp': '2001:db8::1' }],
    'IpAddress: another family': [{ IpAddress: { 'aws:SourceIp': '::/0' } }, false],
    'IpAddress: what is no range holds nothing': [{ IpAddress: { 'aws:SourceIp': '203.0.113.0/40' } }, false],
    'NotIpAddress: inside': [{ NotIpAddress: { 'aws:SourceIp': '203.0.113.0/24' } }, false],
    'NotIpAddress: outside': [{ NotIpAddress: { 'aws:SourceIp': '198.51.100.0/24' } }, true],
    'ArnLike: wildcards within a part': [
      { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/team/*' } },
      true,
      { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/team/x' },
    ],
    'ArnLike: a star does not cross a colon': [
      { ArnLike: { 'aws:PrincipalArn': 'arn:*:role/x' } },
      false,
      { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/x' },
    ],
    'ArnEquals is ArnLike': [
      { ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/?' } },
      true,
      { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/x' },
    ],
    ArnNotLike: [
      { ArnNotLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/*' } },
      false,
      { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/x' },
    ],
    'ArnLike: a subject is no ARN': [{ ArnLike: { [SUB]: 'system:serviceaccount:*:*' } }, false],
    'BinaryEquals compares bytes': [{ BinaryEquals: { k: 'QUJD' } }, true, { k: 'QUJD' }],
    'a condition that is no object never holds': [{ StringEquals: 'x' }, false],
  };
  for (const [sentence, [condition, holds, context = {}]] of Object.entries(cases))
    test(sentence, () => expect(decide(when(condition), { context })).toBe(holds ? 'allowed' : 'implicitDeny'));
});

describe('variables', () => {
  const session = { context: { [SUB]: 'system:serviceaccount:ns:lbc-1' } };
  const cases: Record<string, [condition: Members, holds: boolean, options?: Parameters<typeof decide>[1]]> = {
    'are filled in': [{ StringEquals: { [SUB]: `system:serviceaccount:ns:${variable('sts:RoleSessionName')}` } }, true, session],
    'are plain text in version 2008-10-17': [
      { StringEquals: { [SUB]: variable('sts:RoleSessionName') } },
      true,
      { version: '2008-10-17', context: { [SUB]: variable('sts:RoleSessionName') } },
    ],
    'are plain text without a version': [
      { StringEquals: { [SUB]: variable('sts:RoleSessionName') } },
      false,
      { version: null, context: { [SUB]: 'lbc-1' } },
    ],
    'without a value match nothing': [{ StringLike: { [SUB]: `*${variable('aws:username')}*` } }, false],
    'without a value take their default': [
      { StringEquals: { [SUB]: variable("aws:username, 'lbc'") } },
      true,
      { context: { [SUB]: 'lbc' } },
    ],
    'bring in no wildcards': [
      { StringLike: { [SUB]: variable('sts:RoleSessionName') } },
      false,
      { context: { 'sts:RoleSessionName': '*', [SUB]: 'anything' } },
    ],
    'for the characters that mean something': [
      { StringLike: { [SUB]: `a${variable('*')}${variable('?')}${variable('$')}b` } },
      true,
      { context: { [SUB]: 'a*?$b' } },
    ],
    'for the star are no wildcard': [{ StringLike: { [SUB]: `a${variable('*')}b` } }, false, { context: { [SUB]: 'axb' } }],
  };
  for (const [sentence, [condition, holds, options]] of Object.entries(cases))
    test(sentence, () => expect(decide(when(condition), options)).toBe(holds ? 'allowed' : 'implicitDeny'));
});

test('a pattern full of stars is decided at once', () => {
  const pattern = `${'*a'.repeat(1_000)}b`;
  expect(decide(when({ StringLike: { [SUB]: pattern } }), { context: { [SUB]: 'a'.repeat(2_000) } })).toBe('implicitDeny');
});

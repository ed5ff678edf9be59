import { describe, expect, test } from 'vitest';
import { ACTION, ALB, AUDIENCE, allow, HOST, NOW, OTHER_HOST, PROVIDER, policy, REQUEST, read } from '../../../test/trust/cluster.ts';
import { evaluate, type TrustVerdict, type WebIdentity } from './evaluate.ts';

type Outcome = 'yes' | 'no' | 'unknown';

const SUB = `${HOST}:sub`;
const ABSENT = `${OTHER_HOST}:sub`;
const HIDDEN = 'aws:SourceVpc';

function outcome(statement: object, request: WebIdentity = REQUEST, version = '2012-10-17'): Outcome {
  const { kind } = evaluate(read(JSON.stringify({ Version: version, Statement: statement })), request);
  return kind === 'allowed' ? 'yes' : kind === 'denied' ? 'no' : 'unknown';
}

function condition(operator: string, key: string, value: unknown, version?: string, request?: WebIdentity): Outcome {
  return outcome(allow({ [operator]: { [key]: value } }), request, version);
}

describe('a condition operator on a claim that is there, on one that is absent, and on a key that nobody knows', () => {
  const table: Record<string, readonly [value: unknown, present: Outcome, absent: Outcome]> = {
    StringEquals: [ALB, 'yes', 'no'],
    StringNotEquals: [ALB, 'no', 'yes'],
    StringEqualsIgnoreCase: [ALB.toUpperCase(), 'yes', 'no'],
    StringNotEqualsIgnoreCase: [ALB.toUpperCase(), 'no', 'yes'],
    StringLike: ['system:serviceaccount:*', 'yes', 'no'],
    StringNotLike: ['system:serviceaccount:*', 'no', 'yes'],
    NumericEquals: ['5', 'unknown', 'no'],
    NumericNotEquals: ['5', 'unknown', 'yes'],
    NumericLessThan: ['5', 'unknown', 'no'],
    NumericLessThanEquals: ['5', 'unknown', 'no'],
    NumericGreaterThan: ['5', 'unknown', 'no'],
    NumericGreaterThanEquals: ['5', 'unknown', 'no'],
    DateEquals: ['2026-01-01', 'unknown', 'no'],
    DateNotEquals: ['2026-01-01', 'unknown', 'yes'],
    DateLessThan: ['2026-01-01', 'unknown', 'no'],
    DateLessThanEquals: ['2026-01-01', 'unknown', 'no'],
    DateGreaterThan: ['2026-01-01', 'unknown', 'no'],
    DateGreaterThanEquals: ['2026-01-01', 'unknown', 'no'],
    Bool: ['true', 'unknown', 'no'],
    BinaryEquals: ['QUJD', 'unknown', 'no'],
    IpAddress: ['203.0.113.0/24', 'unknown', 'no'],
    NotIpAddress: ['203.0.113.0/24', 'unknown', 'yes'],
    ArnEquals: [ALB, 'unknown', 'no'],
    ArnLike: [ALB, 'unknown', 'no'],
    ArnNotEquals: [ALB, 'unknown', 'yes'],
    ArnNotLike: [ALB, 'unknown', 'yes'],
  };
  for (const [operator, [value, present, absent]] of Object.entries(table)) {
    test(operator, () => {
      const on = (name: string) => [SUB, ABSENT, HIDDEN].map((key) => condition(name, key, value));
      expect(on(operator)).toEqual([present, absent, 'unknown']);
      expect(on(operator.toLowerCase())).toEqual([present, absent, 'unknown']);
      expect(on(`${operator}IfExists`)).toEqual([present, 'yes', 'unknown']);
      expect(on(`ForAllValues:${operator}`)).toEqual([present, 'yes', 'unknown']);
      expect(on(`ForAnyValue:${operator}`)).toEqual([present, 'no', 'unknown']);
      expect(on(`ForAllValues:${operator}IfExists`)).toEqual([present, 'yes', 'unknown']);
      // Of an absent key neither the any nor the if is documented to win.
      expect(on(`ForAnyValue:${operator}IfExists`)).toEqual([present, 'unknown', 'unknown']);
    });
  }

  test('Null', () => {
    expect([SUB, ABSENT, HIDDEN].map((key) => condition('Null', key, 'true'))).toEqual(['no', 'yes', 'unknown']);
    expect([SUB, ABSENT, HIDDEN].map((key) => condition('Null', key, false))).toEqual(['yes', 'no', 'unknown']);
    expect([SUB, ABSENT].map((key) => condition('Null', key, ['true', 'false']))).toEqual(['yes', 'yes']);
    expect([SUB, ABSENT].map((key) => condition('Null', key, 'maybe'))).toEqual(['unknown', 'unknown']);
    for (const name of ['NullIfExists', 'ForAllValues:Null', 'ForAnyValue:Null']) expect(condition(name, ABSENT, 'true')).toBe('unknown');
  });

  test('is unknown when there is no such operator', () => {
    for (const name of ['StringMatches', 'ForSome:StringEquals', 'StringEqualsIfExist', '', 'IfExists'])
      expect(condition(name, SUB, ALB)).toBe('unknown');
  });
});

describe('values', () => {
  const cases: Record<string, readonly [operator: string, value: unknown, wanted: Outcome]> = {
    'are alternatives': ['StringEquals', ['x', ALB], 'yes'],
    'of which none may match under a negated operator': ['StringNotEquals', ['x', ALB], 'no'],
    'may all differ under a negated operator': ['StringNotEquals', ['x', 'y'], 'yes'],
    'are compared with case': ['StringEquals', ALB.toUpperCase(), 'no'],
    'have wildcards under StringLike only': ['StringEquals', '*', 'no'],
    'match one character by a question mark': ['StringLike', ALB.replace('-', '?'), 'yes'],
    'may be numbers, which no subject is': ['StringEquals', 5, 'no'],
    'may be booleans, which no subject is': ['StringNotEquals', true, 'yes'],
    'must not be null': ['StringEquals', null, 'unknown'],
    'must not be objects': ['StringEquals', { a: 1 }, 'unknown'],
    'that cannot be read do not matter beside one that matches': ['StringEquals', [null, ALB], 'yes'],
    'that cannot be read make a negated operator unknown': ['StringNotEquals', [null, 'x'], 'unknown'],
    'that are none satisfy nothing': ['StringEquals', [], 'no'],
    'that are none make a negated operator unknown': ['StringNotEquals', [], 'unknown'],
  };
  for (const [sentence, [operator, value, wanted]] of Object.entries(cases))
    test(sentence, () => expect(condition(operator, SUB, value)).toBe(wanted));
});

describe('policy variables', () => {
  const variable = (text: string) => `\${${text}}`;
  const cases: Record<string, readonly [operator: string, value: unknown, wanted: Outcome, version?: string]> = {
    'stand for what the request carries': ['StringEquals', variable(SUB), 'yes'],
    'stand within a text': ['StringEquals', `system:serviceaccount:kube-system:${variable(`${HOST}:AUD`)}`, 'no'],
    'are text under 2008-10-17': ['StringEquals', variable(SUB), 'no', '2008-10-17'],
    'are unknown under a version that does not exist': ['StringEquals', variable(SUB), 'unknown', '2020-01-01'],
    'without value equal nothing': ['StringEquals', variable('aws:username'), 'no'],
    'without value are like nothing': ['StringLike', `*${variable('aws:username')}`, 'no'],
    'without value make a match by another value doubtful': ['StringEquals', [variable('aws:username'), ALB], 'unknown'],
    'without value make a negated operator doubtful': ['StringNotEquals', variable('aws:username'), 'unknown'],
    'without value do not save a negated operator whose other value matches': ['StringNotEquals', [variable('aws:username'), ALB], 'no'],
    'have defaults': ['StringEquals', variable(`aws:username, '${ALB}'`), 'yes'],
    'have defaults without a blank': ['StringEquals', variable(`aws:username,'${ALB}'`), 'yes'],
    'do not use the default where there is a value': ['StringEquals', variable(`${SUB}, 'x'`), 'yes'],
    'are unknown where the key is': ['StringEquals', variable('aws:SourceVpc'), 'unknown'],
    'bring in text, not wildcards': ['StringLike', variable("aws:username, '*'"), 'no'],
    'escape the star': ['StringLike', variable('*'), 'no'],
    'escape the question mark': ['StringLike', ALB.replace('-', variable('?')), 'no'],
    'escape the dollar sign': ['StringEquals', variable('$'), 'no'],
    'that are not closed are unknown': ['StringEquals', `\${${SUB}`, 'unknown'],
    'that are empty are unknown': ['StringEquals', variable(''), 'unknown'],
    'with half a default are unknown': ['StringEquals', variable("aws:username, 'x"), 'unknown'],
    'leave wildcards around them alone': ['StringLike', `*${variable(`aws:username, 'load-balancer'`)}*`, 'yes'],
  };
  for (const [sentence, [operator, value, wanted, version]] of Object.entries(cases)) {
    test(sentence, () => expect(condition(operator, SUB, value, version)).toBe(wanted));
  }

  test('are replaced in an absent key too, as far as they count', () => {
    expect(condition('StringNotEquals', ABSENT, variable('aws:username'))).toBe('unknown');
    expect(condition('StringNotEquals', ABSENT, variable(SUB))).toBe('yes');
    expect(condition('StringEquals', ABSENT, variable('aws:username'))).toBe('no');
    expect(condition('StringEqualsIfExists', ABSENT, variable('aws:username'))).toBe('unknown');
    expect(condition('ForAllValues:StringEquals', ABSENT, variable('aws:username'))).toBe('unknown');
    expect(condition('ForAnyValue:StringEquals', ABSENT, variable('aws:username'))).toBe('no');
    expect(condition('StringNotEquals', ABSENT, ['x', variable('aws:username')])).toBe('unknown');
  });

  test('that have no known meaning leave open what holds of an absent key', () => {
    const values = {
      [`\${${HIDDEN}}`]: '2012-10-17',
      [`vpc-\${${HIDDEN}}`]: '2012-10-17',
      '${': '2012-10-17',
      '${}': '2012-10-17',
      [`\${aws:username}`]: '2020-01-01',
    };
    const holding = [
      'StringNotEquals',
      'StringNotLike',
      'ArnNotLike',
      'StringEqualsIfExists',
      'ForAllValues:StringLike',
      'StringNotEqualsIfExists',
    ];
    for (const operator of holding) {
      for (const [value, version] of Object.entries(values))
        expect([operator, value, condition(operator, ABSENT, value, version)]).toEqual([operator, value, 'unknown']);
      for (const value of [null, { a: 1 }, ['x', null]]) expect(condition(operator, ABSENT, value)).toBe('unknown');
      expect(condition(operator, ABSENT, `\${aws:username, 'x'}`)).toBe('yes');
      expect(condition(operator, ABSENT, ['x', '*'])).toBe('yes');
    }
    // What the operator wants of a key that is not there it cannot get, whatever the value means.
    for (const operator of ['StringEquals', 'ForAnyValue:StringLike']) expect(condition(operator, ABSENT, `\${${HIDDEN}}`)).toBe('no');
    for (const value of [null, { a: 1 }]) expect(condition('NumericNotEquals', ABSENT, value)).toBe('unknown');
  });

  test('are none in an empty list, which under a negated operator nobody knows, also of an absent key', () => {
    expect(condition('StringNotEquals', ABSENT, [])).toBe('unknown');
    expect(condition('StringNotEqualsIfExists', ABSENT, [])).toBe('yes');
    expect(condition('StringEquals', ABSENT, [])).toBe('no');
  });
});

describe('keys', () => {
  const tags = new Map([['Team', 'network']]);
  const known: Record<string, readonly [operator: string, key: string, value: unknown, wanted: Outcome, request?: WebIdentity]> = {
    'are compared without regard to case': ['StringEquals', SUB.toUpperCase(), ALB, 'yes'],
    'the audience is known': ['StringEquals', `${HOST}:aud`, AUDIENCE, 'yes'],
    'the time is known': ['DateLessThan', 'aws:CurrentTime', '2026-01-01T00:00:01Z', 'yes'],
    'the time is compared to the second': ['DateEquals', 'aws:CurrentTime', '2026-01-01T01:00:00+01:00', 'yes'],
    'the time may be equal': ['DateLessThanEquals', 'aws:CurrentTime', '2026-01-01', 'yes'],
    'the time is not before itself': ['DateLessThan', 'aws:CurrentTime', '2026-01-01', 'no'],
    'the time is not after itself': ['DateGreaterThan', 'aws:CurrentTime', '2026-01-01', 'no'],
    'the time is at least itself': ['DateGreaterThanEquals', 'aws:CurrentTime', '2026-01-01T00:00Z', 'yes'],
    'the time is after an earlier one': ['DateGreaterThan', 'aws:CurrentTime', '2025-12-31T23:59:59.999Z', 'yes'],
    'the time is compared with seconds': ['DateGreaterThan', 'aws:CurrentTime', '1767225599', 'yes'],
    'the seconds are compared with a date': ['DateEquals', 'aws:EpochTime', '2026-01-01', 'yes'],
    'the seconds are a number': ['NumericGreaterThan', 'aws:EpochTime', 1767225599, 'yes'],
    'the seconds are compared as a number': ['NumericLessThanEquals', 'aws:EpochTime', '1767225599.5', 'no'],
    'a number in words is unknown': ['NumericEquals', 'aws:EpochTime', 'many', 'unknown'],
    'a year may be seconds': ['DateGreaterThan', 'aws:CurrentTime', '2020', 'unknown'],
    'a date without a zone is unknown': ['DateGreaterThan', 'aws:CurrentTime', '2020-01-01T00:00:00', 'unknown'],
    'a date that does not exist is unknown': ['DateGreaterThan', 'aws:CurrentTime', '2020-13-01', 'unknown'],
    'without a clock the time is unknown': ['DateGreaterThan', 'aws:CurrentTime', '2020-01-01', 'unknown', withoutClock()],
    'without a clock the seconds are unknown': ['DateGreaterThan', 'aws:EpochTime', '2020-01-01', 'unknown', withoutClock()],
    'STS is called by TLS': ['Bool', 'aws:SecureTransport', 'true', 'yes'],
    'no service calls for the pod': ['Bool', 'aws:ViaAWSService', 'true', 'no'],
    'the role is in the account of the provider': ['StringEquals', 'aws:ResourceAccount', '111122223333', 'yes'],
    'STS is not called without TLS': ['Bool', 'aws:SecureTransport', false, 'no'],
    'a boolean in words is unknown': ['Bool', 'aws:SecureTransport', 'yes', 'unknown'],
    'tags of the role are known': ['StringEquals', 'aws:ResourceTag/team', 'network', 'yes', { ...REQUEST, roleTags: tags }],
    'a tag that the role has not is absent': ['Null', 'aws:ResourceTag/owner', 'true', 'yes', { ...REQUEST, roleTags: tags }],
    'tags that were not read are unknown': ['Null', 'aws:ResourceTag/team', 'true', 'unknown'],
    'two tags that differ in case are unknown': [
      'StringEquals',
      'aws:ResourceTag/team',
      'network',
      'unknown',
      { ...REQUEST, roleTags: new Map([...tags, ['team', 'network']]) },
    ],
  };
  for (const [sentence, [operator, key, value, wanted, request]] of Object.entries(known)) {
    test(sentence, () => expect(condition(operator, key, value, undefined, request)).toBe(wanted));
  }

  const absent = [
    ...['azp', 'amr', 'email', 'oaud', 'id', '', ' sub', 'sub '].map((claim) => `${HOST}:${claim}`),
    ...[ABSENT, 'token.actions.githubusercontent.com:sub', 'accounts.google.com:aud', 'cognito-identity.amazonaws.com:amr'],
    ...[`https://${SUB}`, `${PROVIDER}:sub`, HOST, 'sub', 'aud', `${HOST}/:sub`, ` ${SUB}`, ''],
    ...['aws:PrincipalOrgID', 'aws:PrincipalOrgPaths', 'aws:PrincipalArn', 'aws:PrincipalTag/team', 'aws:username', 'aws:TokenIssueTime'],
    ...[
      'aws:MultiFactorAuthPresent',
      'aws:MultiFactorAuthAge',
      'aws:SourceArn',
      'aws:SourceAccount',
      'aws:SourceOrgID',
      'aws:SourceOrgPaths',
      'aws:SourceIdentity',
    ],
    ...['aws:PrincipalServiceName', 'aws:PrincipalServiceNamesList', 'aws:RequestTag/team', 'aws:TagKeys', 'saml:aud'],
    ...['sts:ExternalId', 'sts:SourceIdentity', 'sts:TransitiveTagKeys', 'sts:AWSServiceName', 'AWS:principalorgid'],
    ...['aws:PrincipalIsAWSService', 'aws:CalledVia', 'aws:Ec2InstanceSourceVpc', 'ec2:SourceInstanceArn', 'sts:RequestContext/idc'],
    ...['oidc-provider:sub', 'OIDC_PROVIDER:aud', 'EXAMPLED539D4633E53DE1B71EXAMPLE:sub'],
  ];
  for (const key of absent) test(`"${key}" is absent`, () => expect(condition('Null', key, 'true')).toBe('yes'));

  const hidden = [
    ...[
      'aws:SourceIp',
      'aws:SourceVpc',
      'aws:SourceVpce',
      'aws:VpcSourceIp',
      'aws:UserAgent',
      'aws:Referer',
      'aws:RequestedRegion',
      'aws:PrincipalAccount',
    ],
    ...['aws:PrincipalType', 'aws:userid', 'aws:FederatedProvider', 'sts:RoleSessionName', 'sts:DurationSeconds'],
    ...['aws:ResourceOrgID', `${HOST}:jti`, `${HOST}:kubernetes.io`, 'whatever:key'],
  ];
  for (const key of hidden)
    test(`"${key}" is unknown, and named`, () => {
      const verdict = evaluate(read(policy(allow({ Null: { [key]: 'true' } }))), REQUEST);
      expect(verdict).toEqual({
        kind: 'unknown',
        reason: `statement 1: "${key}" is not known before the call`,
        statement: { index: 1, sid: undefined },
        effect: 'Allow',
        part: { kind: 'condition', operator: 'Null', key },
      });
    });

  test('that differ in case only are known where they agree', () => {
    const twice = (other: unknown) => outcome(allow({ StringEquals: { [SUB]: ALB, [`${HOST}:Sub`]: other } }));
    expect([twice(ALB), twice('x')]).toEqual(['yes', 'unknown']);
    const operators = (other: unknown) => outcome(allow({ StringEquals: { [SUB]: ALB }, stringequals: { [SUB]: other } }));
    expect([operators(ALB), operators('x')]).toEqual(['yes', 'unknown']);
    // One of the two operators may be passed over, also with a key that the other has not.
    const split = (audience: string) => outcome(allow({ StringEquals: { [SUB]: ALB }, stringequals: { [`${HOST}:aud`]: audience } }));
    expect([split(AUDIENCE), split('x')]).toEqual(['yes', 'unknown']);
    // Two operators or two keys in earnest are conditions of their own.
    expect(outcome(allow({ StringEquals: { [SUB]: ALB }, StringLike: { [SUB]: 'x' } }))).toBe('no');
    expect(outcome(allow({ StringEquals: { [SUB]: ALB, [`${HOST}:aud`]: 'x' } }))).toBe('no');
  });
});

describe('conditions', () => {
  const cases: Record<string, readonly [block: unknown, wanted: Outcome]> = {
    'all have to hold': [{ StringEquals: { [SUB]: ALB }, Bool: { 'aws:SecureTransport': 'false' } }, 'no'],
    'that fail decide, whatever is unknown': [{ StringEquals: { [SUB]: 'x', [HIDDEN]: 'v' } }, 'no'],
    'that are unknown decide, whatever holds': [{ StringEquals: { [SUB]: ALB, [HIDDEN]: 'v' } }, 'unknown'],
    'that are none always hold': [{}, 'yes'],
    'of an operator without keys hold': [{ StringEquals: {} }, 'yes'],
    'that are no block are unknown': [[], 'unknown'],
    'that are text are unknown': ['x', 'unknown'],
    'of an operator that has no block are unknown': [{ StringEquals: 'x' }, 'unknown'],
  };
  for (const [sentence, [block, wanted]] of Object.entries(cases))
    test(sentence, () => expect(outcome(allow(block as object))).toBe(wanted));
});

describe('principals', () => {
  const ROOT = 'arn:aws:iam::111122223333:root';
  const cases: Record<string, readonly [principal: unknown, allow: Outcome, deny: Outcome]> = {
    'the provider itself': [{ Federated: PROVIDER }, 'yes', 'yes'],
    'the provider in a list': [{ Federated: ['x', PROVIDER] }, 'yes', 'yes'],
    'the provider beside other kinds': [{ Service: 'ec2.amazonaws.com', Federated: PROVIDER }, 'yes', 'yes'],
    'another provider': [{ Federated: 'x' }, 'no', 'no'],
    'the provider as another kind': [{ AWS: PROVIDER }, 'no', 'no'],
    'a wildcard in the provider': [{ Federated: `${PROVIDER.slice(0, -1)}*` }, 'no', 'no'],
    'a star as the federated principal': [{ Federated: '*' }, 'unknown', 'unknown'],
    everybody: [{ AWS: '*' }, 'unknown', 'yes'],
    'everybody, by a bare star': ['*', 'unknown', 'yes'],
    'everybody in a list beside the provider': [{ AWS: ['*'], Federated: PROVIDER }, 'yes', 'yes'],
    "the role's account": [{ AWS: ROOT }, 'no', 'unknown'],
    "the role's account by its number": [{ AWS: '111122223333' }, 'no', 'unknown'],
    'another account': [{ AWS: '444455556666' }, 'no', 'no'],
    "another account's root": [{ AWS: 'arn:aws:iam::444455556666:root' }, 'no', 'no'],
    'a role': [{ AWS: 'arn:aws:iam::111122223333:role/x' }, 'no', 'no'],
    'a deleted role': [{ AWS: 'AROAEXAMPLEEXAMPLE123' }, 'no', 'no'],
    'a service': [{ Service: 'ec2.amazonaws.com' }, 'no', 'no'],
    'a canonical user': [{ CanonicalUser: '*' }, 'no', 'no'],
    'a kind that does not exist': [{ Whoever: PROVIDER }, 'unknown', 'unknown'],
    'no kind at all': [{}, 'no', 'no'],
    'a text': ['x', 'unknown', 'unknown'],
    'a list': [['*'], 'unknown', 'unknown'],
    'a number': [{ Federated: 5 }, 'unknown', 'unknown'],
    nothing: [undefined, 'unknown', 'unknown'],
  };
  for (const [sentence, [Principal, allows, denies]] of Object.entries(cases)) {
    test(`${sentence}: allowed ${allows}, denied ${denies}`, () => {
      expect(outcome(allow(undefined, { Principal }))).toBe(allows);
      expect(denied(allow(undefined, { Effect: 'Deny', Principal }))).toBe(denies);
    });
  }

  const excluded: Record<string, readonly [notPrincipal: unknown, allow: Outcome, deny: Outcome]> = {
    'this provider': [{ Federated: PROVIDER }, 'no', 'no'],
    'another provider': [{ Federated: 'x' }, 'unknown', 'yes'],
    everybody: [{ AWS: '*' }, 'no', 'no'],
    "the role's account": [{ AWS: ROOT }, 'unknown', 'unknown'],
  };
  for (const [sentence, [NotPrincipal, allows, denies]] of Object.entries(excluded)) {
    test(`everybody but ${sentence}: allowed ${allows}, denied ${denies}`, () => {
      expect(outcome(allow(undefined, { Principal: undefined, NotPrincipal }))).toBe(allows);
      expect(denied(allow(undefined, { Effect: 'Deny', Principal: undefined, NotPrincipal }))).toBe(denies);
    });
  }

  test('both Principal and NotPrincipal are unknown', () =>
    expect(outcome(allow(undefined, { NotPrincipal: { Federated: 'x' } }))).toBe('unknown'));
});

describe('actions', () => {
  const cases: Record<string, readonly [action: unknown, action: Outcome, notAction: Outcome]> = {
    'the action': [ACTION, 'yes', 'no'],
    'the action in another case': ['STS:assumerolewithWEBIDENTITY', 'yes', 'no'],
    'a list with the action': [['sts:TagSession', ACTION], 'yes', 'no'],
    everything: ['*', 'yes', 'no'],
    'everything of STS': ['sts:*', 'yes', 'no'],
    'a wildcard within': ['sts:*WebIdentity', 'yes', 'no'],
    'question marks': ['sts:AssumeRoleWithWebIdentit?', 'yes', 'no'],
    'another action': ['sts:AssumeRole', 'no', 'yes'],
    'no action': [[], 'no', 'yes'],
    'a number': [5, 'unknown', 'unknown'],
    'a number beside the action': [[5, ACTION], 'yes', 'no'],
  };
  for (const [sentence, [action, by, but]] of Object.entries(cases)) {
    test(`${sentence}: Action ${by}, NotAction ${but}`, () => {
      expect(outcome(allow(undefined, { Action: action }))).toBe(by);
      expect(outcome(allow(undefined, { Action: undefined, NotAction: action }))).toBe(but);
    });
  }

  test('neither, and both, are unknown', () => {
    expect(outcome(allow(undefined, { Action: undefined }))).toBe('unknown');
    expect(outcome(allow(undefined, { NotAction: 'x' }))).toBe('unknown');
  });
});

describe('the verdict', () => {
  const yes = allow(undefined);
  const no = allow(undefined, { Action: 'sts:AssumeRole' });
  const maybe = allow({ StringEquals: { [HIDDEN]: 'v' } }, { Sid: 'Maybe' });
  const deny = allow(undefined, { Effect: 'Deny' });
  const mayDeny = allow({ StringEquals: { [HIDDEN]: 'v' } }, { Effect: 'Deny', Sid: 'MayDeny' });
  const odd = allow(undefined, { Effect: 'allow' });
  const at = (index: number, sid?: string) => ({ index, sid });
  const hiddenPart = { kind: 'condition' as const, operator: 'StringEquals', key: HIDDEN };
  const because = (index: number) => `statement ${index}: "${HIDDEN}" is not known before the call`;

  const cases: Record<string, readonly [statements: readonly object[], verdict: TrustVerdict]> = {
    'nothing allows nothing': [[], { kind: 'denied', explicit: false, nearest: undefined }],
    'an Allow that holds allows': [[no, yes], { kind: 'allowed', statement: at(2), ours: false }],
    'an Allow that fails denies, and says where': [
      [no],
      { kind: 'denied', explicit: false, nearest: { statement: at(1), part: { kind: 'action' } } },
    ],
    'the nearest is the one with the fewest failures': [
      [allow({ StringEquals: { [SUB]: 'x', [`${HOST}:aud`]: 'x' } }), allow({ StringEquals: { [SUB]: 'x' } })],
      { kind: 'denied', explicit: false, nearest: { statement: at(2), part: { kind: 'condition', operator: 'StringEquals', key: SUB } } },
    ],
    'a Deny wins over an Allow': [[yes, deny], { kind: 'denied', explicit: true, statement: at(2) }],
    'a Deny that fails does not': [[yes, { ...no, Effect: 'Deny' }], { kind: 'allowed', statement: at(1), ours: false }],
    'an Allow that may hold is unknown': [
      [no, maybe],
      { kind: 'unknown', reason: because(2), statement: at(2, 'Maybe'), effect: 'Allow', part: hiddenPart },
    ],
    'an Allow that holds does not mind one that may': [[maybe, yes], { kind: 'allowed', statement: at(2), ours: false }],
    'a Deny that may hold makes an Allow unknown': [
      [yes, mayDeny],
      { kind: 'unknown', reason: because(2), statement: at(2, 'MayDeny'), effect: 'Deny', part: hiddenPart },
    ],
    'a Deny that may hold does not matter where nothing allows': [[mayDeny], { kind: 'denied', explicit: false, nearest: undefined }],
    'a Deny that holds does not mind one that may': [[mayDeny, deny, yes], { kind: 'denied', explicit: true, statement: at(2) }],
    'an Effect that is none may be either': [
      [yes, odd],
      {
        kind: 'unknown',
        reason: 'statement 2: its "Effect" is neither "Allow" nor "Deny"',
        statement: at(2),
        effect: 'Deny',
        part: { kind: 'effect' },
      },
    ],
    'an Effect that is none may be an Allow': [
      [odd],
      {
        kind: 'unknown',
        reason: 'statement 1: its "Effect" is neither "Allow" nor "Deny"',
        statement: at(1),
        effect: 'Allow',
        part: { kind: 'effect' },
      },
    ],
    'a member that is not known makes a statement unknown': [
      [allow(undefined, { Resource: '*' })],
      {
        kind: 'unknown',
        reason: 'statement 1: it has the member "Resource", which trust policies do not have',
        statement: at(1),
        effect: 'Allow',
        part: { kind: 'members' },
      },
    ],
  };
  for (const [sentence, [statements, verdict]] of Object.entries(cases))
    test(sentence, () => expect(evaluate(read(policy(...statements)), REQUEST)).toEqual(verdict));
});

describe('the reason of an unknown is a phrase that a person can read', () => {
  const on = (operator: string, value: unknown, key = SUB) => allow({ [operator]: { [key]: value } });
  const seconds = 'aws:EpochTime';
  const reasons: Record<string, object> = {
    'a condition value is a JSON null': on('StringEquals', null),
    'a condition value is a JSON array': on('StringEquals', [['x']]),
    'an ARN operator compares a value that is not an ARN': on('ArnLike', 'x'),
    'Bool compares a value that is neither "true" nor "false"': on('Bool', 'true'),
    'a condition compares a value that is not a date': on('DateEquals', '2020-01-01'),
    'a condition compares a value that is not a number': on('NumericEquals', 'many', seconds),
    'IpAddress compares a value that is not an address': on('IpAddress', 'x'),
    'BinaryEquals compares a value that is not binary': on('BinaryEquals', 'x'),
    'Null compares a value that is neither "true" nor "false"': on('Null', 'x'),
    'AWS does not document what ForAnyValue with IfExists means for an absent key': on('ForAnyValue:StringEqualsIfExists', 'x', ABSENT),
    'a negated operator has an empty list of values': on('StringNotEquals', []),
    'a policy variable in a condition has no value': on('StringNotEquals', `\${aws:username}`),
    'a value contains a "${" that does not begin a policy variable': on('StringEquals', `\${`),
    'the role has several tags that match "aws:ResourceTag/..."': on('StringEquals', 'x', 'aws:ResourceTag/a'),
    '"X" is not a condition operator': on('X', 'x'),
    'its "Condition" is not an object': allow([]),
    'its condition "StringEquals" is not an object': allow({ StringEquals: 'x' }),
    'its action is a JSON number': allow(undefined, { Action: 5 }),
    'it has no "Action"': allow(undefined, { Action: undefined }),
    'it has both "Action" and "NotAction"': allow(undefined, { NotAction: 'x' }),
    'it has no "Principal"': allow(undefined, { Principal: undefined }),
    'it has both "Principal" and "NotPrincipal"': allow(undefined, { NotPrincipal: 'x' }),
    'it is an Allow with "NotPrincipal"': allow(undefined, { Principal: undefined, NotPrincipal: { AWS: 'x' } }),
    'its principal is neither an object nor "*"': allow(undefined, { Principal: 'x' }),
    'its principal of the kind "AWS" is a JSON number': allow(undefined, { Principal: { AWS: 5 } }),
    'IAM has no principal of the kind "X"': allow(undefined, { Principal: { X: 'x' } }),
    'AWS does not document what "*" means as a federated principal': allow(undefined, { Principal: { Federated: '*' } }),
    'AWS does not document whether an Allow for "*" covers web identities': allow(undefined, { Principal: '*' }),
  };
  for (const [reason, statement] of Object.entries(reasons)) {
    test(reason, () => {
      const verdict = evaluate(read(policy(statement)), {
        ...REQUEST,
        roleTags: new Map([
          ['a', 'x'],
          ['A', 'y'],
        ]),
      });
      expect(verdict).toEqual({
        kind: 'unknown',
        reason: `statement 1: ${reason}`,
        statement: { index: 1, sid: undefined },
        effect: 'Allow',
        part: expect.anything(),
      });
    });
  }

  test('also of a version of the language that does not exist', () => {
    const document = read(JSON.stringify({ Version: '2020-01-01', Statement: on('StringEquals', `\${x}`) }));
    const reason = 'statement 1: the policy language has no version "2020-01-01", and the value contains "${"';
    expect(evaluate(document, REQUEST)).toEqual({
      kind: 'unknown',
      reason,
      statement: { index: 1, sid: undefined },
      effect: 'Allow',
      part: expect.anything(),
    });
  });

  test('also of a Deny for an account', () => {
    const verdict = evaluate(
      read(policy(allow(undefined), allow(undefined, { Effect: 'Deny', Principal: { AWS: '111122223333' } }))),
      REQUEST,
    );
    expect(verdict).toEqual({
      kind: 'unknown',
      reason: 'statement 2: AWS does not document whether a Deny for the account 111122223333 covers web identities',
      statement: { index: 2, sid: undefined },
      effect: 'Deny',
      part: { kind: 'principal' },
    });
  });

  test('names the part', () => {
    const parts = [allow([]), allow(undefined, { Action: 5 }), allow(undefined, { Principal: 'x' }), allow(undefined, { X: 1 })];
    const kinds = parts
      .map((statement) => evaluate(read(policy(statement)), REQUEST))
      .map((verdict) => verdict.kind === 'unknown' && verdict.part.kind);
    expect(kinds).toEqual(['block', 'action', 'principal', 'members']);
  });
});

describe('dates and numbers are read strictly', () => {
  const at = (value: unknown) => condition('DateGreaterThan', 'aws:CurrentTime', value);
  const dates: Record<string, Outcome> = {
    '2025-12-31': 'yes',
    '2025-12-31T23:59Z': 'yes',
    '2025-12-31T23:59:59Z': 'yes',
    '2025-12-31T23:59:59.123456789Z': 'yes',
    '2026-01-01T00:59:59+01:00': 'yes',
    '2026-01-01T00:00:00-01:00': 'no',
    '12345': 'yes',
    '999999999999': 'no',
    '9999': 'unknown',
    '1234567890123': 'unknown',
    'x2025-12-31': 'unknown',
    '2025-12-31x': 'unknown',
    '2025-12-31T23:59': 'unknown',
    '2025-12-31T23:59:59.Z': 'unknown',
    '2025-12-31Z': 'unknown',
    '25-12-31': 'unknown',
    '2025-1-1': 'unknown',
    x12345: 'unknown',
    '12345x': 'unknown',
  };
  for (const [text, wanted] of Object.entries(dates)) test(`date ${text}`, () => expect(at(text)).toBe(wanted));

  const numbers: Record<string, Outcome> = {
    '-1': 'yes',
    '0.5': 'yes',
    '999999999999999': 'no',
    '9999999999999999': 'unknown',
    '1e3': 'unknown',
    ' 1': 'unknown',
    '1 ': 'unknown',
    '1.': 'unknown',
    '.5': 'unknown',
  };
  for (const [text, wanted] of Object.entries(numbers))
    test(`number ${text}`, () => expect(condition('NumericGreaterThan', 'aws:EpochTime', text)).toBe(wanted));

  const orders: Record<string, readonly [smaller: Outcome, equal: Outcome, greater: Outcome]> = {
    Equals: ['no', 'yes', 'no'],
    LessThan: ['no', 'no', 'yes'],
    LessThanEquals: ['no', 'yes', 'yes'],
    GreaterThan: ['yes', 'no', 'no'],
    GreaterThanEquals: ['yes', 'yes', 'no'],
    NotEquals: ['yes', 'no', 'yes'],
  };
  for (const [order, wanted] of Object.entries(orders)) {
    test(`${order} against a smaller, an equal and a greater value`, () => {
      for (const kind of ['Date', 'Numeric']) {
        expect(['1767225599', '1767225600', '1767225601'].map((value) => condition(kind + order, 'aws:EpochTime', value))).toEqual(wanted);
      }
    });
  }

  test('booleans', () => {
    const over = (value: unknown) => condition('Bool', 'aws:SecureTransport', value);
    expect(['true', 'false', true, false, 'True', ''].map(over)).toEqual(['yes', 'no', 'yes', 'no', 'unknown', 'unknown']);
  });
});

function denied(statement: object): Outcome {
  const verdict = evaluate(read(policy(allow(undefined), statement)), REQUEST);
  return verdict.kind === 'denied' ? 'yes' : verdict.kind === 'allowed' ? 'no' : 'unknown';
}

function withoutClock(): WebIdentity {
  const { now, ...request } = REQUEST;
  expect(now).toBe(NOW);
  return request;
}

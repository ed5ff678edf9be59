import { describe, expect, test } from 'vitest';
import { AwsError } from '../aws-error.ts';
import { systemClock } from '../clock.ts';
import { accountOf, addRole, addUser, createWorld, removeRole } from '../world.ts';
import { acceptTrustPolicy, plantTrustPolicy, renderTrustPolicy } from './trust-policy.ts';

const PROVIDER = 'arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF';
const ROOT = 'arn:aws:iam::111122223333:root';

type Members = Record<string, unknown>;

const policy = (...statements: Members[]): string => JSON.stringify({ Version: '2012-10-17', Statement: statements });
const allow = (members: Members = {}): Members => ({ Effect: 'Allow', Principal: { AWS: ROOT }, Action: 'sts:AssumeRole', ...members });
const web = (federated: unknown, members: Members = {}): Members =>
  allow({ Principal: { Federated: federated }, Action: 'sts:AssumeRoleWithWebIdentity', ...members });

/** An account with a role `/team/hop` and a user `alice`. */
function setUp() {
  const world = createWorld(systemClock, Math.random);
  const account = accountOf(world, '111122223333');
  const hop = addRole(world, account, { name: 'hop', path: '/team/', trustPolicy: '{}' });
  const alice = addUser(world, account, 'alice');
  const accept = (text: string): string => acceptTrustPolicy(world, account, text);
  return { world, account, hop, alice, accept };
}

/** What a client gets for a document: the error, or nothing. */
function refusal(text: string, quota?: number): string | undefined {
  const { account, accept } = setUp();
  if (quota !== undefined) account.trustPolicyQuota = quota;
  try {
    accept(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return `${error.status} ${error.code}: ${error.message}`;
  }
}

describe('refused with a sentence', () => {
  const invalidJson = 'This policy contains invalid Json';
  const syntax = 'Syntax errors in policy.';
  const actions = 'AssumeRole policy may only specify STS AssumeRole actions.';
  const federated = 'Federated principals must be valid domain names or SAML metadata ARNs';
  const github = 'arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com';
  const githubKey = 'token.actions.githubusercontent.com:sub';
  const tenant = `The trust policy must evaluate the condition key ${githubKey} for the shared OIDC provider token.actions.githubusercontent.com`;

  const cases: Record<string, [text: string, message: string]> = {
    'no JSON': ['{', invalidJson],
    'a duplicate member': [policy(allow()).replace('"Effect"', '"Effect":"Deny","Effect"'), invalidJson],
    'a text': ['"x"', syntax],
    'a list': ['[]', syntax],
    'an unknown member of the policy': [JSON.stringify({ Statement: [allow()], Comment: 'x' }), syntax],
    'an unknown version': [policy(allow()).replace('2012-10-17', '2012-10-18'), 'The policy must contain a valid version string'],
    'no statement': [JSON.stringify({ Version: '2012-10-17' }), 'Could not parse the policy: Statement is empty!'],
    'an empty list of statements': [policy(), 'Could not parse the policy: Statement is empty!'],
    'a statement that is a text': [JSON.stringify({ Statement: ['x'] }), syntax],
    'an unknown member of a statement': [policy(allow({ Comment: 'x' })), syntax],
    'a member in another case': [policy(allow({ Effect: undefined, effect: 'Allow' })), syntax],
    'a statement ID with a hyphen': [
      policy(allow({ Sid: 'a-b' })),
      'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*',
    ],
    'two statements with one ID': [policy(allow({ Sid: 'A' }), allow({ Sid: 'A' })), 'The Statement Ids in the policy are not unique'],
    'no effect': [policy(allow({ Effect: undefined })), 'Missing required field Effect'],
    'another effect': [policy(allow({ Effect: 'Permit' })), 'Invalid effect: Permit'],
    'a resource': [policy(allow({ Resource: '*' })), 'Has prohibited field Resource'],
    NotResource: [policy(allow({ NotResource: '*' })), 'AssumeRole policy must not contain resources.'],
    NotPrincipal: [
      policy(allow({ Effect: 'Deny', Principal: undefined, NotPrincipal: { AWS: ROOT } })),
      'AssumeRole policy must not contain NotPrincipal field.',
    ],
    'no principal': [policy(allow({ Principal: undefined })), 'Missing required field Principal'],
    'a principal that is a star': [policy(allow({ Principal: '*' })), 'AssumeRolepolicy contained an invalid principal: "STAR":"*".'],
    'a principal that is a text': [policy(allow({ Principal: ROOT })), 'Principal must be a JSON object.'],
    'a principal that is a list': [policy(allow({ Principal: [ROOT] })), syntax],
    'a principal without kinds': [policy(allow({ Principal: {} })), 'Missing required field Principal cannot be empty!'],
    'a principal without names': [policy(allow({ Principal: { AWS: [] } })), 'Missing required field Principal cannot be empty!'],
    'a principal of an unknown kind': [policy(allow({ Principal: { Person: 'me' } })), 'Invalid principal in policy: "Person"'],
    'a principal that is a number': [policy(allow({ Principal: { AWS: 111122223333 } })), syntax],
    'no action': [policy(allow({ Action: undefined })), 'Missing required field Action'],
    'no action in the list': [policy(allow({ Action: [] })), 'Missing required field Action'],
    'sts:*': [policy(allow({ Action: 'sts:*' })), actions],
    'a star': [policy(allow({ Action: '*' })), actions],
    'sts:Assume*': [policy(allow({ Action: ['sts:AssumeRole', 'sts:Assume*'] })), actions],
    'an action of another service': [policy(allow({ Action: 's3:GetObject' })), actions],
    'Action and NotAction': [policy(allow({ NotAction: 'sts:TagSession' })), syntax],
    'a condition that is a text': [policy(allow({ Condition: 'x' })), syntax],
    'an unknown operator': [policy(allow({ Condition: { StringEqual: { 'aws:userid': 'x' } } })), syntax],
    'a condition value that is an object': [policy(allow({ Condition: { StringEquals: { 'aws:userid': {} } } })), syntax],
    'an AWS principal that is no ARN': [policy(allow({ Principal: { AWS: 'me' } })), 'Invalid principal in policy: "AWS":"me"'],
    'a role that does not exist': [
      policy(allow({ Principal: { AWS: 'arn:aws:iam::111122223333:role/none' } })),
      'Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:role/none"',
    ],
    'a role without its path': [
      policy(allow({ Principal: { AWS: ['arn:aws:iam::111122223333:role/hop'] } })),
      'Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:role/hop"',
    ],
    'a wildcard in a role ARN': [
      policy(allow({ Principal: { AWS: 'arn:aws:iam::111122223333:role/*' } })),
      'Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:role/*"',
    ],
    'the unique ID of a deleted role': [
      policy(allow(), allow({ Principal: { AWS: 'AROADELETEDDELETEDXYZ' } })),
      'Invalid principal in policy: "AWS":"AROADELETEDDELETEDXYZ"',
    ],
    'a service that is none': [policy(allow({ Principal: { Service: 'ec2' } })), 'Invalid principal in policy: "SERVICE":"ec2"'],
    'an issuer as federated principal': [policy(web('https://oidc.eks.us-east-1.amazonaws.com/id/0123')), federated],
    'an ARN with the scheme of the issuer': [policy(web(PROVIDER.replace('oidc.eks', 'https://oidc.eks'))), federated],
    'an ARN without account': [policy(web(PROVIDER.replace('111122223333', ''))), federated],
    'an ARN that was cut off': [policy(web('arn:aws:iam::111122223333:OIDC-Prob')), federated],
    'a placeholder': [policy(web('arn:aws:iam::<ACCOUNT_ID>:oidc-provider/x')), federated],
    'Cognito without a condition': [
      policy(web('cognito-identity.amazonaws.com')),
      'A condition block must be present for the Cognito provider',
    ],
    'GitHub without a subject': [policy(web(github)), tenant],
    'GitHub with every subject': [policy(web(github, { Condition: { StringLike: { [githubKey]: '*' } } })), tenant],
    'GitHub with a subject that may be absent': [
      policy(web(github, { Condition: { StringEqualsIfExists: { [githubKey]: 'x' } } })),
      tenant,
    ],
    'GitHub beside a good statement': [policy(allow(), web(github)), tenant],
  };
  for (const [sentence, [text, message]] of Object.entries(cases))
    test(sentence, () => expect(refusal(text)).toBe(`400 MalformedPolicyDocument: ${message}`));
});

describe('accepted', () => {
  const cases: Record<string, string> = {
    'one statement that is no list': JSON.stringify({ Statement: allow() }),
    'no version, an Id': JSON.stringify({ Id: 'x', Statement: [allow()] }),
    'empty statement IDs, twice': policy(allow({ Sid: '' }), allow({ Sid: '' })),
    'actions in any case': policy(allow({ Action: ['STS:assumerole', 'sts:TagSession', 'sts:SetSourceIdentity'] })),
    'NotAction with an action of STS': policy(allow({ Action: undefined, NotAction: 'sts:TagSession' })),
    'everybody, said as AWS': policy(allow({ Principal: { AWS: '*' } })),
    'an account number': policy(allow({ Principal: { AWS: '444455556666' } })),
    'a role with its path, a user, a session': policy(
      allow({
        Principal: {
          AWS: [
            'arn:aws:iam::111122223333:role/team/hop',
            'arn:aws:iam::111122223333:user/alice',
            'arn:aws:sts::111122223333:assumed-role/hop/session',
          ],
        },
      }),
    ),
    'a provider that does not exist': policy(web(PROVIDER)),
    'a provider of another account or partition': policy(
      web([PROVIDER.replace('1111', '4444'), PROVIDER.replace('arn:aws:', 'arn:aws-cn:')]),
    ),
    'a domain name, a SAML provider': policy(web(['accounts.google.com', 'arn:aws:iam::111122223333:saml-provider/x'])),
    'GitHub with a subject': policy(
      web('arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com', {
        Condition: { StringLike: { 'token.actions.githubusercontent.com:sub': 'repo:me/*' } },
      }),
    ),
    'a deny for GitHub, which needs no subject': policy(
      allow(),
      web('arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com', { Effect: 'Deny' }),
    ),
    'misspelt condition keys': policy(web(PROVIDER, { Condition: { StringEquals: { sub: 'x', 'https://oidc.eks:sub ': 'y' } } })),
    'operators with qualifier and IfExists': policy(
      allow({ Condition: { 'ForAllValues:StringLikeIfExists': { 'aws:TagKeys': ['a'] }, Null: { 'aws:userid': false } } }),
    ),
  };
  for (const [sentence, text] of Object.entries(cases)) test(sentence, () => expect(refusal(text)).toBeUndefined());
});

describe('size', () => {
  const text = policy(allow({ Sid: 'A'.repeat(2_048 - policy(allow({ Sid: '' })).length) }));

  test('a document at the quota fits', () => {
    expect(text.length).toBe(2_048);
    expect(refusal(text)).toBeUndefined();
  });
  test('one character more does not', () =>
    expect(refusal(text.replace('AAA', 'AAAA'))).toBe('409 LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048'));
  test('white space is not counted', () => expect(refusal(JSON.stringify(JSON.parse(text), null, 8))).toBeUndefined());
  test('the quota is that of the account', () =>
    expect(refusal(text, 2_047)).toBe('409 LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2047'));
});

describe('what is stored', () => {
  const cases: Record<string, [sent: Members, stored: Members]> = {
    'principals come back in another order': [
      allow({ Principal: { AWS: [ROOT, '*'], Service: 'ec2.amazonaws.com' } }),
      allow({ Principal: { Service: 'ec2.amazonaws.com', AWS: ['*', ROOT] } }),
    ],
    'condition operators, keys and values do too': [
      allow({ Condition: { StringEquals: { a: ['1', '2'], b: '3' }, Bool: { c: true } } }),
      allow({ Condition: { Bool: { c: 'true' }, StringEquals: { b: '3', a: ['2', '1'] } } }),
    ],
    'actions do too': [allow({ Action: ['sts:AssumeRole', 'sts:TagSession'] }), allow({ Action: ['sts:TagSession', 'sts:AssumeRole'] })],
    'a list of one is its value': [
      allow({ Principal: { AWS: [ROOT] }, Action: ['sts:AssumeRole'], Condition: { StringEquals: { a: ['1'] } } }),
      allow({ Condition: { StringEquals: { a: '1' } } }),
    ],
    'members have an order of their own': [
      { Condition: {}, Action: 'sts:AssumeRole', Principal: { AWS: ROOT }, Effect: 'Allow', Sid: 'A' },
      { Sid: 'A', ...allow(), Condition: {} },
    ],
    'an account number is its root': [allow({ Principal: { AWS: '111122223333' } }), allow()],
  };
  for (const [sentence, [sent, stored]] of Object.entries(cases))
    test(sentence, () => expect(setUp().accept(policy(sent))).toBe(policy(stored)));

  test('white space goes, statements stay in their order', () => {
    const text = policy({ Sid: 'B', ...allow() }, { Sid: 'A', ...allow() });
    expect(setUp().accept(JSON.stringify(JSON.parse(text), null, 2))).toBe(text);
  });
});

describe('principals', () => {
  const trusting = (principal: string): string => policy(allow({ Principal: { AWS: principal } }));

  test('a role is stored as its unique ID and shown as its ARN', () => {
    const { world, hop, accept } = setUp();
    const stored = accept(trusting(hop.arn));
    expect(stored).toBe(trusting(hop.id));
    expect(renderTrustPolicy(world, stored)).toBe(trusting(hop.arn));
  });

  test('a deleted role is shown as its unique ID, also when another has its name by now', () => {
    const { world, account, hop, accept } = setUp();
    const stored = accept(trusting(hop.arn));
    removeRole(world, account, hop);
    addRole(world, account, { name: 'hop', path: '/team/', trustPolicy: '{}' });
    expect(renderTrustPolicy(world, stored)).toBe(trusting(hop.id));
  });

  test('a planted document stays byte for byte, but for principals that live', () => {
    const { world, hop } = setUp();
    const odd = ' { "Statement" : [ ] , "x" : 1 } ';
    expect(plantTrustPolicy(world, odd)).toBe(odd);
    expect(plantTrustPolicy(world, 'not JSON, arn:aws:iam::1')).toBe('not JSON, arn:aws:iam::1');
    expect(plantTrustPolicy(world, trusting('arn:aws:iam::111122223333:role/none'))).toBe(trusting('arn:aws:iam::111122223333:role/none'));
    expect(plantTrustPolicy(world, trusting(hop.arn))).toBe(trusting(hop.id));
  });
});

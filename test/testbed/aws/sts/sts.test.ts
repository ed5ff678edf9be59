import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandInput,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AwsDouble, startAwsDouble } from '../index.ts';
import { clientsOf, createIssuer, HOST, ISSUER, type Issuer, LBC, refusalOf } from '../testing.ts';

const PROVIDER = `arn:aws:iam::111122223333:oidc-provider/${HOST}`;
const ROLE = 'arn:aws:iam::111122223333:role/team/lbc';

const trust = (members: Record<string, unknown> = {}) => ({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { Federated: PROVIDER },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: { StringEquals: { [`${HOST}:sub`]: LBC, [`${HOST}:aud`]: 'sts.amazonaws.com' } },
      ...members,
    },
  ],
});

let issuer: Issuer;
let double: AwsDouble;
let sts: STSClient;

beforeAll(async () => {
  issuer = await createIssuer();
  double = await startAwsDouble();
  double.trustIssuer(ISSUER, issuer.keys);
  // A pod has no credentials before this call: the client must not sign.
  sts = new STSClient({ endpoint: double.endpoint, region: 'us-east-1', maxAttempts: 1 });
});
afterAll(() => double.stop());
beforeEach(() => {
  double.account().provider.put({ issuer: ISSUER });
  double.account().role.put({ name: 'lbc', path: '/team/', trustPolicy: trust() });
});

async function assume(input: Partial<AssumeRoleWithWebIdentityCommandInput> = {}) {
  const WebIdentityToken = input.WebIdentityToken ?? (await issuer.token());
  return sts.send(new AssumeRoleWithWebIdentityCommand({ RoleArn: ROLE, RoleSessionName: 'session', ...input, WebIdentityToken }));
}

const DENIED = '403 AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity';
const invalid = (message: string): string => `400 InvalidIdentityTokenException: ${message}`;
const NO_KEY = invalid(
  "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
);

describe('AssumeRoleWithWebIdentity', () => {
  test('opens a session whose credentials then work', async () => {
    const { $metadata, Credentials, ...answer } = await assume();
    const id = double.account().role.get('lbc')?.id;
    const Arn = 'arn:aws:sts::111122223333:assumed-role/lbc/session';
    expect(answer).toEqual({
      AssumedRoleUser: { AssumedRoleId: `${id}:session`, Arn },
      SubjectFromWebIdentityToken: LBC,
      Audience: 'sts.amazonaws.com',
      Provider: PROVIDER,
    });
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '', Expiration } = Credentials ?? {};
    expect(Math.round(((Expiration?.getTime() ?? 0) - Date.now()) / 60_000)).toBe(60);
    const session = new STSClient({
      endpoint: double.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken },
    });
    expect((await session.send(new GetCallerIdentityCommand({}))).Arn).toBe(Arn);
  });

  test('is in the journal as an anonymous call to the account of the role, without the token', async () => {
    await assume({ DurationSeconds: 900 });
    const { at, requestId, userAgent, ...entry } = double.journal.at(-1) ?? expect.fail('no entry');
    expect(entry).toEqual({
      account: '111122223333',
      caller: 'anonymous',
      service: 'sts',
      operation: 'AssumeRoleWithWebIdentity',
      params: { RoleArn: ROLE, RoleSessionName: 'session', DurationSeconds: '900', WebIdentityToken: '(hidden)' },
      code: 'OK',
    });
  });

  const requests: Record<string, [Partial<AssumeRoleWithWebIdentityCommandInput>, string]> = {
    'the path is left out': [{ RoleArn: ROLE.replace('/team', '') }, DENIED],
    'the path is another': [{ RoleArn: ROLE.replace('/team', '/teams') }, DENIED],
    'the name is in another case': [{ RoleArn: ROLE.replace('lbc', 'LBC') }, DENIED],
    'there is no such role': [{ RoleArn: ROLE.replace('lbc', 'none') }, DENIED],
    'the ARN is of a policy': [{ RoleArn: ROLE.replace(':role/', ':policy/') }, '400 ValidationError: Request ARN is invalid'],
    'the ARN is of another partition': [
      { RoleArn: ROLE.replace('arn:aws:', 'arn:aws-cn:') },
      '400 ValidationError: Request ARN is invalid',
    ],
    'the ARN has a placeholder': [{ RoleArn: ROLE.replace('111122223333', '<ACCOUNT_ID>') }, '400 ValidationError: Request ARN is invalid'],
    'the ARN ends in a newline': [{ RoleArn: `${ROLE}\n` }, '400 ValidationError: Request ARN is invalid'],
    'the ARN is a bare name': [
      { RoleArn: 'lbc' },
      "400 ValidationError: 1 validation error detected: Value 'lbc' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20",
    ],
    'the role is in an account without the provider': [
      { RoleArn: ROLE.replace('111122223333', '444455556666') },
      invalid(`No OpenIDConnect provider found in your account for ${ISSUER}`),
    ],
    'the session lasts less than 15 minutes': [
      { DurationSeconds: 899 },
      "400 ValidationError: 1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
    ],
    'the session lasts longer than the role allows': [
      { DurationSeconds: 3_601 },
      '400 ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    ],
    'there is no session name': [
      { RoleSessionName: undefined },
      "400 ValidationError: 1 validation error detected: Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null",
    ],
    'the session name has a blank': [
      { RoleSessionName: 'a b' },
      "400 ValidationError: 1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
    ],
    'the session policy is no JSON': [{ Policy: '{' }, '400 MalformedPolicyDocumentException: This policy contains invalid Json'],
    'the token is none': [
      { WebIdentityToken: 'garbage' },
      invalid('The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)'),
    ],
  };
  for (const [sentence, [input, refusal]] of Object.entries(requests))
    test(`refused when ${sentence}`, async () => expect(await refusalOf(assume(input))).toBe(refusal));

  test('a session policy that denies everything opens a session all the same', async () => {
    const Policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}';
    expect(await refusalOf(assume({ Policy }))).toBe('accepted');
  });

  const expired = Math.floor(Date.now() / 1_000) - 60;
  const claims: Record<string, [Parameters<Issuer['token']>[0], string | RegExp]> = {
    'another subject': [{ sub: 'system:serviceaccount:kube-system:other' }, DENIED],
    'an audience that is no client ID': [{ aud: ['kubernetes'] }, invalid('Incorrect token audience')],
    'no audience': [{ aud: undefined }, invalid('Missing a required claim: aud')],
    'an issuer without provider': [{ iss: `${ISSUER}0` }, invalid(`No OpenIDConnect provider found in your account for ${ISSUER}0`)],
    'the issuer with a slash at its end': [
      { iss: `${ISSUER}/` },
      invalid(`No OpenIDConnect provider found in your account for ${ISSUER}/`),
    ],
    'no audience and an issuer without provider, as old service account tokens': [
      { aud: undefined, iss: 'kubernetes/serviceaccount' },
      invalid('Missing a required claim: aud'),
    ],
    'an end in the past': [
      { exp: expired },
      new RegExp(`^400 ExpiredTokenException: Token expired: current date/time \\d+ must be before the expiration date/time ${expired}$`),
    ],
  };
  for (const [sentence, [claim, refusal]] of Object.entries(claims))
    test(`a token with ${sentence}`, async () => {
      const message = await refusalOf(assume({ WebIdentityToken: await issuer.token(claim) }));
      expect(message).toEqual(typeof refusal === 'string' ? refusal : expect.stringMatching(refusal));
    });

  test('a token that another cluster signed, under the same key ID', async () => {
    const forger = await createIssuer();
    expect(await refusalOf(assume({ WebIdentityToken: await forger.token() }))).toBe(
      invalid('The web identity token provided could not be validated'),
    );
  });

  test('a token whose key is not among those of the issuer', async () => {
    const rotated = await createIssuer('key-2');
    expect(await refusalOf(assume({ WebIdentityToken: await rotated.token() }))).toBe(NO_KEY);
  });

  test('a token of an issuer whose keys nobody publishes', async () => {
    const iss = 'https://private.example.com';
    double.account().provider.put({ issuer: iss });
    expect(await refusalOf(assume({ WebIdentityToken: await issuer.token({ iss }) }))).toBe(NO_KEY);
  });

  test('a token of an issuer that does not answer', async () => {
    const iss = 'https://down.example.com';
    double.account().provider.put({ issuer: iss });
    double.trustIssuer(iss, () => Promise.reject(new Error('connection refused')));
    expect(await refusalOf(assume({ WebIdentityToken: await issuer.token({ iss }) }))).toBe(
      '400 IDPCommunicationErrorException: An error occurred while communicating with the identity provider',
    );
  });

  const policies: Record<string, [object, string]> = {
    'a service principal': [trust({ Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }), DENIED],
    'sts:AssumeRole for the provider': [trust({ Action: 'sts:AssumeRole' }), DENIED],
    'another cluster': [trust({ Principal: { Federated: PROVIDER.replace('0123', '9999') } }), DENIED],
    'a provider of another account': [trust({ Principal: { Federated: PROVIDER.replace('1111', '4444') } }), DENIED],
    'a subject with a blank': [trust({ Condition: { StringEquals: { [`${HOST}:sub`]: LBC.replace('kube', ' kube') } } }), DENIED],
    'aws:FederatedProvider, which this request does not have': [
      trust({ Condition: { StringEquals: { 'aws:FederatedProvider': PROVIDER } } }),
      DENIED,
    ],
    'a deny beside the allow': [{ ...trust(), Statement: [...trust().Statement, ...trust({ Effect: 'Deny' }).Statement] }, DENIED],
    'the session name': [trust({ Condition: { StringEquals: { 'sts:RoleSessionName': 'session' } } }), 'accepted'],
    'the address': [trust({ Condition: { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } } }), 'accepted'],
    'no condition at all': [trust({ Condition: undefined }), 'accepted'],
  };
  for (const [sentence, [trustPolicy, refusal]] of Object.entries(policies))
    test(`a trust policy with ${sentence}`, async () => {
      double.account().role.setTrustPolicy('lbc', trustPolicy);
      expect(await refusalOf(assume())).toBe(refusal);
    });

  test('a client ID that was taken away, and the provider itself', async () => {
    double.account().provider.put({ issuer: ISSUER, clientIds: ['other'] });
    expect(await refusalOf(assume())).toBe(invalid('Incorrect token audience'));
    double.account().provider.delete(ISSUER);
    expect(await refusalOf(assume())).toBe(invalid(`No OpenIDConnect provider found in your account for ${ISSUER}`));
  });
});

describe('AssumeRole', () => {
  const target = (aws: string, condition?: object) => {
    const statement = { Effect: 'Allow', Principal: { AWS: aws }, Action: 'sts:AssumeRole', ...(condition && { Condition: condition }) };
    return double.account('444455556666').role.put({ name: 'target', trustPolicy: { Statement: [statement] } }).arn;
  };
  const hop = () => clientsOf(double, { roleName: 'hop' }).sts;
  const TARGET = 'arn:aws:iam::444455556666:role/target';
  const denied = `403 AccessDenied: User: arn:aws:sts::111122223333:assumed-role/hop/session is not authorized to perform: sts:AssumeRole on resource: ${TARGET}`;
  const chain = (input: { ExternalId?: string; DurationSeconds?: number } = {}) =>
    refusalOf(hop().send(new AssumeRoleCommand({ RoleArn: TARGET, RoleSessionName: 'chained', ...input })));

  test('a role of another account, trusted by its ARN, by its account, by a star', async () => {
    hop(); // the role is there from now on
    for (const principal of ['arn:aws:iam::111122223333:role/hop', 'arn:aws:iam::111122223333:root', '111122223333', '*']) {
      target(principal);
      expect(await chain()).toBe('accepted');
    }
  });

  test('a role that trusts somebody else', async () => {
    target('arn:aws:iam::111122223333:user/alice');
    expect(await chain()).toBe(denied);
  });

  test('a role that is not there gets the same sentence', async () => {
    double.account('444455556666').role.delete('target');
    expect(await chain()).toBe(denied);
  });

  test('an external ID that is asked for', async () => {
    target('111122223333', { StringEquals: { 'sts:ExternalId': 'secret' } });
    expect(await chain()).toBe(denied);
    expect(await chain({ ExternalId: 'secret' })).toBe('accepted');
  });

  test('a session of EKS Pod Identity, whose tags the role must let in', async () => {
    const podIdentity = { cluster: 'blue', namespace: 'irsa-operator', serviceAccount: 'irsa-operator' };
    const pod = clientsOf(double, { roleName: 'hop', podIdentity }).sts;
    target('*');
    const assume = () => refusalOf(pod.send(new AssumeRoleCommand({ RoleArn: TARGET, RoleSessionName: 'chained' })));
    expect(await assume()).toBe(denied.replace('sts:AssumeRole', 'sts:TagSession'));
    const statement = { Effect: 'Allow', Principal: { AWS: '*' }, Action: ['sts:AssumeRole', 'sts:TagSession'] };
    double.account('444455556666').role.setTrustPolicy('target', { Statement: [statement] });
    expect(await assume()).toBe('accepted');
  });

  test('a session that is over', async () => {
    const { sts: own } = clientsOf(double, { accountId: '777788889999', roleName: 'hop' });
    const ask = () => refusalOf(own.send(new GetCallerIdentityCommand({})));
    expect(await ask()).toBe('accepted');
    double.account('777788889999').expireSessions();
    expect(await ask()).toBe('403 ExpiredToken: The security token included in the request is expired');
  });

  test('a chained session lasts an hour at most', async () => {
    target('*');
    double.account('444455556666').role.put({
      name: 'target',
      maxSessionSeconds: 43_200,
      trustPolicy: { Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }] },
    });
    expect(await chain({ DurationSeconds: 3_601 })).toBe(
      '400 ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    );
  });
});

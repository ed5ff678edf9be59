import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { STSClient } from '@aws-sdk/client-sts';
import { type AwsDouble, startAwsDouble } from '@irsa-operator/testbed/aws';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RoleArn } from '../api/arn.ts';
import { Fault } from '../api/fault.ts';
import type { Issuer } from '../api/issuer.ts';
import { subjectOf } from '../api/subject.ts';
import { systemClock } from '../runtime/clock.ts';
import { awsCalls } from './calls.ts';
import { stsProof, type Tokens } from './proof.ts';

/** With the unmodified SDK and real tokens against the AWS double. */
const ISSUER = 'https://oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF' as Issuer;
const SUBJECT = subjectOf('shop', 'app');
const ROLE = 'arn:aws:iam::111122223333:role/app' as RoleArn;
const never = new AbortController().signal;
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const call = awsCalls({ requested: () => {} }, systemClock);

let aws: AwsDouble;
let sts: STSClient;
const tokens: string[] = [];

beforeAll(async () => {
  aws = await startAwsDouble();
  aws.trustIssuer(ISSUER, async () => ({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256' }] }));
  // A place where nobody has credentials: the token speaks for itself.
  sts = new STSClient({
    endpoint: aws.endpoint,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: () => Promise.reject(new Error('none')),
  });
  const account = aws.account();
  const { arn } = account.provider.put({ issuer: ISSUER });
  const host = ISSUER.slice('https://'.length);
  const trustPolicy = {
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Principal: { Federated: arn },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: { StringEquals: { [`${host}:sub`]: SUBJECT, [`${host}:aud`]: 'sts.amazonaws.com' } },
    },
  };
  account.role.put({ name: 'app', trustPolicy });
});
afterAll(async () => {
  sts.destroy();
  await aws.stop();
});

const minted =
  ({ key = privateKey, seconds = 600 } = {}): Tokens =>
  async ({ namespace, name }, audience) => {
    const now = Math.floor(Date.now() / 1_000);
    const token = await new SignJWT({ sub: subjectOf(namespace, name) })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer(ISSUER)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + seconds)
      .sign(key);
    tokens.push(token);
    return token;
  };
const ask = (name: string, by: Tokens = minted(), audience = 'sts.amazonaws.com') =>
  stsProof(
    sts,
    call,
    by,
  )(
    { serviceAccount: { namespace: 'shop', name }, question: { role: ROLE, issuer: ISSUER, subject: subjectOf('shop', name), audience } },
    never,
  );

// Contract: prove-session
test('a token that the role trusts is admitted, with a session that may do nothing, and only that comes back', async () => {
  expect(await ask('app')).toEqual({ kind: 'admitted' });
  const { params, code, caller } = aws.journal.at(-1) ?? {};
  expect([code, caller]).toEqual(['OK', 'anonymous']);
  expect(params).toEqual({
    RoleArn: ROLE,
    RoleSessionName: expect.stringMatching(/^irsa-verify-[0-9a-f]{12}$/),
    WebIdentityToken: '(hidden)',
    DurationSeconds: '900',
    Policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}',
  });
});

const refused: Record<string, { ask: () => ReturnType<typeof ask>; is: object }> = {
  'a token that the role does not trust': {
    ask: () => ask('other'),
    is: { code: 'AccessDenied', message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity' },
  },
  'an audience that the provider does not know': {
    ask: () => ask('app', minted(), 'vault'),
    is: { code: 'InvalidIdentityToken', message: 'Incorrect token audience' },
  },
  'a token signed by a strange key': {
    ask: () => ask('app', minted({ key: foreign })),
    is: { code: 'InvalidIdentityToken', message: 'The web identity token provided could not be validated' },
  },
  'a token that is past its end': {
    ask: () => ask('app', minted({ seconds: -60 })),
    is: { code: 'ExpiredToken', message: expect.any(String) },
  },
};
for (const [sentence, { ask: asking, is }] of Object.entries(refused)) {
  test(`${sentence} is refused, with the code and the words of STS`, async () =>
    expect(await asking()).toEqual({ kind: 'refused', ...is }));
}

test('where the API server forbids the token nothing is asked of STS', async () => {
  const before = aws.journal.length;
  const forbidden = async () => Promise.reject(new Fault('denied', 'the API server answered 403', { code: 'Forbidden' }));
  expect(await ask('app', forbidden)).toEqual({ kind: 'noToken', message: 'the API server answered 403' });
  expect(aws.journal.length).toBe(before);
});

test('a call without an answer is a fault, in which there is no token', async () => {
  const gone = new STSClient({ endpoint: 'http://127.0.0.1:1', region: 'us-east-1', maxAttempts: 1 });
  const question = { role: ROLE, issuer: ISSUER, subject: SUBJECT, audience: 'sts.amazonaws.com' };
  const fault = await stsProof(
    gone,
    call,
    minted(),
  )({ serviceAccount: { namespace: 'shop', name: 'app' }, question }, never).catch((error: unknown) => error);
  gone.destroy();
  expect(fault).toBeInstanceOf(Fault);
  expect(inspect(fault, { depth: 20, showHidden: true })).not.toContain(tokens.at(-1));
});

import { describe, expect, test } from 'vitest';
import { ARN } from '../test-observed.ts';
import { lastSentence, permissionDenied } from './log.ts';

const CANARY = 'token=CANARY';
const session = 'arn:aws:sts::111122223333:assumed-role/app/1700000000';
const node = 'arn:aws:sts::111122223333:assumed-role/nodes/i-0123456789abcdef0';
const NOT_AUTHORIZED = 'Not authorized to perform sts:AssumeRoleWithWebIdentity';

/** What SDKs write, and what is shown of it. */
const lines: Record<string, [line: string, shown: string]> = {
  'the SDK for Go, version 1': [
    `WebIdentityErr: failed to retrieve credentials caused by: AccessDenied: ${NOT_AUTHORIZED} status code: 403, request id: 1-2`,
    `AccessDenied: ${NOT_AUTHORIZED}`,
  ],
  'the SDK for Go, version 2': [
    `operation error STS: AssumeRoleWithWebIdentity, https response error StatusCode: 403, RequestID: 1-2, api error AccessDenied: ${NOT_AUTHORIZED}`,
    `AccessDenied: ${NOT_AUTHORIZED}`,
  ],
  boto3: [
    `botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: ${NOT_AUTHORIZED}`,
    NOT_AUTHORIZED,
  ],
  'the SDK for Java': [
    `software.amazon.awssdk.services.sts.model.StsException: ${NOT_AUTHORIZED} (Service: Sts, Status Code: 403, Request ID: 1-2)`,
    NOT_AUTHORIZED,
  ],
  'the SDK for JavaScript': [`AccessDenied: ${NOT_AUTHORIZED}\\n    at throwDefaultError`, `AccessDenied: ${NOT_AUTHORIZED}`],
  'a permission': [
    `AccessDenied: User: ${session} is not authorized to perform: elasticloadbalancing:AddTags on resource: arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/x/1 because no identity-based policy allows the elasticloadbalancing:AddTags action`,
    `AccessDenied: User: ${session} is not authorized to perform: elasticloadbalancing:AddTags on resource: arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/x/1 because no identity-based policy allows the elasticloadbalancing:AddTags action`,
  ],
  'a permission that is denied': [
    `AccessDeniedException: User: ${session} is not authorized to perform: kms:Decrypt on resource: * with an explicit deny in a service control policy`,
    `AccessDeniedException: User: ${session} is not authorized to perform: kms:Decrypt on resource: * with an explicit deny in a service control policy`,
  ],
  'one in JSON': [
    `{"error":"AccessDenied: User: ${session} is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::bucket/key","${CANARY}":"${CANARY}"}`,
    `AccessDenied: User: ${session} is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::bucket/key`,
  ],
  'one with words of the application behind it': [`${NOT_AUTHORIZED} because my password is hunter two ${CANARY}`, NOT_AUTHORIZED],
  'one with a user that is none of AWS': [
    `User: ${CANARY} is not authorized to perform: s3:GetObject on resource: ${CANARY}`,
    'not authorized to perform: s3:GetObject',
  ],
  'an issuer that is not known': [
    'InvalidIdentityToken: No OpenIDConnect provider found in your account for https://x',
    'InvalidIdentityToken',
  ],
  'no credentials at all': ['NoCredentialProviders: no valid providers in chain. Deprecated.', 'NoCredentialProviders'],
  'no credentials in Python': ['botocore.exceptions.NoCredentialsError: Unable to locate credentials', 'Unable to locate credentials'],
};

// Contract: check-log
describe('of a line of a log is shown what AWS says:', () => {
  for (const [sentence, [line, shown]] of Object.entries(lines)) {
    test(sentence, () => expect(lastSentence(line)?.text).toBe(shown));
    test(`${sentence}, and nothing around it`, () => {
      for (const gap of ['', ' ', '"', '\t', ': ', '","', ' because ', ',', '?'])
        expect(JSON.stringify(lastSentence(`${CANARY} ${line}${gap}${CANARY}`))).not.toContain('CANARY');
      for (const gap of [' ', '"', '\t', ': ', '{"'])
        expect(JSON.stringify(lastSentence(`${CANARY}${gap}${line}`))).not.toContain('CANARY');
    });
  }
  test('nothing, where it says nothing', () => expect(lastSentence(`listening on :8080\n${CANARY}\n`)).toBeUndefined());
  test('nothing, of an empty log', () => expect(lastSentence('')).toBeUndefined());
  test('the last of many', () =>
    expect(lastSentence(`${NOT_AUTHORIZED}\nUnable to locate credentials\nretrying`)?.text).toBe('Unable to locate credentials'));
  test('as much as one can read', () => {
    const long = `User: arn:aws:sts::1:assumed-role/${'a'.repeat(260)} is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::${'b'.repeat(280)}`;
    expect(lastSentence(long)?.text).toHaveLength(300);
  });
  test('in no time, of a line without end', () => {
    const began = performance.now();
    expect(lastSentence('User: arn:'.repeat(26_000))).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe('its time', () => {
  const times: Record<string, string | undefined> = {
    '2026-01-01T14:40:03.123456789Z ': '2026-01-01T14:40:03Z',
    '2026-01-01T14:40:03Z ': '2026-01-01T14:40:03Z',
    '2026-01-01T14:40:03.5+02:00 ': '2026-01-01T12:40:03Z',
    '2026-13-01T14:40:03Z ': undefined,
    '[14:40] ': undefined,
    '': undefined,
  };
  for (const [begins, at] of Object.entries(times))
    test(`of a line that begins with "${begins}"`, () => expect(lastSentence(`${begins}${NOT_AUTHORIZED}`)?.at).toBe(at));
});

describe('a permission is told apart from trust:', () => {
  const deniedOf = (line: string, role: typeof ARN | undefined = ARN) => {
    const sentence = lastSentence(line);
    return sentence === undefined ? undefined : permissionDenied(sentence, role)?.message;
  };
  const refused = (user: string) => `User: ${user} is not authorized to perform: s3:GetObject`;
  const said =
    'AWS refused "s3:GetObject" to the role: a permission of the role, and not its trust policy. Its log has the sentence of AWS';
  test('of the role', () => expect(deniedOf(refused(session))).toBe(said));
  test('where AWS does not say to whom', () => expect(deniedOf('AccessDenied: Not authorized to perform: s3:GetObject')).toBe(said));
  test('not of the node, as which a pod without the role calls', () => expect(deniedOf(refused(node))).toBeUndefined());
  test('not of a role of this name in another account', () =>
    expect(deniedOf(refused(session.replace('111122223333', '444455556666')))).toBeUndefined());
  test('not where no role is known', () => {
    const sentence = lastSentence(refused(session));
    expect(sentence && permissionDenied(sentence, undefined)).toBeUndefined();
  });
  test('not of the trust itself', () => expect(deniedOf(NOT_AUTHORIZED)).toBeUndefined());
  test('not of what names no action', () => expect(deniedOf('Unable to locate credentials')).toBeUndefined());
});

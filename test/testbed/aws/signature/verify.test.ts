import { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AwsDouble, startAwsDouble } from '../index.ts';
import { beforeSigning, clientsOf, ISSUER, refusalOf } from '../testing.ts';

let double: AwsDouble;
let options: { endpoint: string; region: string; maxAttempts: number; credentials: { accessKeyId: string; secretAccessKey: string } };

beforeAll(async () => {
  double = await startAwsDouble();
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = double.env();
  options = { endpoint: double.endpoint, region: 'us-east-1', maxAttempts: 1, credentials: { accessKeyId, secretAccessKey } };
  double.account().role.put({ name: 'lbc', trustPolicy: '{}' });
  double.cluster({ name: "blue & green/(old)!*'", issuer: ISSUER });
});
afterAll(() => double.stop());

const WRONG =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';
const getRole = (client: IAMClient) => refusalOf(client.send(new GetRoleCommand({ RoleName: 'lbc' })));
const describeCluster = (client: EKSClient) => refusalOf(client.send(new DescribeClusterCommand({ name: "blue & green/(old)!*'" })));

describe('the signature of the SDK holds', () => {
  test('for IAM and STS, with long-lived keys and with those of a session', async () => {
    for (const caller of [{}, { roleName: 'irsa-operator' }]) {
      const { iam, sts } = clientsOf(double, caller);
      expect(await getRole(iam)).toBe('accepted');
      expect(await refusalOf(sts.send(new GetCallerIdentityCommand({})))).toBe('accepted');
    }
  });

  test('for EKS, whose path holds what must be escaped, twice', async () => {
    expect(await describeCluster(clientsOf(double).eks)).toBe('accepted');
    expect(double.journal.at(-1)?.params).toEqual({ name: "blue & green/(old)!*'" });
  });

  test('from a client of another region', async () =>
    expect(await getRole(new IAMClient({ ...options, region: 'eu-central-1' }))).toBe('accepted'));

  test('from a clock that is less than five minutes off', async () => {
    for (const systemClockOffset of [-290_000, 290_000])
      expect(await getRole(new IAMClient({ ...options, systemClockOffset }))).toBe('accepted');
  });
});

describe('refused', () => {
  const credentials = () => ({ ...options.credentials, secretAccessKey: 'somebody else’s' });

  test('the secret of somebody else', async () => {
    expect(await getRole(new IAMClient({ ...options, credentials: credentials() }))).toBe(`403 SignatureDoesNotMatch: ${WRONG}`);
    expect(double.journal.at(-1)).toMatchObject({ caller: 'anonymous', code: 'SignatureDoesNotMatch' });
  });

  test('the same of EKS, in the words of its protocol', async () =>
    expect(await describeCluster(new EKSClient({ ...options, credentials: credentials() }))).toBe(
      `403 InvalidSignatureException: ${WRONG}`,
    ));

  test('an unknown key of EKS, too', async () => {
    const stranger = new EKSClient({ ...options, credentials: { accessKeyId: 'AKIAAAAAAAAAAAAAAAAA', secretAccessKey: 'x' } });
    expect(await describeCluster(stranger)).toBe('403 UnrecognizedClientException: The security token included in the request is invalid');
  });

  test('a body that was changed on the way', async () => {
    const iam = new IAMClient(options);
    const step = { step: 'finalizeRequest', priority: 'low', name: 'tamper' } as const;
    iam.middlewareStack.add(
      (next) => async (args) => {
        // The SDK types what passes here as `unknown`: from this step on it is the HTTP request.
        const request = (args as { request: unknown }).request as { body: string };
        request.body = request.body.replace('RoleName=lbc', 'RoleName=LBC');
        return await next(args);
      },
      step,
    );
    expect(await getRole(iam)).toBe(`403 SignatureDoesNotMatch: ${WRONG}`);
  });

  const clocks: Record<string, [number, RegExp]> = {
    'a signature of more than five minutes ago': [
      -310_000,
      /^403 SignatureDoesNotMatch: Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/,
    ],
    'a signature of more than five minutes hence': [
      310_000,
      /^403 SignatureDoesNotMatch: Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z \(\d{8}T\d{6}Z \+ 5 min\.\)$/,
    ],
  };
  for (const [sentence, [systemClockOffset, message]] of Object.entries(clocks))
    test(sentence, async () => expect(await getRole(new IAMClient({ ...options, systemClockOffset }))).toMatch(message));

  test('a signature for another service', async () => {
    const sts = new STSClient(options);
    // Its calls have other types than those of IAM, which does not matter here.
    beforeSigning(sts as unknown as IAMClient, (request) => {
      request.body = 'Action=GetRole&Version=2010-05-08&RoleName=lbc';
    });
    expect(await refusalOf(sts.send(new GetCallerIdentityCommand({})))).toBe(
      "403 SignatureDoesNotMatch: Credential should be scoped to correct service: 'iam'.",
    );
  });

  test('a header that is no signature', async () => {
    const body = new URLSearchParams({ Action: 'GetRole', Version: '2010-05-08', RoleName: 'lbc' });
    const headers = { authorization: `AWS4-HMAC-SHA256 Credential=${options.credentials.accessKeyId}` };
    const answer = await fetch(double.endpoint, { method: 'POST', body, headers });
    expect([answer.status, /<Code>(.*)<\/Code>/.exec(await answer.text())?.[1]]).toEqual([400, 'IncompleteSignature']);
  });
});

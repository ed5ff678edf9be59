import { DescribeClusterCommand } from '@aws-sdk/client-eks';
import { GetRoleCommand, IAMClient, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type AwsDouble, startAwsDouble } from './index.ts';
import { beforeSigning, clientsOf, ISSUER, refusalOf } from './testing.ts';

let double: AwsDouble;

beforeEach(async () => {
  double = await startAwsDouble();
});
afterEach(() => double.stop());

const clientWith = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }): IAMClient =>
  new IAMClient({ endpoint: double.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });

const INVALID = '403 InvalidClientTokenId: The security token included in the request is invalid';

describe('callers', () => {
  test('a user of the account, when nothing else is said', async () => {
    const { Arn, Account, UserId } = await clientsOf(double).sts.send(new GetCallerIdentityCommand({}));
    expect({ Arn, Account }).toEqual({ Arn: 'arn:aws:iam::111122223333:user/testbed', Account: '111122223333' });
    expect(UserId).toMatch(/^AIDA[A-Z2-7]{17}$/);
  });

  test('a session of a role, which is there from then on', async () => {
    const { Arn, UserId } = await clientsOf(double, { accountId: '444455556666', roleName: 'irsa-operator' }).sts.send(
      new GetCallerIdentityCommand({}),
    );
    expect(Arn).toBe('arn:aws:sts::444455556666:assumed-role/irsa-operator/session');
    expect(UserId).toBe(`${double.account('444455556666').role.get('irsa-operator')?.id}:session`);
  });

  test('an unknown access key', async () => {
    const stranger = clientWith({ accessKeyId: 'AKIAAAAAAAAAAAAAAAAA', secretAccessKey: 'x' });
    expect(await refusalOf(stranger.send(new GetRoleCommand({ RoleName: 'x' })))).toBe(INVALID);
  });

  test('a session without its token', async () => {
    const env = double.env({ roleName: 'irsa-operator' });
    const half = clientWith({ accessKeyId: env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '' });
    expect(await refusalOf(half.send(new GetRoleCommand({ RoleName: 'irsa-operator' })))).toBe(INVALID);
  });

  test('a session of a role that was deleted', async () => {
    const { iam } = clientsOf(double, { roleName: 'irsa-operator' });
    double.account().deletePrincipal('arn:aws:iam::111122223333:role/irsa-operator');
    expect(await refusalOf(iam.send(new GetRoleCommand({ RoleName: 'irsa-operator' })))).toBe(INVALID);
  });

  test('nobody: the call is not signed', async () => {
    const body = new URLSearchParams({ Action: 'GetRole', Version: '2010-05-08', RoleName: 'x' });
    const answer = await fetch(double.endpoint, { method: 'POST', body });
    expect(answer.status).toBe(403);
    const requestId = answer.headers.get('x-amzn-requestid');
    expect(await answer.text()).toBe(
      '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>MissingAuthenticationToken</Code>' +
        `<Message>Request is missing Authentication Token</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
    );
    expect(double.journal.map(({ caller, code }) => [caller, code])).toEqual([['anonymous', 'MissingAuthenticationToken']]);
  });
});

describe('the wire', () => {
  test('an operation that the double does not have', async () => {
    const { iam } = clientsOf(double);
    beforeSigning(iam, (request) => {
      request.body = String(request.body).replace('Action=GetRole', 'Action=DeleteEverything');
    });
    expect(await refusalOf(iam.send(new GetRoleCommand({ RoleName: 'x' })))).toBe(
      '400 InvalidAction: Could not find operation DeleteEverything',
    );
  });

  test('what is no call of AWS at all', async () => {
    const answer = await fetch(`${double.endpoint}/nonsense`);
    expect([answer.status, await answer.text()]).toEqual([404, 'the AWS double has no GET /nonsense']);
  });

  test('a name of markup comes back as it went', async () => {
    const { iam } = clientsOf(double);
    double.account().role.put({ name: 'odd', trustPolicy: '<&">', tags: { '<&">': '&amp;\r\n' } });
    const role = (await iam.send(new GetRoleCommand({ RoleName: 'odd' }))).Role;
    expect(role?.AssumeRolePolicyDocument).toBe('%3C%26%22%3E');
    expect(role?.Tags).toEqual([{ Key: '<&">', Value: '&amp;\r\n' }]);
  });
});

describe('eks:DescribeCluster', () => {
  test('tells the issuer of a cluster of the account', async () => {
    double.cluster({ name: 'blue', issuer: ISSUER });
    const { cluster } = await clientsOf(double).eks.send(new DescribeClusterCommand({ name: 'blue' }));
    expect(cluster).toEqual({
      name: 'blue',
      arn: 'arn:aws:eks:us-east-1:111122223333:cluster/blue',
      createdAt: expect.any(Date),
      identity: { oidc: { issuer: ISSUER } },
      status: 'ACTIVE',
    });
  });

  test('says that there is none', async () => {
    double.cluster({ name: 'blue', issuer: ISSUER, accountId: '444455556666' });
    expect(await refusalOf(clientsOf(double).eks.send(new DescribeClusterCommand({ name: 'blue' })))).toBe(
      '404 ResourceNotFoundException: No cluster found for name: blue.',
    );
  });
});

describe('faults on the wire', () => {
  const update = (abortSignal: AbortSignal) => {
    const { iam } = clientsOf(double);
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }],
    });
    return iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'lbc', PolicyDocument }), { abortSignal });
  };
  const document = () => double.account().role.get('lbc')?.trustPolicy;
  const never = new AbortController().signal;
  beforeEach(() => double.account().role.put({ name: 'lbc', trustPolicy: '{}' }));

  test('a connection that is reset is Node’s own error', async () => {
    double.fault({ kind: 'connectionReset' });
    await expect(update(never)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect([document(), double.journal]).toEqual(['{}', []]);
  });

  test('a time-out after the commit: the caller gives up, and the document stands', async () => {
    double.fault({ kind: 'timeoutAfterCommit' });
    const patience = new AbortController();
    const pending = update(patience.signal);
    const gaveUp = expect(pending).rejects.toMatchObject({ name: 'AbortError' });
    await vi.waitFor(() => expect(double.journal.map(({ code }) => code)).toEqual(['OK']));
    patience.abort();
    await gaveUp;
    expect(document()).toContain('sts:AssumeRole');
  });

  test('a double stops although somebody still waits for an answer', async () => {
    const other = await startAwsDouble();
    const fault = other.fault({ kind: 'timeout' });
    const pending = refusalOf(clientsOf(other).iam.send(new GetRoleCommand({ RoleName: 'lbc' })));
    await vi.waitFor(() => expect(fault.met).toBe(1));
    await other.stop();
    expect(await pending).not.toBe('accepted');
  });

  test('errors of EKS have the names of its protocol', async () => {
    const { eks } = clientsOf(double);
    const describeCluster = () => refusalOf(eks.send(new DescribeClusterCommand({ name: 'blue' })));
    double.fault({ kind: 'throttling', service: 'eks' });
    double.fault({ kind: 'serviceFailure', service: 'eks' });
    expect(await describeCluster()).toBe('400 ThrottlingException: Rate exceeded');
    expect(await describeCluster()).toMatch(/^500 ServerException: /);
  });
});

test('two doubles know nothing of each other', async () => {
  const other = await startAwsDouble();
  other.account().role.put({ name: 'x', trustPolicy: '{}' });
  expect(double.account().role.get('x')).toBeUndefined();
  expect(other.endpoint).not.toBe(double.endpoint);
  await other.stop();
});

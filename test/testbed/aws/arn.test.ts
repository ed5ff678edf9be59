import { describe, expect, test } from 'vitest';
import { PARTITIONS, type Partition } from './arn.ts';
import { createAws } from './in-process.ts';
import { startAwsDouble } from './index.ts';
import { ISSUER, never, refusalOf, trusting } from './testing.ts';

const allowing = (Resource: string) => ({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource }] });

describe.each(Object.keys(PARTITIONS) as Partition[])('in %s', (partition) => {
  const setUp = () => {
    const aws = createAws({ partition });
    const asOperator = aws.as({ roleName: 'operator' });
    const assume = (RoleArn: string) => refusalOf(asOperator('sts', 'AssumeRole', { RoleArn, RoleSessionName: 'session' }, never));
    return { aws, asOperator, assume };
  };

  test('every ARN that is shown has it', async () => {
    const { aws, asOperator } = setUp();
    aws.account().provider.put({ issuer: ISSUER });
    aws.cluster({ name: 'blue', issuer: ISSUER });
    const shown = [
      await asOperator('sts', 'GetCallerIdentity', {}, never),
      await asOperator('iam', 'CreateRole', { RoleName: 'lbc', AssumeRolePolicyDocument: trusting('111122223333') }, never),
      await asOperator('iam', 'ListRoles', {}, never),
      await asOperator('iam', 'ListOpenIDConnectProviders', {}, never),
      await asOperator('eks', 'DescribeCluster', { name: 'blue' }, never),
      aws.account().user.put('alice'),
    ];
    const arns = [...decodeURIComponent(JSON.stringify(shown)).matchAll(/arn:([^:]+):(\w+):([^:]*)/g)];
    expect(new Set(arns.map(([, named]) => named))).toEqual(new Set([partition]));
    expect(new Set(arns.map(([, , service, region]) => `${service} ${region}`))).toEqual(
      new Set(['sts ', 'iam ', `eks ${PARTITIONS[partition]}`]),
    );
  });

  test('a role is assumed by the account that it trusts, whose policy names it', async () => {
    const { aws, assume } = setUp();
    aws.account().role.setIdentityPolicy('operator', allowing(`arn:${partition}:iam::444455556666:role/*`));
    const { arn } = aws.account('444455556666').role.put({ name: 'lbc', trustPolicy: trusting('111122223333') });
    expect(arn).toBe(`arn:${partition}:iam::444455556666:role/lbc`);
    expect(await assume(arn)).toBe('accepted');
  });

  test('an ARN of another partition is no principal, no resource, and nothing to assume', async () => {
    const { aws, asOperator, assume } = setUp();
    const other = partition === 'aws' ? 'aws-cn' : 'aws';
    const { arn } = aws.account('444455556666', other).role.put({ name: 'lbc', trustPolicy: trusting('*') });
    expect(arn).toBe(`arn:${other}:iam::444455556666:role/lbc`);
    expect(await assume(arn)).toBe('400 ValidationError: Request ARN is invalid');
    expect(await assume(arn.replace(other, partition))).toMatch(/^403 AccessDenied: /);
    for (const principal of [arn, `arn:${other}:iam::444455556666:root`]) {
      const params = { RoleName: 'operator', PolicyDocument: trusting(principal) };
      expect(await refusalOf(asOperator('iam', 'UpdateAssumeRolePolicy', params, never))).toBe(
        `400 MalformedPolicyDocument: Invalid principal in policy: "AWS":"${principal}"`,
      );
    }
    expect(() => aws.account().role.setIdentityPolicy('operator', allowing(arn))).toThrow(
      `Partition "${other}" is not valid for resource "${arn}".`,
    );
  });
});

test('an account is in one partition for good', () => {
  const aws = createAws();
  aws.account('444455556666', 'aws-cn');
  expect(aws.account('444455556666').role.put({ name: 'lbc', trustPolicy: '{}' }).arn).toMatch(/^arn:aws-cn:/);
  expect(() => aws.account('444455556666', 'aws')).toThrow('in the partition "aws-cn" already');
});

test('a process signs for the region of its partition', async () => {
  const double = await startAwsDouble({ partition: 'aws-us-gov' });
  expect(double.env({ roleName: 'operator' })).toMatchObject({ AWS_REGION: 'us-gov-west-1' });
  await double.stop();
});

import { createAws } from '@irsa-operator/testbed/aws';
import { expect, test } from 'vitest';
import type { RoleArn } from '../../src/api/arn.ts';
import { awsCalls } from '../../src/aws/calls.ts';
import { iamCalls } from '../../src/aws/iam-calls.ts';
import { iamRoles } from '../../src/aws/roles.ts';
import { Limiter } from '../../src/runtime/limiter.ts';
import { ManualClock } from '../../src/runtime/manual-clock.ts';
import { inProcessIam } from './in-process-iam.ts';

/** The role adapter on the double's IAM in this process, in virtual time: what the tests of many writers stand on. */
const never = new AbortController().signal;
const LBC = 'arn:aws:iam::111122223333:role/lbc' as RoleArn;
const policy = (sid: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Sid: sid, Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  });

function setUp() {
  const clock = new ManualClock();
  const draws: number[] = [];
  const aws = createAws({ clock, random: () => draws.shift() ?? expect.fail('nobody expected a draw') });
  aws.account().role.put({ name: 'lbc', trustPolicy: policy('Old'), tags: { team: 'platform' } });
  const codes: string[] = [];
  const call = awsCalls({ requested: (_, operation, code) => codes.push(`${operation} ${code}`) }, clock);
  const [reads, writes] = [0, 1].map(() => new Limiter({ perSecond: 100, clock, waited: () => {} })) as [Limiter, Limiter];
  const calls = iamCalls({ call, reads, writes, fence: () => {}, clock, random: () => 0 });
  return { clock, draws, aws, codes, roles: iamRoles(inProcessIam(aws.as()), calls) };
}

test('reads, writes, lists and asks for the quota as over the wire', async () => {
  const { roles, codes } = setUp();
  const { roleId, ...fresh } = await roles.read(LBC, never, 'change');
  expect(fresh).toEqual({ arn: LBC, policy: policy('Old'), tags: new Map([['team', 'platform']]) });
  expect((await roles.edit(LBC, async () => policy('New'), never, 'change')).written).toBe(policy('New'));
  const listed = [];
  for await (const page of roles.list(never, 'resync')) listed.push(...page.map((role) => role.parse()));
  expect(listed).toEqual([{ arn: LBC, roleId, policy: policy('New') }]);
  expect(await roles.policyQuota(never, 'change')).toBe(2_048);
  expect(codes).toEqual(['GetRole ok', 'GetRole ok', 'UpdateAssumeRolePolicy ok', 'ListRoles ok', 'GetAccountSummary ok']);
});

test('sees old versions until the virtual clock has moved on', async () => {
  const { roles, clock, draws, aws } = setUp();
  aws.behave({ staleMs: { GetRole: 4_000 } });
  await roles.edit(LBC, async () => policy('New'), never, 'change');
  draws.push(0, 0.99, 0);
  const seen = [];
  for (let i = 0; i < 3; i++) seen.push((await roles.read(LBC, never, 'change')).policy);
  expect(seen).toEqual([policy('Old'), policy('New'), policy('Old')]);
  await clock.advance(4_000);
  expect((await roles.read(LBC, never, 'change')).policy).toBe(policy('New'));
});

test('waits for the virtual clock, not for the machine', async () => {
  const { roles, clock, draws, aws } = setUp();
  aws.behave({ latencyMs: [1_000, 1_000] });
  draws.push(0);
  let answered = false;
  const reading = roles.read(LBC, never, 'change').then(() => {
    answered = true;
  });
  await clock.advance(999);
  expect(answered).toBe(false);
  await clock.advance(1);
  await reading;
});

const faults = {
  throttling: { kind: 'throttled', code: 'Throttling' },
  accessDenied: { kind: 'denied', code: 'AccessDenied' },
  serviceFailure: { kind: 'transient', code: 'ServiceFailure' },
  connectionResetAfterCommit: { kind: 'transient', code: 'ECONNRESET' },
} as const;
test.each(Object.entries(faults))('%s is the fault that the SDK would make of it', async (kind, fault) => {
  const { roles, aws } = setUp();
  aws.fault({ kind: kind as keyof typeof faults, operation: 'UpdateAssumeRolePolicy' });
  await expect(roles.edit(LBC, async () => policy('New'), never, 'change')).rejects.toMatchObject(fault);
  expect((await roles.read(LBC, never, 'change')).policy).toBe(policy(kind === 'connectionResetAfterCommit' ? 'New' : 'Old'));
});

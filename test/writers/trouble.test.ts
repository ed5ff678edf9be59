import { createAws } from '@irsa-operator/testbed/aws';
import { afterEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../src/runtime/manual-clock.ts';
import { isOurs, ROLE, randomFrom, startWriter, statementsOf, type Writer, writesOf } from './writer.ts';

/** One role controller on an IAM that misbehaves, and beside somebody who writes too; in virtual time. */
const EC2 = { Sid: 'Ec2', Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };
const FOREIGN = { Version: '2012-10-17', Statement: [EC2] };
const MINUTE_MS = 60_000;

let writer: Writer | undefined;
afterEach(async () => {
  await writer?.stop();
  writer = undefined;
});

function setUp({ tags = {}, statements = [] }: { tags?: Record<string, string>; statements?: object[] } = {}) {
  const clock = new ManualClock();
  const random = randomFrom(1);
  const aws = createAws({ clock, random });
  aws.account().role.put({ name: 'app', path: '/team/', trustPolicy: { ...FOREIGN, Statement: [EC2, ...statements] }, tags });
  const start = () => {
    writer = startWriter(0, aws, clock, random);
    return writer;
  };
  return { clock, aws, start };
}

describe('a write', () => {
  for (const kind of ['connectionResetAfterCommit', 'timeoutAfterCommit'] as const) {
    // Contract: trust-ambiguous
    test(`whose answer is lost (${kind}) is found by reading, and not made twice`, async () => {
      const { clock, aws, start } = setUp();
      aws.fault({ kind, operation: 'UpdateAssumeRolePolicy' });
      const { verdict } = start();
      await clock.advance(2 * MINUTE_MS);
      expect([writesOf(aws), verdict()?.kind, statementsOf(aws).filter(isOurs).length]).toEqual([1, 'allowed', 1]);
    });
  }
  for (const kind of ['serviceFailure', 'serviceUnavailable', 'throttling', 'connectionReset'] as const) {
    test(`that IAM does not take now (${kind}) is made when it does`, async () => {
      const { clock, aws, start } = setUp();
      aws.fault({ kind, operation: 'UpdateAssumeRolePolicy', times: 3 });
      const { verdict } = start();
      await clock.advance(2 * MINUTE_MS);
      expect([writesOf(aws), verdict()?.kind]).toEqual([1, 'allowed']);
    });
  }
  test('that a policy of the organisation denies is reported, and made when it is lifted', async () => {
    const { clock, aws, start } = setUp();
    const denied = aws.fault({
      kind: 'deniedByServiceControlPolicy',
      operation: 'UpdateAssumeRolePolicy',
      times: Number.POSITIVE_INFINITY,
    });
    const { verdict } = start();
    await clock.advance(MINUTE_MS);
    const said = verdict();
    expect(said?.kind === 'refused' && [said.finding.code, said.terminal]).toEqual(['RoleAccessDenied', true]);
    denied.end();
    await clock.advance(5 * MINUTE_MS);
    expect([writesOf(aws), verdict()?.kind]).toEqual([1, 'allowed']);
  });
  test('that IAM refuses because a living principal shows as AROA... for a moment costs seconds, and nobody his place', async () => {
    const { clock, aws, start } = setUp();
    const { arn } = aws.account().role.put({ name: 'friend', trustPolicy: FOREIGN });
    const friend = { Sid: 'Friend', Effect: 'Allow', Principal: { AWS: arn }, Action: 'sts:AssumeRole' };
    aws.account().role.setTrustPolicy('app', { ...FOREIGN, Statement: [EC2, friend] });
    aws.account().unresolvePrincipal(arn, 3_000);
    const { verdict } = start();
    await clock.advance(MINUTE_MS);
    expect([writesOf(aws), verdict()?.kind]).toEqual([1, 'allowed']);
    expect(statementsOf(aws).filter((statement) => !isOurs(statement))).toEqual([EC2, friend]);
  });
});

describe('while a write is on its way', () => {
  const meanwhile: Record<string, Parameters<Writer['rebind']>[0]> = {
    'its binding was suspended': { spec: { suspend: true } },
    'its binding only observes now': { spec: { mode: 'Observe' } },
    'its binding is being deleted': { metadata: { deleting: true } },
    'its binding asks for another role': { spec: { roleArn: `${ROLE}2` } },
  };
  for (const [sentence, part] of Object.entries(meanwhile)) {
    // Contract: rule-leave-alone
    test(`it is not sent when ${sentence}`, async () => {
      const { clock, aws, start } = setUp();
      aws.behave({ latencyMs: [4_000, 4_000] });
      const { rebind } = start();
      // The sweep's list and what follows it take four seconds each: now the fresh read of the write is under way.
      await clock.advance(6_000);
      rebind(part);
      await clock.advance(MINUTE_MS);
      expect([aws.journal.some(({ operation }) => operation === 'GetRole'), writesOf(aws)]).toEqual([true, 0]);
    });
  }
});

describe('somebody who takes the statement of irsa-operator out', () => {
  const revert = (aws: ReturnType<typeof setUp>['aws']) => aws.account().role.setTrustPolicy('app', FOREIGN);

  test('once is repaired at the next sweep, and nobody is blamed', async () => {
    const { clock, aws, start } = setUp();
    const { verdict } = start();
    await clock.advance(MINUTE_MS);
    revert(aws);
    await clock.advance(2 * MINUTE_MS);
    const said = verdict();
    expect([writesOf(aws), said?.kind, said?.kind === 'allowed' && said.findings]).toEqual([2, 'allowed', []]);
  });

  // Contract: contention-trust
  test('three times in ten minutes is contention: told with the tool and the advice, and written at most once in five minutes', async () => {
    const { clock, aws, start } = setUp({ tags: { ManagedBy: 'terraform' } });
    const { verdict } = start();
    await clock.advance(MINUTE_MS);
    for (let time = 0; time < 3; time++) {
      revert(aws);
      await clock.advance(2 * MINUTE_MS);
    }
    const said = verdict();
    expect(said?.kind === 'refused' && [said.finding.code, said.terminal, said.finding.message]).toEqual([
      'Contended',
      true,
      `"Terraform" (by the tags of the role) keeps removing the statement of irsa-operator from the trust policy of "${ROLE}". irsa-operator writes it at most once in 5 minutes. Terraform: lifecycle { ignore_changes = [assume_role_policy] } on the aws_iam_role`,
    ]);
    expect(writesOf(aws)).toBe(3);
    const before = writesOf(aws);
    for (let minute = 0; minute < 30; minute++) {
      if (statementsOf(aws).some(isOurs)) revert(aws);
      await clock.advance(MINUTE_MS);
    }
    expect(writesOf(aws) - before).toBeLessThanOrEqual(6);
    expect(writesOf(aws) - before).toBeGreaterThanOrEqual(4);
  });

  test('and gives in leaves a working role, with a warning for the day', async () => {
    const { clock, aws, start } = setUp({ tags: { ManagedBy: 'terraform' } });
    const { verdict } = start();
    await clock.advance(MINUTE_MS);
    for (let time = 0; time < 3; time++) {
      revert(aws);
      await clock.advance(2 * MINUTE_MS);
    }
    await clock.advance(10 * MINUTE_MS);
    const said = verdict();
    expect(said?.kind === 'allowed' && said.findings.map(({ code }) => code)).toEqual(['Contended']);
    expect(writesOf(aws)).toBe(4);
  });
});

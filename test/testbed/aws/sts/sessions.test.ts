import { describe, expect, test } from 'vitest';
import { createAws } from '../in-process.ts';
import { clockThatStands, credentialsOf, never, refusalOf, trusting } from '../testing.ts';

/** How long a session lasts, and what is left of it: in virtual time, with the credentials that AssumeRole answered. */
const MEMBER = '444455556666';
const EXPIRED = '403 ExpiredToken: The security token included in the request is expired';

function setUp() {
  const clock = clockThatStands();
  const aws = createAws({ clock });
  const { role } = aws.account(MEMBER);
  const { arn: RoleArn } = role.put({ name: 'member', maxSessionSeconds: 43_200, trustPolicy: trusting('111122223333') });
  const asRole = aws.as({ roleName: 'operator' });
  const assume = (params: Readonly<Record<string, string>> = {}, call = asRole) =>
    call('sts', 'AssumeRole', { RoleArn, RoleSessionName: 'session', ...params }, never);
  const open = async (params?: Readonly<Record<string, string>>) => aws.asSession(credentialsOf(await assume(params)));
  return { aws, clock, assume, open };
}

const ask = (call: Awaited<ReturnType<ReturnType<typeof setUp>['open']>>, operation = 'ListRoles') =>
  refusalOf(call('iam', operation, {}, never));

describe('a session', () => {
  test('is one of the account of its role', async () => {
    const { aws, open } = setUp();
    const session = await open();
    expect(await session('sts', 'GetCallerIdentity', {}, never)).toMatchObject({
      Account: MEMBER,
      Arn: 'arn:aws:sts::444455556666:assumed-role/member/session',
    });
    await session('iam', 'ListRoles', {}, never);
    expect(aws.journal.at(-1)).toMatchObject({ account: MEMBER, operation: 'ListRoles', code: 'OK' });
  });

  test('lasts as long as was asked, by the clock of the double', async () => {
    const { clock, open } = setUp();
    const session = await open({ DurationSeconds: '900' });
    clock.advance(899_999);
    expect(await ask(session)).toBe('accepted');
    clock.advance(1);
    expect(await ask(session)).toBe(EXPIRED);
  });

  test('is over at once where a test says so, and another one begins', async () => {
    const { aws, open } = setUp();
    const session = await open();
    aws.account().expireSessions(); // of another account: nothing happens
    expect(await ask(session)).toBe('accepted');
    aws.account(MEMBER).expireSessions();
    expect(await ask(session)).toBe(EXPIRED);
    expect(await ask(await open())).toBe('accepted');
  });

  test('of a role that was made again is none of the new role', async () => {
    const { aws, open } = setUp();
    const session = await open();
    aws.account(MEMBER).role.put({ name: 'member', trustPolicy: trusting('111122223333') });
    expect(await ask(session)).toBe('403 InvalidClientTokenId: The security token included in the request is invalid');
    expect(await ask(await open())).toBe('accepted');
  });
});

describe('the hour of a chained session', () => {
  const longer = { DurationSeconds: '3601' };

  test('is what a session gets at most, whatever the role allows', async () => {
    const { assume } = setUp();
    expect(await refusalOf(assume({ DurationSeconds: '3600' }))).toBe('accepted');
    expect(await refusalOf(assume(longer))).toBe(
      '400 ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    );
  });

  test('is no limit for a user', async () => {
    const { aws, assume } = setUp();
    expect(await refusalOf(assume(longer, aws.as()))).toBe('accepted');
  });
});

describe('a session policy', () => {
  const policy = (Action: string, padding = '') =>
    JSON.stringify({ Version: '2012-10-17', Id: padding, Statement: [{ Effect: 'Allow', Action, Resource: '*' }] });

  test('takes from the session what it does not allow', async () => {
    const { open } = setUp();
    const session = await open({ Policy: policy('iam:ListRoles') });
    expect(await ask(session)).toBe('accepted');
    expect(await ask(session, 'GetAccountSummary')).toBe(
      '403 AccessDenied: User: arn:aws:sts::444455556666:assumed-role/member/session is not authorized to perform: iam:GetAccountSummary ' +
        'on resource: * because no session policy allows the iam:GetAccountSummary action',
    );
  });

  test('gives nothing that the role does not have', async () => {
    const { aws, open } = setUp();
    aws.account(MEMBER).role.setIdentityPolicy('member', policy('iam:Get*'));
    const session = await open({ Policy: policy('iam:*') });
    expect(await ask(session, 'GetAccountSummary')).toBe('accepted');
    expect(await ask(session)).toMatch(/because no identity-based policy allows the iam:ListRoles action$/);
  });

  test('has 2,048 characters at most', async () => {
    const { assume } = setUp();
    const filled = (length: number) => policy('*', 'x'.repeat(length - policy('*').length));
    expect(await refusalOf(assume({ Policy: filled(2_048) }))).toBe('accepted');
    expect(await refusalOf(assume({ Policy: filled(2_049) }))).toMatch(
      /^400 ValidationError: .* at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048$/,
    );
  });
});

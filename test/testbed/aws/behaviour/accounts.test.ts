import { GetRoleCommand } from '@aws-sdk/client-iam';
import { expect, test } from 'vitest';
import { createAws } from '../in-process.ts';
import { startAwsDouble } from '../index.ts';
import { clientsOf, clockThatStands, credentialsOf, never, refusalOf, trusting } from '../testing.ts';
import type { ScriptedFault } from './index.ts';

/** One account that is throttled, down or deaf, beside accounts that work. */
const HUB = '111122223333';
const [ONE, OTHER] = ['444455556666', '777788889999'];

async function setUp() {
  const aws = createAws({ clock: clockThatStands() });
  const asHub = aws.as({ roleName: 'hub' });
  const member = async (account: string) => {
    const { arn: RoleArn } = aws.account(account).role.put({ name: 'member', trustPolicy: trusting(HUB) });
    const assume = (signal = never) => asHub('sts', 'AssumeRole', { RoleArn, RoleSessionName: 'session' }, signal);
    const session = aws.asSession(credentialsOf(await assume()));
    const list = (signal = never) => refusalOf(session('iam', 'ListRoles', {}, signal));
    return { assume: (signal = never) => refusalOf(assume(signal)), list };
  };
  return { aws, asHub, one: await member(ONE), other: await member(OTHER) };
}

const kinds = {
  throttling: '400 Throttling: Rate exceeded',
  serviceUnavailable: '503 ServiceUnavailable: Service is unavailable',
} as const;
test.each(Object.entries(kinds))(
  '%s of an account is met by its sessions and by who assumes a role in it, and by nobody else',
  async (kind, answer) => {
    const { aws, asHub, one, other } = await setUp();
    const fault = aws.fault({ kind: kind as keyof typeof kinds, account: ONE, times: Number.POSITIVE_INFINITY });
    expect([await one.list(), await one.assume()]).toEqual([answer, answer]);
    expect([await other.list(), await other.assume()]).toEqual(['accepted', 'accepted']);
    expect(await refusalOf(asHub('iam', 'ListRoles', {}, never))).toBe('accepted');
    expect(fault.met).toBe(2);
    fault.end();
    expect([await one.list(), await one.assume()]).toEqual(['accepted', 'accepted']);
  },
);

test('an account that does not answer keeps nobody else waiting', async () => {
  const { aws, one, other } = await setUp();
  aws.fault({ kind: 'timeout', account: ONE, times: Number.POSITIVE_INFINITY });
  const patience = new AbortController();
  const waiting = [one.list(patience.signal), one.assume(patience.signal)].map((call) => call.catch(String));
  expect([await other.list(), await other.assume()]).toEqual(['accepted', 'accepted']);
  patience.abort(new Error('enough'));
  for (const call of waiting) expect(await call).toContain('enough');
});

test('a limit is one of each account', async () => {
  const { aws, one, other } = await setUp();
  aws.behave({ limits: { 'iam:ListRoles': { perSecond: 1, burst: 1 } } });
  expect([await one.list(), await one.list()]).toEqual(['accepted', '400 Throttling: Rate exceeded']);
  expect(await other.list()).toBe('accepted');
});

// "For cross-account AssumeRole requests, only the account making the AssumeRole request impacts the STS quota"
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
test('a limit of sts:AssumeRole is one of the account that calls', async () => {
  const { aws, one, other } = await setUp();
  aws.behave({ limits: { 'sts:AssumeRole': { perSecond: 1, burst: 1 } } });
  expect([await one.assume(), await other.assume()]).toEqual(['accepted', '400 Throttling: Rate exceeded']);
});

test('over the wire the account is the one of the key, before any signature is looked at', async () => {
  const double = await startAwsDouble();
  const fault = { kind: 'connectionReset', times: Number.POSITIVE_INFINITY } as const satisfies ScriptedFault;
  const ask = (accountId: string) => clientsOf(double, { accountId }).iam.send(new GetRoleCommand({ RoleName: 'none' }));
  double.fault({ ...fault, account: ONE });
  await expect(ask(ONE)).rejects.toMatchObject({ code: 'ECONNRESET' });
  await expect(ask(OTHER)).rejects.toMatchObject({ name: 'NoSuchEntityException' });
  await double.stop();
});

import type { STSClient } from '@aws-sdk/client-sts';
import { expect, test } from 'vitest';
import type { AccountId, RoleArn } from '../api/arn.ts';
import type { Issuer } from '../api/issuer.ts';
import { NOW } from '../domain/test-observed.ts';
import { ManualClock } from '../runtime/manual-clock.ts';
import { awsCalls } from './calls.ts';
import type { Credentials } from './member-credentials.ts';
import { type MemberClients, Members } from './members.ts';

const ISSUER = 'https://oidc.example.com/id/ABCD' as Issuer;
const MEMBER = 'arn:aws:iam::444455556666:role/irsa-operator-member' as RoleArn;
const SESSION = 'arn:aws:sts::444455556666:assumed-role/irsa-operator-member/x';
const { signal } = new AbortController();
type Sts = Pick<STSClient, 'send'>;
/** The overloads of `send` cannot be written by hand. */
const stsWith = (send: (command: { readonly input: Record<string, unknown> }) => Promise<object>): Sts => ({ send }) as unknown as Sts;

function members() {
  const clock = new ManualClock(NOW);
  const assumed: Record<string, unknown>[] = [];
  const send = async ({ input }: { readonly input: Record<string, unknown> }) => {
    assumed.push(input);
    return { Credentials: { AccessKeyId: `key-${assumed.length}`, SecretAccessKey: 's', SessionToken: 't' } };
  };
  const asked: string[] = [];
  const closed: string[] = [];
  const clientsWith = (credentials: () => Promise<Credentials>): MemberClients => {
    const sts = stsWith(async () => {
      asked.push((await credentials()).accessKeyId);
      return { Arn: SESSION };
    });
    const destroy = () => void closed.push('one');
    return { sts: { ...sts, destroy }, iam: { destroy }, iamWrites: { destroy } } as MemberClients;
  };
  const call = awsCalls({ requested: () => {} }, clock);
  return { ways: new Members({ sts: stsWith(send), call, clientsWith, clock, stop: signal }), assumed, asked, closed };
}

test('an account is entered by its role: the answer is whom AWS takes us for, asked with the session', async () => {
  const { ways, assumed, asked } = members();
  const { callerArn } = await ways.enter({ roleArn: MEMBER, externalId: undefined }, ISSUER, signal);
  expect([callerArn, asked]).toEqual([SESSION, ['key-1']]);
  expect(assumed[0]).toMatchObject({ RoleArn: MEMBER, RoleSessionName: expect.stringMatching(/^irsa-operator-[0-9a-f]{12}$/) });
  expect(JSON.parse(String(assumed[0]?.['Policy']))).toMatchObject({
    Statement: expect.arrayContaining([expect.objectContaining({ Effect: 'Deny' })]),
  });
});

test('looked at again it is the same session and the same clients; another external ID makes new ones', async () => {
  const { ways, asked } = members();
  const first = await ways.enter({ roleArn: MEMBER, externalId: 'one' }, ISSUER, signal);
  const again = await ways.enter({ roleArn: MEMBER, externalId: 'one' }, ISSUER, signal);
  const other = await ways.enter({ roleArn: MEMBER, externalId: 'two' }, ISSUER, signal);
  expect([again.clients === first.clients, other.clients === first.clients, asked]).toEqual([true, false, ['key-1', 'key-1', 'key-2']]);
});

test('an account that is left has no session and no connection any more; what is entered again is new', async () => {
  const { ways, asked, closed } = members();
  const member = { roleArn: MEMBER, externalId: undefined };
  await ways.enter(member, ISSUER, signal);
  ways.leave('444455556666' as AccountId);
  expect(closed).toHaveLength(3);
  await ways.enter(member, ISSUER, signal);
  expect(asked).toEqual(['key-1', 'key-2']);
});

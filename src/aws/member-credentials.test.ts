import { STSClient } from '@aws-sdk/client-sts';
import { describe, expect, test } from 'vitest';
import type { RoleArn } from '../api/arn.ts';
import { Fault } from '../api/fault.ts';
import { NOW } from '../domain/test-observed.ts';
import { ManualClock } from '../runtime/manual-clock.ts';
import { awsCalls } from './calls.ts';
import { MemberCredentials } from './member-credentials.ts';

const MEMBER = 'arn:aws:iam::444455556666:role/irsa-operator-member' as RoleArn;
const MINUTE = 60_000;
const { signal: stop } = new AbortController();
const denied = Object.assign(new Error('User: arn:aws:sts::111122223333:assumed-role/hub/x is not authorized'), { name: 'AccessDenied' });

/** STS that gives a session each time, with the number of the call in it; `answers` may have an error for some of the calls. */
function sessions({ externalId, answers = {} }: { externalId?: string; answers?: Record<number, Error | Promise<void>> } = {}) {
  const asked: Record<string, unknown>[] = [];
  const clock = new ManualClock(NOW);
  const send = async ({ input }: { readonly input: Record<string, unknown> }) => {
    asked.push(input);
    const at = asked.length;
    const answer = await answers[at];
    if (answers[at] instanceof Error) throw answer;
    return { Credentials: { AccessKeyId: `key-${at}`, SecretAccessKey: 'secret', SessionToken: 'token', Expiration: new Date(0) } };
  };
  const credentials = new MemberCredentials({
    member: { roleArn: MEMBER, externalId },
    // The overloads of `send` cannot be written by hand.
    sts: { send } as unknown as Pick<STSClient, 'send'>,
    call: awsCalls({ requested: () => {} }, clock),
    sessionName: 'irsa-operator-ab12cd34ef56',
    sessionPolicy: '{"Statement":[]}',
    clock,
    stop,
  });
  return { credentials, asked, clock, key: async () => (await credentials.get()).accessKeyId };
}

test('the role is assumed for an hour, with the session policy, the name of the cluster and the external ID', async () => {
  const { key, asked } = sessions({ externalId: 'ours' });
  expect(await key()).toBe('key-1');
  expect(asked).toEqual([
    {
      RoleArn: MEMBER,
      RoleSessionName: 'irsa-operator-ab12cd34ef56',
      DurationSeconds: 3_600,
      Policy: '{"Statement":[]}',
      ExternalId: 'ours',
    },
  ]);
});

test('without an external ID none is sent', async () => {
  const { key, asked } = sessions();
  await key();
  expect(asked[0]).not.toHaveProperty('ExternalId');
});

describe('a session', () => {
  test('serves every call until ten minutes before its end, and then another one does', async () => {
    const { key, clock, asked } = sessions();
    await key();
    await clock.advance(50 * MINUTE - 1);
    expect([await key(), asked.length]).toEqual(['key-1', 1]);
    await clock.advance(1);
    expect([await key(), asked.length]).toEqual(['key-2', 2]);
  });

  test('is renewed by one call, however many wait for it', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { key, asked } = sessions({ answers: { 1: promise } });
    const all = Promise.all([key(), key(), key()]);
    resolve();
    expect([await all, asked.length]).toEqual([['key-1', 'key-1', 'key-1'], 1]);
  });

  test('goes on while its renewal fails, which is tried every half minute', async () => {
    const { key, clock, asked } = sessions({ answers: { 2: denied, 3: denied } });
    await key();
    await clock.advance(50 * MINUTE);
    const keys = [await key(), await key()];
    await clock.advance(30_000);
    keys.push(await key());
    await clock.advance(30_000);
    keys.push(await key());
    expect([keys, asked.length]).toEqual([['key-1', 'key-1', 'key-1', 'key-4'], 4]);
  });

  test('is not used any more when it has ended', async () => {
    const { key, clock } = sessions({ answers: { 2: denied } });
    await key();
    await clock.advance(60 * MINUTE);
    await expect(key()).rejects.toMatchObject({ kind: 'denied' });
    expect(await key()).toBe('key-3');
  });

  test('that AWS does not take any more is replaced before its time', async () => {
    const { credentials, key, asked } = sessions();
    await key();
    const expired = Object.assign(new Error('The security token included in the request is expired'), { name: 'ExpiredToken' });
    const call = { service: 'iam', operation: 'GetRole', of: 'role "x"', signal: stop } as const;
    await expect(credentials.call({ ...call, send: () => Promise.reject(expired) })).rejects.toThrow('ExpiredToken');
    expect([await key(), asked.length]).toEqual(['key-2', 2]);
    await expect(credentials.call({ ...call, send: () => Promise.reject(denied) })).rejects.toThrow('AccessDenied');
    expect(await key()).toBe('key-2');
  });
});

test('what STS refuses is told as STS said it, and to a call for anything else it is a matter of our credentials', async () => {
  const refused = sessions({ answers: { 1: denied, 2: denied } });
  await expect(refused.credentials.get()).rejects.toMatchObject({ kind: 'denied', code: 'AccessDenied' });
  await expect(refused.credentials.provider()).rejects.toMatchObject({ kind: 'transient', code: 'OwnCredentials' });
  await expect(refused.credentials.provider()).resolves.toMatchObject({ accessKeyId: 'key-3' });
});

test('the SDK asks for credentials before each call: it would keep them by the wall clock', async () => {
  const { credentials, asked, clock } = sessions();
  const client = new STSClient({ region: 'eu-west-1', credentials: credentials.provider });
  const { accessKeyId } = await client.config.credentials();
  await clock.advance(50 * MINUTE);
  const next = await client.config.credentials();
  expect([accessKeyId, next.accessKeyId, asked.length]).toEqual(['key-1', 'key-2', 2]);
  client.destroy();
});

test('no credential is in a fault', async () => {
  const { credentials } = sessions({ answers: { 1: denied } });
  const fault: Fault = await credentials.get().then(
    () => new Fault('transient', ''),
    (error: Fault) => error,
  );
  expect(JSON.stringify([fault.message, fault.told])).not.toMatch(/key-|secret|token/);
});

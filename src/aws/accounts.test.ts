import type { IAMClient } from '@aws-sdk/client-iam';
import { expect, test } from 'vitest';
import type { AccountId, RoleArn } from '../api/arn.ts';
import { ACCOUNT, ARN } from '../domain/test-observed.ts';
import { systemClock } from '../runtime/clock.ts';
import { Limiter } from '../runtime/limiter.ts';
import { AwsAccounts } from './accounts.ts';
import { awsCalls } from './calls.ts';

const OTHER = '444455556666' as AccountId;
const THERE = ARN.replace(ACCOUNT, OTHER) as RoleArn;
const { signal } = new AbortController();
const RATES = { read: 100, write: 100 };

/** Clients that say whose they are. */
function clientsOf(name: string, asked: string[]) {
  const send = async (command: { readonly constructor: { readonly name: string } }) => {
    asked.push(`${name}: ${command.constructor.name}`);
    return { Role: { Arn: ARN, RoleId: 'AROA', AssumeRolePolicyDocument: '{}' }, SummaryMap: {} };
  };
  // Of the client the adapters use `send` alone; its overloads cannot be written by hand.
  const iam = { send } as unknown as IAMClient;
  return { iam, iamWrites: iam };
}

function accountsWith(asked: string[]) {
  const limiters: string[] = [];
  const accounts = new AwsAccounts({
    call: awsCalls({ requested: () => {} }, systemClock),
    limiter: (account, action, perSecond) => {
      limiters.push(`${account} ${action} ${perSecond}`);
      return new Limiter({ perSecond, clock: systemClock, waited: () => {} });
    },
    tenantsOf: () => [],
    fence: () => {},
    clock: systemClock,
    random: Math.random,
  });
  accounts.open(ACCOUNT, { clients: clientsOf('own', asked), perSecond: RATES });
  return { accounts, limiters };
}

test('a role is asked for in the account of its ARN, with the credentials and the limits of that account', async () => {
  const asked: string[] = [];
  const { accounts, limiters } = accountsWith(asked);
  accounts.open(OTHER, { clients: clientsOf('other', asked), perSecond: RATES });
  await accounts.roles.read(THERE, signal, 'change');
  await accounts.roles.read(ARN, signal, 'change');
  expect(asked).toEqual(['other: GetRoleCommand', 'own: GetRoleCommand']);
  expect(limiters).toEqual([`${ACCOUNT} read 100`, `${ACCOUNT} write 100`, `${OTHER} read 100`, `${OTHER} write 100`]);
});

test('no call goes out for a role of an account that is not open: its name means another role in the own one', async () => {
  const asked: string[] = [];
  const { accounts } = accountsWith(asked);
  await expect(accounts.roles.read(THERE, signal, 'change')).rejects.toThrow(`account ${OTHER} is not reached`);
  await expect(accounts.roles.edit(THERE, async () => undefined, signal, 'change')).rejects.toThrow(`account ${OTHER} is not reached`);
  expect(asked).toEqual([]);
});

test('of an account that is closed no call goes out any more', async () => {
  const asked: string[] = [];
  const { accounts } = accountsWith(asked);
  accounts.open(OTHER, { clients: clientsOf('other', asked), perSecond: RATES });
  accounts.close(OTHER);
  await expect(accounts.roles.read(THERE, signal, 'change')).rejects.toThrow(`account ${OTHER} is not reached`);
  expect(asked).toEqual([]);
});

test('an account that is opened again with the same clients is the same one, and keeps its limits with others', async () => {
  const asked: string[] = [];
  const { accounts, limiters } = accountsWith(asked);
  const way = { clients: clientsOf('first', asked), perSecond: RATES };
  expect(accounts.open(OTHER, way)).toBe(accounts.open(OTHER, { ...way }));
  accounts.open(OTHER, { clients: clientsOf('second', asked), perSecond: RATES });
  await accounts.roles.read(THERE, signal, 'change');
  expect(asked).toEqual(['second: GetRoleCommand']);
  expect(limiters.filter((one) => one.startsWith(OTHER))).toEqual([`${OTHER} read 100`, `${OTHER} write 100`]);
  accounts.open(OTHER, { ...way, perSecond: { read: 100, write: 2 } });
  expect(limiters.slice(4)).toEqual([`${OTHER} read 100`, `${OTHER} write 2`]);
});

import type { webcrypto } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type AwsAccount, accountSetup } from './account.ts';
import { issueKeys, sessionCaller, userCaller } from './credentials.ts';
import type { JournalEntry } from './journal.ts';
import { createAwsServer } from './server.ts';
import { accountOf, addRole, addUser, type Caller, createWorld, type World } from './world.ts';

export type { AwsAccount } from './account.ts';
export type { JournalEntry } from './journal.ts';

/** The account of AWS's own examples. */
const DEFAULT_ACCOUNT = '111122223333';

/** IAM, STS and EKS on one port, for the unmodified AWS SDK. It enforces what the real services are known to enforce. */
export interface AwsDouble {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  /** Environment of a process that calls as a user of an account, or as a session of a role, which is made if it is not there. */
  env(caller?: string | { readonly accountId?: string; readonly roleName?: string }): Record<string, string>;
  /** Tells STS where to get the public keys of an issuer (at the real one: its jwks_uri). Asked anew for each token. */
  trustIssuer(issuer: string, keys: () => Promise<{ keys: webcrypto.JsonWebKey[] }>): void;
  /** What eks:DescribeCluster answers. */
  cluster(cluster: { readonly accountId?: string; readonly name: string; readonly issuer: string }): void;
  /** Direct set-up; an account that is asked for exists from then on. */
  account(accountId?: string): AwsAccount;
  /** Every call that was answered, oldest first. */
  readonly journal: readonly JournalEntry[];
  stop(): Promise<void>;
}

export async function startAwsDouble({ port = 0 }: { port?: number } = {}): Promise<AwsDouble> {
  const world = createWorld(() => new Date());
  accountOf(world, DEFAULT_ACCOUNT);
  const journal: JournalEntry[] = [];
  const server = createAwsServer(world, (entry) => journal.push(entry));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    endpoint,
    env: (caller = {}) => environment(world, endpoint, typeof caller === 'string' ? { accountId: caller } : caller),
    trustIssuer(issuer, keys) {
      world.issuers.set(issuer, keys);
    },
    cluster({ accountId = DEFAULT_ACCOUNT, name, issuer }) {
      accountOf(world, accountId).clusters.set(name, { name, issuer, created: world.now() });
    },
    account: (accountId = DEFAULT_ACCOUNT) => accountSetup(world, accountId),
    journal,
    async stop() {
      server.close();
      server.closeAllConnections(); // SDK clients keep theirs alive
      await once(server, 'close');
    },
  };
}

/** Longest session there is (12 hours): a test run must not outlive its credentials. */
const SESSION_MS = 43_200_000;

function environment(
  world: World,
  endpoint: string,
  { accountId = DEFAULT_ACCOUNT, roleName }: { readonly accountId?: string; readonly roleName?: string },
): Record<string, string> {
  const keys =
    roleName === undefined
      ? issueKeys(world, testUser(world, accountId))
      : issueKeys(world, roleSession(world, accountId, roleName), new Date(world.now().getTime() + SESSION_MS));
  return {
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    ...(keys.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: keys.sessionToken }),
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1', // the first AWS CLI reads this one
    AWS_ENDPOINT_URL_IAM: endpoint,
    AWS_ENDPOINT_URL_STS: endpoint,
    AWS_ENDPOINT_URL_EKS: endpoint,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

function testUser(world: World, accountId: string): Caller {
  const account = accountOf(world, accountId);
  return userCaller(account, account.users.get('testbed') ?? addUser(world, account, 'testbed'));
}

/** The role's own trust policy is as EKS Pod Identity has it: how the caller came by its session does not matter here. */
function roleSession(world: World, accountId: string, name: string): Caller {
  const account = accountOf(world, accountId);
  const trust = { Effect: 'Allow', Principal: { Service: 'pods.eks.amazonaws.com' }, Action: ['sts:AssumeRole', 'sts:TagSession'] };
  const trustPolicy = JSON.stringify({ Version: '2012-10-17', Statement: [trust] });
  const role = account.roles.get(name.toLowerCase()) ?? addRole(world, account, { name, trustPolicy });
  return sessionCaller(account, role, 'session');
}

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { PARTITIONS, type Partition } from './arn.ts';
import type { Random } from './clock.ts';
import { issueKeys } from './credentials.ts';
import { type Aws, awsWorld, type CallerSetup, callerOf } from './in-process.ts';
import { createAwsServer } from './server.ts';
import { accountOf, type World } from './world.ts';

export { AwsError } from './aws-error.ts';
export { type Aws, type AwsInProcess, type CallAws, createAws } from './in-process.ts';
export { evaluateTrust } from './policy/evaluate.ts';
export { unusedGrants } from './unused-grants.ts';

/** IAM, STS and EKS on one port, for the unmodified AWS SDK. It enforces what the real services are known to enforce. */
export interface AwsDouble extends Aws {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  /** Environment of a process that calls as a user of an account, or as a session of a role. */
  env(caller?: string | CallerSetup): Record<string, string>;
  stop(): Promise<void>;
}

export async function startAwsDouble(options: { port?: number; random?: Random; partition?: Partition } = {}): Promise<AwsDouble> {
  const { port = 0, random = Math.random, partition = 'aws' } = options;
  // On the system's clock: the SDK signs by it.
  const { world, aws, journal } = awsWorld({ random, partition });
  const server = createAwsServer(world, journal);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    ...aws,
    endpoint,
    env: (caller = {}) => environment(world, endpoint, typeof caller === 'string' ? { accountId: caller } : caller),
    async stop() {
      server.close();
      server.closeAllConnections(); // SDK clients keep theirs alive
      await once(server, 'close');
    },
  };
}

/** Longest session there is (12 hours): a test run must not outlive its credentials. */
const SESSION_MS = 43_200_000;

function environment(world: World, endpoint: string, setup: CallerSetup): Record<string, string> {
  const expires = setup.roleName === undefined ? undefined : new Date(world.now().getTime() + SESSION_MS);
  const caller = callerOf(world, setup);
  const keys = issueKeys(world, caller, expires);
  const region = PARTITIONS[accountOf(world, caller.accountId).partition];
  return {
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    ...(keys.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: keys.sessionToken }),
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region, // the first AWS CLI reads this one
    AWS_ENDPOINT_URL_IAM: endpoint,
    AWS_ENDPOINT_URL_STS: endpoint,
    AWS_ENDPOINT_URL_EKS: endpoint,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

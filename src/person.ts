import type { ProxyVariables } from './aws/agents.ts';
import { awsCalls } from './aws/calls.ts';
import { awsClients } from './aws/clients.ts';
import { eksIssuer } from './aws/clusters.ts';
import { iamCalls } from './aws/iam-calls.ts';
import { callerIdentity } from './aws/identity.ts';
import { iamProviders } from './aws/providers.ts';
import { iamRoles, LARGEST_PAGE } from './aws/roles.ts';
import { ownCredentialsFrom, RUN_FLAGS } from './config.ts';
import { systemClock } from './runtime/clock.ts';
import { Limiter } from './runtime/limiter.ts';

/** Who runs a command holds no lease: writers of one role pass each other as clusters do, by the read right before the write and the one after it. */
const noFence = () => {};

/** AWS for a person's command: the credentials of the environment, at the rates of an operator. `eksClusterName`: whose issuer EKS is asked for. */
export function awsOfPerson(version: string, eksClusterName: string | undefined, proxy: ProxyVariables) {
  const clock = systemClock;
  const aws = awsClients(version, eksClusterName, proxy, noFence);
  const call = awsCalls({ requested: () => {} }, clock);
  const limiter = (perSecond: string) => new Limiter({ perSecond: Number(perSecond), clock, waited: () => {} });
  const iam = iamCalls({
    call,
    reads: limiter(RUN_FLAGS['iam-reads-per-second'].default),
    writes: limiter(RUN_FLAGS['iam-writes-per-second'].default),
    fence: noFence,
    clock,
    random: Math.random,
  });
  return {
    caller: (signal: AbortSignal) => callerIdentity(aws.sts, call, ownCredentialsFrom(process.env), signal),
    eksIssuer: eksClusterName === undefined ? undefined : (signal: AbortSignal) => eksIssuer(aws.eks, call, eksClusterName, signal),
    roles: iamRoles(aws.iam, iam, { writing: aws.iamWrites, pageSize: LARGEST_PAGE }),
    providers: iamProviders(aws.iam, iam, aws.iamWrites),
    close() {
      for (const client of [aws.iam, aws.iamWrites, aws.sts, aws.eks]) client.destroy();
    },
  };
}

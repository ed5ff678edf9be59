import { DescribeClusterCommand, type EKSClient } from '@aws-sdk/client-eks';
import type { AwsCalls } from './calls.ts';

/** The issuer as EKS knows it; undefined where the cluster has none (https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html). Throws `Fault`. */
export async function eksIssuer(eks: EKSClient, call: AwsCalls, name: string, signal: AbortSignal): Promise<string | undefined> {
  const { cluster } = await call({
    service: 'eks',
    operation: 'DescribeCluster',
    of: `cluster "${name}"`,
    signal,
    send: (options) => eks.send(new DescribeClusterCommand({ name }), options),
  });
  return cluster?.identity?.oidc?.issuer;
}

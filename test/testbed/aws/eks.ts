import { arnOf } from './arn.ts';
import { AwsError } from './aws-error.ts';
import { accountOfCaller, type Operation } from './operation.ts';
import { required } from './params.ts';

/** eks:DescribeCluster: the issuer, and what is needed around it. Times are seconds since 1970, as REST JSON has them. */
export const describeCluster: Operation = (call) => {
  const name = required(call.params, 'name');
  const account = accountOfCaller(call);
  const cluster = account.clusters.get(name);
  if (cluster === undefined) throw new AwsError('ResourceNotFoundException', 404, `No cluster found for name: ${name}.`);
  return {
    cluster: {
      name,
      arn: arnOf(account, 'eks', `cluster/${name}`),
      createdAt: cluster.created.getTime() / 1_000,
      identity: { oidc: { issuer: cluster.issuer } },
      status: 'ACTIVE',
    },
  };
};

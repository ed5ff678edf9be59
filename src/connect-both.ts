import type { ProxyVariables } from './aws/agents.ts';
import { awsSettings } from './cli/check/aws-settings.ts';
import type { Given } from './cli/command.ts';
import { connectAs } from './connect-as.ts';
import { awsOfPerson } from './person.ts';

/** The cluster that the flags of kubectl lead to, and the account that belongs to it. Nothing is asked yet. Throws `Fault`. */
export function connectBoth(version: string, given: Given, proxy: ProxyVariables) {
  const cluster = connectAs(version, given);
  const { context, transport } = cluster;
  const { region, profile, clusterName } = awsSettings(given, context.exec, process.env, context.server, context.cluster);
  // As every AWS tool reads them, the SDK too.
  if (region !== undefined) process.env['AWS_REGION'] = region;
  if (profile !== undefined) process.env['AWS_PROFILE'] = profile;
  const { close, ...aws } = awsOfPerson(version, clusterName, proxy);
  return {
    ...cluster,
    aws,
    async close() {
      close();
      await transport.close();
    },
  };
}

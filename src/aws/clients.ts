import { EKSClient } from '@aws-sdk/client-eks';
import { IAMClient } from '@aws-sdk/client-iam';
import { STSClient } from '@aws-sdk/client-sts';
import { agents, fencedAgents, type ProxyVariables } from './agents.ts';
import type { Credentials } from './member-credentials.ts';

/** Every call is sent once: the SDK's own retries would send throttled calls again behind the limiter's back, and wait within the call's deadline. */
const MAX_ATTEMPTS = 1;

/**
 * Region and credentials are found as every AWS tool finds them (environment, web identity, Pod Identity); the user agent shows in CloudTrail.
 * What writes has a client of its own, whose connections ask `mayStillSend` once they stand; it throws where the lease is over. All of them go
 * through the proxy of the environment, and so does what the SDK asks STS for our credentials.
 */
export function awsClients(version: string, cluster: string | undefined, proxy: ProxyVariables, mayStillSend: () => void) {
  const customUserAgent: [string, string][] = [['irsa-operator', version]];
  if (cluster !== undefined) customUserAgent.push(['cluster', cluster]);
  const common = { maxAttempts: MAX_ATTEMPTS, customUserAgent };
  const reading = () => ({ ...common, requestHandler: agents(proxy) });
  const writing = () => ({ ...common, requestHandler: fencedAgents(mayStillSend, proxy) });
  return {
    iam: new IAMClient(reading()),
    iamWrites: new IAMClient(writing()),
    sts: new STSClient(reading()),
    eks: new EKSClient(reading()),
    /** The same with other credentials, for another account. */
    with: (credentials: () => Promise<Credentials>) => ({
      iam: new IAMClient({ ...reading(), credentials }),
      iamWrites: new IAMClient({ ...writing(), credentials }),
      sts: new STSClient({ ...reading(), credentials }),
    }),
  };
}

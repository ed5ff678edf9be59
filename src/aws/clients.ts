import { EKSClient } from '@aws-sdk/client-eks';
import { IAMClient } from '@aws-sdk/client-iam';
import { STSClient } from '@aws-sdk/client-sts';

/** Every call is sent once: the SDK's own retries would send throttled calls again behind the limiter's back, and wait within the call's deadline. */
const MAX_ATTEMPTS = 1;

/** Region and credentials are found as every AWS tool finds them (environment, web identity, Pod Identity); the user agent shows in CloudTrail. */
export function awsClients(version: string, cluster: string | undefined) {
  const customUserAgent: [string, string][] = [['irsa-operator', version]];
  if (cluster !== undefined) customUserAgent.push(['cluster', cluster]);
  const common = { maxAttempts: MAX_ATTEMPTS, customUserAgent };
  return { iam: new IAMClient(common), sts: new STSClient(common), eks: new EKSClient(common) };
}

import { EKSClient } from '@aws-sdk/client-eks';
import { IAMClient } from '@aws-sdk/client-iam';
import { STSClient } from '@aws-sdk/client-sts';

/** The SDK's own retries for one call; what fails after them is retried by the queue, which others wait in too. */
const MAX_ATTEMPTS = 3;

/** Region and credentials are found as every AWS tool finds them (environment, web identity, Pod Identity); the user agent shows in CloudTrail. */
export function awsClients(version: string) {
  const common = { maxAttempts: MAX_ATTEMPTS, customUserAgent: [['irsa-operator', version]] as [string, string][] };
  return { iam: new IAMClient(common), sts: new STSClient(common), eks: new EKSClient(common) };
}

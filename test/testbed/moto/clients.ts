import type { EKSClient } from '@aws-sdk/client-eks';
import type { IAMClient } from '@aws-sdk/client-iam';
import type { STSClient } from '@aws-sdk/client-sts';

/** What the calls are made with. */
export interface Clients {
  readonly iam: IAMClient;
  readonly sts: STSClient;
  readonly eks: EKSClient;
  /** The same, with an access key that nobody was given. */
  readonly strangerIam: IAMClient;
  /** The same, with the access key of the first and a secret that is not its own. */
  readonly forgedIam: IAMClient;
}

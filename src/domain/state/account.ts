import type { AccountId } from '../../api/arn.ts';

/** An AWS account, as it answered last. */
export interface AccountView {
  readonly account: AccountId;
  /** Characters that it allows for a trust policy; undefined while it did not say so. */
  readonly policyQuota: number | undefined;
}

import type { AccountId } from '../../api/arn.ts';
import type { Finding } from '../../api/finding.ts';

/** An AWS account, and how it answered last. */
export interface AccountView {
  readonly account: AccountId;
  readonly access:
    | {
        readonly kind: 'reached';
        /** Whom AWS takes us for there. */
        readonly callerArn: string;
        /** Characters that it allows for a trust policy; undefined while it did not say so. */
        readonly policyQuota: number | undefined;
      }
    /** No answer yet, or none that says anything. */
    | { readonly kind: 'unknown'; readonly why: string }
    /** Only a change helps. */
    | { readonly kind: 'refused'; readonly finding: Finding };
}

export type Reached = Extract<AccountView['access'], { kind: 'reached' }>;

export function reachedIn(view: AccountView | undefined): Reached | undefined {
  return view?.access.kind === 'reached' ? view.access : undefined;
}

/** As a command sees the account of its credentials, which is the only one. */
export function reachedAs({ arn: callerArn }: { readonly arn: string }, account: AccountId, policyQuota: number): AccountView {
  return { account, access: { kind: 'reached', callerArn, policyQuota } };
}

import { type AccountId, arnOwner, type RoleArn, roleArnParts, sharesAccount } from '../../api/arn.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { type AccountView, reachedIn } from './account.ts';
import type { CallerView } from './identity.ts';

/** Whether the account of a role answers to our credentials, and if not, why. The one question that is asked before any call about the role. */
export type Reach =
  /** `quota`: characters that the account allows for a trust policy. */
  | { readonly kind: 'reached'; readonly quota: number }
  /** AWS did not say it yet, and is asked again: what was found before stands. */
  | { readonly kind: 'unknown'; readonly reason: 'CallerUnknown' | 'QuotaUnknown'; readonly message: string }
  | { readonly kind: 'refused'; readonly finding: Finding };

export interface Accounts {
  /** Of the operator itself, in its own account. */
  readonly caller: CallerView;
  readonly account: (id: AccountId) => AccountView | undefined;
}

export function reachOf(role: RoleArn, { caller, account: find }: Accounts): Reach {
  if (caller.kind === 'unknown') {
    const message = `sts:GetCallerIdentity failed: ${caller.why}. irsa-operator writes nothing and asks again. Check its AWS credentials`;
    return { kind: 'unknown', reason: 'CallerUnknown', message };
  }
  if (!sharesAccount(role, caller.arn)) return { kind: 'refused', finding: inOtherAccount(role, caller) };
  const quota = reachedIn(find(caller.account))?.policyQuota;
  if (quota === undefined) {
    const message =
      'iam:GetAccountSummary did not report how long a trust policy may be. irsa-operator writes no trust policy and asks again. See its log';
    return { kind: 'unknown', reason: 'QuotaUnknown', message };
  }
  return { kind: 'reached', quota };
}

function inOtherAccount(role: RoleArn, caller: Extract<CallerView, { kind: 'known' }>): Finding {
  const { account, partition } = roleArnParts(role);
  const [where, reached] =
    account === caller.account
      ? [`partition ${partition}`, `partition ${arnOwner(caller.arn)?.partition}`]
      : [`account ${account}`, `account ${caller.account}`];
  return finding('RoleInOtherAccount', `role "${role}" is in ${where}. The credentials of irsa-operator reach only ${reached}`);
}

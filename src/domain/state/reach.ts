import { type AccountId, arnOwner, type RoleArn, roleArnParts, sharesAccount } from '../../api/arn.ts';
import { type Finding, finding } from '../../api/finding.ts';
import type { AccountView } from './account.ts';
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
  if (caller.kind === 'unknown') return callerUnknown(caller.why);
  const { account } = roleArnParts(role);
  const access = find(account)?.access;
  if (access?.kind === 'refused') return access;
  if (access?.kind === 'unknown') return callerUnknown(access.why);
  // The same twelve digits may be an account of another partition.
  if (!sharesAccount(role, access?.callerArn ?? caller.arn)) return { kind: 'refused', finding: inOtherAccount(role, caller) };
  return access?.policyQuota === undefined ? QUOTA_UNKNOWN : { kind: 'reached', quota: access.policyQuota };
}

function callerUnknown(why: string): Reach {
  const message = `sts:GetCallerIdentity failed: ${why}. irsa-operator writes nothing and asks again. Check its AWS credentials`;
  return { kind: 'unknown', reason: 'CallerUnknown', message };
}

const QUOTA_UNKNOWN: Reach = {
  kind: 'unknown',
  reason: 'QuotaUnknown',
  message:
    'iam:GetAccountSummary did not report how long a trust policy may be. irsa-operator writes no trust policy and asks again. See its log',
};

function inOtherAccount(role: RoleArn, caller: Extract<CallerView, { kind: 'known' }>): Finding {
  const { account, partition } = roleArnParts(role);
  const [where, reached] =
    account === caller.account
      ? [`partition ${partition}`, `partition ${arnOwner(caller.arn)?.partition}`]
      : [`account ${account}`, `account ${caller.account}`];
  return finding('RoleInOtherAccount', `role "${role}" is in ${where}. The credentials of irsa-operator reach only ${reached}`);
}

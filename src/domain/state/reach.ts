import { type AccountId, arnOwner, type RoleArn, roleArnParts, sharesAccount } from '../../api/arn.ts';
import { type Finding, finding } from '../../api/finding.ts';
import type { AccountView } from './account.ts';
import type { CallerView } from './identity.ts';

/** Whether the account of a role answers to our credentials, and if not, why. The one question that is asked before any call about the role. */
export type Reach =
  /** `quota`: characters that the account allows for a trust policy. */
  | { readonly kind: 'reached'; readonly quota: number }
  /** AWS did not say it yet, and is asked again: what was found before stands. */
  | { readonly kind: 'unknown'; readonly reason: 'CallerUnknown' | 'AccountUnknown' | 'QuotaUnknown'; readonly message: string }
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
  if (access?.kind === 'unknown') return accountUnknown(account, access.why);
  // The same twelve digits may be an account of another partition.
  if (!sharesAccount(role, access?.callerArn ?? caller.arn)) return { kind: 'refused', finding: inOtherAccount(role, caller) };
  return access?.policyQuota === undefined ? QUOTA_UNKNOWN : { kind: 'reached', quota: access.policyQuota };
}

function callerUnknown(why: string): Reach {
  const message = `sts:GetCallerIdentity failed: ${why}. irsa-operator writes nothing and asks again. Check its AWS credentials`;
  return { kind: 'unknown', reason: 'CallerUnknown', message };
}

function accountUnknown(account: AccountId, why: string): Reach {
  const message = `account ${account} was not reached: ${why}. irsa-operator writes nothing there and asks again. See its log`;
  return { kind: 'unknown', reason: 'AccountUnknown', message };
}

const QUOTA_UNKNOWN: Reach = {
  kind: 'unknown',
  reason: 'QuotaUnknown',
  message:
    'iam:GetAccountSummary did not report how long a trust policy may be. irsa-operator writes no trust policy and asks again. See its log',
};

function inOtherAccount(role: RoleArn, caller: Extract<CallerView, { kind: 'known' }>): Finding {
  const { account, partition } = roleArnParts(role);
  const own = arnOwner(caller.arn)?.partition;
  const isElsewhere = partition !== own;
  const [where, reached] = isElsewhere
    ? [`partition ${partition}`, `partition ${own}`]
    : [`account ${account}`, `account ${caller.account}`];
  const found = `role "${role}" is in ${where}. The credentials of irsa-operator reach only ${reached}`;
  if (isElsewhere) return finding('RoleInOtherAccount', found);
  const member = `arn:${partition}:iam::${account}:role/irsa-operator-member`;
  const object = `{"apiVersion":"irsa-operator.dev/v1alpha1","kind":"IrsaAccount","metadata":{"name":"${account}"},"spec":{"roleArn":"${member}"}}`;
  return finding('RoleInOtherAccount', `${found}. To give it a role there, a cluster administrator applies ${object}`);
}

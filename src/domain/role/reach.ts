import { arnOwner, type RoleArn, roleArnParts, sharesAccount } from '../../api/arn.ts';
import { type Finding, finding } from '../../api/finding.ts';
import type { CallerView } from '../state/identity.ts';

/** A role that the credentials in use cannot reach: one of another account, or of the same number in another partition. */
export function outOfReach(role: RoleArn, caller: CallerView): Finding | undefined {
  if (caller.kind === 'unknown' || sharesAccount(role, caller.arn)) return undefined;
  const { account, partition } = roleArnParts(role);
  const [where, reached] =
    account === caller.account
      ? [`partition ${partition}`, `partition ${arnOwner(caller.arn)?.partition}`]
      : [`account ${account}`, `account ${caller.account}`];
  return finding('RoleInOtherAccount', `role "${role}" is in ${where}. The credentials of irsa-operator reach only ${reached}`);
}

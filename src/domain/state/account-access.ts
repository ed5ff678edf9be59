import type { AccountSpec, IrsaAccount } from '../../api/account.ts';
import { arnOwner, roleArnParts } from '../../api/arn.ts';
import { isFault } from '../../api/fault.ts';
import { type FindingCode, finding } from '../../api/finding.ts';
import { isProblem } from '../../api/problem.ts';
import type { AccountView } from './account.ts';
import { mayPass, quotaFrom } from './identify.ts';

type Access = AccountView['access'];

/** Whether a call is made to get into the account, and if not, why. */
export function mayEnter(
  { account, spec }: IrsaAccount,
  callerArn: string,
): { readonly kind: 'asked'; readonly spec: AccountSpec } | Extract<Access, { kind: 'refused' }> {
  const name = `IrsaAccount "${account}"`;
  const refused = (code: FindingCode, message: string) => ({ kind: 'refused', finding: finding(code, `${name}${message}`) }) as const;
  if (isProblem(spec)) return refused('InvalidSpec', `: ${spec.problem}`);
  if (spec.suspend)
    return refused('AccountSuspended', ' is suspended. irsa-operator sends no call there, and keeps the trust that it wrote');
  const { partition } = roleArnParts(spec.roleArn);
  const own = arnOwner(callerArn)?.partition;
  if (partition === own) return { kind: 'asked', spec };
  return refused(
    'PartitionUnreachable',
    ` is in partition "${partition}", and irsa-operator runs in "${own}". AWS refuses to assume a role across partitions`,
  );
}

/**
 * What came of the attempt to get in. Who was let in before stays so while AWS merely does not answer. Bindings of roles there say it too, and
 * tenants need not know as whom we act.
 */
export function accessFrom(
  { account }: IrsaAccount,
  entered: PromiseSettledResult<string>,
  quota: PromiseSettledResult<number> | undefined,
  before: Access | undefined,
): Access {
  if (entered.status === 'rejected') {
    const { reason } = entered;
    const why = isFault(reason) ? `the call of STS ended with "${reason.code ?? reason.kind}"` : 'unexpected error';
    if (mayPass(reason)) return before?.kind === 'reached' ? before : { kind: 'unknown', why };
    return {
      kind: 'refused',
      finding: finding('AccountRoleDenied', `AWS refuses the role of IrsaAccount "${account}" to irsa-operator. ${WHAT_TO_CHECK}`),
    };
  }
  const callerArn = entered.value;
  const owner = arnOwner(callerArn)?.account ?? 'unknown';
  if (owner !== account)
    return {
      kind: 'refused',
      finding: finding(
        'AccountMismatch',
        `the role of IrsaAccount "${account}" gave irsa-operator an identity of account ${owner}. Wanted: one of account ${account}`,
      ),
    };
  const known = before?.kind === 'reached' ? before.policyQuota : undefined;
  return { kind: 'reached', callerArn, policyQuota: quota === undefined ? known : quotaFrom(quota, known) };
}

const WHAT_TO_CHECK =
  'Check its trust policy, its external ID, sts:TagSession in both policies, and the policies of the organization. The log of irsa-operator has the words of AWS';

import { sharesAccount } from '../../api/arn.ts';
import type { BindingSpec } from '../../api/binding.ts';
import type { ReconcileRequest } from '../state/reconcile-request.ts';
import type { Observed } from './observed.ts';

/** Whether everything was read since the user's request: the provider, and the role by itself. What is not to be asked of AWS is not waited for. */
export function isHandled(
  { authorization, caller, cluster, policyQuota }: Observed,
  { providerRead, roleRead }: ReconcileRequest,
  spec: BindingSpec,
  providerReady: boolean,
): boolean {
  if (authorization.kind === 'refused') return true;
  if (caller.kind === 'unknown') return false;
  if (!sharesAccount(spec.roleArn, caller.arn)) return true;
  if (cluster.kind === 'unknown' || policyQuota === undefined || !providerRead) return false;
  return roleRead || !providerReady;
}

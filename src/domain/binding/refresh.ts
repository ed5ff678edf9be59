import { sharesAccount } from '../../api/arn.ts';
import type { BindingSpec } from '../../api/binding.ts';
import type { Claim } from '../authorization/authorize.ts';
import type { Look, Observed } from './observed.ts';

/** Whether everything was read since the user asked: the provider, and the role by itself. What is not to be asked of AWS is not waited for. */
export function lookIsDone({ caller, cluster }: Observed, look: Look, spec: BindingSpec, claim: Claim, providerReady: boolean): boolean {
  if (claim.kind === 'refused') return true;
  if (caller.kind === 'unknown') return false;
  if (!sharesAccount(spec.roleArn, caller.arn)) return true;
  if (cluster.kind === 'unknown' || !look.provider) return false;
  return look.trust || !providerReady;
}

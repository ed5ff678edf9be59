import type { BindingSpec } from '../../api/binding.ts';
import type { ReconcileRequest } from '../state/reconcile-request.ts';
import type { Observed } from './observed.ts';

/** Whether everything was read since the user's request: the provider, and the role by itself. What is not to be asked of AWS is not waited for. */
export function isHandled(
  { authorization, reachOf, cluster }: Observed,
  { providerRead, roleRead }: ReconcileRequest,
  spec: BindingSpec,
  providerReady: boolean,
): boolean {
  if (authorization.kind === 'refused') return true;
  const reach = reachOf(spec.roleArn);
  if (reach.kind === 'refused') return true;
  if (reach.kind === 'unknown' || cluster.kind === 'unknown' || !providerRead) return false;
  return roleRead || !providerReady;
}

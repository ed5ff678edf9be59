import { type IrsaBinding, openRequest } from '../../api/binding.ts';
import { keyOf } from '../../api/cluster.ts';
import { isProblem } from '../../api/problem.ts';
import type { OwnedStores } from '../stores.ts';

/** Keeps a user's request where the controllers that read AWS see it, until the status says that it was handled. */
export function keepRequest({ reconcileRequests }: Pick<OwnedStores, 'reconcileRequests'>, binding: IrsaBinding, now: number): void {
  const key = keyOf(binding.metadata);
  const known = reconcileRequests.get(key);
  const value = openRequest(binding);
  if (value === undefined) {
    if (known !== undefined) reconcileRequests.delete(key);
    return;
  }
  const role = isProblem(binding.spec) ? undefined : binding.spec.roleArn;
  if (known?.value !== value || known.role !== role) reconcileRequests.put({ binding: key, role, value, at: now });
}

import { roleArnParts } from '../../api/arn.ts';
import { type IrsaBinding, openRequest } from '../../api/binding.ts';
import { keyOf } from '../../api/cluster.ts';
import { isProblem } from '../../api/problem.ts';
import type { World } from '../stores.ts';

/** Puts a user's request for a fresh look where the controllers that can look see it, and takes it away when it was handled. */
export function ask({ looks }: World, binding: IrsaBinding, now: number): void {
  const key = keyOf(binding.metadata);
  const known = looks.get(key);
  const value = openRequest(binding);
  if (value === undefined) {
    if (known !== undefined) looks.delete(key);
    return;
  }
  const role = isProblem(binding.spec) ? undefined : binding.spec.roleArn;
  if (known?.value === value && known.role === role) return;
  const account = role === undefined ? undefined : roleArnParts(role).account;
  looks.put({ binding: key, role, account, value, at: now, provider: false, trust: false });
}

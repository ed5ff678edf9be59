import { roleArnParts } from '../../api/arn.ts';
import { keyOf, type ServiceAccount } from '../../api/cluster.ts';
import { isProblem } from '../../api/problem.ts';
import { type AuditObserved, asksForRole, declaredBy } from '../../domain/audit/audit.ts';
import { claimWorld, surroundings, type World } from '../stores.ts';

/** Everything that the audit of one ServiceAccount rests on; no call leaves the process for it. */
export function gather(world: World, serviceAccount: ServiceAccount, now: number): AuditObserved {
  const { cluster, caller, policyQuota } = surroundings(world);
  const binding = declaredBy(serviceAccount);
  const arn = binding === undefined || isProblem(binding.spec) ? undefined : binding.spec.roleArn;
  return {
    now,
    serviceAccount,
    binding,
    around: binding && claimWorld(world, binding),
    cluster,
    caller,
    role: arn && world.roles.get(arn),
    provider: arn && world.providers.get(roleArnParts(arn).account)?.view,
    quota: policyQuota,
  };
}

/** Whether there is something to audit, and no binding whose business it is. */
export function isUnbound(world: World, account: ServiceAccount): boolean {
  return asksForRole(account) && world.bindings.byIndex('serviceAccount', keyOf(account)).length === 0;
}

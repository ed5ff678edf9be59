import { type RoleArn, roleArnParts } from '../../api/arn.ts';
import { keyOf, type ServiceAccount } from '../../api/cluster.ts';
import { isProblem } from '../../api/problem.ts';
import { type AuditObserved, asksForRole, claimOfDeclared, declaredBy } from '../../binding/audit.ts';
import { claimWorld, surroundings, type World } from '../world.ts';

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

/** Roles that unbound ServiceAccounts name and a grant lets them have: of these alone AWS is asked. */
export function auditedRoles(world: World): RoleArn[] {
  return world.serviceAccounts.list().flatMap((account) => auditedRole(world, account));
}

export function isAudited(world: World, arn: RoleArn): boolean {
  return world.serviceAccounts.byIndex('role', arn).some((account) => auditedRole(world, account).length > 0);
}

function auditedRole(world: World, account: ServiceAccount): RoleArn[] {
  if (!isUnbound(world, account)) return [];
  const binding = declaredBy(account);
  if (binding === undefined || isProblem(binding.spec)) return [];
  const { roleArn } = binding.spec;
  return claimOfDeclared(binding, claimWorld(world, binding), world.roles.get(roleArn)) === undefined ? [] : [roleArn];
}

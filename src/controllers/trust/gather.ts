import { type RoleArn, roleArnParts } from '../../api/arn.ts';
import { claimOf } from '../../binding/claim.ts';
import type { RoleObserved } from '../../binding/role.ts';
import { claimWorld, surroundings, type World } from '../world.ts';

/** Everything that the decision about one role rests on; no call leaves the process for it. */
export function gather(world: World, arn: RoleArn, now: number): RoleObserved {
  const { cluster, caller, policyQuota } = surroundings(world);
  return {
    now,
    arn,
    claims: world.bindings.byIndex('role', arn).map((binding) => ({ binding, claim: claimOf(binding, claimWorld(world, binding)) })),
    record: world.roles.get(arn),
    cluster,
    caller,
    provider: world.providers.get(roleArnParts(arn).account)?.view,
    quota: policyQuota,
  };
}

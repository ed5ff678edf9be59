import { type RoleArn, roleArnParts } from '../../api/arn.ts';
import { claimOf } from '../../domain/authorization/authorize.ts';
import { lossOf } from '../../domain/authorization/grant-loss.ts';
import type { RoleObserved } from '../../domain/role/plan.ts';
import { claimWorld, lossesOf, surroundings, type World } from '../stores.ts';

/** Everything that the decision about one role rests on; no call leaves the process for it. */
export function gather(world: World, arn: RoleArn, now: number): RoleObserved {
  const { cluster, caller, policyQuota } = surroundings(world);
  const losses = lossesOf(world, now);
  return {
    now,
    arn,
    losses,
    claims: world.bindings.byIndex('role', arn).map((binding) => {
      const around = claimWorld(world, binding);
      const claim = claimOf(binding, around);
      return { binding, claim, loss: lossOf(binding, claim, around, losses) };
    }),
    record: world.roles.get(arn),
    cluster,
    caller,
    provider: world.providers.get(roleArnParts(arn).account)?.view,
    quota: policyQuota,
    freshSince: Math.max(...world.looks.byIndex('role', arn).map(({ at }) => at), 0),
  };
}

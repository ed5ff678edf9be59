import { type RoleArn, roleArnParts } from '../../api/arn.ts';
import { authorize } from '../../domain/authorization/authorize.ts';
import type { RoleObserved } from '../../domain/role/plan.ts';
import { authorizationInput, identityOf, lossesOn } from '../observe.ts';
import type { Stores } from '../stores.ts';

/** Everything that the decision about one role rests on; no call leaves the process for it. */
export function gather(stores: Stores, arn: RoleArn, now: number): RoleObserved {
  const { cluster, caller, policyQuota } = identityOf(stores);
  return {
    now,
    arn,
    losses: lossesOn(stores, arn, now),
    bindings: stores.bindings.byIndex('role', arn).map((binding) => {
      return { binding, authorization: authorize(binding, authorizationInput(stores, binding)) };
    }),
    record: stores.roles.get(arn),
    cluster,
    caller,
    provider: stores.providers.get(roleArnParts(arn).account)?.view,
    quota: policyQuota,
    requestedAt: Math.max(...stores.reconcileRequests.byIndex('role', arn).map(({ at }) => at), 0),
  };
}

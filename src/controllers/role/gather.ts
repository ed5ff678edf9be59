import { type RoleArn, roleArnParts } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { isProblem } from '../../api/problem.ts';
import { type Subject, subjectOf } from '../../api/subject.ts';
import type { RoleObserved } from '../../domain/role/plan.ts';
import { authorizationOf, identityOf, lossesOn } from '../observe.ts';
import { type Stores, serviceAccountOf } from '../stores.ts';

/** Everything that the decision about one role rests on; no call leaves the process for it. */
export function gather(stores: Stores, arn: RoleArn, now: number): RoleObserved {
  const { cluster, caller, policyQuota } = identityOf(stores);
  const bindings = stores.bindings.byIndex('role', arn);
  return {
    now,
    arn,
    losses: lossesOn(stores, arn, now),
    bindings: bindings.map((binding) => {
      return { binding, authorization: authorizationOf(stores, binding) };
    }),
    record: stores.roles.get(arn),
    cluster,
    caller,
    provider: stores.providers.get(roleArnParts(arn).account)?.view,
    quota: policyQuota,
    absent: new Set(bindings.flatMap((binding) => absentSubjects(stores, binding))),
    requestedAt: Math.max(...stores.reconcileRequests.byIndex('role', arn).map(({ at }) => at), 0),
  };
}

function absentSubjects({ serviceAccounts }: Stores, binding: IrsaBinding): Subject[] {
  const { metadata, spec } = binding;
  if (isProblem(spec) || serviceAccountOf(binding).some((key) => serviceAccounts.has(key))) return [];
  return [subjectOf(metadata.namespace, spec.serviceAccountName)];
}

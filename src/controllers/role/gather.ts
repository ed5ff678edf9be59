import { type RoleArn, roleArnParts } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { keyOf } from '../../api/cluster.ts';
import { isProblem } from '../../api/problem.ts';
import { type Subject, subjectOf } from '../../api/subject.ts';
import { authorize } from '../../domain/authorization/authorize.ts';
import { knownAs } from '../../domain/role/consent.ts';
import type { RoleObserved } from '../../domain/role/plan.ts';
import { authorizationInput, identityOf, lossesOn, reachIn } from '../observe.ts';
import { HERE, type Stores, serviceAccountOf } from '../stores.ts';
import type { RoleOptions } from './ports.ts';

/** Everything that the decision about one role rests on; no call leaves the process for it. */
export function gather(stores: Stores, arn: RoleArn, now: number, isUnderway: RoleOptions['isUnderway']): RoleObserved {
  const { cluster } = identityOf(stores);
  const record = stores.roles.get(arn);
  const bindings = stores.bindings.byIndex('role', arn);
  // All of them first: the grants are looked through once for the ARN that was asked for, and once for the other one.
  const authorized = bindings.map((binding) => {
    const input = authorizationInput(stores, binding);
    return { binding, input, authorization: authorize(binding, input) };
  });
  const known = stores.providers.get(roleArnParts(arn).account);
  return {
    now,
    arn,
    losses: lossesOn(stores, arn, now),
    bindings: authorized.map(({ binding, input, authorization }) =>
      // Only to one that is granted anything of the role is told.
      authorization.kind === 'refused'
        ? { binding, authorization }
        : { binding, authorization, knownAs: knownAs(binding, input, record), underway: isUnderway(keyOf(binding.metadata)) },
    ),
    record,
    cluster,
    reach: reachIn(stores, arn),
    provider: known?.view,
    providers: known?.all && new Set(known.all),
    leadsSince: stores.leadership.get(HERE)?.since,
    absent: new Set(bindings.flatMap((binding) => absentSubjects(stores, binding))),
    requestedAt: Math.max(...stores.reconcileRequests.byIndex('role', arn).map(({ at }) => at), 0),
  };
}

function absentSubjects({ serviceAccounts }: Stores, binding: IrsaBinding): Subject[] {
  const { metadata, spec } = binding;
  if (isProblem(spec) || serviceAccountOf(binding).some((key) => serviceAccounts.has(key))) return [];
  return [subjectOf(metadata.namespace, spec.serviceAccountName)];
}

import { roleArnParts } from '../../api/arn.ts';
import { keyOf, type ServiceAccount } from '../../api/cluster.ts';
import { isProblem } from '../../api/problem.ts';
import { type AuditObserved, asksForRole, declaredBy } from '../../domain/audit/audit.ts';
import { authorize } from '../../domain/authorization/authorize.ts';
import { knownAs } from '../../domain/role/consent.ts';
import { authorizationInput, identityOf, reachIn } from '../observe.ts';
import type { Stores } from '../stores.ts';

/** Everything that the audit of one ServiceAccount rests on; no call leaves the process for it. */
export function gather(stores: Stores, serviceAccount: ServiceAccount, now: number): AuditObserved {
  const { cluster } = identityOf(stores);
  const binding = declaredBy(serviceAccount, stores.settings.webhook);
  const arn = binding === undefined || isProblem(binding.spec) ? undefined : binding.spec.roleArn;
  const role = arn && stores.roles.get(arn);
  const input = binding && authorizationInput(stores, binding);
  return {
    now,
    serviceAccount,
    binding,
    authorization: input && binding && authorize(binding, input),
    knownAs: input && binding && knownAs(binding, input, role),
    cluster,
    reachOf: (of) => reachIn(stores, of),
    role,
    provider: arn && stores.providers.get(roleArnParts(arn).account)?.view,
    webhook: stores.settings.webhook,
  };
}

/** Whether there is something to audit, and no binding whose business it is. */
export function isUnbound(stores: Stores, account: ServiceAccount): boolean {
  return asksForRole(account, stores.settings.webhook) && stores.bindings.byIndex('serviceAccount', keyOf(account)).length === 0;
}

import { roleArnParts } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { isProblem } from '../../api/problem.ts';
import type { VerificationInput } from '../../domain/verification/proof.ts';
import { authorizationOf, identityOf, verdictOn } from '../observe.ts';
import { type Stores, serviceAccountOf } from '../stores.ts';

/** Everything that decides what is to be proved for a binding; no call leaves the process for it. */
export function gather(stores: Stores, binding: IrsaBinding): VerificationInput {
  const { spec } = binding;
  const [account] = serviceAccountOf(binding);
  return {
    binding,
    authorization: authorizationOf(stores, binding),
    cluster: identityOf(stores).cluster,
    role: isProblem(spec) ? undefined : stores.roles.get(spec.roleArn),
    provider: isProblem(spec) ? undefined : stores.providers.get(roleArnParts(spec.roleArn).account)?.view,
    verdict: isProblem(spec) ? undefined : verdictOn(stores, binding, { arn: spec.roleArn, audience: spec.audience }),
    serviceAccount: account === undefined ? undefined : stores.serviceAccounts.get(account),
  };
}

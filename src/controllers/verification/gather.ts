import { roleArnParts } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { isProblem } from '../../api/problem.ts';
import type { VerificationWorld } from '../../domain/verification/proof.ts';
import { claimWorld, serviceAccountOf, surroundings, verdictsFor, type World } from '../stores.ts';

/** Everything that decides what is to be proved for a binding; no call leaves the process for it. */
export function gather(world: World, binding: IrsaBinding): VerificationWorld {
  const { spec } = binding;
  const [account] = serviceAccountOf(binding);
  return {
    binding,
    ...claimWorld(world, binding),
    cluster: surroundings(world).cluster,
    role: isProblem(spec) ? undefined : world.roles.get(spec.roleArn),
    provider: isProblem(spec) ? undefined : world.providers.get(roleArnParts(spec.roleArn).account)?.view,
    verdicts: verdictsFor(world, binding),
    serviceAccount: account === undefined ? undefined : world.serviceAccounts.get(account),
  };
}

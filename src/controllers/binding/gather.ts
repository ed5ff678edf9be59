import { roleArnParts } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { keyOf } from '../../api/cluster.ts';
import { isProblem } from '../../api/problem.ts';
import { claimOf, enforces } from '../../domain/authorization/authorize.ts';
import { lossOf } from '../../domain/authorization/grant-loss.ts';
import type { Observed } from '../../domain/binding/observed.ts';
import type { Blocked } from '../../domain/pods/restart/attempt.ts';
import { type Fights, peace } from '../../domain/state/contention.ts';
import { claimWorld, lossesOf, serviceAccountOf, surroundings, verdictOn, verdictsFor, type World, workloadsIn } from '../stores.ts';

/** Everything that the decision about one binding rests on; no call leaves the process for it. */
export function gather(
  world: World,
  binding: IrsaBinding,
  { blocked, fights }: { readonly blocked: ReadonlyMap<string, Blocked>; readonly fights: Fights },
  now: number,
): Observed {
  const { metadata, spec } = binding;
  const { cluster, caller } = surroundings(world);
  const [account] = serviceAccountOf(binding);
  const around = claimWorld(world, binding);
  const serviceAccount = account === undefined ? undefined : world.serviceAccounts.get(account);
  return {
    now,
    binding,
    ...around,
    loss: lossOf(binding, claimOf(binding, around), around, lossesOf(world, now)),
    retiring: world.definitions.list().some(({ deleting }) => deleting),
    cluster,
    caller,
    role: isProblem(spec) ? undefined : world.roles.get(spec.roleArn),
    provider: isProblem(spec) ? undefined : world.providers.get(roleArnParts(spec.roleArn).account)?.view,
    verdicts: verdictsFor(world, binding),
    verdictOn: (entry) => verdictOn(world, binding, entry),
    failureOf: (of) => world.failures.get(of)?.why,
    serviceAccount,
    // Who only looks fights with nobody.
    fight: serviceAccount === undefined || !enforces(binding) ? peace : fights.of(serviceAccount.uid),
    look: world.looks.get(keyOf(metadata)),
    pods: account === undefined ? [] : world.pods.byIndex('serviceAccount', account),
    workloads: workloadsIn(world, metadata.namespace),
    serviceAccountExists: (name) => world.serviceAccounts.has(keyOf({ namespace: metadata.namespace, name })),
    blocked,
    proof: world.proofs.get(keyOf(metadata))?.proof,
  };
}

import { type RoleArn, roleArnParts } from '../../api/arn.ts';
import type { IrsaBinding, RoleEntry } from '../../api/binding.ts';
import { keyOf } from '../../api/cluster.ts';
import { isProblem } from '../../api/problem.ts';
import { subjectOf } from '../../api/subject.ts';
import { claimOf } from '../../binding/claim.ts';
import { lossOf } from '../../binding/loss.ts';
import type { Observed, Verdict } from '../../binding/observed.ts';
import type { Blocked } from '../../binding/restarts.ts';
import { questionKey } from '../../binding/stance.ts';
import { claimWorld, lossesOf, rolesOf, serviceAccountOf, surroundings, type World, workloadsIn } from '../world.ts';

/** Everything that the decision about one binding rests on; no call leaves the process for it. */
export function gather(world: World, binding: IrsaBinding, blocked: ReadonlyMap<string, Blocked>, now: number): Observed {
  const { metadata, spec } = binding;
  const { cluster, caller } = surroundings(world);
  const [account] = serviceAccountOf(binding);
  const around = claimWorld(world, binding);
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
    serviceAccount: account === undefined ? undefined : world.serviceAccounts.get(account),
    pods: account === undefined ? [] : world.pods.byIndex('serviceAccount', account),
    workloads: workloadsIn(world, metadata.namespace),
    serviceAccountExists: (name) => world.serviceAccounts.has(keyOf({ namespace: metadata.namespace, name })),
    blocked,
  };
}

function verdictsFor(world: World, binding: IrsaBinding): Map<string, Verdict> {
  const { spec } = binding;
  const found = new Map<string, Verdict>();
  if (isProblem(spec)) return found;
  for (const arn of rolesOf(binding)) {
    const verdict = verdictOn(world, binding, { arn, audience: spec.audience });
    if (verdict !== undefined) found.set(arn, verdict);
  }
  return found;
}

function verdictOn(
  world: World,
  { spec, metadata }: IrsaBinding,
  { arn, audience }: Pick<RoleEntry, 'arn' | 'audience'>,
): Verdict | undefined {
  const { cluster } = surroundings(world);
  if (isProblem(spec) || cluster.kind === 'unknown') return undefined;
  const subject = subjectOf(metadata.namespace, spec.serviceAccountName);
  return world.verdicts.get(questionKey({ role: arn as RoleArn, issuer: cluster.issuer, subject, audience }))?.verdict;
}

import { roleArnParts } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { keyOf } from '../../api/cluster.ts';
import { isProblem } from '../../api/problem.ts';
import { subjectOf } from '../../api/subject.ts';
import type { Observed, Verdict } from '../../binding/observed.ts';
import type { Blocked } from '../../binding/restarts.ts';
import { questionKey } from '../../binding/stance.ts';
import { claimWorld, rolesOf, serviceAccountOf, surroundings, type World, workloadsIn } from '../world.ts';

/** Everything that the decision about one binding rests on; no call leaves the process for it. */
export function gather(world: World, binding: IrsaBinding, blocked: ReadonlyMap<string, Blocked>, now: number): Observed {
  const { metadata, spec } = binding;
  const { cluster, caller } = surroundings(world);
  const [account] = serviceAccountOf(binding);
  return {
    now,
    binding,
    ...claimWorld(world, binding),
    cluster,
    caller,
    role: isProblem(spec) ? undefined : world.roles.get(spec.roleArn),
    provider: isProblem(spec) ? undefined : world.providers.get(roleArnParts(spec.roleArn).account)?.view,
    verdicts: verdictsFor(world, binding),
    serviceAccount: account === undefined ? undefined : world.serviceAccounts.get(account),
    pods: account === undefined ? [] : world.pods.byIndex('serviceAccount', account),
    workloads: workloadsIn(world, metadata.namespace),
    serviceAccountExists: (name) => world.serviceAccounts.has(keyOf({ namespace: metadata.namespace, name })),
    blocked,
  };
}

function verdictsFor(world: World, binding: IrsaBinding): Map<string, Verdict> {
  const { spec, metadata } = binding;
  const { cluster } = surroundings(world);
  const found = new Map<string, Verdict>();
  if (isProblem(spec) || cluster.kind === 'unknown') return found;
  const subject = subjectOf(metadata.namespace, spec.serviceAccountName);
  for (const role of rolesOf(binding)) {
    const record = world.verdicts.get(questionKey({ role, issuer: cluster.issuer, subject, audience: spec.audience }));
    if (record !== undefined) found.set(role, record.verdict);
  }
  return found;
}

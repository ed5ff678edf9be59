import type { RestartEntry } from '../../../api/binding.ts';
import type { Pod, Workload } from '../../../api/cluster.ts';
import type { PodsInput } from '../input.ts';
import { workloadOf } from '../workload-of.ts';
import { earliest, lastActOf, partition, READY_DEADLINE_MS, type RestartPlan, tooLate } from './attempt.ts';

/**
 * Attempts under way of which no pod is in view: the old one is gone, or has ended, and the watch has not shown the next one yet. So it is
 * in each restart of a single pod. Nothing is to be done then, but "no pod lacks the role" would be said too soon.
 */
export function awaitedReplacements(
  { pods, workloads, now }: PodsInput,
  serviceAccountName: string,
  records: readonly RestartEntry[],
): Pick<RestartPlan, 'progress' | 'findings' | 'recheckAt'> {
  const awaited = records.filter(isUnderWay).flatMap((record) => {
    const workload = workloads.find((each) => each.uid === record.uid || isReplicaSetOf(record, each));
    const isAwaited = comesBack(record, workload, serviceAccountName) && !pods.some((pod) => isInView(pod, record, workload));
    return isAwaited ? [{ what: `${record.kind} "${record.name}"`, workload, deadline: lastActOf(record) + READY_DEADLINE_MS }] : [];
  });
  const [early, late] = partition(awaited, ({ deadline }) => now < deadline);
  return {
    progress: early.map(({ what }) => `${what}: the replacement is not created yet`),
    // A workload that cannot be asked for its replicas was made smaller, most likely.
    findings: late
      .filter(({ workload }) => workload?.replicas !== undefined)
      .map(({ what }) => tooLate(`${what}: no replacement was created`)),
    recheckAt: earliest(...early.map(({ deadline }) => deadline)),
  };
}

function isUnderWay({ phase }: RestartEntry): boolean {
  return phase !== 'Done' && phase !== 'Ineffective';
}

function comesBack({ kind }: RestartEntry, workload: Workload | undefined, serviceAccountName: string): boolean {
  if (workload !== undefined) return workload.replicas !== 0 && workload.serviceAccountName === serviceAccountName;
  // Nothing recreates a bare pod, and these workloads are gone. A ReplicaSet need not be of a Deployment, and of other owners nothing is known.
  return !['Pod', 'Deployment', 'StatefulSet', 'DaemonSet'].includes(kind);
}

/** A pod of the workload: of the same ReplicaSet, or of another one that a rollout has made since. An old one that has ended is on its way out. */
function isInView(pod: Pod, { uid, startedAt }: RestartEntry, workload: Workload | undefined): boolean {
  if (pod.finished && pod.createdAt < Date.parse(startedAt)) return false;
  return pod.owner?.uid === uid || (workload !== undefined && workloadOf(pod, [workload]) !== undefined);
}

/** A Deployment calls its ReplicaSets by its own name and a hash without a dash. */
function isReplicaSetOf({ kind, name }: RestartEntry, workload: Workload): boolean {
  return kind === 'ReplicaSet' && workload.kind === 'Deployment' && name.slice(0, name.lastIndexOf('-')) === workload.name;
}

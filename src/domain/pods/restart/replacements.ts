import type { RestartEntry } from '../../../api/binding.ts';
import type { Pod, Workload } from '../../../api/cluster.ts';
import type { PodsInput } from '../input.ts';
import { workloadOf } from '../workload-of.ts';
import { earliest, READY_DEADLINE_MS, type RestartPlan } from './attempt.ts';

/**
 * Attempts under way of which no pod is in view: the old one is gone, or has ended, and the watch has not shown the next one yet. So it is
 * in each restart of a single pod. Nothing is to be done then, but "no pod lacks the role" would be said too soon.
 */
export function awaitedReplacements(
  { pods, workloads, now }: PodsInput,
  serviceAccountName: string,
  records: readonly RestartEntry[],
): Pick<RestartPlan, 'progress' | 'recheckAt'> {
  const awaited = records.filter(
    (record) =>
      record.phase !== 'Done' &&
      record.phase !== 'Ineffective' &&
      now < deadlineOf(record) &&
      comesBack(record, workloads, serviceAccountName) &&
      !pods.some((pod) => isInView(pod, record, workloads)),
  );
  return {
    progress: awaited.map(({ kind, name }) => `${kind} "${name}": the replacement is not created yet`),
    recheckAt: earliest(...awaited.map(deadlineOf)),
  };
}

/** Where no pod comes for so long the workload was made smaller. */
function deadlineOf({ startedAt }: RestartEntry): number {
  return Date.parse(startedAt) + READY_DEADLINE_MS;
}

/** A pod of the workload: of the same ReplicaSet, or of another one that a rollout has made since. An old one that has ended is on its way out. */
function isInView(pod: Pod, record: RestartEntry, workloads: readonly Workload[]): boolean {
  if (pod.finished && pod.createdAt < Date.parse(record.startedAt)) return false;
  const workload = workloadOf(pod, workloads);
  return record.uid === pod.owner?.uid || record.uid === workload?.uid || isReplicaSetOf(record, workload);
}

function comesBack(record: RestartEntry, workloads: readonly Workload[], serviceAccountName: string): boolean {
  if (record.kind === 'Pod') return false;
  const workload = workloads.find((each) => each.uid === record.uid || isReplicaSetOf(record, each));
  // A ReplicaSet need not be of a Deployment, and of other owners nothing is known.
  if (workload === undefined) return !['Deployment', 'StatefulSet', 'DaemonSet'].includes(record.kind);
  return !workload.scaledToZero && workload.serviceAccountName === serviceAccountName;
}

/** A Deployment calls its ReplicaSets by its own name and a hash without a dash. */
function isReplicaSetOf({ kind, name }: RestartEntry, workload: Workload | undefined): boolean {
  return kind === 'ReplicaSet' && workload?.kind === 'Deployment' && name.slice(0, name.lastIndexOf('-')) === workload.name;
}

import type { Pod, Workload } from '../../api/cluster.ts';
import { TEMPLATE_HASH } from './pod-state.ts';

/** The Deployment, StatefulSet or DaemonSet that a pod is of. A Deployment calls its ReplicaSets by its own name and the hash that their pods are labelled with, so that no ReplicaSet has to be watched. */
export function workloadOf({ owner, labels }: Pod, workloads: readonly Workload[]): Workload | undefined {
  if (owner === undefined) return undefined;
  if (owner.kind !== 'ReplicaSet') return workloads.find(({ uid }) => uid === owner.uid);
  const suffix = `-${labels[TEMPLATE_HASH]}`;
  if (!owner.name.endsWith(suffix)) return undefined;
  const name = owner.name.slice(0, -suffix.length);
  return workloads.find((workload) => workload.kind === 'Deployment' && workload.name === name);
}

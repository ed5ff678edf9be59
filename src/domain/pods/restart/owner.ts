import type { Owner, Pod, Workload } from '../../../api/cluster.ts';
import { ANNOTATIONS } from '../../../api/names.ts';

/** By these labels a pod tells of which revision of its workload it is. Of a Deployment only the status tells that pods are of an older one. */
export const REVISION_LABELS = { StatefulSet: 'controller-revision-hash', DaemonSet: 'pod-template-generation' } as const;

/**
 * Why the owner of a workload restarts this pod by hand, or `undefined` where it does not. A new pod may come from a template that the
 * owner holds back, and at a time that the owner did not choose.
 */
export function heldByOwner(pod: Pod, workload: Workload | undefined): string | undefined {
  if (workload === undefined) return undefined;
  const what = `${workload.kind} "${workload.name}"`;
  const waits = `revision "${workload.revision}" waits`;
  const isOlder = isOfOlderRevision(pod, workload);
  switch (workload.held) {
    case undefined:
      return undefined;
    case 'OnDelete': {
      const found = `${what} has the update strategy OnDelete`;
      if (!isOlder) return `${found}. Delete the pod yourself`;
      return `${found}, and ${waits}. Delete the pod yourself, and its replacement gets that revision`;
    }
    case 'partition':
      if (!isOlder) return undefined;
      return `${what} holds its rollout with a partition, and ${waits}. Set the partition to 0, or delete the pod yourself`;
    case 'paused':
      if (!workload.outdated) return undefined;
      return `${what} is paused, and a newer template waits. Resume its rollout, or delete the pod yourself`;
  }
}

/** Whether a new pod would be of a template that the owner holds back. */
export function waitsForOwner(pod: Pod, workload: Workload): boolean {
  return workload.held === 'paused' ? workload.outdated : isOfOlderRevision(pod, workload);
}

function isOfOlderRevision({ labels }: Pod, { kind, revision }: Workload): boolean {
  if (kind === 'Deployment' || revision === undefined) return false;
  const own = labels[REVISION_LABELS[kind]];
  return own !== undefined && own !== revision;
}

/** What the user can do about a pod that is of no ReplicaSet, StatefulSet or DaemonSet: each owner does something else when it is deleted. */
export function adviceFor(owner: Owner | undefined): string {
  const annotation = `${ANNOTATIONS.restart}=evict`;
  if (owner === undefined)
    return `no controller owns it, so nothing recreates it. Recreate it yourself. The annotation ${annotation} only deletes it`;
  const who = `${owner.kind} "${owner.name}" owns it`;
  if (owner.kind === 'Job')
    return `${who}. Wait for its end, or annotate the pod ${annotation}. That deletes the pod, and the Job repeats its work in a new one`;
  const follows = `${who} and decides whether a new pod follows. Wait for its end, or recreate the ${owner.kind}`;
  return `${follows}. The annotation ${annotation} only deletes the pod, and its work is lost`;
}

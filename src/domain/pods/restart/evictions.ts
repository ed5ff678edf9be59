import type { RestartEntry } from '../../../api/binding.ts';
import type { Owner, Pod } from '../../../api/cluster.ts';
import { type Finding, finding } from '../../../api/finding.ts';
import { workloadOf } from '../workload-of.ts';
import {
  awaited,
  BLOCKED_RETRY_MS,
  type Blocked,
  type Candidate,
  earliest,
  type Group,
  type GroupPlan,
  groupOf,
  idle,
  lastActOf,
  partition,
  planAttempts,
  READY_DEADLINE_MS,
  type RestartInput,
  type RestartPlan,
  type RestartStep,
  replicasFor,
  tryAgain,
  waiting,
  wantedOf,
  withAct,
} from './attempt.ts';

/** Which pods may go now: one of a workload first, the others only when its replacement came back right and ready. */
export function planEvictions(seen: RestartInput): RestartPlan {
  const unfinished = seen.candidates.filter(({ pod }) => !pod.finished);
  const groups = [...Map.groupBy(unfinished, ({ pod }) => ownerOf(pod, seen).uid).values()].flatMap((candidates): Group[] =>
    candidates[0] === undefined ? [] : [groupOf(ownerOf(candidates[0].pod, seen), candidates)],
  );
  // Of attempts alone, which are few, the pods of the whole workload are counted.
  return planAttempts(seen, groups, (found, each) => {
    const group = evictable(each, seen);
    const { candidates, living, replicas } = group;
    const pods = wantedOf({ ...found, pods: found.pods ?? candidates.length }, living.length, replicas);
    const lastGoing = Math.max(0, ...candidates.map(({ pod }) => pod.deletingSince ?? 0));
    const record = { ...withAct(found, lastGoing), pods };
    return found.phase === 'Rolling' ? roll(seen, record, group) : canary(seen, record, group);
  });
}

interface Evictable extends Group {
  readonly replicas: number | undefined;
  /** Pods of the workload that are not going, also those of another ReplicaSet that a rollout has made since. */
  readonly present: number;
}

function evictable(group: Group, seen: RestartInput): Evictable {
  const pod = group.candidates[0]?.pod;
  const workload = pod && workloadOf(pod, seen.workloads);
  const isPresent = (each: Pod) => !each.finished && !each.deleting && workload !== undefined && workloadOf(each, [workload]) !== undefined;
  const present = seen.candidates.filter((each) => isPresent(each.pod)).length;
  return { ...group, replicas: pod && replicasFor(pod, workload), present };
}

/** A pod is missing for certain, however long ago the last one went: the workload itself wants more of them. */
function isShort({ pods }: Attempt, { replicas, present }: Evictable): boolean {
  return replicas !== undefined && present < pods;
}

function waitForMissing(seen: RestartInput, record: Attempt, group: Evictable, since: number, which: 'first' | 'last'): GroupPlan {
  // Where a rollout has moved pods to another ReplicaSet, those that are left count.
  const there = isShort(record, group) ? group.present : group.living.length;
  return awaited(seen, record, since, {
    wait: `the ${which} replacement is not created yet`,
    late: `${there} of ${record.pods} pods exist and no replacement was created`,
  });
}

/**
 * Whose pods are restarted together; a pod that nobody controls is a workload of its own. For what pods lack each ReplicaSet counts: another
 * template is another chance. After a trust repair the Deployment does: a rollout in between makes no new day.
 */
function ownerOf(pod: Pod, { cause, workloads }: RestartInput): Owner {
  const workload = cause === 'TrustRepair' ? workloadOf(pod, workloads) : undefined;
  const { kind, name, uid } = workload ?? pod.owner ?? { kind: 'Pod', name: pod.name, uid: pod.uid };
  return { kind, name, uid };
}

/** A record under way: how many pods the workload has is known. */
type Attempt = RestartEntry & { readonly pods: number };

function canary(seen: RestartInput, record: Attempt, group: Evictable): GroupPlan {
  const { candidates, living, todo } = group;
  const what = `${record.kind} "${record.name}"`;
  const startedAt = Date.parse(record.startedAt);
  const since = lastActOf(record);
  if (seen.now < startedAt) return waiting(record, `${what}: about to restart pods`, startedAt);
  const replacements = living.filter(({ pod }) => pod.createdAt >= startedAt);
  if (replacements.some(({ pod, stillWrong }) => stillWrong === undefined && pod.ready)) {
    const rolling = { ...record, phase: 'Rolling' } as const;
    return todo.length === 0 && !isShort(record, group) ? ended(rolling, living) : roll(seen, rolling, group);
  }
  if (living.length < candidates.length) {
    return awaited(seen, record, since, { wait: 'the first pod is terminating', late: 'the first pod did not terminate' });
  }
  const wrong = replacements.filter(({ stillWrong }) => stillWrong !== undefined);
  if (wrong.length > 0) return tryAgain(seen, record, wrong);
  if (replacements.length > 0) {
    const [pod] = replacements.map((each) => each.pod).toSorted((a, b) => a.createdAt - b.createdAt);
    return awaited(seen, record, pod?.createdAt ?? since, {
      wait: 'the first replacement is not ready yet',
      late: `pod "${pod?.name}" has the role but was not ready`,
    });
  }
  // The first pod is gone and the next one is not made yet (StatefulSet, DaemonSet): taking another now would take two.
  if (living.length < record.pods) {
    if (todo.length === 0 && !isShort(record, group) && seen.now - since >= READY_DEADLINE_MS) return ended(record, living);
    return waitForMissing(seen, record, group, since, 'first');
  }
  const pick = todo.toSorted(canaryOrder)[0];
  if (pick === undefined) return ended(record, living);
  return take(seen, record, [pick], `${what}: restarting one pod first`);
}

/** No pod is left that may go. One that lacks the role and is left alone now may be allowed to go later: then the attempt goes on. */
function ended(record: RestartEntry, living: readonly Candidate[]): GroupPlan {
  return idle(living.some(({ stillWrong }) => stillWrong !== undefined) ? record : { ...record, phase: 'Done' });
}

function roll(seen: RestartInput, record: Attempt, group: Evictable): GroupPlan {
  const { candidates, living, todo } = group;
  const what = `${record.kind} "${record.name}"`;
  const since = Math.max(lastActOf(record), ...candidates.map(({ pod }) => pod.createdAt));
  // A pod that is missing is on its way. Where nothing tells how many there shall be, and none comes for this long, it was made smaller.
  const smallerAt = since + READY_DEADLINE_MS;
  const short = isShort(record, group);
  if (todo.length === 0) {
    if (living.length < candidates.length) return waiting(record, `${what}: the last pod is terminating`);
    if (short) return waitForMissing(seen, record, group, since, 'last');
    const missing = living.length < record.pods && seen.now < smallerAt;
    return missing ? waiting(record, `${what}: the last replacement is not created yet`, smallerAt) : ended(record, living);
  }
  // The webhook failed in the middle: these would be taken again and again.
  const wrong = living.filter(({ pod, stillWrong }) => stillWrong !== undefined && pod.createdAt >= Date.parse(record.startedAt));
  if (wrong.length > 0) return tryAgain(seen, record, wrong);
  const late = living.length === candidates.length && seen.now >= smallerAt;
  if (late && short) return waitForMissing(seen, record, group, since, 'last');
  const pods = late ? living.length : record.pods;
  const away = pods - living.length + living.filter(({ pod, replace }) => !replace && !pod.ready).length;
  const [ready, unready] = partition(todo.toSorted(canaryOrder), ({ pod }) => pod.ready);
  // A StatefulSet makes its pods in order, so a second hole would wait for the first one.
  const picks =
    record.kind === 'StatefulSet'
      ? [...unready, ...ready].slice(0, away > 0 ? 0 : 1)
      : [...unready, ...ready.slice(0, Math.max(0, podsAtOnce(seen.maxUnavailable, pods) - away))];
  const plan = take(seen, { ...record, pods }, picks, `${what}: ${todo.length} more to restart`);
  return picks.length === 0 && pods > living.length && seen.now < smallerAt ? { ...plan, recheckAt: smallerAt } : plan;
}

/** An eviction that a budget refused is tried again at a pace; an unready pod of a ReplicaSet is deleted instead. */
function take(seen: RestartInput, record: RestartEntry, picks: readonly Candidate[], progress: string): GroupPlan {
  const steps: RestartStep[] = [];
  const findings: Finding[] = [];
  const again: number[] = [];
  for (const { pod } of picks) {
    const blocked = seen.blocked.get(pod.uid);
    if (blocked === undefined) steps.push({ how: 'evict', pod });
    // It serves nobody, so nothing that the budget protects is lost; and a budget whose pods are all unready would refuse for ever.
    // Two budgets are no such refusal but a mistake that also keeps nodes from being drained: it is told, not worked around.
    else if (blocked.kind === 'budget' && !pod.ready && pod.owner?.kind === 'ReplicaSet') steps.push({ how: 'delete', pod });
    else {
      findings.push(blockedFinding(pod, blocked));
      if (seen.now - blocked.at >= BLOCKED_RETRY_MS) steps.push({ how: 'evict', pod });
      else again.push(blocked.at + BLOCKED_RETRY_MS);
    }
  }
  return { record, steps, findings, recheckAt: earliest(...again), progress };
}

function blockedFinding(pod: Pod, { kind, message }: Blocked): Finding {
  const where = `pod "${pod.name}"`;
  return kind === 'budget'
    ? finding(
        'EvictionBlocked',
        `${where} cannot be evicted: ${message.replace(/\.$/, '')}. irsa-operator retries every ${BLOCKED_RETRY_MS / 1000} s`,
      )
    : finding(
        'MultiplePDBs',
        `${where} is covered by more than one PodDisruptionBudget, so the API server refuses every eviction: ${message.replace(/\.$/, '')}. Change the budgets so that only one covers it`,
      );
}

/** An unready pod serves nobody, so it goes first; of a StatefulSet the lowest unready ordinal, else the highest. */
function canaryOrder(a: Candidate, b: Candidate): number {
  if (a.pod.ready !== b.pod.ready) return a.pod.ready ? 1 : -1;
  const byName = a.pod.name.localeCompare(b.pod.name, 'en', { numeric: true });
  return a.pod.ready && a.pod.owner?.kind === 'StatefulSet' ? -byName : byName;
}

/** Percentages round up: none is 0 %, so that at least one pod can go. */
export function podsAtOnce(maxUnavailable: number | string, total: number): number {
  if (typeof maxUnavailable === 'number') return maxUnavailable;
  return Math.ceil((Number.parseInt(maxUnavailable, 10) / 100) * total);
}

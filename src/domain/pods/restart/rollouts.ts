import type { RestartEntry } from '../../../api/binding.ts';
import type { Workload } from '../../../api/cluster.ts';
import { type Finding, finding } from '../../../api/finding.ts';
import { notRestarted, reasonToLeaveAlone } from '../pod-state.ts';
import { workloadOf } from '../workload-of.ts';
import {
  awaited,
  BLOCKED_RETRY_MS,
  type Group,
  type GroupPlan,
  groupOf,
  idle,
  lastActOf,
  planAttempts,
  READY_DEADLINE_MS,
  type RestartInput,
  type RestartPlan,
  replicasFor,
  tryAgain,
  waiting,
  wantedOf,
  withAct,
} from './attempt.ts';

interface Rollable extends Group {
  readonly workload: Workload;
}

/**
 * Which workloads are to make their pods again now: each by itself, at the pace and with the budget of its own update strategy. All pods
 * of a workload go, so that one of them that is to be left alone protects the others.
 */
export function planRollouts(seen: RestartInput): RestartPlan {
  const unfinished = seen.candidates.filter(({ pod }) => !pod.finished);
  const found = unfinished.map((candidate) => ({ candidate, workload: workloadOf(candidate.pod, seen.workloads) }));
  const without = found.filter(({ workload, candidate }) => workload === undefined && candidate.replace);
  const groups = [...Map.groupBy(found, ({ workload }) => workload)].flatMap(([workload, members]): Rollable[] => {
    const candidates = members.map(({ candidate }) => candidate);
    return workload === undefined ? [] : [{ workload, ...groupOf(workload, candidates) }];
  });
  const held = (group: Rollable) => whyNot(group, seen.records);
  const plan = planAttempts(
    seen,
    groups.filter((group) => held(group) === undefined),
    (record, group) => rollOut(seen, record, group),
  );
  const why = 'no Deployment, StatefulSet or DaemonSet owns it, so there is nothing to roll out. Use spec.restart.strategy Evict';
  // After a trust repair the pods carry the role: to leave them alone is no finding.
  const reported = seen.cause === 'Stale';
  const findings = [...without.map(({ candidate }) => notRestarted(candidate.pod, why)), ...groups.flatMap((group) => held(group) ?? [])];
  return { ...plan, findings: [...plan.findings, ...(reported ? findings : [])] };
}

const HOLDS: Readonly<Record<NonNullable<Workload['held']>, string>> = {
  paused: 'is paused, so a rollout replaces no pod. Resume it',
  OnDelete: 'has the update strategy OnDelete, so a rollout replaces no pod. Delete its pods yourself',
  partition: 'has a partition, so a rollout does not replace all pods. Set the partition to 0',
};

/** What keeps a workload from being rolled out, unless it is already. */
function whyNot({ workload, candidates, todo }: Rollable, records: readonly RestartEntry[]): Finding | undefined {
  const first = todo[0]?.pod;
  if (first === undefined || records.some(({ uid, phase }) => uid === workload.uid && phase === 'Rolling')) return undefined;
  const what = `${workload.kind} "${workload.name}"`;
  if (workload.held !== undefined) return notRestarted(first, `${what} ${HOLDS[workload.held]}`);
  const asks = candidates.map(({ pod }) => ({ pod, reason: reasonToLeaveAlone(pod) })).find(({ reason }) => reason !== undefined);
  return asks && notRestarted(first, `a rollout would replace pod "${asks.pod.name}" too, and ${asks.reason}`);
}

/** Canary: the record stands, the template is to be changed. Rolling: it is, and is not changed again. */
function rollOut(seen: RestartInput, record: RestartEntry, group: Rollable): GroupPlan {
  const { workload, candidates, living, todo } = group;
  const what = `${record.kind} "${record.name}"`;
  const startedAt = Date.parse(record.startedAt);
  if (todo.length === 0) {
    if (living.length < candidates.length) return waiting(record, `${what}: the last pod is terminating`);
    const since = lastSign(record, candidates);
    const replicas = candidates[0] && replicasFor(candidates[0].pod, workload);
    const pods = wantedOf(record, 0, replicas);
    const isMissing = living.length < pods && (replicas !== undefined || seen.now < since + READY_DEADLINE_MS);
    if (!isMissing) return idle({ ...record, phase: 'Done' });
    const late = `${living.length} of ${pods} pods exist and no replacement was created`;
    return awaited(seen, record, since, { wait: 'the last replacement is not created yet', late });
  }
  if (record.phase !== 'Canary') return replacing(seen, record, group);
  if (workload.restartedAt === record.startedAt) return replacing(seen, withAct(record, seen.now), group);
  if (seen.now < startedAt) return waiting(record, `${what}: about to be rolled out`, startedAt);
  const blocked = seen.blocked.get(workload.uid);
  const step = { how: 'rollout', workload, restartedAt: record.startedAt } as const;
  if (blocked === undefined) return { record, steps: [step], findings: [], progress: `${what}: rolling out` };
  const again = blocked.at + BLOCKED_RETRY_MS;
  const findings = [forbidden(what, blocked.message)];
  return { record, steps: seen.now >= again ? [step] : [], findings, recheckAt: seen.now >= again ? undefined : again };
}

function replacing(seen: RestartInput, record: RestartEntry, { candidates, living, todo }: Group): GroupPlan {
  const startedAt = Date.parse(record.startedAt);
  const wrong = living.filter(({ pod, stillWrong }) => stillWrong !== undefined && pod.createdAt >= startedAt);
  if (wrong.length > 0) return tryAgain(seen, record, wrong);
  return awaited(seen, { ...record, phase: 'Rolling' }, lastSign(record, candidates), {
    wait: 'its pods are being replaced',
    late: `its rollout did not replace pod "${todo[0]?.pod.name}"`,
  });
}

/** As long as it goes on, however many pods there are, the deadline moves with the newest pod. */
function lastSign(record: RestartEntry, candidates: Group['candidates']): number {
  return Math.max(lastActOf(record), ...candidates.map(({ pod }) => pod.createdAt));
}

function forbidden(what: string, message: string): Finding {
  const todo = 'Set spec.restart.strategy to Evict, or give irsa-operator the permission: kubectl apply -k config/rollout';
  return finding(
    'RolloutForbidden',
    `${what} cannot be rolled out: ${message}. irsa-operator retries every ${BLOCKED_RETRY_MS / 1000} s. ${todo}`,
  );
}

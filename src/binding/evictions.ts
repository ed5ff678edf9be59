import { MAX_RESTARTS, type RestartEntry } from '../api/binding.ts';
import type { Owner, Pod } from '../api/cluster.ts';
import { timestamp } from '../api/condition.ts';
import { type Finding, finding } from '../api/finding.ts';

/** A canary whose replacement is not ready by then is the sign of another trouble: nothing more is taken away. */
const CANARY_DEADLINE_MS = 10 * 60_000;
/** A replacement that is still wrong may have met the webhook's cache: it gets one more chance. */
const MAX_ATTEMPTS = 2;
/** A PodDisruptionBudget that refused is asked again at this pace. */
export const BLOCKED_RETRY_MS = 30_000;
/** After a mere trust repair a workload is restarted at most once a day. */
const TRUST_REPAIR_PAUSE_MS = 24 * 3_600_000;

export type Cause = RestartEntry['cause'];

/** A pod and whether it has to be replaced; `stillWrong` is the finding that says why, if it lacks something. */
export interface Candidate {
  readonly pod: Pod;
  readonly replace: boolean;
  readonly stillWrong: Finding | undefined;
}

/** What the API server said when a pod was to be evicted. */
export interface Blocked {
  readonly kind: 'budget' | 'multipleBudgets';
  readonly at: number;
  readonly message: string;
}

export interface RestartsSeen {
  readonly now: number;
  readonly candidates: readonly Candidate[];
  readonly cause: Cause;
  /** Stands for the state that the pods shall have. */
  readonly desired: string;
  readonly records: readonly RestartEntry[];
  readonly maxUnavailable: number | string;
  /** By pod uid. */
  readonly blocked: ReadonlyMap<string, Blocked>;
}

export interface RestartStep {
  readonly how: 'evict' | 'delete';
  readonly pod: Pod;
}

export interface RestartPlan {
  readonly records: readonly RestartEntry[];
  readonly steps: readonly RestartStep[];
  readonly findings: readonly Finding[];
  /** When to look again though nothing changes: epoch milliseconds. */
  readonly lookAgainAt: number | undefined;
  /** What is going on, for the condition: one part for each workload that is being restarted. */
  readonly progress: readonly string[];
}

/**
 * Which pods may go now: one of a workload first, the others only when its replacement came back right and ready.
 * The record of an attempt is planned before its first eviction, and evictions only where the record is seen to stand:
 * so a restart of the operator repeats nothing.
 */
export function planRestarts(seen: RestartsSeen): RestartPlan {
  const groups = Map.groupBy(
    seen.candidates.filter(({ pod }) => !pod.finished),
    ({ pod }) => ownerOf(pod).uid,
  );
  const plans = [...groups.values()].map((candidates) => planWorkload(seen, candidates));
  const touched = new Set(plans.flatMap((plan) => plan.record?.uid ?? []));
  const untouched = seen.records.filter(
    (record) =>
      !(record.cause === seen.cause && record.desired === seen.desired && touched.has(record.uid)) && !isOvertaken(record, seen, groups),
  );
  const inView = new Set(groups.keys());
  const wanting = new Set(seen.candidates.flatMap(({ pod, replace }) => (replace && !pod.finished ? ownerOf(pod).uid : [])));
  const holdsPlace = ({ cause, desired, phase, uid }: RestartEntry) =>
    (inView.has(uid) && (phase === 'Canary' || phase === 'Rolling' || phase === 'Stalled')) ||
    (wanting.has(uid) && cause === seen.cause && desired === seen.desired);
  return {
    records: bounded([...untouched, ...plans.flatMap((plan) => plan.record ?? [])], holdsPlace),
    steps: plans.flatMap((plan) => plan.steps),
    findings: plans.flatMap((plan) => plan.findings),
    lookAgainAt: plans.map((plan) => plan.lookAgainAt).reduce((a, b) => (a === undefined || (b !== undefined && b < a) ? b : a), undefined),
    progress: plans.flatMap((plan) => plan.progress ?? []),
  };
}

/** A role that was left and comes back is a new attempt: its former record would keep the pods as they are for ever. */
function isOvertaken({ cause, desired, uid }: RestartEntry, seen: RestartsSeen, inView: ReadonlyMap<string, unknown>): boolean {
  return cause === 'Stale' && seen.cause === 'Stale' && desired !== seen.desired && inView.has(uid);
}

interface WorkloadPlan {
  readonly record: RestartEntry | undefined;
  readonly steps: readonly RestartStep[];
  readonly findings: readonly Finding[];
  readonly lookAgainAt?: number | undefined;
  readonly progress?: string;
}

function planWorkload(seen: RestartsSeen, candidates: readonly Candidate[]): WorkloadPlan {
  const first = candidates[0];
  if (first === undefined) return { record: undefined, steps: [], findings: [] };
  const owner = ownerOf(first.pod);
  const found = seen.records.find(({ uid, cause, desired }) => uid === owner.uid && cause === seen.cause && desired === seen.desired);
  const living = candidates.filter(({ pod }) => !pod.deleting);
  const todo = living.filter(({ replace }) => replace);
  if (found === undefined) return todo.length === 0 || restartedToday(seen, owner) ? idle(found) : begin(seen, owner, living.length);
  const record = { ...found, pods: Math.max(found.pods ?? candidates.length, living.length) };
  switch (found.phase) {
    case 'Canary':
    case 'Stalled':
      return canary(seen, record, candidates, todo);
    case 'Rolling':
      return roll(seen, record, candidates, todo);
    case 'Done':
      return idle(found);
    case 'Ineffective':
      return { record: found, steps: [], findings: ineffective(found, todo) };
  }
}

const idle = (record: RestartEntry | undefined): WorkloadPlan => ({ record, steps: [], findings: [] });

/** A record under way: how many pods the workload has is known. */
type Attempt = RestartEntry & { readonly pods: number };

function begin(seen: RestartsSeen, { kind, name, uid }: Owner, pods: number): WorkloadPlan {
  const { cause, desired } = seen;
  const record: RestartEntry = { kind, name, uid, cause, desired, phase: 'Canary', attempts: 1, startedAt: nextSecond(seen.now), pods };
  return { record, steps: [], findings: [], progress: `${kind} "${name}": about to restart one pod` };
}

/** Pods tell the second in which they were made: only in a later one can a replacement be told from the pods before it. */
function nextSecond(now: number): string {
  return timestamp(Math.ceil(now / 1000) * 1000);
}

function restartedToday({ cause, records, now }: RestartsSeen, { uid }: Owner): boolean {
  if (cause !== 'TrustRepair') return false;
  return records.some(
    (record) => record.uid === uid && record.cause === cause && now - Date.parse(record.startedAt) < TRUST_REPAIR_PAUSE_MS,
  );
}

function canary(seen: RestartsSeen, record: Attempt, candidates: readonly Candidate[], todo: readonly Candidate[]): WorkloadPlan {
  const what = `${record.kind} "${record.name}"`;
  const startedAt = Date.parse(record.startedAt);
  if (seen.now < startedAt) return waiting(record, `${what}: about to restart one pod`, startedAt);
  const living = candidates.filter(({ pod }) => !pod.deleting);
  const replacements = living.filter(({ pod }) => pod.createdAt >= startedAt);
  if (replacements.some(({ pod, stillWrong }) => stillWrong === undefined && pod.ready)) {
    return todo.length === 0 ? idle({ ...record, phase: 'Done' }) : roll(seen, { ...record, phase: 'Rolling' }, candidates, todo);
  }
  if (living.length < candidates.length) {
    return awaited(seen, record, startedAt, { wait: `${what}: the first pod is going`, late: 'the first pod is still going' });
  }
  const wrong = replacements.filter(({ stillWrong }) => stillWrong !== undefined);
  if (wrong.length > 0) {
    if (record.attempts < MAX_ATTEMPTS) {
      const again = { ...record, attempts: record.attempts + 1, startedAt: nextSecond(seen.now) };
      return waiting(again, `${what}: about to restart one pod again`, Date.parse(again.startedAt));
    }
    return { record: { ...record, phase: 'Ineffective' }, steps: [], findings: ineffective(record, wrong) };
  }
  if (replacements.length > 0) {
    const [pod] = replacements.map((each) => each.pod).toSorted((a, b) => a.createdAt - b.createdAt);
    const since = pod?.createdAt ?? startedAt;
    return awaited(seen, record, since, {
      wait: `${what}: the first replacement is not ready yet`,
      late: `pod "${pod?.name}" has the role but was not ready`,
    });
  }
  // The first pod is gone and the next one is not made yet (StatefulSet, DaemonSet): taking another now would take two.
  if (living.length < record.pods) {
    if (todo.length === 0 && seen.now - startedAt >= CANARY_DEADLINE_MS) return idle({ ...record, phase: 'Done' });
    return awaited(seen, record, startedAt, {
      wait: `${what}: the first replacement is not made yet`,
      late: `${living.length} of ${record.pods} pods are there and no replacement was made`,
    });
  }
  const pick = todo.toSorted(canaryOrder)[0];
  if (pick === undefined) return idle({ ...record, phase: 'Done' });
  return take(seen, record, [pick], `${what}: restarting one pod first`);
}

/** Waits for the canary; too late it is a finding, but one that goes when the canary comes after all. */
function awaited(seen: RestartsSeen, record: Attempt, since: number, say: { readonly wait: string; readonly late: string }): WorkloadPlan {
  if (seen.now - since < CANARY_DEADLINE_MS) return waiting(record, say.wait, since + CANARY_DEADLINE_MS);
  const message = `${record.kind} "${record.name}": ${say.late} within ${CANARY_DEADLINE_MS / 60_000} minutes; no other pod is restarted before a new one is ready`;
  return { record: { ...record, phase: 'Stalled' }, steps: [], findings: [finding('RestartStalled', message)] };
}

function roll(seen: RestartsSeen, record: Attempt, candidates: readonly Candidate[], todo: readonly Candidate[]): WorkloadPlan {
  const what = `${record.kind} "${record.name}"`;
  const living = candidates.filter(({ pod }) => !pod.deleting);
  if (todo.length === 0)
    return living.length < candidates.length ? waiting(record, `${what}: the last pod is going`) : idle({ ...record, phase: 'Done' });
  // A pod that is missing is on its way; where none comes for this long the workload was made smaller.
  const smallerAt = Math.max(Date.parse(record.startedAt), ...candidates.map(({ pod }) => pod.createdAt)) + CANARY_DEADLINE_MS;
  const smaller = living.length === candidates.length && seen.now >= smallerAt;
  const pods = smaller ? living.length : record.pods;
  const away = pods - living.length + living.filter(({ pod, replace }) => !replace && !pod.ready).length;
  const [ready, unready] = partition(todo.toSorted(canaryOrder), ({ pod }) => pod.ready);
  // A StatefulSet makes its pods in order, so a second hole would wait for the first one.
  const picks =
    record.kind === 'StatefulSet'
      ? [...unready, ...ready].slice(0, away > 0 ? 0 : 1)
      : [...unready, ...ready.slice(0, Math.max(0, podsAtOnce(seen.maxUnavailable, pods) - away))];
  const plan = take(seen, { ...record, pods }, picks, `${what}: ${todo.length} more to restart`);
  return picks.length === 0 && pods > living.length && seen.now < smallerAt ? { ...plan, lookAgainAt: smallerAt } : plan;
}

/** An eviction that a budget refused is tried again at a pace; an unready pod of a ReplicaSet is deleted instead. */
function take(seen: RestartsSeen, record: RestartEntry, picks: readonly Candidate[], progress: string): WorkloadPlan {
  const steps: RestartStep[] = [];
  const findings: Finding[] = [];
  let lookAgainAt: number | undefined;
  for (const { pod } of picks) {
    const blocked = seen.blocked.get(pod.uid);
    if (blocked === undefined) steps.push({ how: 'evict', pod });
    // It serves nobody, so nothing that the budget protects is lost; and a budget whose pods are all unready would refuse for ever.
    else if (!pod.ready && pod.owner?.kind === 'ReplicaSet') steps.push({ how: 'delete', pod });
    else {
      findings.push(blockedFinding(pod, blocked));
      if (seen.now - blocked.at >= BLOCKED_RETRY_MS) steps.push({ how: 'evict', pod });
      else lookAgainAt = Math.min(lookAgainAt ?? Number.POSITIVE_INFINITY, blocked.at + BLOCKED_RETRY_MS);
    }
  }
  return { record, steps, findings, lookAgainAt, progress };
}

function blockedFinding(pod: Pod, { kind, message }: Blocked): Finding {
  const where = `pod "${pod.name}"`;
  return kind === 'budget'
    ? finding(
        'EvictionBlocked',
        `${where} cannot be evicted: ${message.replace(/\.$/, '')}; it is tried again every ${BLOCKED_RETRY_MS / 1000} s`,
      )
    : finding(
        'MultiplePDBs',
        `${where} is covered by more than one PodDisruptionBudget, and the API server then evicts nothing: ${message.replace(/\.$/, '')}; let one budget cover it`,
      );
}

function ineffective(record: RestartEntry, wrong: readonly Candidate[]): Finding[] {
  const cause = wrong[0]?.stillWrong?.message;
  if (cause === undefined) return [];
  const text = `${record.kind} "${record.name}" was restarted ${record.attempts} times and its new pods are still wrong: ${cause}. Is the EKS pod identity webhook running, does its template set AWS_ROLE_ARN itself, does a label keep the webhook away?`;
  return [finding('RestartIneffective', text)];
}

const waiting = (record: RestartEntry, progress: string, lookAgainAt?: number): WorkloadPlan => ({
  record,
  steps: [],
  findings: [],
  lookAgainAt,
  progress,
});

/** An unready pod serves nobody, so it goes first; of a StatefulSet the lowest unready ordinal, else the highest. */
function canaryOrder(a: Candidate, b: Candidate): number {
  if (a.pod.ready !== b.pod.ready) return a.pod.ready ? 1 : -1;
  const byName = a.pod.name.localeCompare(b.pod.name, 'en', { numeric: true });
  return a.pod.ready && a.pod.owner?.kind === 'StatefulSet' ? -byName : byName;
}

/** Percentages round up, so that at least one pod can go. */
export function podsAtOnce(maxUnavailable: number | string, total: number): number {
  if (typeof maxUnavailable === 'number') return maxUnavailable;
  return Math.max(1, Math.ceil((Number.parseInt(maxUnavailable, 10) / 100) * total));
}

/** A pod that nobody controls is a workload of its own. */
function ownerOf(pod: Pod): Owner {
  return pod.owner ?? { kind: 'Pod', name: pod.name, uid: pod.uid };
}

/**
 * Attempts under way are not forgotten for the sake of finished ones, nor of newcomers: those wait for a place. Nor are finished ones whose
 * workload still has pods to replace: forgotten, they would begin anew. An attempt whose workload has no pods any more was
 * overtaken by a rollout, most likely, and must not hold its place for ever.
 */
function bounded(records: readonly RestartEntry[], holdsPlace: (record: RestartEntry) => boolean): RestartEntry[] {
  const [open, rest] = partition(records, holdsPlace);
  const byTime = (a: RestartEntry, b: RestartEntry) => a.startedAt.localeCompare(b.startedAt) || a.uid.localeCompare(b.uid);
  return [...open.toSorted(byTime), ...rest.toSorted((a, b) => byTime(b, a))].slice(0, MAX_RESTARTS);
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}

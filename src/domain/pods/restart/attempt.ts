import { MAX_RESTARTS, type RestartEntry } from '../../../api/binding.ts';
import type { Owner, Pod, Workload } from '../../../api/cluster.ts';
import { timestamp } from '../../../api/condition.ts';
import { type Finding, type FindingCode, finding } from '../../../api/finding.ts';

/**
 * The phases of one attempt: a record in `status.restarts`, written before its first effect.
 *
 *   no record ── a pod lacks something ──▶ Canary ── the first replacement is current and ready ──▶ Rolling ── none left ──▶ Done
 *                                          │ ▲ ▲                                                    │ │
 *                     not ready in 10 min  │ │ └────────── a replacement is wrong, once ────────────┤ │ not ready in 10 min
 *                                          ▼ │ ready after all                                      │ ▼
 *                                        Stalled ◀──────────────────────────────────────────────────┼─┘
 *                                                                                                   ▼
 *                                                        a replacement is wrong the second time ▶ Ineffective
 *
 * Done and Ineffective end the attempt; another desired state (role, audience, token life) begins a new one.
 */

/** A replacement that is not ready by then is the sign of another trouble: nothing more is taken away. */
export const READY_DEADLINE_MS = 10 * 60_000;
const ACT_PRECISION_MS = 60_000;
/** A replacement that is still wrong may have met the webhook's cache: it gets one more chance. */
export const MAX_ATTEMPTS = 2;
/** What refused is asked again at this pace: a PodDisruptionBudget, or the right to roll out. */
export const BLOCKED_RETRY_MS = 30_000;
/** After a mere trust repair a workload is restarted at most once a day. */
const TRUST_REPAIR_PAUSE_MS = 24 * 3_600_000;

/** A pod and whether it has to be replaced; `stillWrong` is the finding that says why, if it lacks something. */
export interface Candidate {
  readonly pod: Pod;
  readonly replace: boolean;
  readonly stillWrong: Finding | undefined;
}

/** What the API server said when something was to be restarted. */
export interface Blocked {
  readonly kind: 'budget' | 'multipleBudgets' | 'forbidden';
  readonly at: number;
  readonly message: string;
}

export interface RestartInput {
  readonly now: number;
  readonly candidates: readonly Candidate[];
  readonly cause: RestartEntry['cause'];
  /** Stands for the state that the pods shall have. */
  readonly desired: string;
  readonly records: readonly RestartEntry[];
  readonly maxUnavailable: number | string;
  readonly workloads: readonly Workload[];
  /** By uid of the pod, or of the workload that was to be rolled out. */
  readonly blocked: ReadonlyMap<string, Blocked>;
}

export type RestartStep =
  | { readonly how: 'evict' | 'delete'; readonly pod: Pod }
  | { readonly how: 'rollout'; readonly workload: Workload; readonly restartedAt: string };

/** One way to restart pods (`spec.restart.strategy`): which groups there are, and how an attempt at one goes on. */
export type RestartStrategy = (input: RestartInput) => RestartPlan;

export interface RestartPlan {
  readonly records: readonly RestartEntry[];
  readonly steps: readonly RestartStep[];
  readonly findings: readonly Finding[];
  /** When to check again though nothing changes: epoch milliseconds. */
  readonly recheckAt: number | undefined;
  /** What is going on, for the condition: one part for each workload that is being restarted. */
  readonly progress: readonly string[];
}

/** The pods that are restarted together: those of one ReplicaSet, StatefulSet, DaemonSet, or of one Deployment. */
export interface Group {
  readonly owner: Owner;
  readonly candidates: readonly Candidate[];
  /** Those that are not going already. */
  readonly living: readonly Candidate[];
  /** Those of the living that have to be replaced. */
  readonly todo: readonly Candidate[];
}

export function groupOf(owner: Owner, candidates: readonly Candidate[]): Group {
  const living = candidates.filter(({ pod }) => !pod.deleting);
  return { owner, candidates, living, todo: living.filter(({ replace }) => replace) };
}

/** From when on an attempt waits for what comes next: it may have been refused for hours before. */
export function lastActOf({ startedAt, actedAt }: RestartEntry): number {
  return Date.parse(actedAt ?? startedAt);
}

/** With the time of what was done last. A status is not written for seconds that no deadline needs. */
export function withAct(record: RestartEntry, at: number): RestartEntry {
  return at - lastActOf(record) < ACT_PRECISION_MS ? record : { ...record, actedAt: timestamp(at) };
}

/** How many pods like this one the workload wants. Undefined where nothing tells: its next pods are of another ServiceAccount, too. */
export function replicasFor({ serviceAccountName }: Pod, workload: Workload | undefined): number | undefined {
  return workload?.serviceAccountName === serviceAccountName ? workload.replicas : undefined;
}

/** How many pods there will be in the end: it may have been scaled since the attempt began. Without `replicas` only time can tell. */
export function wantedOf({ pods = 0 }: RestartEntry, living: number, replicas: number | undefined): number {
  return Math.min(Math.max(pods, living), replicas ?? Number.POSITIVE_INFINITY);
}

export interface GroupPlan {
  readonly record: RestartEntry | undefined;
  readonly steps: readonly RestartStep[];
  readonly findings: readonly Finding[];
  readonly recheckAt?: number | undefined;
  readonly progress?: string;
}

/**
 * One attempt for each workload and desired state. Its record is planned before its first effect, and effects only where the record is
 * seen to stand: so a restart of the operator repeats nothing. `go` takes an attempt that is under way one step further.
 */
export function planAttempts<G extends Group>(
  seen: RestartInput,
  groups: readonly G[],
  go: (record: RestartEntry, group: G) => GroupPlan,
): RestartPlan {
  const plans = groups.map((group) => planAttempt(seen, group, go));
  const touched = new Set(plans.flatMap((plan) => plan.record?.uid ?? []));
  const inView = new Set(groups.map(({ owner }) => owner.uid));
  const isThis = ({ cause, desired }: RestartEntry) => cause === seen.cause && desired === seen.desired;
  const untouched = seen.records.filter(
    (record) => !(isThis(record) && touched.has(record.uid)) && !(isOvertaken(record, seen) && inView.has(record.uid)),
  );
  const wanting = new Set(groups.filter(({ candidates }) => candidates.some(({ replace }) => replace)).map(({ owner }) => owner.uid));
  const holdsPlace = (record: RestartEntry) =>
    (inView.has(record.uid) && record.phase !== 'Done' && record.phase !== 'Ineffective') || (wanting.has(record.uid) && isThis(record));
  return {
    records: bounded([...untouched, ...plans.flatMap((plan) => plan.record ?? [])], holdsPlace),
    steps: plans.flatMap((plan) => plan.steps),
    findings: plans.flatMap((plan) => plan.findings),
    recheckAt: earliest(...plans.map((plan) => plan.recheckAt)),
    progress: plans.flatMap((plan) => plan.progress ?? []),
  };
}

function planAttempt<G extends Group>(seen: RestartInput, group: G, go: (record: RestartEntry, group: G) => GroupPlan): GroupPlan {
  const { owner, living, todo } = group;
  const found = seen.records.find(({ uid, cause, desired }) => uid === owner.uid && cause === seen.cause && desired === seen.desired);
  if (found === undefined) return todo.length === 0 || restartedToday(seen, owner) ? idle(found) : begin(seen, owner, living.length);
  if (found.phase === 'Done') return idle(found);
  if (found.phase === 'Ineffective') return { record: found, steps: [], findings: ineffective(found, todo) };
  return go(found, group);
}

/** A role that was left and comes back is a new attempt: its former record would keep the pods as they are for ever. */
function isOvertaken({ cause, desired }: RestartEntry, seen: RestartInput): boolean {
  return cause === 'Stale' && seen.cause === 'Stale' && desired !== seen.desired;
}

export const idle = (record: RestartEntry | undefined): GroupPlan => ({ record, steps: [], findings: [] });

export const waiting = (record: RestartEntry, progress: string, recheckAt?: number): GroupPlan => ({
  record,
  steps: [],
  findings: [],
  recheckAt,
  progress,
});

function begin(seen: RestartInput, { kind, name, uid }: Owner, pods: number): GroupPlan {
  const { cause, desired } = seen;
  const record: RestartEntry = { kind, name, uid, cause, desired, phase: 'Canary', attempts: 1, startedAt: nextSecond(seen.now), pods };
  return { record, steps: [], findings: [], progress: `${kind} "${name}": about to restart pods` };
}

/** Pods tell the second in which they were made: only in a later one can a replacement be told from the pods before it. */
function nextSecond(now: number): string {
  return timestamp(Math.ceil(now / 1000) * 1000);
}

function restartedToday({ cause, records, now }: RestartInput, { uid }: Owner): boolean {
  if (cause !== 'TrustRepair') return false;
  return records.some(
    (record) => record.uid === uid && record.cause === cause && now - Date.parse(record.startedAt) < TRUST_REPAIR_PAUSE_MS,
  );
}

/** A replacement came back wrong: once more, or never again for this desired state. */
export function tryAgain(seen: RestartInput, record: RestartEntry, wrong: readonly Candidate[]): GroupPlan {
  if (record.attempts >= MAX_ATTEMPTS) {
    return { record: { ...record, phase: 'Ineffective' }, steps: [], findings: ineffective(record, wrong) };
  }
  const { actedAt: _, ...before } = record;
  const again: RestartEntry = { ...before, phase: 'Canary', attempts: record.attempts + 1, startedAt: nextSecond(seen.now) };
  return waiting(again, `${record.kind} "${record.name}": about to restart pods again`, Date.parse(again.startedAt));
}

/** What is in the template itself, Pod Identity and skipped pods are told apart before a restart: this is what is left. */
const CAUSES: Partial<Record<FindingCode, string>> = {
  PodCredentialsMissing:
    'The EKS pod identity webhook did not touch the new pod: is its MutatingWebhookConfiguration there, with admissionReviewVersions [v1beta1], and does it answer? Is its --annotation-prefix the --webhook-annotation-prefix of irsa-operator?',
  PodRoleArnStale: 'Either the webhook answers from an old cache, or the template or another webhook sets AWS_ROLE_ARN',
};
const OTHER_CAUSE = 'Either the webhook answers from an old cache, or the template has a volume "aws-iam-token" of its own';

function ineffective(record: RestartEntry, wrong: readonly Candidate[]): Finding[] {
  const found = wrong.find(({ stillWrong }) => stillWrong !== undefined)?.stillWrong;
  if (found === undefined) return [];
  const text = `${record.kind} "${record.name}" was restarted ${record.attempts} times and its new pods are still wrong: ${found.message}. ${CAUSES[found.code] ?? OTHER_CAUSE}`;
  return [finding('RestartIneffective', text)];
}

/** Waits for a replacement; too late it is a finding, but one that goes when the replacement comes after all. */
export function awaited(
  seen: RestartInput,
  record: RestartEntry,
  since: number,
  say: { readonly wait: string; readonly late: string },
): GroupPlan {
  const what = `${record.kind} "${record.name}"`;
  if (seen.now - since < READY_DEADLINE_MS) return waiting(record, `${what}: ${say.wait}`, since + READY_DEADLINE_MS);
  return { record: { ...record, phase: 'Stalled' }, steps: [], findings: [tooLate(`${what}: ${say.late}`)] };
}

export function tooLate(what: string): Finding {
  const message = `${what} within ${READY_DEADLINE_MS / 60_000} minutes. No other pod is restarted before a new one is ready`;
  return finding('RestartStalled', message);
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

export function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

export function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}

import type { BindingSpec, BindingStatus, RestartEntry } from '../../api/binding.ts';
import { byName } from '../../api/by-name.ts';
import { type Assessment, conditionOf } from '../../api/condition.ts';
import type { Finding } from '../../api/finding.ts';
import { annotationKeys } from '../../api/webhook.ts';
import { heldByUs } from '../service-account/annotations.ts';
import type { Violation } from '../status/conditions.ts';
import type { PodsInput } from './input.ts';
import { type PodState, podState } from './pod-state.ts';
import { earliest, type RestartStep } from './restart/attempt.ts';
import { heldByOwner } from './restart/owner.ts';
import { type Judged, planRestarts } from './restart/plan.ts';
import { awaitedReplacements } from './restart/replacements.ts';
import { SETTLE_MS } from './settle.ts';
import { workloadOf } from './workload-of.ts';

export interface PodsAssessment {
  readonly violation: Violation | undefined;
  /** What to say when there is no violation. */
  readonly assessment: Assessment;
  readonly counts: NonNullable<BindingStatus['pods']>;
  /** Of pods that need not carry the role one for each cause, and whatever else is said of containers. */
  readonly notes: readonly Finding[];
  readonly records: readonly RestartEntry[];
  readonly steps: readonly RestartStep[];
  readonly recheckAt: number | undefined;
}

/** What the pods of a ServiceAccount look like, and which of them may be restarted now if the binding lets us (`acts`). */
export function assessPods(seen: PodsInput, spec: BindingSpec, acts: boolean, provenAt?: number): PodsAssessment {
  const records = seen.binding.status.restarts ?? [];
  const judged = seen.pods
    .filter((pod) => !pod.finished)
    .toSorted(byName)
    .map((pod) => {
      const workload = workloadOf(pod, seen.workloads);
      return { pod, state: podState(pod, { ...spec, webhook: seen.webhook }, workload, heldByOwner(pod, workload)) };
    });
  const counts = count(judged);
  const stale = judged.flatMap(({ pod, state }) => (state.kind === 'stale' && !pod.deleting ? [{ pod, state }] : []));
  const faults = judged.flatMap(({ pod, state }) => (state.kind === 'faulty' && !pod.deleting ? [state.finding] : []));
  const going = judged.some(({ pod, state }) => (state.kind === 'stale' || state.kind === 'faulty') && pod.deleting);
  const settled = settledAt(seen, provenAt);
  const early = settled === undefined || seen.now < settled;
  const { strategy } = spec.restart;
  const restarts = acts && strategy !== 'Never' && !early ? planRestarts(seen, spec, strategy, judged) : undefined;
  // Without a ServiceAccount nothing settles: its creation starts the annotation, and then the wait.
  const settling = early && acts && seen.serviceAccount !== undefined;
  const awaited = acts ? awaitedReplacements(seen, spec.serviceAccountName, records) : undefined;
  const progress = [...(restarts?.progress ?? []), ...(awaited?.progress ?? [])];
  const grave = [...(restarts?.findings ?? []), ...(awaited?.findings ?? [])];
  const violation = whatIsWrong({ stale, faults, going, grave, progress, settling });
  return {
    violation,
    assessment: {
      status: 'True',
      reason: judged.length === 0 ? 'NoPods' : 'Current',
      message: inWords(counts, seen.binding.metadata.namespace, spec),
    },
    counts,
    notes: notesOn(judged),
    records: restarts?.records ?? records,
    steps: restarts?.steps ?? [],
    // Pods that a trust repair left unready change no more by themselves than stale ones.
    recheckAt:
      early && judged.some(({ pod, state }) => state.kind === 'stale' || !pod.ready)
        ? settled
        : earliest(restarts?.recheckAt, awaited?.recheckAt),
  };
}

function count(judged: readonly Judged[]): NonNullable<BindingStatus['pods']> {
  const living = judged.filter(({ pod }) => !pod.deleting);
  const of = (kind: PodState['kind']) => living.filter(({ state }) => state.kind === kind).length;
  const [total, current] = [living.length, of('current')];
  return { total, current, stale: of('stale') + of('faulty'), exempt: of('exempt'), summary: `${current}/${total}` };
}

function inWords({ total, current, exempt }: NonNullable<BindingStatus['pods']>, namespace: string, spec: BindingSpec): string {
  if (total === 0)
    return `no pod of namespace "${namespace}" runs as ServiceAccount "${spec.serviceAccountName}". Pods of other namespaces cannot`;
  const left = exempt === 0 ? '' : `, ${exempt} exempt`;
  return `${current} of ${total} pods have the role${left}`;
}

function notesOn(judged: readonly Judged[]): Finding[] {
  const living = judged.filter(({ pod }) => !pod.deleting);
  const exempt = living.flatMap(({ state }) => (state.kind === 'exempt' && state.told === undefined ? [state.finding] : []));
  const causes = exempt.filter(({ code }, index) => exempt.findIndex((other) => other.code === code) === index);
  return [...causes, ...living.flatMap(({ state }) => state.told ?? [])];
}

/**
 * When both the annotation and the confirmed trust are old enough: epoch milliseconds. A proof by STS tells that IAM has spread the trust;
 * of the webhook's cache it tells nothing.
 */
function settledAt({ binding, serviceAccount, webhook }: PodsInput, provenAt: number | undefined): number | undefined {
  const trusted = conditionOf(binding.status.conditions, 'Trusted');
  const annotated = serviceAccount === undefined ? undefined : heldByUs(serviceAccount, annotationKeys(webhook).roleArn);
  if (trusted?.status !== 'True' || annotated === undefined) return undefined;
  return Math.max(provenAt ?? Date.parse(trusted.lastTransitionTime) + SETTLE_MS, annotated + SETTLE_MS);
}

interface Situation {
  readonly stale: readonly { state: Extract<PodState, { kind: 'stale' }> }[];
  /** What templates make wrong. */
  readonly faults: readonly Finding[];
  readonly going: boolean;
  /** What keeps restarts from going on. */
  readonly grave: readonly Finding[];
  /** What is going on, in words. */
  readonly progress: readonly string[];
  /** Annotation or trust are too young to say anything of what comes of them. */
  readonly settling: boolean;
}

function whatIsWrong({ stale, faults, going, grave, progress, settling }: Situation): Violation | undefined {
  const staleFindings = stale.map(({ state }) => state.finding);
  const [worst] = grave;
  if (worst !== undefined)
    return because(worst, worst.severity === 'Error' || worst.code === 'PodNotRestartable', [...grave, ...staleFindings]);
  if (progress.length > 0) return { ...pending('Restarting', progress.join('. ')), findings: staleFindings };
  const [first] = stale;
  const [fault] = faults;
  if (first === undefined && going) return pending('Restarting', 'a pod without the role is being deleted');
  if (first === undefined) return fault && because(fault, true, faults);
  if (settling) {
    const message = `${stale.length} pods lack the role. Restarts are decided ${SETTLE_MS / 1000} s after annotation and trust`;
    return { ...pending('Settling', message), findings: staleFindings };
  }
  const leftAlone = stale.find(({ state }) => state.leftAlone !== undefined)?.state.leftAlone;
  return because(leftAlone ?? first.state.finding, true, staleFindings);
}

function because(found: Finding, terminal: boolean, findings: readonly Finding[]): Violation {
  const all = findings.includes(found) ? findings : [found, ...findings];
  return { step: 'PodsCurrent', status: 'False', reason: found.code, message: found.message, terminal, findings: all };
}

function pending(reason: string, message: string): Violation {
  return { step: 'PodsCurrent', status: 'False', reason, message, terminal: false, findings: [] };
}

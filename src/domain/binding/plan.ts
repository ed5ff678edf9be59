import { ADVICE } from '../../api/advice.ts';
import { type BindingSpec, type BindingStatus, type IrsaBinding, invalidRequest, MAX_ROLES, type RoleEntry } from '../../api/binding.ts';
import { type Assessment, conditionOf, timestamp } from '../../api/condition.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { FINALIZER } from '../../api/names.ts';
import { isProblem, type Problem } from '../../api/problem.ts';
import { sidFor } from '../../trust/document/own-statement.ts';
import { isEnforcing } from '../authorization/authorize.ts';
import { assessPods } from '../pods/pods-current.ts';
import { earliest } from '../pods/restart/attempt.ts';
import { type StrayWorkload, strayWorkload } from '../pods/stray-workload.ts';
import { webhookAudience } from '../pods/webhook-audience.ts';
import { consentTo } from '../role/consent.ts';
import { worksElsewhere } from '../role/desired-trust.ts';
import { annotationsAreOurs, desiredAnnotations, invalidExpiration } from '../service-account/annotations.ts';
import { annotationContended } from '../service-account/contention.ts';
import { contentionLevel, nextWriteAt } from '../state/contention.ts';
import { isCurrentEntry } from '../state/role-entry.ts';
import { isReleased } from '../state/verdict.ts';
import { stuckAt, summarize, type Violation } from '../status/conditions.ts';
import { withinLimits } from '../status/limits.ts';
import { proofEntry } from '../verification/proof.ts';
import { provenAt, verifying } from '../verification/verified.ts';
import { type Held, releaseWaitsFor, type Scope, STAGES, walk } from './checks.ts';
import { planDeletion } from './deletion.ts';
import type { Observed } from './observed.ts';
import { preview } from './preview.ts';
import { isHandled } from './refresh.ts';
import type { BindingPlan, Step } from './step.ts';

/**
 * What to do for one binding, from what is seen now: the same observation gives the same plan, and a binding in order gives no step.
 * It takes a few rounds from a new binding to a healthy one: each effect comes back as a change that starts the next round.
 */
export function planBinding(seen: Observed): BindingPlan {
  const plan = planWhole(seen);
  const { revokedAt: _, ...rest } = plan.status;
  return { ...plan, status: withinLimits({ ...rest, ...revokedAtOf(seen) }) };
}

/** For the reader, as long as the revocation record has it. */
function revokedAtOf({ binding: { spec }, lossOf }: Observed): Pick<BindingStatus, 'revokedAt'> {
  const revokedAt = isProblem(spec) ? undefined : lossOf({ arn: spec.roleArn, audience: spec.audience })?.revokedAt;
  return revokedAt === undefined ? {} : { revokedAt: timestamp(revokedAt) };
}

function planWhole(given: Observed): BindingPlan {
  const { binding, authorization } = given;
  if (binding.metadata.deleting) return planDeletion(given);
  if (isProblem(binding.spec)) return invalid(given, binding.spec);
  // What its pods show of the webhook is above what the operator was told of it.
  const tokenAudience = webhookAudience(given, binding.spec);
  const seen = tokenAudience === undefined ? given : { ...given, webhook: { ...given.webhook, tokenAudience } };
  const acts = isEnforcing(binding) && authorization.kind === 'granted';
  const verifies = verifying(seen);
  const scope: Scope = { seen, spec: binding.spec, verifies, pods: assessPods(seen, binding.spec, acts, provenAt(verifies)) };
  const { held, violation: found } = walk(scope);
  // Pods are restarted when every step before them holds.
  const podsInTurn = found === undefined || found.step === 'PodsCurrent';
  // A binding that only observes changes nothing by itself: others have to.
  const violation = found && !acts && !found.pending ? { ...found, terminal: true } : found;
  const steps = acts ? stepsOf(scope, held, podsInTurn) : [];
  // After a restart nothing was looked at yet: what the last process found stands, and nobody is alarmed.
  if (violation?.pending && assessedBefore(binding, violation)) return { steps, status: binding.status, recheckInMs: undefined };
  const recheckInMs = recheck(scope, held, acts, podsInTurn);
  return { steps, status: statusOf(scope, held, violation, acts, podsInTurn), recheckInMs };
}

/** Where no answer comes at all, what was no answer before is told anew, with the reason. */
function assessedBefore({ metadata, status }: IrsaBinding, { step, pending }: Violation): boolean {
  const before = conditionOf(status.conditions, step);
  if (status.observedGeneration !== metadata.generation || before === undefined) return false;
  return pending !== 'failing' || before.status !== 'Unknown';
}

function stepsOf({ seen, spec, pods }: Scope, held: Held, podsInTurn: boolean): Step[] {
  const { serviceAccount, binding } = seen;
  // First of all, and alone: nothing is written anywhere before our clean-up is certain.
  if (!binding.metadata.finalizers.includes(FINALIZER)) return [{ do: 'addFinalizer' }];
  const steps: Step[] = [];
  if (held.Trusted !== undefined && serviceAccount !== undefined && annotatesAt(seen, spec) === seen.now) {
    steps.push({ do: 'annotate', annotations: desiredAnnotations(spec, serviceAccount, seen.webhook) });
  }
  if (podsInTurn) steps.push(...pods.steps.map((step): Step => ({ do: 'restart', ...step })));
  return steps;
}

/** When the annotations are to be written: not at once while another writer keeps reverting them. */
function annotatesAt({ serviceAccount, contention, now, webhook }: Observed, spec: BindingSpec): number | undefined {
  return serviceAccount === undefined || annotationsAreOurs(serviceAccount, spec, webhook) ? undefined : nextWriteAt(contention, now);
}

function statusOf(scope: Scope, held: Held, violation: Violation | undefined, acts: boolean, podsInTurn: boolean): BindingStatus {
  const { seen, spec, pods, verifies } = scope;
  const { metadata, status } = seen.binding;
  const { verdict } = seen;
  const stray = podsInTurn ? strayWorkload(seen, spec) : undefined;
  const size = verdict !== undefined && verdict.kind !== 'released' ? verdict.size : undefined;
  const notes = [
    ...(violation?.findings ?? []),
    ...(stray === undefined ? [] : [stray.finding]),
    ...(held.Annotated === undefined ? [] : pods.notes),
    ...(verdict?.kind === 'allowed' ? verdict.findings : []),
    ...notesOnAnnotations(scope, held, violation),
    ...(acts && violation === undefined ? notReleased(scope) : []),
    ...invalidRequest(seen.binding),
  ];
  const without = STAGES.filter((stage) => stage.when?.(scope) === false).map(({ step }) => step);
  const verification = verifies.proof && proofEntry(verifies.proof);
  return {
    observedGeneration: metadata.generation,
    conditions: summarize({ held, outcome: violation ?? ready(scope, stray), without }, status.conditions, metadata.generation, seen.now),
    ...unlessEmpty('roles', rolesOf(scope, acts)),
    ...(size === undefined ? {} : { trustPolicy: { managedBy: managedBy(scope), ...size, summary: `${size.characters}/${size.quota}` } }),
    pods: pods.counts,
    ...(verification === undefined ? {} : { verification }),
    ...unlessEmpty('restarts', podsInTurn ? pods.records : (status.restarts ?? [])),
    ...unlessEmpty('findings', notes),
    ...unlessEmpty('plan', acts || seen.authorization.kind === 'refused' ? [] : preview(scope, held)),
    ...lastHandled(scope, held),
  };
}

/** Why trust of ours stands in a role that the binding has left. */
function notReleased({ seen, spec }: Scope): Finding[] {
  if (!worksElsewhere(seen.binding)) return [];
  const left = (seen.binding.status.roles ?? []).filter((entry) => !isCurrentEntry(spec, entry) && !isReleased(seen.verdictOn(entry)));
  return left.flatMap((entry) => releaseWaitsFor(seen, entry).findings);
}

/** What is not wrong now, but worth a word. */
function notesOnAnnotations({ seen, spec }: Scope, held: Held, violation: Violation | undefined): Finding[] {
  const { serviceAccount, contention, now, webhook } = seen;
  if (serviceAccount === undefined || held.Trusted === undefined) return [];
  const told = violation?.reason === 'Contended' || contentionLevel(contention, now) === 'none';
  return [
    ...(told ? [] : [annotationContended(contention, spec, serviceAccount, webhook)]),
    ...invalidExpiration(serviceAccount, spec, webhook),
  ];
}

function lastHandled({ seen, spec }: Scope, held: Held): Pick<BindingStatus, 'lastHandledReconcileAt'> {
  const { request, binding } = seen;
  const done = request !== undefined && isHandled(seen, request, spec, held.ProviderReady !== undefined);
  const value = done ? request.value : binding.status.lastHandledReconcileAt;
  return value === undefined ? {} : { lastHandledReconcileAt: value };
}

/** A list without entries says nothing to the reader of a status. */
function unlessEmpty<Name extends string, Entry>(name: Name, list: readonly Entry[]): Partial<Record<Name, Entry[]>> {
  return list.length === 0 ? {} : ({ [name]: [...list] } as Partial<Record<Name, Entry[]>>);
}

function ready({ seen, spec, pods }: Scope, stray: StrayWorkload | undefined): Assessment {
  const because = (reason: string, message: string): Assessment => ({ status: 'True', reason, message });
  const codes = [...new Set(pods.notes.map(({ code }) => code))];
  const remark = codes.length === 0 ? '' : `. Warnings about pods: ${codes.join(', ')}. See status.findings`;
  const none = `. No pod of namespace "${seen.binding.metadata.namespace}" runs as ServiceAccount "${spec.serviceAccountName}"`;
  const [agree, without] = pods.counts.total === 0 ? ['role and ServiceAccount agree', none] : ['role, ServiceAccount and pods agree', ''];
  if (stray?.certain) return because(stray.finding.code, `${ADVICE[stray.finding.code]}. See status.findings`);
  if (spec.suspend)
    return because('Suspended', `${agree} now${without}. The binding is suspended, so irsa-operator does not repair drift${remark}`);
  if (seen.serviceAccount === undefined)
    return because('AwaitingServiceAccount', 'the role trusts the ServiceAccount, which does not exist yet. See condition Annotated');
  if (stray !== undefined)
    return because('NoPods', 'role and ServiceAccount agree. No pod runs as this ServiceAccount, which may be right. See status.findings');
  return because('Ready', `${agree}${without}${remark}`);
}

function managedBy({ seen: { verdict, binding } }: Scope): 'Operator' | 'Others' {
  return verdict?.kind === 'allowed' ? verdict.managedBy : (binding.status.trustPolicy?.managedBy ?? 'Others');
}

/**
 * Every role on which trust of ours may stand. The entry is the intent: the role controller writes for this binding only where it sees it,
 * so no crash can forget a trust. An entry goes when the release of its role was seen.
 */
function rolesOf({ seen, spec }: Scope, acts: boolean): RoleEntry[] {
  const before = seen.binding.status.roles ?? [];
  const wants = acts && spec.trustPolicy === 'Managed';
  const kept = before.filter((entry) => (wants && isCurrentEntry(spec, entry)) || !isReleased(seen.verdictOn(entry)));
  const { role, cluster, authorization, binding } = seen;
  if (!wants || role?.state.kind !== 'present' || cluster.kind === 'unknown') return kept;
  // Without the consent of the role's owner there is nothing to intend, and its unique ID is not told.
  if (consentTo(binding, authorization, role) !== 'given') return kept;
  const { audience } = spec;
  const entry = { arn: role.arn, roleId: role.state.roleId, audience, sid: sidFor(cluster.issuer, audience, cluster.clusterId) };
  // Without room for the intent nothing is written: a role that waits for its release is not forgotten for a new one.
  return [...kept.filter((other) => !isCurrentEntry(spec, other)), entry].slice(0, MAX_ROLES);
}

function invalid(seen: Observed, { problem }: Problem): BindingPlan {
  const found = finding('InvalidSpec', problem);
  const violation: Violation = {
    step: 'Authorized',
    status: 'False',
    reason: found.code,
    message: found.message,
    terminal: true,
    findings: [found],
  };
  return {
    steps: [],
    status: {
      ...stuckAt(violation, seen.binding, seen.now),
      // There is nothing that could be read for it.
      ...(seen.request === undefined ? {} : { lastHandledReconcileAt: seen.request.value }),
    },
    recheckInMs: undefined,
  };
}

function recheck({ seen, spec, pods }: Scope, held: Held, acts: boolean, podsInTurn: boolean): number | undefined {
  const annotates = acts && held.Trusted !== undefined ? annotatesAt(seen, spec) : undefined;
  // What the status says may not be so any more: it is over, or it has been done.
  const loss = seen.lossOf({ arn: spec.roleArn, audience: spec.audience });
  const revocationAt = loss?.dueAt ?? loss?.paused?.until;
  const times = [
    podsInTurn ? pods.recheckAt : undefined,
    annotates === seen.now ? undefined : annotates,
    revocationAt !== undefined && revocationAt > seen.now && revocationAt < Number.POSITIVE_INFINITY ? revocationAt : undefined,
  ];
  const due = earliest(...times);
  return due === undefined ? undefined : Math.max(0, due - seen.now);
}

import { type BindingSpec, type BindingStatus, type IrsaBinding, MAX_ROLES, type RoleEntry } from '../../api/binding.ts';
import { type Assessment, conditionOf, type StepCondition } from '../../api/condition.ts';
import type { Finding } from '../../api/finding.ts';
import { FINALIZER } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { sidFor } from '../../trust/document/own-statement.ts';
import { claimOf, enforces } from '../authorization/authorize.ts';
import { countsUntil, revokedAtFor } from '../authorization/grant-loss.ts';
import { assessPods } from '../pods/pods-current.ts';
import { earliest } from '../pods/restart/attempt.ts';
import { strayWorkload } from '../pods/stray-workload.ts';
import { annotationsAreOurs, desiredAnnotations, invalidExpiration } from '../service-account/annotations.ts';
import { contended } from '../service-account/contention.ts';
import { mayWriteAt, tempers } from '../state/contention.ts';
import { stuckAt, summarize, type Violation } from '../status/conditions.ts';
import { withinLimits } from '../status/limits.ts';
import { proofEntry } from '../verification/proof.ts';
import { provenAt, verifying } from '../verification/verified.ts';
import { type Scope, STAGES } from './checks.ts';
import { planDeletion } from './deletion.ts';
import { isReleased, type Observed } from './observed.ts';
import { planInWords } from './preview.ts';
import { lookIsDone } from './refresh.ts';
import type { BindingPlan, Step } from './step.ts';

/**
 * What to do for one binding, from what is seen now: the same observation gives the same plan, and a binding in order gives no step.
 * It takes a few rounds from a new binding to a healthy one: each effect comes back as a change that starts the next round.
 */
export function planBinding(seen: Observed): BindingPlan {
  const plan = planWhole(seen);
  const revokedAt = revokedAtFor(seen);
  const { revokedAt: _, ...rest } = plan.status;
  const status = withinLimits({ ...rest, ...(revokedAt === undefined ? {} : { revokedAt }) });
  return { ...plan, status, lookAgainInMs: earliest(plan.lookAgainInMs, timeToForget(seen, status)) };
}

/** What is remembered for a time only is taken out of the status when that is over. */
function timeToForget({ binding, now }: Observed, status: BindingStatus): number | undefined {
  const end = countsUntil({ ...binding, status });
  return end === undefined || end <= now || end === Number.POSITIVE_INFINITY ? undefined : end - now;
}

function planWhole(seen: Observed): BindingPlan {
  const { binding } = seen;
  if (binding.metadata.deleting) return planDeletion(seen);
  const claim = claimOf(binding, seen);
  if (isProblem(binding.spec)) return unreadable(seen, claim.kind === 'refused' ? claim.finding : undefined);
  const acts = enforces(binding) && claim.kind === 'granted';
  const verifies = verifying(seen);
  const scope: Scope = { seen, spec: binding.spec, claim, verifies, pods: assessPods(seen, binding.spec, acts, provenAt(verifies)) };
  const { held, violation: found } = walk(scope);
  // Pods are restarted when every step before them holds.
  const podsInTurn = found === undefined || found.step === 'PodsCurrent';
  // Whoever only looks does not get on with it: somebody else has to.
  const violation = found && !acts && !found.pending ? { ...found, terminal: true } : found;
  const steps = acts ? stepsOf(scope, held, podsInTurn) : [];
  // After a restart nothing was looked at yet: what the last process found stands, and nobody is alarmed.
  if (violation?.pending && assessedBefore(binding, violation)) return { steps, status: binding.status, lookAgainInMs: undefined };
  const lookAgainInMs = lookAgain(scope, held, acts, podsInTurn);
  return { steps, status: statusOf(scope, held, violation, acts, podsInTurn), lookAgainInMs };
}

/** Where no answer comes at all, what was no answer before is told anew, with the reason. */
function assessedBefore({ metadata, status }: IrsaBinding, { step, pending }: Violation): boolean {
  const before = conditionOf(status.conditions, step);
  if (status.observedGeneration !== metadata.generation || before === undefined) return false;
  return pending !== 'failing' || before.status !== 'Unknown';
}

/** Each stage whose checks hold, up to the first that does not. */
function walk(scope: Scope): { held: Held; violation: Violation | undefined } {
  const held: Held = {};
  for (const stage of STAGES) {
    if (stage.when?.(scope) === false) continue;
    for (const check of stage.checks) {
      const violation = check(scope);
      if (violation !== undefined) return { held, violation };
    }
    held[stage.step] = stage.holds(scope);
  }
  return { held, violation: undefined };
}

type Held = Partial<Record<StepCondition, Assessment>>;

function stepsOf({ seen, spec, pods }: Scope, held: Held, podsInTurn: boolean): Step[] {
  const { serviceAccount, binding } = seen;
  // First of all, and alone: nothing is written anywhere before our clean-up is certain.
  if (!binding.metadata.finalizers.includes(FINALIZER)) return [{ do: 'addFinalizer' }];
  const steps: Step[] = [];
  if (held.Trusted !== undefined && serviceAccount !== undefined && annotatesAt(seen, spec) === seen.now) {
    steps.push({ do: 'annotate', annotations: desiredAnnotations(spec, serviceAccount) });
  }
  if (podsInTurn) steps.push(...pods.steps.map((step): Step => ({ do: 'restart', ...step })));
  return steps;
}

/** When the annotations are to be written: in a fierce fight not at once. */
function annotatesAt({ serviceAccount, fight, now }: Observed, spec: BindingSpec): number | undefined {
  return serviceAccount === undefined || annotationsAreOurs(serviceAccount, spec) ? undefined : mayWriteAt(fight, now);
}

function statusOf(scope: Scope, held: Held, violation: Violation | undefined, acts: boolean, podsInTurn: boolean): BindingStatus {
  const { seen, spec, pods, verifies } = scope;
  const { metadata, status } = seen.binding;
  const verdict = seen.verdicts.get(spec.roleArn);
  const stray = podsInTurn ? strayWorkload(seen, spec) : undefined;
  const size = verdict !== undefined && verdict.kind !== 'released' ? verdict.size : undefined;
  const remarks = [
    ...(violation?.findings ?? []),
    ...(stray === undefined ? [] : [stray]),
    ...(held.Annotated === undefined ? [] : pods.remarks),
    ...(verdict?.kind === 'allowed' ? verdict.findings : []),
    ...remarksOnAnnotations(scope, held, violation),
  ];
  const ready = readiness(scope, stray);
  const without = STAGES.filter((stage) => stage.when?.(scope) === false).map(({ step }) => step);
  const verification = verifies.proof && proofEntry(verifies.proof);
  return {
    observedGeneration: metadata.generation,
    conditions: summarize({ held, violation, without, ...ready }, status.conditions, metadata.generation, seen.now),
    ...unlessEmpty('roles', rolesOf(scope, acts)),
    ...(size === undefined ? {} : { trustPolicy: { managedBy: managedBy(scope), ...size, summary: `${size.characters}/${size.quota}` } }),
    pods: pods.counts,
    ...(verification === undefined ? {} : { verification }),
    ...unlessEmpty('restarts', podsInTurn ? pods.records : (status.restarts ?? [])),
    ...unlessEmpty('findings', remarks),
    ...unlessEmpty('plan', acts || scope.claim.kind === 'refused' ? [] : planInWords(scope, held)),
    ...lastHandled(scope, held),
  };
}

/** What is not wrong now, but worth a word. */
function remarksOnAnnotations({ seen, spec }: Scope, held: Held, violation: Violation | undefined): Finding[] {
  const { serviceAccount, fight, now } = seen;
  if (serviceAccount === undefined || held.Trusted === undefined) return [];
  const told = violation?.reason === 'Contended' || tempers(fight, now) === 'calm';
  return [...(told ? [] : [contended(seen, spec, serviceAccount)]), ...invalidExpiration(serviceAccount, spec)];
}

function lastHandled({ seen, spec, claim }: Scope, held: Held): Pick<BindingStatus, 'lastHandledReconcileAt'> {
  const { look, binding } = seen;
  const done = look !== undefined && lookIsDone(seen, look, spec, claim, held.ProviderReady !== undefined);
  const value = done ? look.value : binding.status.lastHandledReconcileAt;
  return value === undefined ? {} : { lastHandledReconcileAt: value };
}

/** A list without entries says nothing to whoever reads a status. */
function unlessEmpty<Name extends string, Entry>(name: Name, list: readonly Entry[]): Partial<Record<Name, Entry[]>> {
  return list.length === 0 ? {} : ({ [name]: [...list] } as Partial<Record<Name, Entry[]>>);
}

function readiness({ seen, spec, pods }: Scope, stray: Finding | undefined): { readyReason: string; readyMessage: string } {
  if (stray !== undefined) return { readyReason: stray.code, readyMessage: stray.message };
  if (spec.suspend) return { readyReason: 'Suspended', readyMessage: 'all is in order; suspended, so it is not kept so' };
  if (seen.serviceAccount === undefined)
    return {
      readyReason: 'AwaitingServiceAccount',
      readyMessage: `trust is in place; ServiceAccount "${spec.serviceAccountName}" does not exist yet`,
    };
  return { readyReason: 'Ready', readyMessage: `role, ServiceAccount and pods agree; ${pods.assessment.message}` };
}

function managedBy({ seen, spec }: Scope): 'Operator' | 'Others' {
  const verdict = seen.verdicts.get(spec.roleArn);
  return verdict?.kind === 'allowed' ? verdict.managedBy : (seen.binding.status.trustPolicy?.managedBy ?? 'Others');
}

/**
 * Every role on which trust of ours may stand. The entry is the intent: the trust controller writes for this binding only where it sees it,
 * so no crash can forget a trust. An entry goes when the release of its role was seen.
 */
function rolesOf({ seen, spec }: Scope, acts: boolean): RoleEntry[] {
  const before = seen.binding.status.roles ?? [];
  const wants = acts && spec.trustPolicy === 'Managed';
  const named = ({ arn, audience }: RoleEntry) => arn === spec.roleArn && audience === spec.audience;
  const standing = before.filter((entry) => (wants && named(entry)) || !isReleased(seen.verdictOn(entry)));
  const { role, cluster } = seen;
  if (!wants || role?.state.kind !== 'present' || cluster.kind === 'unknown') return standing;
  const { audience } = spec;
  const entry = { arn: role.arn, roleId: role.state.roleId, audience, sid: sidFor(cluster.issuer, audience) };
  // The role's owner did not consent: there is nothing to intend.
  const verdict = seen.verdicts.get(spec.roleArn);
  if (verdict?.kind === 'refused' && verdict.finding.code === 'NotGranted') return standing;
  // Without room for the intent nothing is written: a role that waits for its release is not forgotten for a new one.
  return [...standing.filter((other) => !named(other)), entry].slice(0, MAX_ROLES);
}

function unreadable(seen: Observed, found: Finding | undefined): BindingPlan {
  const message = found?.message ?? '';
  const violation: Violation = {
    step: 'Authorized',
    status: 'False',
    reason: 'InvalidSpec',
    message,
    terminal: true,
    findings: found ? [found] : [],
  };
  return {
    steps: [],
    status: {
      ...stuckAt(violation, seen.binding, seen.now),
      // There is nothing that could be looked at.
      ...(seen.look === undefined ? {} : { lastHandledReconcileAt: seen.look.value }),
    },
    lookAgainInMs: undefined,
  };
}

function lookAgain({ seen, spec, pods }: Scope, held: Held, acts: boolean, podsInTurn: boolean): number | undefined {
  const annotates = acts && held.Trusted !== undefined ? annotatesAt(seen, spec) : undefined;
  // What was told may not be so any more: it is over, or it has been done.
  const taken = seen.loss?.dueAt ?? seen.loss?.paused?.until;
  const times = [
    podsInTurn ? pods.lookAgainAt : undefined,
    annotates === seen.now ? undefined : annotates,
    taken !== undefined && taken > seen.now && taken < Number.POSITIVE_INFINITY ? taken : undefined,
  ];
  const due = earliest(...times);
  return due === undefined ? undefined : Math.max(0, due - seen.now);
}

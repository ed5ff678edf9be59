import type { RoleArn } from '../../api/arn.ts';
import { assertNever } from '../../api/assert-never.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { type Fault, isFault } from '../../api/fault.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { isProblem } from '../../api/problem.ts';
import { type Subject, subjectOf } from '../../api/subject.ts';
import { notGranted } from '../../binding/claim.ts';
import { decideEdit, type Edit, type EditDecision } from '../../binding/edit.ts';
import type { RoleStep } from '../../binding/role.ts';
import type { Stance } from '../../binding/stance.ts';
import { type Outcome, recheck, settled } from '../../runtime/controller.ts';
import type { Log } from '../../runtime/log.ts';
import type { World } from '../world.ts';
import type { TrustOptions } from './ports.ts';
import { believed, held, readRole, written } from './role-records.ts';

/** Somebody writes the role now: looked at again after a random part of this, so that two writers do not meet again. */
const CHANGED_WAIT_MS = 2_000;
/** What was refused for a reason that a change outside may mend is tried again at this pace. */
const HOLD_MS = 60_000;
/** What IAM rejected it will reject again until something changes. */
const REJECTED_HOLD_MS = 300_000;

/** Every effect of the trust controller; the record of the role is what comes of each. */
export async function perform(arn: RoleArn, step: RoleStep, options: TrustOptions, log: Log, signal: AbortSignal): Promise<Outcome> {
  const { world, roles, clock } = options;
  switch (step.do) {
    case 'read':
      log.debug({ why: step.why }, 'reads the role');
      await readRole(world.roles, roles, arn, clock, signal);
      // Also what did not change is news: that a write still stands at this age, say.
      return recheck(0, 'the role was read');
    case 'believe':
      believed(world.roles, arn);
      return settled;
    case 'edit':
      return edit(arn, step.edit, options, log, signal);
    default:
      return assertNever(step);
  }
}

async function edit(arn: RoleArn, wanted: Edit, options: TrustOptions, log: Log, signal: AbortSignal): Promise<Outcome> {
  const { world, roles, clock, random, metrics } = options;
  let decision: EditDecision = { kind: 'changed' };
  try {
    const { fresh, written: document } = await roles.edit(
      arn,
      (role) => {
        decision = decideEdit(wanted, role);
        return decision.kind === 'write' ? decision.document : undefined;
      },
      signal,
    );
    if (document !== undefined) {
      written(world.roles, arn, fresh, document, clock.now());
      metrics.wrote('written');
      metrics.repaired();
      tell(arn, wanted, options, log);
    }
  } catch (error) {
    if (!isFault(error)) throw error;
    return refusedByIam(arn, error, options, log);
  }
  return after(arn, decision, options, () => random() * CHANGED_WAIT_MS, signal);
}

async function after(
  arn: RoleArn,
  decision: EditDecision,
  { world, roles, clock }: TrustOptions,
  wait: () => number,
  signal: AbortSignal,
): Promise<Outcome> {
  const until = clock.now() + HOLD_MS;
  switch (decision.kind) {
    case 'changed':
      await readRole(world.roles, roles, arn, clock, signal);
      return recheck(wait(), 'somebody else writes the role now');
    case 'refused':
      held(world.roles, arn, { until, all: decision.finding });
      return settled;
    case 'write':
    case 'nothing':
      if (decision.withheld.length > 0) held(world.roles, arn, { until, some: withheldFindings(world, arn, decision.withheld) });
      return settled;
  }
}

/** The role's owner did not consent: told in the words of a missing grant, so that nobody learns of a role by binding it. */
function withheldFindings(world: World, arn: RoleArn, withheld: readonly Stance[]): Record<string, Finding> {
  const findings: Record<string, Finding> = {};
  for (const binding of world.bindings.byIndex('role', arn)) {
    const subject = subjectOfBinding(binding);
    if (isProblem(binding.spec) || !withheld.some(({ question }) => question.subject === subject)) continue;
    findings[subject ?? ''] = notGranted(binding, binding.spec);
  }
  return findings;
}

function subjectOfBinding({ metadata, spec }: IrsaBinding): Subject | undefined {
  return isProblem(spec) ? undefined : subjectOf(metadata.namespace, spec.serviceAccountName);
}

/** A rejection is a fact about the role, for its bindings to report; what may pass is retried by the queue. */
function refusedByIam(arn: RoleArn, fault: Fault, { world, clock, metrics }: TrustOptions, log: Log): Outcome {
  const found = findingFor(arn, fault);
  if (found === undefined) throw fault;
  log.warn({ err: fault }, 'IAM does not take the trust policy');
  metrics.wrote('rejected');
  held(world.roles, arn, { until: clock.now() + REJECTED_HOLD_MS, all: found });
  return settled;
}

function findingFor(arn: RoleArn, fault: Fault): Finding | undefined {
  if (fault.kind === 'denied')
    return finding('RoleAccessDenied', `irsa-operator may not change the trust policy of "${arn}": ${fault.message}`);
  if (fault.kind !== 'invalid') return undefined;
  switch (fault.code) {
    case 'LimitExceeded':
      return finding('TrustPolicyTooLarge', `IAM says that the trust policy of "${arn}" would be too large: ${fault.message}`);
    case 'UnmodifiableEntity':
      return finding('RoleUnmodifiable', `"${arn}" is a role that only AWS can change: ${fault.message}`);
    default:
      return finding(
        'TrustWriteRejected',
        `IAM validates the whole document and rejects the trust policy of "${arn}", other statements included: ${fault.message}`,
      );
  }
}

/** One Event for each binding whose subject came or went. */
function tell(arn: RoleArn, { wish, stances }: Edit, { world, events }: TrustOptions, log: Log): void {
  log.info(
    { wanted: wish.wanted.map(({ subject }) => subject), released: wish.released.map(({ subject }) => subject) },
    'wrote the trust policy',
  );
  const subjects = new Set<string>([...wish.released.map(({ subject }) => subject), ...stances.map(({ question }) => question.subject)]);
  for (const binding of world.bindings.byIndex('role', arn)) {
    const subject = subjectOfBinding(binding);
    if (subject === undefined || !subjects.has(subject)) continue;
    const note = wish.released.some((one) => one.subject === subject)
      ? `"${subject}" was taken out of the trust policy of ${arn}`
      : `the trust policy of ${arn} was written: it trusts "${subject}"`;
    events.record(binding, { type: 'Normal', reason: 'TrustPolicyWritten', action: 'WriteTrustPolicy', note });
  }
}

import { isDeepStrictEqual } from 'node:util';
import type { RoleArn } from '../../api/arn.ts';
import { assertNever } from '../../api/assert-never.ts';
import { isFault, LEASE_UNCERTAIN } from '../../api/fault.ts';
import { managersOf, trustContended } from '../../domain/role/contention.ts';
import { CHANGED_WAIT_MS, decideEditStepwise, type Edit } from '../../domain/role/edit.ts';
import { planRoleStepwise, type RoleStep } from '../../domain/role/plan.ts';
import { NO_CONTENTION, nextWriteAt, recordRevert } from '../../domain/state/contention.ts';
import type { FreshRole } from '../../ports/roles.ts';
import { type Outcome, recheck, settled } from '../../runtime/controller.ts';
import type { Log } from '../../runtime/log.ts';
import type { Urgency } from '../../runtime/queue.ts';
import { inSlices } from '../../runtime/slices.ts';
import { type Decision, unconfirmed } from './confirm-revocation.ts';
import { recordWritten } from './events.ts';
import { gather } from './gather.ts';
import type { RoleOptions } from './ports.ts';
import { confirmed, conflicted, debounced, fresh, held, readRole, reverted, unanswered, withoutEvidence, written } from './records.ts';
import { refusedByIam } from './refused.ts';

/** A write that was overwritten is followed by one after a random part of this, twice as much each time: 32 clusters on one role need about as much to pass each other. */
const CONFLICT_WAIT_MS = 6_000;
const CONFLICT_WAIT_MOST_MS = 30_000;
/** A list that shows the write wakes the role: this is for one that does not. */
const READ_BACK_RETRY_MS = 3_000;
/** A pause is looked for again at this pace: a person removes the tag by hand. */
const PAUSED_HOLD_MS = 60_000;
/** What uncached reads do not show is asked for again at this pace: the caches catch up, or a person has to help. */
const UNCONFIRMED_WAIT_MS = 60_000;

/** Every effect of the role controller; the record of the role is what comes of each. */
export async function perform(
  arn: RoleArn,
  step: RoleStep,
  options: RoleOptions,
  log: Log,
  signal: AbortSignal,
  urgency: Urgency,
): Promise<Outcome | 'read'> {
  const { owned, roles, clock, random, readBacks } = options;
  switch (step.do) {
    case 'read':
      if (step.readBackDueAt !== undefined && readBacks.leaves(arn, step.readBackDueAt)) return recheck(READ_BACK_RETRY_MS, step.why);
      log.debug({ why: step.why }, 'reading role');
      await readRole(owned.roles, roles, arn, clock, signal, urgency, log);
      return 'read';
    case 'debounce':
      debounced(owned.roles, arn, step.debounce);
      return settled;
    case 'confirm':
      confirmed(owned.roles, arn);
      return settled;
    case 'retryAfterConflict':
      log.info({}, 'write overwritten, retrying after a random wait');
      conflicted(
        owned.roles,
        arn,
        clock.now(),
        step.undone,
        (conflicts) => clock.now() + random() * Math.min(CONFLICT_WAIT_MOST_MS, CONFLICT_WAIT_MS * 2 ** conflicts),
      );
      return settled;
    case 'edit':
      return edit(arn, step.edit, options, log, signal, urgency);
    default:
      return assertNever(step);
  }
}

async function edit(arn: RoleArn, wanted: Edit, options: RoleOptions, log: Log, signal: AbortSignal, urgency: Urgency): Promise<Outcome> {
  const { owned, roles, clock, metrics } = options;
  const decided: { decision: Decision } = { decision: { kind: 'changed' } };
  const asOf = clock.now();
  try {
    const edited = await roles.edit(
      arn,
      async (role) => {
        decided.decision = await decide(arn, wanted, role, options, log, signal);
        return decided.decision.kind === 'write' ? decided.decision.document : undefined;
      },
      signal,
      urgency,
    );
    fresh(owned.roles, arn, edited.fresh, asOf);
    if (edited.written !== undefined) {
      written(owned.roles, arn, edited.written, clock.now());
      metrics.wrote('written');
      metrics.repaired();
      recordWritten(arn, wanted, decided.decision, options, log);
    }
  } catch (error) {
    const { decision } = decided;
    if (decision.kind === 'write' && mayHaveLanded(error)) unanswered(owned.roles, arn, decision.document, clock.now());
    if (!isFault(error)) throw error;
    return refusedByIam(arn, error, decided.decision, options, log);
  }
  return after(arn, decided.decision, options);
}

/** Whether IAM may have taken a write of which nothing came back. */
function mayHaveLanded(error: unknown): boolean {
  return !isFault(error) || (error.kind === 'transient' && error.code !== LEASE_UNCERTAIN);
}

async function decide(arn: RoleArn, wanted: Edit, role: FreshRole, options: RoleOptions, log: Log, signal: AbortSignal): Promise<Decision> {
  const decision = await inSlices(decideEditStepwise(wanted, role), options.clock);
  if (decision.kind !== 'write') return decision;
  if (!(await isStillMeant(arn, wanted, options))) return { kind: 'changed' };
  const without = await unconfirmed(decision, role.tags, options, log, signal);
  if (without !== undefined) return without;
  return (decision.reverted && countRevert(arn, role, options, log)) || decision;
}

/** Turns are waited for up to a minute, and a binding may be suspended, deleted or another meanwhile. */
async function isStillMeant(arn: RoleArn, { desiredStatement }: Edit, { stores, clock, isUnderway }: RoleOptions): Promise<boolean> {
  const { steps } = await inSlices(planRoleStepwise(gather(stores, arn, clock.now(), isUnderway)), clock);
  const step = steps.find((one) => one.do === 'edit');
  const { wanted, released } = step?.edit.desiredStatement ?? {};
  return isDeepStrictEqual([wanted, released], [desiredStatement.wanted, desiredStatement.released]);
}

/** Counts a revert; where another writer keeps reverting, the write waits. */
function countRevert(arn: RoleArn, { tags }: FreshRole, { owned, clock }: RoleOptions, log: Log): Decision | undefined {
  const now = clock.now();
  const state = owned.roles.get(arn)?.state;
  const contention = recordRevert(state?.kind === 'present' ? state.writes.contention : NO_CONTENTION, now, managersOf(tags));
  log.warn({ by: contention.by }, 'trust policy reverted');
  reverted(owned.roles, arn, contention);
  const until = nextWriteAt(contention, now);
  const found = trustContended(arn, contention, now);
  return until > now && found !== undefined ? { kind: 'contended', until, finding: found } : undefined;
}

function after(arn: RoleArn, decision: Decision, { owned, clock, random }: RoleOptions): Outcome {
  const now = clock.now();
  switch (decision.kind) {
    case 'contended':
      held(owned.roles, arn, { since: now, until: decision.until, finding: decision.finding, allowsRevocation: true });
      return settled;
    case 'unconfirmed':
      if (decision.losses.length === 0) return recheck(UNCONFIRMED_WAIT_MS, 'whether trust is to be revoked');
      // The others of the role do not wait for them.
      withoutEvidence(owned.roles, arn, decision.losses, now + UNCONFIRMED_WAIT_MS);
      return recheck(0, 'what else is to be written');
    case 'changed':
      return recheck((0.5 + random()) * CHANGED_WAIT_MS, 'another writer is at the role');
    case 'paused':
      held(owned.roles, arn, { since: now, until: now + PAUSED_HOLD_MS, finding: decision.finding, allowsRevocation: true });
      return settled;
    case 'write':
    case 'nothing':
      return settled;
  }
}

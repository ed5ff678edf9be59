import { isDeepStrictEqual } from 'node:util';
import type { RoleArn } from '../../api/arn.ts';
import { assertNever } from '../../api/assert-never.ts';
import { isFault } from '../../api/fault.ts';
import { managersOf, trustContended } from '../../domain/role/contention.ts';
import { decideEdit, type Edit } from '../../domain/role/edit.ts';
import { planRole, type RoleStep } from '../../domain/role/plan.ts';
import { mayWriteAt, peace, undone } from '../../domain/state/contention.ts';
import { type Outcome, recheck, settled } from '../../runtime/controller.ts';
import type { Log } from '../../runtime/log.ts';
import type { Urgency } from '../../runtime/queue.ts';
import { type Decision, isEvident } from './confirm-revocation.ts';
import { tell } from './events.ts';
import { gather } from './gather.ts';
import type { FreshRole, TrustOptions } from './ports.ts';
import { believed, fought, fresh, gathers, held, lost, readRole, written } from './records.ts';
import { refusedByIam } from './refused.ts';

/** Bindings that are applied together come within moments; more than this nobody should wait for them. */
const GATHER_MS = 2_000;
/** Somebody writes the role now: looked at again after a random part of this, so that two writers do not meet again. */
const CHANGED_WAIT_MS = 2_000;
/** A write that was overwritten is followed by one after a random part of this, twice as much each time: 32 clusters on one role need about as much to pass each other. */
const LOST_WAIT_MS = 6_000;
const LOST_WAIT_MOST_MS = 30_000;
/** A pause is looked for again at this pace: somebody takes the tag away by hand. */
const PAUSED_HOLD_MS = 60_000;
/** What no cache has touched says otherwise than the caches: they catch up within this. */
const NOT_EVIDENT_WAIT_MS = 5_000;

/** Every effect of the trust controller; the record of the role is what comes of each. */
export async function perform(
  arn: RoleArn,
  step: RoleStep,
  options: TrustOptions,
  log: Log,
  signal: AbortSignal,
  urgency: Urgency,
): Promise<Outcome> {
  const { world, roles, clock, random } = options;
  switch (step.do) {
    case 'read':
      log.debug({ why: step.why }, 'reads the role');
      await readRole(world.roles, roles, arn, clock, signal, urgency);
      // Also what did not change is news: that a write still stands at this age, say.
      return recheck(0, 'the role was read');
    case 'gather':
      gathers(world.roles, arn, clock.now() + GATHER_MS);
      return settled;
    case 'believe':
      believed(world.roles, arn);
      return settled;
    case 'lose':
      log.info({}, 'our write to the role was overwritten; writes again after a random wait');
      lost(world.roles, arn, (losses) => clock.now() + random() * Math.min(LOST_WAIT_MOST_MS, LOST_WAIT_MS * 2 ** losses));
      return settled;
    case 'edit':
      return edit(arn, step.edit, options, log, signal, urgency);
    default:
      return assertNever(step);
  }
}

async function edit(arn: RoleArn, wanted: Edit, options: TrustOptions, log: Log, signal: AbortSignal, urgency: Urgency): Promise<Outcome> {
  const { world, roles, clock, metrics } = options;
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
    fresh(world.roles, arn, edited.fresh, asOf);
    if (edited.written !== undefined) {
      written(world.roles, arn, edited.written, clock.now());
      metrics.wrote('written');
      metrics.repaired();
      tell(arn, wanted, decided.decision, options, log);
    }
  } catch (error) {
    if (!isFault(error)) throw error;
    return refusedByIam(arn, error, decided.decision, options, log);
  }
  return after(arn, decided.decision, options);
}

async function decide(
  arn: RoleArn,
  wanted: Edit,
  role: FreshRole,
  options: TrustOptions,
  log: Log,
  signal: AbortSignal,
): Promise<Decision> {
  const decision = decideEdit(wanted, role);
  if (decision.kind !== 'write') return decision;
  if (!isStillMeant(arn, wanted, options)) return { kind: 'changed' };
  if (!(await isEvident(decision, options, log, signal))) return { kind: 'unproven' };
  return (decision.undoing && inFight(arn, role, options, log)) || decision;
}

/** Turns are waited for up to a minute, and a binding may be suspended, deleted or another meanwhile. */
function isStillMeant(arn: RoleArn, { wish }: Edit, { world, clock }: TrustOptions): boolean {
  const step = planRole(gather(world, arn, clock.now())).steps.find((one) => one.do === 'edit');
  const { wanted, released } = step?.edit.wish ?? {};
  return isDeepStrictEqual([wanted, released], [wish.wanted, wish.released]);
}

/** Counts an undoing; in a fierce fight the write waits. */
function inFight(arn: RoleArn, { tags }: FreshRole, { world, clock }: TrustOptions, log: Log): Decision | undefined {
  const now = clock.now();
  const state = world.roles.get(arn)?.state;
  const fight = undone(state?.kind === 'present' ? state.own.fight : peace, now, managersOf(tags));
  log.warn({ by: fight.by }, 'somebody took our statement out of the trust policy');
  fought(world.roles, arn, fight);
  const until = mayWriteAt(fight, now);
  const found = trustContended(arn, fight, now);
  return until > now && found !== undefined ? { kind: 'contended', until, finding: found } : undefined;
}

function after(arn: RoleArn, decision: Decision, { world, clock, random }: TrustOptions): Outcome {
  const now = clock.now();
  switch (decision.kind) {
    case 'contended':
      held(world.roles, arn, { since: now, until: decision.until, finding: decision.finding, revocable: true });
      return settled;
    case 'unproven':
      return recheck(NOT_EVIDENT_WAIT_MS, 'whether trust is to be taken away');
    case 'changed':
      return recheck(random() * CHANGED_WAIT_MS, 'somebody else writes the role now');
    case 'paused':
      held(world.roles, arn, { since: now, until: now + PAUSED_HOLD_MS, finding: decision.finding, revocable: true });
      return settled;
    case 'write':
    case 'nothing':
      return settled;
  }
}

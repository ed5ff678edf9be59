import type { RoleArn } from '../../api/arn.ts';
import { isFault } from '../../api/fault.ts';
import { PAUSED_ROLE_TAG } from '../../api/names.ts';
import { type Hold, NO_WRITES, type OwnWrites, type RoleRecord, type RoleTags } from '../../domain/binding/observed.ts';
import type { PresentState } from '../../domain/role/plan.ts';
import type { Fight } from '../../domain/state/contention.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Urgency } from '../../runtime/queue.ts';
import type { Store } from '../../runtime/store.ts';
import type { FreshRole, Role, Roles } from './ports.ts';

type Records = Store<RoleRecord>;

/** What a page of a list shows. It is ignored where a write of ours is newer, or was not read back yet: lists lag behind. */
export function listed(records: Records, role: Role, asOf: number): void {
  const known = records.get(role.arn);
  if (known !== undefined && (known.asOf >= asOf || (known.state.kind === 'present' && known.state.own.pending !== undefined))) return;
  put(records, role.arn as RoleArn, role, asOf);
}

/** Reads one role and keeps what came of it: also that it is missing, or may not be read. Throws what may pass by itself. */
export async function readRole(
  records: Records,
  roles: Roles,
  arn: RoleArn,
  clock: Clock,
  signal: AbortSignal,
  urgency: Urgency,
): Promise<void> {
  const asOf = clock.now();
  const before = records.get(arn);
  // A sweep reads beside the controller: what was written or read meanwhile is newer than this answer.
  const overtaken = () => {
    const known = records.get(arn);
    return known !== undefined && known !== before && known.asOf > asOf;
  };
  try {
    const role = await roles.read(arn, signal, urgency);
    if (!overtaken()) fresh(records, arn, role, asOf);
  } catch (error) {
    if (!isFault(error, 'notFound') && !isFault(error, 'denied')) throw error;
    if (overtaken()) return;
    if (error.kind === 'notFound') missing(records, arn, asOf);
    else records.put({ arn, asOf, state: { kind: 'unreadable', why: error.message } });
  }
}

/** What a read of the role by itself shows. */
export function fresh(records: Records, arn: RoleArn, role: FreshRole, asOf: number): void {
  // GetRole ignores the path: another role of that name is not the one that was asked for.
  if (role.arn === arn) put(records, arn, role, asOf, role.tags);
  else missing(records, arn, asOf, role.arn);
}

function put(records: Records, arn: RoleArn, { roleId, policy }: Role, asOf: number, tags?: ReadonlyMap<string, string>): void {
  const state = records.get(arn)?.state;
  const known = state?.kind === 'present' && state.roleId === roleId ? state : undefined;
  const hold = known?.policy === policy ? stillHeld(known.hold, tags) : undefined;
  const own = known?.own ?? NO_WRITES;
  records.put({ arn, asOf, state: { kind: 'present', roleId, policy, own, hold, tags: tagsAsOf(known?.tags, tags, asOf) } });
}

/** A pause ends with its tag, which a list does not show. */
function stillHeld(hold: Hold | undefined, tags: ReadonlyMap<string, string> | undefined): Hold | undefined {
  return hold?.revocable && tags !== undefined && tags.get(PAUSED_ROLE_TAG) !== 'true' ? undefined : hold;
}

function tagsAsOf(known: RoleTags | undefined, found: ReadonlyMap<string, string> | undefined, asOf: number): RoleTags | undefined {
  if (found === undefined) return known;
  const same =
    known !== undefined && known.values.size === found.size && [...found].every(([key, value]) => known.values.get(key) === value);
  return { values: found, asOf, since: same ? known.since : asOf };
}

function missing(records: Records, arn: RoleArn, asOf: number, foundAs?: string): void {
  const known = records.get(arn)?.state;
  records.put({ arn, asOf, state: { kind: 'missing', since: known?.kind === 'missing' ? known.since : asOf, foundAs } });
}

/** After our own write: what we sent is what stands, until it was read back. */
export function written(records: Records, arn: RoleArn, policy: string, at: number): void {
  change(records, arn, at, (state) => ({
    ...state,
    policy,
    own: { ...state.own, pending: { at, policy }, gathersUntil: undefined, waitsUntil: undefined },
    hold: undefined,
  }));
}

/** Our write was read back at all its ages. */
export function believed(records: Records, arn: RoleArn): void {
  ownWrites(records, arn, (own, { policy }) => ({ ...own, pending: undefined, losses: 0, believed: policy }));
}

/** Our write was overwritten before it was believed; the next one waits. */
export function lost(records: Records, arn: RoleArn, waitsUntil: (losses: number) => number): void {
  ownWrites(records, arn, (own) => ({ ...own, pending: undefined, losses: own.losses + 1, waitsUntil: waitsUntil(own.losses) }));
}

/** Somebody took out what was believed; counted once for each belief. */
export function fought(records: Records, arn: RoleArn, fight: Fight): void {
  ownWrites(records, arn, (own) => ({ ...own, believed: undefined, fight }));
}

/** The next write waits for more bindings. */
export function gathers(records: Records, arn: RoleArn, until: number): void {
  ownWrites(records, arn, (own) => ({ ...own, gathersUntil: until }));
}

/** Nothing is written to the role for a while, unless it changes. */
export function held(records: Records, arn: RoleArn, hold: Hold): void {
  const known = records.get(arn);
  if (known !== undefined) change(records, arn, known.asOf, (state) => ({ ...state, hold }));
}

function ownWrites(records: Records, arn: RoleArn, next: (own: OwnWrites, state: PresentState) => OwnWrites): void {
  const known = records.get(arn);
  if (known !== undefined) change(records, arn, known.asOf, (state) => ({ ...state, own: next(state.own, state) }));
}

function change(records: Records, arn: RoleArn, asOf: number, next: (state: PresentState) => PresentState): void {
  const known = records.get(arn);
  if (known?.state.kind === 'present') records.put({ arn, asOf, state: next(known.state) });
}

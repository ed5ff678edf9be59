import type { RoleArn } from '../../api/arn.ts';
import { isFault } from '../../api/fault.ts';
import { PAUSED_ROLE_TAG } from '../../api/names.ts';
import { subjectKey } from '../../api/subject.ts';
import { FIRST_READ_BACK_MS } from '../../domain/role/plan.ts';
import type { Contention } from '../../domain/state/contention.ts';
import {
  type Debounce,
  type Hold,
  NO_WRITES,
  type OtherRole,
  type PendingWrite,
  type PresentState,
  pendingIn,
  type RoleRecord,
  type RoleTags,
  type WriteState,
} from '../../domain/state/role-record.ts';
import { countUndone } from '../../domain/state/undone.ts';
import type { FreshRole, Role, Roles } from '../../ports/roles.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Urgency } from '../../runtime/queue.ts';
import type { StatedSubject } from '../../trust/own-subjects.ts';
import { sameDocument } from '../../trust/same-document.ts';
import type { OwnedStores } from '../stores.ts';

type Records = OwnedStores['roles'];

/** What a page of a list shows. It is ignored where something newer is known. Lists lag behind: of a write of ours one proves only that it is there. */
export function listed(records: Records, arn: RoleArn, role: Role, asOf: number): void {
  const known = records.get(arn);
  if (known !== undefined && known.asOf >= asOf) return;
  if (known !== undefined && pendingIn(known) !== undefined && !showsWrite(known, role, asOf)) return;
  put(records, arn, role, asOf);
}

/** Whatever else a list shows, a read of the role by itself decides. */
function showsWrite({ state }: RoleRecord, { roleId, policy }: Role, asOf: number): boolean {
  if (state.kind !== 'present' || state.roleId !== roleId) return false;
  const { pending } = state.writes;
  if (pending === undefined || pending.unanswered === true || asOf - pending.at < FIRST_READ_BACK_MS) return false;
  return sameDocument(policy, pending.policy);
}

/** Reads one role and keeps what came of it: also that it is missing, or may not be read. Throws what may pass by itself. */
export async function readRole(
  records: Records,
  roles: Pick<Roles, 'read'>,
  arn: RoleArn,
  clock: Clock,
  signal: AbortSignal,
  urgency: Urgency,
  log: Log,
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
    if (error.kind === 'notFound') return missing(records, arn, asOf);
    // No status has the words of IAM.
    if (records.get(arn)?.state.kind !== 'unreadable') log.warn({ err: error, role: arn }, 'IAM denied reading the role');
    unreadable(records, arn, asOf, error.told);
  }
}

/** What a read of the role by itself shows. */
export function fresh(records: Records, arn: RoleArn, role: FreshRole, asOf: number): void {
  // GetRole ignores the path: another role of that name is not the one that was asked for.
  if (role.arn === arn) put(records, arn, role, asOf, role.tags);
  else missing(records, arn, asOf, { arn: role.arn, tags: role.tags });
}

function put(records: Records, arn: RoleArn, { roleId, policy }: Role, asOf: number, tags?: ReadonlyMap<string, string>): void {
  const state = records.get(arn)?.state;
  const known = state?.kind === 'present' && state.roleId === roleId ? state : undefined;
  const hold = known?.policy === policy ? stillHeld(known.hold, tags) : undefined;
  const pending = pendingIn(records.get(arn));
  const writes = known?.writes ?? (state?.kind !== 'present' && pending !== undefined ? { ...NO_WRITES, pending } : NO_WRITES);
  records.put({ arn, asOf, state: { kind: 'present', roleId, policy, writes, hold, tags: tagsAsOf(known?.tags, tags, asOf) } });
}

/** A pause ends with its tag, which a list does not show. */
function stillHeld(hold: Hold | undefined, tags: ReadonlyMap<string, string> | undefined): Hold | undefined {
  return hold?.allowsRevocation && tags !== undefined && tags.get(PAUSED_ROLE_TAG) !== 'true' ? undefined : hold;
}

function tagsAsOf(known: RoleTags | undefined, found: ReadonlyMap<string, string> | undefined, asOf: number): RoleTags | undefined {
  if (found === undefined) return known;
  const same =
    known !== undefined && known.values.size === found.size && [...found].every(([key, value]) => known.values.get(key) === value);
  return { values: found, asOf, since: same ? known.since : asOf };
}

function missing(records: Records, arn: RoleArn, asOf: number, foundAs?: OtherRole): void {
  const known = records.get(arn);
  records.put({ arn, asOf, state: { kind: 'missing', since: sinceOf(known, 'missing') ?? asOf, foundAs, ...stillPending(known) } });
}

function unreadable(records: Records, arn: RoleArn, asOf: number, why: string): void {
  const known = records.get(arn);
  records.put({ arn, asOf, state: { kind: 'unreadable', since: sinceOf(known, 'unreadable') ?? asOf, why, ...stillPending(known) } });
}

function stillPending(known: RoleRecord | undefined): { pending?: PendingWrite } {
  const pending = pendingIn(known);
  return pending === undefined ? {} : { pending };
}

function sinceOf(known: RoleRecord | undefined, kind: 'missing' | 'unreadable'): number | undefined {
  return known?.state.kind === kind ? known.state.since : undefined;
}

/** After our own write: what we sent is what stands, until it was read back. */
export function written(records: Records, arn: RoleArn, policy: string, at: number): void {
  change(records, arn, at, (state) => ({
    ...state,
    policy,
    writes: { ...state.writes, pending: { at, policy }, debounce: undefined, retryAt: undefined },
    hold: undefined,
  }));
}

/** A write of ours may have landed: what does not show it is no proof that it did not. */
export function unanswered(records: Records, arn: RoleArn, policy: string, at: number): void {
  changeWrites(records, arn, (writes) => ({ ...writes, pending: { at, policy, unanswered: true } }));
}

/** Our write was read back at all its ages. */
export function confirmed(records: Records, arn: RoleArn): void {
  changeWrites(records, arn, (writes, { policy }) => ({ ...writes, pending: undefined, conflicts: 0, confirmed: policy }));
}

/** Our write was overwritten before it was confirmed; the next one waits. */
export function conflicted(
  records: Records,
  arn: RoleArn,
  now: number,
  undone: readonly StatedSubject[],
  retryAt: (conflicts: number) => number,
): void {
  changeWrites(records, arn, (writes) => ({
    ...writes,
    pending: undefined,
    conflicts: writes.conflicts + 1,
    retryAt: retryAt(writes.conflicts),
    undone: countUndone(writes.undone, undone, now),
  }));
}

/** What was confirmed was taken out; counted once for each confirmation. */
export function reverted(records: Records, arn: RoleArn, contention: Contention): void {
  changeWrites(records, arn, (writes) => ({ ...writes, confirmed: undefined, contention }));
}

/** The next write waits for more bindings. */
export function debounced(records: Records, arn: RoleArn, debounce: Debounce): void {
  changeWrites(records, arn, (writes) => ({ ...writes, debounce }));
}

/** These are not taken out for a while: nothing showed that their grant went. */
export function withoutEvidence(records: Records, arn: RoleArn, subjects: readonly StatedSubject[], until: number): void {
  changeWrites(records, arn, (writes) => ({ ...writes, unconfirmed: new Map(subjects.map((one) => [subjectKey(one), until])) }));
}

/** Nothing is written to the role for a while, unless it changes. */
export function held(records: Records, arn: RoleArn, hold: Hold): void {
  const known = records.get(arn);
  if (known !== undefined) change(records, arn, known.asOf, (state) => ({ ...state, hold }));
}

function changeWrites(records: Records, arn: RoleArn, next: (writes: WriteState, state: PresentState) => WriteState): void {
  const known = records.get(arn);
  if (known !== undefined) change(records, arn, known.asOf, (state) => ({ ...state, writes: next(state.writes, state) }));
}

function change(records: Records, arn: RoleArn, asOf: number, next: (state: PresentState) => PresentState): void {
  const known = records.get(arn);
  if (known?.state.kind === 'present') records.put({ arn, asOf, state: next(known.state) });
}

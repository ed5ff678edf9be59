import type { RoleArn } from '../../api/arn.ts';
import { isFault } from '../../api/fault.ts';
import type { Hold, RoleRecord } from '../../binding/observed.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Store } from '../../runtime/store.ts';
import type { Role, Roles } from './ports.ts';

type Records = Store<RoleRecord>;

/** What a page of a list shows. It is ignored where a write of ours is newer, or was not read back yet: lists lag behind. */
export function listed(records: Records, role: Role, asOf: number): void {
  const known = records.get(role.arn);
  if (known !== undefined && (known.asOf >= asOf || (known.state.kind === 'present' && known.state.writtenAt !== undefined))) return;
  put(records, role.arn as RoleArn, role, asOf);
}

/** Reads one role and keeps what came of it: also that it is missing, or may not be read. Throws what may pass by itself. */
export async function readRole(records: Records, roles: Roles, arn: RoleArn, clock: Clock, signal: AbortSignal): Promise<void> {
  const asOf = clock.now();
  const before = records.get(arn);
  // A sweep reads beside the controller: what was written or read meanwhile is newer than this answer.
  const overtaken = () => {
    const known = records.get(arn);
    return known !== undefined && known !== before && known.asOf > asOf;
  };
  try {
    const role = await roles.read(arn, signal);
    if (overtaken()) return;
    // GetRole ignores the path: another role of that name is not the one that was asked for.
    if (role.arn === arn) put(records, arn, role, asOf);
    else missing(records, arn, asOf, role.arn);
  } catch (error) {
    if (!isFault(error, 'notFound') && !isFault(error, 'denied')) throw error;
    if (overtaken()) return;
    if (error.kind === 'notFound') missing(records, arn, asOf);
    else records.put({ arn, asOf, state: { kind: 'unreadable', why: error.message } });
  }
}

function put(records: Records, arn: RoleArn, { roleId, policy }: Role, asOf: number): void {
  const known = records.get(arn)?.state;
  const same = known?.kind === 'present' && known.roleId === roleId;
  const hold = same && known.policy === policy ? known.hold : undefined;
  const writtenAt = same ? known.writtenAt : undefined;
  records.put({ arn, asOf, state: { kind: 'present', roleId, policy, writtenAt, hold } });
}

function missing(records: Records, arn: RoleArn, asOf: number, foundAs?: string): void {
  const known = records.get(arn)?.state;
  records.put({ arn, asOf, state: { kind: 'missing', since: known?.kind === 'missing' ? known.since : asOf, foundAs } });
}

/** After our own write: what we sent is what stands, until it was read back. */
export function written(records: Records, arn: RoleArn, { roleId }: Role, policy: string, at: number): void {
  records.put({ arn, asOf: at, state: { kind: 'present', roleId, policy, writtenAt: at, hold: undefined } });
}

/** Our write was read back at all its ages. */
export function believed(records: Records, arn: RoleArn): void {
  const known = records.get(arn);
  if (known?.state.kind === 'present') records.put({ ...known, state: { ...known.state, writtenAt: undefined } });
}

/** Nothing is written to the role for a while, unless it changes. */
export function held(records: Records, arn: RoleArn, hold: Hold): void {
  const known = records.get(arn);
  if (known?.state.kind === 'present') records.put({ ...known, state: { ...known.state, hold } });
}

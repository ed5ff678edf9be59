import type { RoleArn } from '../api/arn.ts';
import { Fault, isFault } from '../api/fault.ts';
import { CHANGED_WAIT_MS } from '../domain/role/edit.ts';
import { refusalByIam } from '../domain/role/refused-write.ts';
import type { ClusterName } from '../domain/state/identity.ts';
import type { FreshRole } from '../ports/roles.ts';
import type { TrustPlan } from '../trust/plan.ts';
import { failed, type Row } from './edit-report.ts';
import type { CommandPorts, Signals } from './ports.ts';
import { type Edited, readBack } from './read-back.ts';

/** What is to be done with a role, as a fresh read shows it. */
export interface Decision {
  readonly rows: readonly Row[];
  /** Nothing is written without one. */
  readonly plan: TrustPlan | undefined;
}

export interface Edits {
  readonly roles: Iterable<RoleArn>;
  /** Whose statements are edited. */
  readonly cluster: ClusterName;
  /** Called with a fresh read, right before the write. */
  readonly decide: (role: RoleArn, fresh: FreshRole) => Promise<Decision>;
  /** Otherwise it is only told what would be done. */
  readonly write: boolean;
}

/** Another writer of the role is done by then, or does nothing else. */
const AGREEMENT_ATTEMPTS = 8;

/** One role after the other, one write each, and each write read back. What fails for one role is told and does not stop the others. */
export async function editRoles(edits: Edits, ports: CommandPorts, signals: Signals): Promise<Row[]> {
  const roles = [...edits.roles];
  const edited: Edited[] = [];
  for (const role of roles) {
    edited.push(await editRole(role, edits, ports, signals));
    ports.progress(edited.length, roles.length, 'roles');
  }
  const after = await readBack(
    edited.filter(({ written }) => written),
    edits.cluster,
    ports,
    signals,
  );
  return edited.flatMap(({ role, rows }) => after.get(role) ?? rows);
}

async function editRole(role: RoleArn, { decide, write }: Edits, ports: CommandPorts, signals: Signals): Promise<Edited> {
  const { stop, abort } = signals;
  if (stop.aborted) return { role, rows: [failed(role, 'it was not read: the command was stopped before')] };
  let decision: Decision | undefined;
  /** What keeps from a decision is no answer of IAM to a write, and is told in its own words. */
  const decided = async (fresh: FreshRole) => {
    decision = await decide(role, fresh).catch((error: unknown): Decision => {
      if (abort.aborted || !isFault(error)) throw error;
      return { rows: [failed(role, error.message)], plan: undefined };
    });
    return decision;
  };
  try {
    if (!write) return { role, rows: (await decided(await ports.roles.read(role, abort, 'change'))).rows };
    return { role, ...(await editWhenAgreed(role, decided, ports, signals)) };
  } catch (error) {
    if (abort.aborted) return { role, rows: [failed(role, 'it may or may not be written: the command was stopped. Run it again')] };
    if (!isFault(error)) throw error;
    return { role, rows: [whyNot(role, error, decision?.plan)] };
  }
}

/**
 * Reads of IAM may be seconds old, and go back in time: what somebody has just added, and the newer of two reads shows, must not be dropped by
 * what the older one says. So two have to agree before a write.
 */
async function editWhenAgreed(
  role: RoleArn,
  decide: (fresh: FreshRole) => Promise<Decision>,
  { roles, clock, random }: CommandPorts,
  { stop, abort }: Signals,
): Promise<Pick<Edited, 'rows' | 'written'>> {
  for (let attempt = 0; attempt < AGREEMENT_ATTEMPTS; attempt++) {
    const seen = await roles.read(role, abort, 'change');
    let decision: Decision | undefined;
    const { written } = await roles.edit(
      role,
      async (fresh) => {
        if (fresh.policy !== seen.policy || fresh.roleId !== seen.roleId) return undefined;
        decision = await decide(fresh);
        return decision.plan?.document;
      },
      abort,
      'change',
    );
    if (decision !== undefined) return { rows: decision.rows, written: written !== undefined };
    await clock.sleep(random() * CHANGED_WAIT_MS, stop).catch(() => {});
    if (stop.aborted) throw new Fault('conflict', 'it was not written: the command was stopped before');
  }
  throw new Fault('conflict', `another writer keeps writing the trust policy of "${role}". Run the command again later`);
}

function whyNot(role: RoleArn, fault: Fault, plan: TrustPlan | undefined): Row {
  if (fault.kind === 'notFound') return { result: 'refused', role, message: `IAM has no role "${role}"` };
  // Who runs a command may read what AWS says of their own credentials.
  if (fault.kind === 'denied') return failed(role, fault.message);
  return failed(role, refusalByIam(role, fault, plan)?.message ?? fault.message);
}

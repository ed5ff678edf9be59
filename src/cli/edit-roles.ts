import type { RoleArn } from '../api/arn.ts';
import { Fault, isFault } from '../api/fault.ts';
import { isProblem } from '../api/problem.ts';
import type { FreshRole } from '../controllers/trust/ports.ts';
import { refusalByIam } from '../controllers/trust/refused.ts';
import { type PolicyDocument, parseDocument } from '../trust/document.ts';
import type { TrustPlan, TrustWish } from '../trust/plan.ts';
import { names } from '../trust/standing.ts';
import type { CommandPorts, Signals } from './ports.ts';
import type { Row } from './report.ts';

/** What is to be done with a role, as a fresh read shows it. */
export interface Decision {
  readonly rows: readonly Row[];
  /** Nothing is written without one. */
  readonly plan: TrustPlan | undefined;
}

export interface Edits {
  readonly roles: Iterable<RoleArn>;
  readonly ours: (role: RoleArn) => Pick<TrustWish, 'issuer' | 'provider'>;
  /** Called with a fresh read, right before the write. */
  readonly decide: (role: RoleArn, fresh: FreshRole) => Promise<Decision>;
  /** Otherwise it is only told what would be done. */
  readonly write: boolean;
}

/** An absence is believed when it is read this long after the write: IAM reads may be seconds old (`src/binding/role.ts`). */
const READ_BACK_MS = 8_000;
/** Somebody writes the role now: looked at again after a random part of this, so that two writers do not meet again (`controllers/trust`). */
const CHANGED_WAIT_MS = 2_000;
/** Who writes is done by then, or does nothing else. */
const AGREEMENT_ATTEMPTS = 8;

/** One role after the other, one write each, and each write read back. What fails for one role is told and does not stop the others. */
export async function editRoles(edits: Edits, ports: CommandPorts, signals: Signals): Promise<Row[]> {
  const told: { role: RoleArn; rows: readonly Row[]; written?: string | undefined }[] = [];
  for (const role of edits.roles) told.push(await editRole(role, edits, ports, signals));
  const written = told.filter((one) => one.written !== undefined);
  if (written.length > 0) await ports.clock.sleep(READ_BACK_MS, signals.stop).catch(() => {});
  for (const one of written) one.rows = await readBack(one.role, one.rows, edits, ports, signals);
  return told.flatMap(({ rows }) => rows);
}

async function editRole(role: RoleArn, { decide, write }: Edits, ports: CommandPorts, signals: Signals) {
  const { stop, abort } = signals;
  if (stop.aborted) return { role, rows: [failed(role, 'it was not looked at: the command was stopped before')] };
  let decision: Decision | undefined;
  const decided = async (fresh: FreshRole) => {
    decision = await decide(role, fresh);
    return decision;
  };
  try {
    if (!write) return { role, rows: (await decided(await ports.roles.read(role, abort, 'change'))).rows };
    return { role, ...(await editWhenAgreed(role, decided, ports, signals)) };
  } catch (error) {
    if (abort.aborted) return { role, rows: [failed(role, 'it was given up, written or not: the command was stopped; run it again')] };
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
): Promise<{ rows: readonly Row[]; written: string | undefined }> {
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
    if (decision !== undefined) return { rows: decision.rows, written };
    await clock.sleep(random() * CHANGED_WAIT_MS, stop).catch(() => {});
    if (stop.aborted) throw new Fault('conflict', 'it was not written: the command was stopped before');
  }
  throw new Fault('conflict', `somebody else writes the trust policy of "${role}" now, again and again: run the command again later`);
}

function whyNot(role: RoleArn, fault: Fault, plan: TrustPlan | undefined): Row {
  if (fault.kind === 'notFound') return { result: 'refused', role, message: `IAM has no role "${role}"` };
  return failed(role, refusalByIam(role, fault, plan)?.message ?? fault.message);
}

const failed = (role: RoleArn, message: string): Row => ({ result: 'failed', role, message });

async function readBack(
  role: RoleArn,
  rows: readonly Row[],
  { ours }: Edits,
  { roles }: CommandPorts,
  { stop, abort }: Signals,
): Promise<readonly Row[]> {
  if (stop.aborted) return [...rows, failed(role, 'it was written and not read back: the command was stopped before')];
  try {
    const { policy } = await roles.read(role, abort, 'change');
    const document = parseDocument(policy);
    return rows.map((row) => (isProblem(document) || !holds(row, document, ours(role)) ? { ...row, ...OVERWRITTEN } : row));
  } catch (error) {
    if (!isFault(error)) throw error;
    return [...rows, failed(role, `it was written and could not be read back: ${error.message}`)];
  }
}

const OVERWRITTEN = {
  result: 'overwritten',
  message: 'somebody wrote the role at the same time, and this does not stand: run the command again',
} as const;

/** Of this very subject: others may come and go meanwhile. */
function holds({ result, subject = '', audience = '' }: Row, document: PolicyDocument, ours: ReturnType<Edits['ours']>): boolean {
  const stands = names(document, { subject, audience }, ours);
  if (result === 'added') return stands;
  return result === 'removed' ? !stands : true;
}

import type { RoleArn } from '../api/arn.ts';
import { isFault } from '../api/fault.ts';
import { isProblem } from '../api/problem.ts';
import { LAST_READ_BACK_MS } from '../domain/role/plan.ts';
import { type ClusterName, oursIn } from '../domain/state/identity.ts';
import { admittedByChanged } from '../trust/changed-statement.ts';
import { type PolicyDocument, parseDocument } from '../trust/document/document.ts';
import type { Ours } from '../trust/document/own-statement.ts';
import { namesSubject } from '../trust/own-subjects.ts';
import { failed, type Row } from './edit-report.ts';
import type { CommandPorts, Signals } from './ports.ts';

export interface Edited {
  readonly role: RoleArn;
  readonly rows: readonly Row[];
  readonly written?: boolean;
}

/** Two reads that agree are the least; more while others write the role. */
const MOST_READS = 12;

/**
 * Whether what was written stands. An operator reads again at every sweep, and a command does not: it goes by two reads that agree, for the
 * first may be older than a write of somebody who had read before ours. All roles are waited for together.
 */
export async function readBack(
  written: readonly Edited[],
  cluster: ClusterName,
  ports: CommandPorts,
  signals: Signals,
): Promise<ReadonlyMap<RoleArn, readonly Row[]>> {
  const told = new Map<RoleArn, readonly Row[]>();
  let open: readonly (Edited & { readonly seen?: string })[] = written;
  for (let reads = 1; open.length > 0; reads++) {
    await ports.clock.sleep(LAST_READ_BACK_MS, signals.stop).catch(() => {});
    const left = [];
    for (const one of open) {
      const found = await readOnce(one, cluster, ports, signals, reads === MOST_READS);
      if ('seen' in found) left.push({ ...one, seen: found.seen });
      else told.set(one.role, found.rows);
    }
    open = left;
  }
  return told;
}

async function readOnce(
  { role, rows, seen }: Edited & { readonly seen?: string },
  cluster: ClusterName,
  { roles }: CommandPorts,
  { stop, abort }: Signals,
  last: boolean,
): Promise<{ readonly rows: readonly Row[] } | { readonly seen: string }> {
  if (stop.aborted) return { rows: [...rows, failed(role, 'it was written and not read back: the command was stopped before')] };
  try {
    const { policy } = await roles.read(role, abort, 'change');
    const document = parseDocument(policy);
    const after = rows.map((row) =>
      isProblem(document) || !holds(row, document, oursIn(cluster, role)) ? { ...row, ...OVERWRITTEN } : row,
    );
    if (seen === policy || after.some(({ result }) => result === OVERWRITTEN.result)) return { rows: after };
    if (last) return { rows: [...after, failed(role, 'it is there, but others keep writing the role. Run the command again later')] };
    return { seen: policy };
  } catch (error) {
    if (!isFault(error) && !abort.aborted) throw error;
    const why = isFault(error) ? error.message : 'the command was stopped';
    return { rows: [...rows, failed(role, `it was written and could not be read back: ${why}`)] };
  }
}

const OVERWRITTEN = {
  result: 'overwritten',
  message: 'another writer wrote the role at the same time, and this was overwritten. Run the command again',
} as const;

/** Of this very subject: others may come and go meanwhile. */
function holds({ result, subject = '', audience = '' }: Row, document: PolicyDocument, ours: Ours): boolean {
  const named = { subject, audience };
  const stands = namesSubject(document, named, ours);
  if (result === 'added') return stands;
  return result === 'removed' ? !stands && admittedByChanged(document, named, ours) === false : true;
}

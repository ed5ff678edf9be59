import type { IrsaBinding } from '../../api/binding.ts';
import { isFault } from '../../api/fault.ts';
import { COULD_NOT_LOOK, type ExitCode } from '../command.ts';
import type { Report } from '../report.ts';
import type { BindingPorts } from './ports.ts';
import { isSuspended, type Selection, selectedFrom } from './select.ts';

/** What came of a binding, and what that makes the exit code. */
const EXIT_CODES = {
  requested: 0,
  ready: 0,
  suspended: 0,
  resumed: 0,
  unchanged: 0,
  stalled: 1,
  deleted: 1,
  timedOut: 1,
  failed: COULD_NOT_LOOK,
} as const satisfies Readonly<Record<string, ExitCode>>;

export interface ChangeRow {
  readonly result: keyof typeof EXIT_CODES;
  readonly namespace: string;
  readonly name: string;
  readonly message?: string;
}

export function changeReport(rows: readonly ChangeRow[]): Report<ChangeRow> {
  const counts = [...Map.groupBy(rows, ({ result }) => result)].map(([result, all]) => `${all.length} ${result}`);
  return {
    about: {},
    columns: ['result', 'namespace', 'name', 'message'] satisfies (keyof ChangeRow)[],
    rows,
    summary: counts.length === 0 ? 'no binding is selected' : counts.join(', '),
    exitCode: rows.reduce<ExitCode>((code, { result }) => (EXIT_CODES[result] > code ? EXIT_CODES[result] : code), 0),
  };
}

/** One after the other: a failure of one stops no other. */
export async function inTurn(
  bindings: readonly IrsaBinding[],
  change: (binding: IrsaBinding) => Promise<ChangeRow['result']>,
): Promise<ChangeRow[]> {
  const rows: ChangeRow[] = [];
  for (const binding of bindings) {
    const { namespace, name } = binding.metadata;
    try {
      rows.push({ result: await change(binding), namespace, name });
    } catch (error) {
      if (!isFault(error)) throw error;
      rows.push({ result: 'failed', namespace, name, message: error.message });
    }
  }
  return rows;
}

/** Suspends bindings, or resumes them. Throws `Fault`. */
export async function setSuspended(
  selection: Selection,
  suspend: boolean,
  { bindings }: BindingPorts,
  signal: AbortSignal,
): Promise<Report<ChangeRow>> {
  const found = selectedFrom(selection, await bindings.list(selection, signal));
  const rows = await inTurn(found, async (binding) => {
    if (isSuspended(binding) === suspend) return 'unchanged';
    await bindings.suspend(binding.metadata, suspend, signal);
    return suspend ? 'suspended' : 'resumed';
  });
  return changeReport(rows);
}

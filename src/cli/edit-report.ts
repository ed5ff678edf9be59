import type { Issuer } from '../api/issuer.ts';
import { COULD_NOT_LOOK, type ExitCode } from './command.ts';
import type { Report, Statement } from './report.ts';

/** What came of a subject or of a role, and what that makes the exit code. */
const EXIT_CODES = {
  added: 0,
  removed: 0,
  /** It stands in our statement already. */
  standing: 0,
  /** A foreign statement lets it in. */
  allowed: 0,
  /** No binding asks for it. */
  skipped: 0,
  /** Would be added or removed. */
  planned: 0,
  orphaned: 1,
  /** No grant covers it. */
  ungranted: 1,
  refused: 1,
  /** It was written, and overwritten at the same time. */
  overwritten: 1,
  failed: COULD_NOT_LOOK,
} as const satisfies Readonly<Record<string, ExitCode>>;
export type Result = keyof typeof EXIT_CODES;

export interface Row {
  readonly result: Result;
  /** Nothing where it is about all of them. */
  readonly role?: string;
  readonly subject?: string;
  readonly audience?: string;
  /** Why, or what else there is to know. */
  readonly message?: string;
}

export function failed(role: string, message: string): Row {
  return { result: 'failed', role, message };
}

interface Edited {
  readonly issuer: Issuer;
  readonly rows: readonly Row[];
  readonly statements?: readonly Statement[];
  /** In place of the counts, where there is no row. */
  readonly nothing: string;
  /** What to do next. */
  readonly hint?: string | undefined;
}

/** The report of a command that edits trust policies: `"https://...": 2 added, 1 refused`. */
export function editReport({ issuer, rows, statements, nothing, hint }: Edited): Report<Row> {
  const counts = [...Map.groupBy(rows, ({ result }) => result)].map(([result, all]) => `${all.length} ${result}`);
  const found = counts.length === 0 ? nothing : counts.join(', ');
  return {
    about: { issuer },
    columns: ['result', 'role', 'subject', 'audience', 'message'] satisfies (keyof Row)[],
    rows,
    ...(statements === undefined ? {} : { statements }),
    summary: `"${issuer}": ${found}${hint === undefined ? '' : `; ${hint}`}`,
    exitCode: rows.reduce<ExitCode>((code, { result }) => worse(code, EXIT_CODES[result]), 0),
  };
}

const worse = (a: ExitCode, b: ExitCode): ExitCode => (a > b ? a : b);

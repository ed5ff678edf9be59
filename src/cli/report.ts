import type { Issuer } from '../api/issuer.ts';

/** What came of a subject or of a role, and what that makes the exit code: 0 as it should be, 1 a finding, 2 could not look. */
const EXIT_CODES = {
  added: 0,
  removed: 0,
  /** It stands in our statement already. */
  standing: 0,
  /** A statement of somebody else lets it in. */
  allowed: 0,
  /** Nobody asks for it. */
  skipped: 0,
  /** Would be added or removed. */
  planned: 0,
  orphaned: 1,
  refused: 1,
  /** It was written, and somebody wrote over it at the same time. */
  overwritten: 1,
  failed: 2,
} as const;
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

/** One of ours, as it would stand in the role. */
export interface Statement {
  readonly role: string;
  readonly statement: unknown;
}

/** What a command found and did. */
export interface Report {
  readonly issuer: Issuer;
  readonly rows: readonly Row[];
  /** What would stand in each role. */
  readonly statements?: readonly Statement[];
  /** In place of the counts, where there is no row. */
  readonly nothing: string;
  /** What to do next. */
  readonly hint?: string | undefined;
}

export function exitCodeOf({ rows }: Report): number {
  return rows.reduce((code, { result }) => Math.max(code, EXIT_CODES[result]), 0);
}

/** `"https://...": 2 added, 1 refused`. */
export function summaryOf({ issuer, rows, nothing, hint }: Report): string {
  const counts = [...Map.groupBy(rows, ({ result }) => result)].map(([result, all]) => `${all.length} ${result}`);
  const found = counts.length === 0 ? nothing : counts.join(', ');
  return `"${issuer}": ${found}${hint === undefined ? '' : `; ${hint}`}`;
}

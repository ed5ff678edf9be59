import { isMap, isSeq, LineCounter, parseDocument } from 'yaml';
import { FINDINGS, type FindingCode } from '../../../api/finding.ts';
import { isProblem, type Problem, problem } from '../../../api/problem.ts';
import { nearest } from '../../nearest.ts';
import type { Scope } from './scope.ts';

/** Findings that do not count, for as long as it says. */
export interface IgnoreEntry extends Scope {
  readonly code: FindingCode;
  /** One line. */
  readonly reason: string;
  /** `2026-12-31`: the last day, in UTC. */
  readonly expires: string | undefined;
  /** In its file, counted from 1. */
  readonly line: number;
}

const FIELDS = ['code', 'namespace', 'serviceAccount', 'reason', 'expires'] as const;
type Fields = Partial<Record<(typeof FIELDS)[number], string>>;
/** What is wrong with an entry, and in which of its fields, if it is there. */
type Wrong = Problem & { readonly field?: string };
const wrong = (text: string, field?: string): Wrong => ({ problem: text, ...(field !== undefined && { field }) });

/** The entries of an ignore file, or the first thing that is wrong with it. Pure. */
export function parseIgnoreFile(text: string): readonly IgnoreEntry[] | Problem {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, logLevel: 'error' });
  const lineOf = (node: unknown) => lines.linePos((node as { range?: readonly number[] | null } | null)?.range?.[0] ?? 0).line;
  const [error] = document.errors;
  if (error !== undefined) {
    const why = error.code === 'MULTIPLE_DOCS' ? 'a second document begins here. Wanted is one list' : `not YAML: ${firstLine(error)}`;
    return problem(`line ${lines.linePos(error.pos[0]).line}: ${why}`);
  }
  const { contents } = document;
  // Nothing but comments, once the last entry was removed.
  if (contents === null) return [];
  if (!isSeq(contents)) return problem(`line ${lineOf(contents)}: wanted is a list of entries, each with "code" and "reason"`);
  const values = valuesOf(document);
  if (isProblem(values)) return problem(`line ${lineOf(contents)}: ${values.problem}`);
  const entries: IgnoreEntry[] = [];
  for (const [at, item] of contents.items.entries()) {
    const line = lineOf(item);
    const entry = entryFrom(values[at], line);
    if (isProblem(entry)) {
      const pair = isMap(item) ? item.items.find(({ key }) => String(key) === entry.field) : undefined;
      return problem(`line ${pair === undefined ? line : lineOf(pair.key)}: ${entry.problem}`);
    }
    entries.push(entry);
  }
  return entries;
}

function entryFrom(value: unknown, line: number): IgnoreEntry | Wrong {
  const fields = fieldsOf(value);
  if (isProblem(fields)) return fields;
  const { code, namespace, serviceAccount, reason, expires } = fields;
  if (code === undefined) return wrong('"code" is missing. Write the code of the finding');
  if (!isCode(code)) return wrong(`${quoted(code)} is not the code of a finding.${meant(code, Object.keys(FINDINGS))}`, 'code');
  if (reason === undefined) return wrong(`"reason" is missing. Write why "${code}" is ignored`);
  const star = (['namespace', 'serviceAccount'] as const).find((field) => fields[field]?.includes('*'));
  if (star !== undefined) return wrong(`"${star}" is ${quoted(fields[star])}. For any, leave it out`, star);
  if (expires !== undefined && !isDate(expires))
    return wrong(`"expires" is ${quoted(expires)}, and wanted is a date as "2026-12-31"`, 'expires');
  return { code, namespace, serviceAccount, reason, expires, line };
}

function fieldsOf(value: unknown): Fields | Wrong {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return wrong(`${quoted(value)} is no entry. Wanted are "code" and "reason"`);
  const fields: Fields = {};
  for (const [name, found] of Object.entries(value)) {
    const field = FIELDS.find((one) => one === name);
    if (field === undefined) return wrong(`${quoted(name)} is no field of an entry. Wanted is one of ${FIELDS.join(', ')}`, name);
    // An empty one would mean any, and nobody said so.
    if (typeof found !== 'string' || found.trim() === '') return wrong(`"${field}" is ${quoted(found)}, and wanted is a text`, field);
    fields[field] = found.replaceAll(/\s+/g, ' ').trim();
  }
  return fields;
}

const isCode = (text: string): text is FindingCode => Object.hasOwn(FINDINGS, text);

function meant(text: string, words: readonly string[]): string {
  const near = nearest(text, words);
  return near === undefined ? '' : ` Is "${near}" meant?`;
}

function isDate(text: string): boolean {
  const time = Date.parse(text);
  // `2026-02-30` is read as a day of March.
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

/** Aliases may be many times as large as what they stand for: the library counts them, and throws. */
function valuesOf(document: { toJS(): unknown }): readonly unknown[] | Problem {
  try {
    return document.toJS() as unknown[];
  } catch (error) {
    return problem(`not YAML: ${firstLine(error)}`);
  }
}

/** The library draws the place below its sentence. */
const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/ at line \d+, column \d+:?\n[\s\S]*$/, '');

const LONGEST = 60;
const quoted = (value: unknown): string => `"${(typeof value === 'string' ? value : JSON.stringify(value)).slice(0, LONGEST)}"`;

import { stringify } from 'yaml';
import type { Report } from './report.ts';

export const FORMATS = ['table', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

/** What goes to standard output; nothing where a table would be empty. */
export function render(report: Report, format: Format): string {
  const { about, rows, statements } = report;
  const whole = { ...about, results: rows, ...(statements === undefined ? {} : { statements }) };
  switch (format) {
    case 'json':
      return `${JSON.stringify(whole, undefined, 2)}\n`;
    case 'yaml':
      return stringify(whole);
    case 'table':
      return [
        table(report),
        ...(statements ?? []).map(({ role, statement }) => `\n${role}\n${JSON.stringify(statement, undefined, 2)}\n`),
      ].join('');
  }
}

const GAP = 3;

function table({ columns, rows }: Report): string {
  if (rows.length === 0) return '';
  const cells = rows.map((row) => {
    const members = new Map<string, unknown>(Object.entries(row));
    return columns.map((column) => String(members.get(column) ?? ''));
  });
  const lines = [columns.map((column) => column.toUpperCase()), ...cells];
  const widths = widthsOf(lines);
  return `${lines.map((line) => lineOf(line, widths)).join('\n')}\n`;
}

/** Of the columns of a table. */
export function widthsOf(lines: readonly (readonly string[])[]): number[] {
  return (lines[0] ?? []).map((_, at) => Math.max(...lines.map((line) => plain(line[at] ?? '').length)));
}

export function lineOf(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, at) => plain(cell).padEnd((widths[at] ?? 0) + GAP))
    .join('')
    .trimEnd();
}

/** Names from IAM and from files may hold anything: what is not plain text must not move a cursor, or look like another line. */
export function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The same for a command that people copy: letters of other languages stay, because they are part of a name. */
export function printable(text: string): string {
  return text.replace(/\p{C}|\p{Zl}|\p{Zp}/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

import { stringify } from 'yaml';
import type { Report, Row } from './report.ts';

export const FORMATS = ['table', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

/** What goes to standard output; nothing where a table would be empty. */
export function render({ issuer, rows, statements }: Report, format: Format): string {
  const whole = { issuer, results: rows, ...(statements === undefined ? {} : { statements }) };
  switch (format) {
    case 'json':
      return `${JSON.stringify(whole, undefined, 2)}\n`;
    case 'yaml':
      return stringify(whole);
    case 'table':
      return [
        table(rows),
        ...(statements ?? []).map(({ role, statement }) => `\n${role}\n${JSON.stringify(statement, undefined, 2)}\n`),
      ].join('');
  }
}

const COLUMNS = ['RESULT', 'ROLE', 'SUBJECT', 'AUDIENCE', 'MESSAGE'];
const GAP = 3;

function table(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const cells = rows.map(({ result, role = '', subject = '', audience = '', message = '' }) =>
    [result, role, subject, audience, message].map(plain),
  );
  const widths = COLUMNS.map((column, at) => Math.max(column.length, ...cells.map((line) => line[at]?.length ?? 0)));
  const lines = [COLUMNS, ...cells].map((line) =>
    line
      .map((cell, at) => cell.padEnd((widths[at] ?? 0) + GAP))
      .join('')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/** Names from IAM and from files may hold anything: what is not plain text must not move somebody's cursor, or look like another line. */
export function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

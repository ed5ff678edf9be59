import { FINDINGS } from '../../api/finding.ts';
import { plain } from '../output.ts';
import { coloured, hanging, type Style } from '../style.ts';
import type { Found, Scan } from './scan.ts';

const INDENT = 2;
const BOLD = '1';

/** What was found in a log, and what may be behind it, for a person. */
export function scanInText({ lines, found, leftOut }: Scan, style: Style): string {
  if (found.length === 0) return `No sentence of AWS in ${count(lines, 'line')}.\n`;
  const parts = found.map((one) => [...head(one, style), ...body(one, style), ''].join('\n'));
  const more = leftOut === 0 ? [] : [`${count(leftOut, 'line')} more with other sentences.\n`];
  return [...parts, ...more].join('\n');
}

function head({ text, times, first, last }: Found, style: Style): string[] {
  const where = times === 1 ? `line ${first.line}` : `${times} times, line ${first.line} to ${last.line}`;
  const between = [...new Set([first.time, last.time])].filter((time) => time !== undefined).join(' to ');
  const indent = ''.padEnd(INDENT);
  return [coloured(plain(text), BOLD, style), `${indent}${where}${between === '' ? '' : `, ${between}`}`];
}

function body({ sentence: { means, candidates } }: Found, { width }: Style): string[] {
  const indent = ''.padEnd(INDENT);
  return [
    ...hanging(indent, INDENT, means, width),
    ...candidates.flatMap(({ codes, tells }) => [
      ...hanging(indent, INDENT, codes.join(', '), width),
      ...hanging(indent.repeat(2), INDENT * 2, tells, width),
    ]),
  ];
}

const count = (number: number, what: string): string => `${number} ${number === 1 ? what : `${what}s`}`;

/** The same for programs. */
export function scanInData({ lines, found, leftOut }: Scan): object {
  return {
    lines,
    leftOut,
    sentences: found.map(({ text, times, first, last, sentence: { means, candidates } }) => ({
      text,
      times,
      first,
      last,
      means,
      candidates: candidates.flatMap(({ codes, tells }) => codes.map((code) => ({ code, severity: FINDINGS[code], tells }))),
    })),
  };
}

import { createReadStream } from 'node:fs';
import { FINDINGS, type FindingCode } from '../../api/finding.ts';
import { isProblem, type Problem, problem } from '../../api/problem.ts';
import { type Call, COULD_NOT_LOOK } from '../command.ts';
import { nearest } from '../nearest.ts';
import { coloured, hanging, type Style, styleOf } from '../style.ts';
import { unreadable } from '../text-file.ts';
import { EXPLAIN_OUTPUTS } from './flags.ts';
import { scanInData, scanInText } from './log-report.ts';
import { pageInText, withoutMarks } from './page.ts';
import { findingPages, indexOf } from './pages.ts';
import { scanLog } from './scan.ts';

type Output = (typeof EXPLAIN_OUTPUTS)[number];

/** The pages of the findings, and what is behind the sentences of a log. Asks neither a cluster nor AWS. Never throws. */
export async function explain({ name, given, operands, misused }: Call): Promise<number> {
  const output = EXPLAIN_OUTPUTS.find((one) => one === given['output']);
  if (output === undefined) return misused(`--output: "${given['output']}" is none of ${EXPLAIN_OUTPUTS.join(', ')}`);
  const log = given['from-log'];
  const style = styleOf(process.stdout, process.env, given);
  if (isProblem(style)) return misused(style.problem);
  if (typeof log === 'string') {
    if (operands.length > 0) return misused(`"${operands.join(' ')}" and --from-log: give one of the two`);
    if (output === 'markdown') return misused('--from-log is written as table or json');
    try {
      const scan = await scanLog(log === '-' ? process.stdin : createReadStream(log));
      process.stdout.write(output === 'json' ? json(scanInData(scan)) : scanInText(scan, style));
      return 0;
    } catch (error) {
      process.stderr.write(`irsa-operator ${name}: ${unreadable(log, error).message}\n`);
      return COULD_NOT_LOOK;
    }
  }
  const text = explained(operands, output, style);
  if (isProblem(text)) return misused(text.problem);
  process.stdout.write(text);
  return 0;
}

function explained(operands: readonly string[], output: Output, style: Style): string | Problem {
  const [word, ...others] = operands;
  if (others.length > 0) return problem(`"${operands.join(' ')}": wanted is one code of a finding`);
  const pages = findingPages();
  if (word === undefined) return output === 'markdown' ? (pages['README'] ?? '') : index(pages, output, style);
  const code = codeOf(word);
  if (code === undefined) return problem(unknown(word));
  const page = pages[code] ?? '';
  if (output === 'markdown') return page;
  return output === 'json' ? json({ code, severity: FINDINGS[code], page }) : pageInText(page, style);
}

const CODES = Object.keys(FINDINGS) as FindingCode[];

/** Nobody has to remember capitals. */
const codeOf = (word: string): FindingCode | undefined => CODES.find((code) => code.toLowerCase() === word.toLowerCase());

function unknown(word: string): string {
  const meant = nearest(word, CODES);
  return `"${word}" is no code of a finding. ${meant === undefined ? 'Without a code, explain lists all of them' : `Is ${meant} meant?`}`;
}

const CODE_WIDTH = 34;
const BOLD = '1';

function index(pages: Readonly<Record<string, string>>, output: Output, style: Style): string {
  const groups = indexOf(pages);
  if (output === 'json') return json(groups.flatMap(({ title, rows }) => rows.map((row) => ({ ...row, group: title }))));
  const lines = groups.flatMap(({ title, rows }) => [
    coloured(title, BOLD, style),
    ...rows.flatMap(({ code, what }) => hanging(`  ${code.padEnd(CODE_WIDTH)}`, CODE_WIDTH + 2, withoutMarks(what), style.width)),
    '',
  ]);
  return lines.join('\n');
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

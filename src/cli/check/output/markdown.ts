import { cut } from '../../../api/cut.ts';
import { exitCodeOf } from '../../../domain/check/judge.ts';
import { printable } from '../../output.ts';
import type { Style } from '../../style.ts';
import type { CheckReport } from '../check.ts';
import { type Checked, fixBlocks, headline, problemLines } from '../text.ts';
import { placeOf, placeText } from './results.ts';

/** GitHub refuses the summary of a step that is larger than a mebibyte, whole. */
const MOST_CHARACTERS = 1_000_000;
const STYLE: Style = { width: 100, colour: false };

/** For `$GITHUB_STEP_SUMMARY`, or the comment of a pull request: all in a table, and what is wrong below it. */
export function markdown({ checked, failOn }: CheckReport): string {
  if (checked.length === 0) return 'No ServiceAccount has the annotation of a role.\n';
  const wrong = checked.filter((one) => exitCodeOf(one.check, failOn) !== 0);
  const head = `**irsa-operator check**: ${wrong.length === 0 ? 'nothing is wrong' : `not right: ${wrong.length}`}, ServiceAccounts: ${checked.length}`;
  const table = ['| State | ServiceAccount | Finding | Place |\n| --- | --- | --- | --- |\n', ...checked.map(tableRow)];
  return fitting([`${head}\n\n`, ...table, ...wrong.map(details)]);
}

/** Whole parts, as many as there is room for: one that is too long keeps no shorter one out. */
function fitting(parts: readonly string[]): string {
  let room = MOST_CHARACTERS;
  const kept = parts.filter(({ length }) => {
    const fits = length <= room;
    if (fits) room -= length;
    return fits;
  });
  const left = parts.length - kept.length;
  return left === 0 ? kept.join('') : `${kept.join('')}\nToo long for this page: ${left}. \`-o json\` has all.\n`;
}

const STATES = { ok: 'ok', fail: '**FAIL**', unread: 'not read', skipped: 'skipped', accepted: 'accepted' } as const;

function tableRow(one: Checked): string {
  const { state, what } = headline(one.check);
  const step = one.check.steps.find((found) => found.state === state && state !== 'ok');
  const place = placeText(placeOf(one, step?.name));
  return `| ${STATES[state]} | ${code(nameOf(one))} | ${what} | ${place === '' ? '' : code(place)} |\n`;
}

function details(one: Checked): string {
  return [
    '',
    `### ${code(nameOf(one))}`,
    '',
    ...fenced('text', problemLines(one, STYLE)),
    ...fixBlocks(one.fixes).flatMap(({ title, language, lines }) => ['', title, '', ...fenced(language, lines)]),
    '',
  ].join('\n');
}

const nameOf = ({ namespace, name }: Checked): string => `${namespace}/${name}`;

/** Of a name: Kubernetes allows 63 characters of a namespace, and 253 of a ServiceAccount. */
const LONGEST_NAME = 320;
/** What others wrote, as they wrote it: no mark, no link, no mention of a person. The two characters that would end it are shown by their codes. */
const code = (text: string): string =>
  `\`${printable(cut(text, LONGEST_NAME)).replace(/[`|]/g, (mark) => (mark === '|' ? '\\u007c' : '\\u0060'))}\``;

/** No line of it has a fence as long as its own. */
function fenced(language: string, lines: readonly string[]): string[] {
  const longest = lines.flatMap((line) => line.match(/`+/g) ?? []).reduce((most, { length }) => Math.max(most, length), 2);
  const fence = '`'.repeat(longest + 1);
  return [`${fence}${language}`, ...lines, fence];
}

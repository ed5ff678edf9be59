import type { Finding } from '../../api/finding.ts';
import type { Fixes } from '../../domain/check/fixes.ts';
import type { Check, CheckStep, StepName } from '../../domain/check/judge.ts';
import type { AwsSentence } from '../../domain/check/log.ts';
import { plain } from '../output.ts';

/** How a check is written for a person. */
export interface Style {
  readonly width: number;
  readonly colour: boolean;
}

/** In a file that was read: counted from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One ServiceAccount, checked. */
export interface Checked {
  readonly namespace: string;
  readonly name: string;
  readonly check: Check;
  readonly fixes: Fixes;
  readonly log: AwsSentence | undefined;
  /** Where that stands which a step judges; none of what a cluster said. */
  readonly places: Partial<Readonly<Record<StepName, Place>>>;
}

const STATE_WIDTH = 6;
const NAME_WIDTH = 16;
const MARKS: Readonly<Record<CheckStep['state'], string>> = { ok: 'ok', fail: 'FAIL', unread: '?', skipped: '-' };
const COLOURS: Readonly<Record<CheckStep['state'], string>> = { ok: '32', fail: '31', unread: '33', skipped: '2' };

/** The whole page of one ServiceAccount, without the last line. */
export function page({ check, fixes, log, places }: Checked, style: Style): string {
  const lines = check.steps.flatMap((step) => stepLines(step, places[step.name], style));
  if (log !== undefined) {
    const head = `${''.padEnd(STATE_WIDTH)}${`log ${timeOf(log.at)}`.padEnd(NAME_WIDTH)}`;
    lines.push(...hanging(head, STATE_WIDTH + NAME_WIDTH, plain(log.text), style.width));
  }
  for (const note of check.notes) lines.push(...noteLines(note, style));
  return [...lines, '', ...conclusion(check, style), ...fixLines(fixes, style)].join('\n');
}

/** One line for each of many. */
export function row({ namespace, name, check, places }: Checked, style: Style): string {
  const failing = check.steps.find(({ state }) => state === 'fail') ?? check.steps.find(({ state }) => state === 'unread');
  const state = failing?.state ?? 'ok';
  const [first] = failing?.findings ?? [];
  const notes = check.notes.length === 0 ? '' : `  note ${check.notes.map(({ code }) => code).join(', ')}`;
  const what = failing === undefined ? notes : `  ${first?.code ?? failing.name}${inBrackets(places[failing.name])}`;
  return `${mark(state, style)}${plain(`${namespace}/${name}`)}${what}`;
}

/** `(FILE:LINE)`, as editors open it. */
const inBrackets = (place: Place | undefined): string => (place === undefined ? '' : `  (${plain(place.file)}:${place.line})`);

function stepLines({ name, state, text, findings }: CheckStep, place: Place | undefined, style: Style): string[] {
  const [first] = findings;
  const head = `${mark(state, style)}${name.padEnd(NAME_WIDTH)}`;
  if (state !== 'fail' || first === undefined) return hanging(head, STATE_WIDTH + NAME_WIDTH, plain(text), style.width);
  // Of many pods with one cause the first is enough.
  const causes = [...Map.groupBy(findings, ({ code }) => code)];
  return [
    `${head}${first.code}${inBrackets(place)}`,
    ...causes.flatMap(([code, [one, ...others]], at) => {
      const title = at === 0 ? [] : [`${''.padEnd(STATE_WIDTH + 2)}${code}`];
      const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
      const indent = STATE_WIDTH + 2;
      return [...title, ...hanging(''.padEnd(indent), indent, plain(`${one?.message ?? ''}${more}`), style.width)];
    }),
  ];
}

function noteLines({ code, message }: Finding, { width }: Style): string[] {
  return hanging(`${'note'.padEnd(STATE_WIDTH)}${code}: `, STATE_WIDTH + 2, plain(message), width);
}

function conclusion({ steps }: Check, { width }: Style): string[] {
  const failing = steps.filter(({ state }) => state === 'fail');
  const open = steps.filter(({ state }) => state === 'unread');
  const and = (names: readonly CheckStep[]) => names.map(({ name }) => name).join(', ');
  if (failing.length > 0) {
    const rest =
      open.length > 0 ? `Not checked: ${and(open)}.` : steps.every(({ state }) => state !== 'skipped') ? 'Nothing else is wrong.' : '';
    return rest === '' ? [] : hanging('', 0, rest, width).concat('');
  }
  const rest = steps.some(({ state }) => state === 'ok') ? ' The rest is right.' : '';
  if (open.length > 0) return [...hanging('', 0, `Not known: ${and(open)}.${rest}`, width), ''];
  const outside = steps.filter(({ state }) => state === 'skipped');
  if (outside.length > 0) return [...hanging('', 0, `Nothing is wrong in these files. They do not show: ${and(outside)}.`, width), ''];
  const [trust, pods] = [steps.find(({ name }) => name === 'Trust policy'), steps.find(({ name }) => name === 'Pods')];
  return [...hanging('', 0, `IRSA works: ${plain(trust?.text ?? '')}. ${capital(plain(pods?.text ?? ''))}.`, width), ''];
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Commands are never broken: people copy them. */
function fixLines({ kubectl, aws, terraform, restarts }: Fixes, { width }: Style): string[] {
  const block = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [...hanging('', 0, title, width), ...lines.map((line) => `  ${line}`), ''];
  return [
    ...block('Fix with kubectl:', kubectl),
    ...block('Fix with AWS:', aws),
    ...block('Or in Terraform, one more statement in the aws_iam_policy_document of the role:', terraform),
    ...block('Then restart the pods:', restarts),
    ...(restarts.length === 0 && aws.length > 0
      ? [...hanging('', 0, 'No restart is needed where the pods have the role already: the SDK asks again.', width), '']
      : []),
  ];
}

function mark(state: CheckStep['state'], { colour }: Style): string {
  const text = MARKS[state].padEnd(STATE_WIDTH);
  return colour ? `\u001b[${COLOURS[state]}m${text}\u001b[0m` : text;
}

/** Words after a head, with the lines that follow indented. A word that is longer than a line is left whole: people copy it. */
function hanging(head: string, indent: number, text: string, width: number): string[] {
  const lines: string[] = [];
  let line = head;
  let empty = true;
  for (const word of text.split(' ')) {
    if (!empty && visible(line) + 1 + word.length > width) {
      lines.push(line);
      line = ''.padEnd(indent);
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are such
const COLOUR = /\u001b\[\d+m/g;
const visible = (line: string): number => line.replace(COLOUR, '').length;

const timeOf = (at: string | undefined): string => (at === undefined ? '' : at.slice('2026-01-01T'.length, '2026-01-01T00:00'.length));

import type { Fixes } from '../../domain/check/fixes.ts';
import type { Accepted, Check, CheckFinding, CheckStep, StepName } from '../../domain/check/judge.ts';
import type { AwsSentence } from '../../domain/check/log.ts';
import { plain, printable } from '../output.ts';
import { coloured, hanging, type Style } from '../style.ts';

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
const MARKS: Readonly<Record<CheckStep['state'], string>> = { ok: 'ok', fail: 'FAIL', unread: '?', skipped: '-', accepted: '(ok)' };
const COLOURS: Readonly<Record<CheckStep['state'], string>> = { ok: '32', fail: '31', unread: '33', skipped: '2', accepted: '32' };

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
  const { state, what, step } = headline(check);
  const where = step === undefined ? '' : inBrackets(places[step]);
  return `${mark(state, style)}${plain(`${namespace}/${name}`)}${what === '' ? '' : `  ${what}`}${where}`;
}

/** The state of the whole, and what it comes of: the first finding, else the step that was not read, else what is worth a word. */
export function headline(check: Check): { readonly state: CheckStep['state']; readonly what: string; readonly step?: StepName } {
  const inState = (state: CheckStep['state']) => check.steps.find((step) => step.state === state);
  const failing = inState('fail') ?? inState('unread');
  if (failing !== undefined) return { state: failing.state, what: failing.findings[0]?.code ?? failing.name, step: failing.name };
  const all = [...check.steps.flatMap(({ findings }) => findings), ...check.notes];
  const codes = (title: string, by: Accepted['by'] | undefined) => {
    const found = new Set(all.filter(({ accepted }) => accepted?.by === by).map(({ code }) => code));
    return found.size === 0 ? [] : [`${title} ${[...found].join(', ')}`];
  };
  const what = [...codes('note', undefined), ...codes('ignored', 'ignore'), ...codes('known', 'baseline')];
  return { state: inState('accepted')?.state ?? 'ok', what: what.join('  ') };
}

/** What is not right, without the rest of the page. */
export function problemLines({ check, places }: Checked, style: Style): string[] {
  const steps = check.steps.filter(({ state }) => state === 'fail' || state === 'unread' || state === 'accepted');
  return [...steps.flatMap((step) => stepLines(step, places[step.name], style)), ...check.notes.flatMap((note) => noteLines(note, style))];
}

/** `(FILE:LINE)`, as editors open it. */
const inBrackets = (place: Place | undefined): string => (place === undefined ? '' : `  (${plain(place.file)}:${place.line})`);

function stepLines({ name, state, text, findings }: CheckStep, place: Place | undefined, style: Style): string[] {
  const [first] = findings;
  const head = `${mark(state, style)}${name.padEnd(NAME_WIDTH)}`;
  if (first === undefined) return hanging(head, STATE_WIDTH + NAME_WIDTH, plain(text), style.width);
  const indent = ''.padEnd(STATE_WIDTH + 2);
  return [
    `${head}${first.code}${inBrackets(place)}`,
    ...causesOf(findings).flatMap(({ code, message, accepted }, at) => [
      ...(at === 0 ? [] : [`${indent}${code}`]),
      ...hanging(indent, indent.length, plain(message), style.width),
      ...(accepted === undefined ? [] : hanging(indent, indent.length, plain(acceptance(accepted)), style.width)),
    ]),
  ];
}

/** One for each code. Of many pods with one cause the first is enough. */
export function causesOf(findings: readonly CheckFinding[]): CheckFinding[] {
  return [...Map.groupBy(findings, ({ code }) => code).values()].flatMap(([one, ...others]) => {
    if (one === undefined) return [];
    return others.length === 0 ? one : { ...one, message: `${one.message} (and ${others.length} more)` };
  });
}

/** Why it does not count. */
export const acceptance = (accepted: Accepted): string =>
  accepted.by === 'ignore' ? `ignored: ${accepted.reason}` : 'known: it is in the baseline';

function noteLines({ code, message, accepted }: CheckFinding, { width }: Style): string[] {
  const why = accepted === undefined ? '' : ` (${acceptance(accepted)})`;
  return hanging(`${'note'.padEnd(STATE_WIDTH)}${code}: `, STATE_WIDTH + 2, plain(`${message}${why}`), width);
}

function conclusion({ steps }: Check, { width }: Style): string[] {
  const inState = (wanted: CheckStep['state']) => steps.filter(({ state }) => state === wanted);
  const names = (found: readonly CheckStep[]) => found.map(({ name }) => name).join(', ');
  const named = (title: string, found: readonly CheckStep[]) => (found.length === 0 ? [] : [`${title}: ${names(found)}.`]);
  const said = (...texts: readonly string[]) => (texts.length === 0 ? [] : [...hanging('', 0, texts.join(' '), width), '']);
  const fails = inState('fail').length > 0;
  const rest = [...named(fails ? 'Not checked' : 'Not known', inState('unread')), ...named('Accepted', inState('accepted'))];
  const outside = inState('skipped');
  if (fails) return said(...rest, ...(outside.length === 0 && rest.length === 0 ? ['Nothing else is wrong.'] : []));
  const isRight = inState('ok').length > 0;
  if (rest.length > 0) return said(...rest, ...(outside.length === 0 && isRight ? ['The rest is right.'] : []));
  if (outside.length > 0) return said(`Nothing is wrong in these files. They do not show: ${names(outside)}.`);
  const [trust, pods] = [steps.find(({ name }) => name === 'Trust policy'), steps.find(({ name }) => name === 'Pods')];
  return said(`IRSA works: ${plain(trust?.text ?? '')}. ${capital(plain(pods?.text ?? ''))}.`);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

interface Block {
  readonly title: string;
  readonly language: 'sh' | 'hcl';
  readonly lines: readonly string[];
}

/** What a person copies, in its order. */
export function fixBlocks({ kubectl, aws, terraform, restarts }: Fixes): Block[] {
  const terraformTitle = 'Or in Terraform, one more statement in the aws_iam_policy_document of the role:';
  const blocks: Block[] = [
    { title: 'Fix with kubectl:', language: 'sh', lines: kubectl },
    { title: 'Fix with AWS:', language: 'sh', lines: aws },
    { title: terraformTitle, language: 'hcl', lines: terraform },
    { title: 'Then restart the pods:', language: 'sh', lines: restarts },
  ];
  return blocks.filter(({ lines }) => lines.length > 0).map((block) => ({ ...block, lines: block.lines.map(printable) }));
}

/** Commands are never broken: people copy them. */
function fixLines(fixes: Fixes, { width }: Style): string[] {
  const noRestart = fixes.restarts.length === 0 && fixes.aws.length > 0;
  return [
    ...fixBlocks(fixes).flatMap(({ title, lines }) => [...hanging('', 0, title, width), ...lines.map((line) => `  ${line}`), '']),
    ...(noRestart ? [...hanging('', 0, 'No restart is needed where the pods have the role already: the SDK asks again.', width), ''] : []),
  ];
}

const mark = (state: CheckStep['state'], style: Style): string => coloured(MARKS[state].padEnd(STATE_WIDTH), COLOURS[state], style);

const timeOf = (at: string | undefined): string => (at === undefined ? '' : at.slice('2026-01-01T'.length, '2026-01-01T00:00'.length));

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import type { Row } from './bars.ts';
import type { Size } from './fleet.ts';

/** A run as it was. */
export interface Result {
  readonly size: Size;
  readonly commit: string;
  readonly date: string;
  readonly machine: string;
  /** Processes that wanted to run, at the begin and at the end: other work on the machine is in the figures. */
  readonly load: readonly [number, number];
  readonly rows: readonly Row[];
}

/** By the number of bindings: the last run, and the one that it is compared with, which is there until a person copies another one over it. */
type Results = Record<string, { readonly before: Result; readonly now: Result }>;

const RESULTS = 'test/bench/bars/results.json';
const PAGE = 'docs/benchmarks.md';
const MARKS = ['<!-- make bench writes from here -->', '<!-- to here -->'] as const;

export function surroundings(): Pick<Result, 'commit' | 'date' | 'machine'> {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', 'src') === '' ? '' : ' with changes';
  const [{ model } = { model: 'unknown' }] = cpus();
  return {
    commit: `${git('rev-parse', '--short', 'HEAD')}${changed}`,
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} cores (${model}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`,
  };
}

export const load = (): number => Number(loadavg()[0]?.toFixed(1));

/** Keeps the run beside the one before, and writes the page. */
export function keep(now: Result): void {
  const results = JSON.parse(readFileSync(RESULTS, 'utf8')) as Results;
  const name = `${now.size.bindings}`;
  const all = { ...results, [name]: { before: results[name]?.before ?? now, now } };
  writeFileSync(RESULTS, `${JSON.stringify(all, null, 2)}\n`);
  const [before, after] = readFileSync(PAGE, 'utf8').split(new RegExp(`(?<=${MARKS[0]}\n)[^]*(?=${MARKS[1]})`));
  if (after === undefined) throw new Error(`${PAGE} has no "${MARKS.join('" and "')}"`);
  const sections = Object.values(all)
    .toSorted((a, b) => a.now.size.bindings - b.now.size.bindings)
    .map(section);
  writeFileSync(PAGE, [before, ...sections, after].join('\n'));
}

function section({ before, now }: Results[string]): string {
  const { bindings, roles, pods } = now.size;
  const known = new Map(before.rows.map((row) => [row.what, row]));
  const lines = now.rows.map(({ what, wanted, measured, ratio = '', holds }) => {
    const cells = [what, wanted, `${measured}${missed(holds)}`, ratio, known.get(what)?.measured ?? ''];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    `## ${number(bindings)} bindings, ${number(roles)} roles, ${number(roles)} grants, ${number(pods)} pods`,
    '',
    `Measured: ${about(now)}. Before: ${about(before)}.`,
    '',
    '| Bar | Wanted | Measured | Ratio | Before |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n');
}

const missed = (holds: boolean | undefined): string => (holds === false ? ' (**missed**)' : '');
const about = ({ commit, date, machine, load: [from, to] }: Result): string => `\`${commit}\`, ${date}, ${machine}, load ${from} to ${to}`;
const number = (value: number): string => value.toLocaleString('en');

/** For a terminal. */
export function inLines({ rows }: Result): string {
  const marks = (holds: boolean | undefined) => (holds === undefined ? '      ' : holds ? 'ok    ' : 'MISSED');
  return rows
    .map(({ what, wanted, measured, ratio, holds }) =>
      [marks(holds), what.padEnd(64), measured, ratio === undefined ? '' : `ratio ${ratio}`, wanted && `(${wanted})`]
        .filter(Boolean)
        .join(' '),
    )
    .join('\n');
}

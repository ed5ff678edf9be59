import { plain } from '../../output.ts';
import type { CheckReport } from '../check.ts';
import { acceptance, type Place } from '../text.ts';
import { type Result, resultsOf, slashed, unreadOf } from './results.ts';

/** Workflow commands, which GitHub shows at the lines of the files. */
export function github(report: CheckReport): string {
  const lines = [
    ...resultsOf(report).map(({ of, code, level, message, accepted, place }) =>
      command(accepted === undefined ? COMMANDS[level] : 'notice', {
        ...locationOf(place),
        title: `${code}: ${of.namespace}/${of.name}`,
        message: accepted === undefined ? message : `${message} (${acceptance(accepted)})`,
      }),
    ),
    ...unreadOf(report).map(({ of, message, place }) =>
      command('warning', { ...locationOf(place), title: `Not checked: ${of.namespace}/${of.name}`, message }),
    ),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

const COMMANDS = { error: 'error', warning: 'warning', note: 'notice' } as const satisfies Record<Result['level'], string>;

type Location = Readonly<Partial<Record<'file' | 'line' | 'col', string>>>;

function locationOf(place: Place | undefined): Location {
  return place === undefined ? {} : { file: slashed(place.file), line: `${place.line}`, col: `${place.column}` };
}

function command(name: string, { message, ...properties }: Location & { readonly title: string; readonly message: string }): string {
  const said = Object.entries(properties).map(([key, value]) => `${key}=${property(value)}`);
  return `::${name} ${said.join(',')}::${data(message)}`;
}

/** The runner ends a command at the end of a line, which a plain text has not, and decodes what follows a percent sign. */
const data = (text: string): string => plain(text).replaceAll('%', '%25');
/** It also cuts the properties at their marks, before it decodes them. */
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

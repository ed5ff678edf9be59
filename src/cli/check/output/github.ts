import { plain, printable } from '../../output.ts';
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
  return place === undefined ? {} : { file: printable(slashed(place.file)), line: `${place.line}`, col: `${place.column}` };
}

/** GitHub takes no longer ones: 255 characters of a title, and 64 KiB of a message. */
const LONGEST = { title: 255, message: 65_536 } as const;

interface Said {
  readonly title: string;
  readonly message: string;
}

function command(name: string, { title, message, ...location }: Location & Said): string {
  const properties = { ...location, title: shortened(title, LONGEST.title) };
  const said = Object.entries(properties).map(([key, value]) => `${key}=${property(value)}`);
  return `::${name} ${said.join(',')}::${data(shortened(message, LONGEST.message))}`;
}

function shortened(text: string, longest: number): string {
  const shown = plain(text);
  return shown.length <= longest ? shown : `${shown.slice(0, longest - 3)}...`;
}

/** Of one line: the runner ends a command where its line ends, and decodes what follows a percent sign. */
const data = (text: string): string => text.replaceAll('%', '%25');
/** It also cuts the properties at their marks, before it decodes them. */
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

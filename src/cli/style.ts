import { type Problem, problem } from '../api/problem.ts';
import type { Flags, Given } from './command.ts';

export const COLOR_FLAG = {
  color: {
    type: 'string',
    value: 'auto|always|never',
    default: 'auto',
    help: 'colors of the page. auto: in a terminal, unless NO_COLOR is set',
  },
} as const satisfies Flags;

/** How a page is written for a person. */
export interface Style {
  readonly width: number;
  readonly colour: boolean;
}

/** Of a page that goes into a file or a pipe. */
const USUAL_WIDTH = 100;
const LEAST_WIDTH = 40;

/** Of standard output, as it is now, and by what was given. */
export function styleOf(
  { isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number },
  env: Readonly<Record<string, string | undefined>>,
  { color }: Given,
): Style | Problem {
  if (color !== 'auto' && color !== 'always' && color !== 'never') return problem(`--color: "${color}" is none of auto, always, never`);
  const isTerminal = isTTY === true;
  return {
    width: Math.max(LEAST_WIDTH, isTerminal ? (columns ?? USUAL_WIDTH) : USUAL_WIDTH),
    // https://no-color.org: what is empty counts as not set.
    colour: color === 'always' || (color === 'auto' && isTerminal && (env['NO_COLOR'] ?? '') === ''),
  };
}

/** Words after a head, with the lines that follow indented. A word that is longer than a line is left whole: people copy it. */
export function hanging(head: string, indent: number, text: string, width: number): string[] {
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

/** `code`: of ANSI (SGR), for example 31 for red. */
export function coloured(text: string, code: string, { colour }: Style): string {
  return colour ? `\u001b[${code}m${text}\u001b[0m` : text;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are such
const COLOUR = /\u001b\[\d+m/g;
const visible = (line: string): number => line.replace(COLOUR, '').length;

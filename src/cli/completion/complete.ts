import { FINDINGS } from '../../api/finding.ts';
import type { Command, Completed, Flag, Flags } from '../command.ts';

/** A word that fits, and what it is. */
export interface Candidate {
  readonly word: string;
  readonly help?: string;
}

/** `names`: the cluster or the kubeconfig knows them. They come behind `prefix`, as in `--namespace=shop`. */
export type Completion =
  | { readonly kind: 'words'; readonly words: readonly Candidate[] }
  | {
      readonly kind: 'names';
      readonly what: Completed;
      readonly prefix: string;
      readonly begin: string;
      readonly given: Readonly<Record<string, string | true>>;
    }
  | { readonly kind: 'files' };

type Commands = Readonly<Record<string, Command>>;
const NOTHING: Completion = { kind: 'words', words: [] };
const HELP: Flag = { type: 'boolean', short: 'h', help: 'print this' };
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** What fits the last word of a command line. `words`: those behind the program. */
export function complete(commands: Commands, words: readonly string[]): Completion {
  const [name = '', ...rest] = words;
  if (words.length <= 1) {
    const all = Object.entries(commands).map(([word, { summary }]) => ({ word, help: summary }));
    return { kind: 'words', words: all.filter(({ word }) => word.startsWith(name)) };
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) return NOTHING;
  const flags: Flags = { ...command.flags, help: HELP };
  const current = rest.at(-1) ?? '';
  const { given, pending } = walk(flags, rest.slice(0, -1));
  if (pending !== undefined) return valuesOf(flags[pending], '', current, given);
  const [flag, value] = splitFlag(current);
  if (flag !== undefined && value !== undefined) return valuesOf(flags[flag], `--${flag}=`, value, given);
  if (current.startsWith('-')) {
    const long = Object.entries(flags).map(([word, { help }]) => ({ word: `--${word}`, help }));
    return { kind: 'words', words: long.filter(({ word }) => word.startsWith(current)) };
  }
  return command.completes === undefined ? NOTHING : namesOf(command.completes, '', current, given);
}

/** The flags that were given before, and the one whose value comes next. */
function walk(flags: Flags, words: readonly string[]): { given: Record<string, string | true>; pending: string | undefined } {
  const given: Record<string, string | true> = {};
  let pending: string | undefined;
  for (const word of words) {
    if (pending !== undefined) {
      given[pending] = word;
      pending = undefined;
      continue;
    }
    const [long, value] = splitFlag(word);
    const name = long ?? (word.startsWith('-') ? Object.keys(flags).find((one) => flags[one]?.short === word.slice(1)) : undefined);
    if (name === undefined || flags[name] === undefined) continue;
    if (flags[name].type === 'boolean') given[name] = true;
    else if (value === undefined) pending = name;
    else given[name] = value;
  }
  return { given, pending };
}

/** `--name` and `--name=value`. */
function splitFlag(word: string): [name: string | undefined, value: string | undefined] {
  const [, name, , value] = /^--([a-z-]+)(=(.*))?$/.exec(word) ?? [];
  return [name, value];
}

function valuesOf(flag: Flag | undefined, prefix: string, begin: string, given: Readonly<Record<string, string | true>>): Completion {
  if (flag === undefined || flag.type === 'boolean') return NOTHING;
  if (flag.completes !== undefined) return namesOf(flag.completes, prefix, begin, given);
  const choices = (flag.value ?? '').split('|');
  if (choices.includes('FILE') || choices.includes('FOLDER')) return { kind: 'files' };
  // In capitals is what a person fills in.
  return choices.some((choice) => choice === choice.toUpperCase()) ? NOTHING : fitting(choices, prefix, begin);
}

function namesOf(what: Completed, prefix: string, begin: string, given: Readonly<Record<string, string | true>>): Completion {
  if (what === 'findings') return fitting(Object.keys(FINDINGS), prefix, begin);
  if (what === 'shells') return fitting(SHELLS, prefix, begin);
  return { kind: 'names', what, prefix, begin, given };
}

export function fitting(all: readonly string[], prefix: string, begin: string): Completion {
  return { kind: 'words', words: all.filter((one) => one.startsWith(begin)).map((one) => ({ word: `${prefix}${one}` })) };
}

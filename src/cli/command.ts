import { parseArgs } from 'node:util';
import { Fault } from '../api/fault.ts';
import { type Issuer, parseIssuer } from '../api/issuer.ts';
import { isProblem, type Problem, problem } from '../api/problem.ts';
import { FORMATS, type Format } from './output.ts';
import type { CommandPorts, Signals } from './ports.ts';
import type { Report } from './report.ts';

export interface Flag {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** `URL`: what the value is. */
  readonly value?: string;
  readonly help: string;
}

type Given = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

/** A command looks once, does what it is for, and reports. */
export interface Command {
  readonly summary: string;
  readonly flags: Readonly<Record<string, Flag>>;
  /** Throws a `Fault` where it could not look, or was asked for what makes no sense. */
  run(given: Given, ports: CommandPorts, signals: Signals): Promise<Report>;
}

export interface Asked {
  readonly given: Given;
  readonly format: Format;
  readonly help: boolean;
}

const COMMON: Readonly<Record<string, Flag>> = {
  output: { type: 'string', short: 'o', value: FORMATS.join('|'), help: 'how the report is written (default table)' },
  help: { type: 'boolean', short: 'h', help: 'tell this' },
};

export function parseFlags({ flags }: Command, args: readonly string[]): Asked | Problem {
  const options = Object.fromEntries(
    Object.entries({ ...flags, ...COMMON }).map(([name, { type, short, multiple = false }]) => [
      name,
      { type, multiple, ...(short === undefined ? {} : { short }) },
    ]),
  );
  let given: Given;
  try {
    given = parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    return problem(error instanceof Error ? error.message : String(error));
  }
  const format = FORMATS.find((one) => one === (given['output'] ?? 'table'));
  if (format === undefined) return problem(`--output: "${given['output']}" is none of ${FORMATS.join(', ')}`);
  return { given, format, help: given['help'] === true };
}

export function usageOf(name: string, { summary, flags }: Command): string {
  const lines = Object.entries({ ...flags, ...COMMON }).map(([flag, { short, value, help }]) => {
    const names = `${short === undefined ? '' : `-${short}, `}--${flag}${value === undefined ? '' : ` ${value}`}`;
    return `  ${names.padEnd(30)} ${help}`;
  });
  return [`usage: irsa-operator ${name} [flags]   ${summary}`, '', ...lines].join('\n');
}

/** The issuer that a flag names. */
export function issuerIn(given: Given, flag: string): Issuer | undefined {
  const text = given[flag];
  if (typeof text !== 'string') return undefined;
  const issuer = parseIssuer(text);
  if (isProblem(issuer)) throw new Fault('invalid', `--${flag}: ${issuer.problem}`);
  return issuer;
}

export function issuerFrom(given: Given, flag: string): Issuer {
  const issuer = issuerIn(given, flag);
  if (issuer === undefined) throw new Fault('invalid', `--${flag} is missing: the issuer URL of the cluster that is meant`);
  return issuer;
}

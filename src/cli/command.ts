import { parseArgs } from 'node:util';
import { isProblem, type Problem, problem } from '../api/problem.ts';
import { nearest } from './nearest.ts';

export interface Flag {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** `URL`: what the value is. */
  readonly value?: string;
  readonly default?: string;
  /** What a shell completes the value with. */
  readonly completes?: Completed;
  readonly help: string;
}
/** Names that a cluster, a kubeconfig or the program itself knows. */
export type Completed = 'bindings' | 'namespaces' | 'contexts' | 'findings' | 'workloads' | 'accounts' | 'shells';
export type Flags = Readonly<Record<string, Flag>>;
/** The flags as the user gave them, with their defaults. */
export type Given = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

/** 0: as it should be. 1: something was found. 2: it could not look, or was asked for what makes no sense. */
export type ExitCode = 0 | 1 | 2;
export const COULD_NOT_LOOK: ExitCode = 2;

/** One row of the command table: what parser and help say of it. Its body is loaded when it is asked for. */
export interface Command {
  readonly summary: string;
  readonly flags: Flags;
  /** `TYPE/NAME`: what may stand beside the flags. */
  readonly operands?: string;
  /** What a shell completes them with. */
  readonly completes?: Completed;
  load(): Promise<Execute>;
}

export interface Call {
  readonly name: string;
  readonly given: Given;
  /** What stands beside the flags. */
  readonly operands: readonly string[];
  readonly version: string;
  /** Tells the user on standard error what was wrong with the flags, with the usage. */
  misused(problem: string): ExitCode;
}

/** Resolves with the exit code of the process. */
export type Execute = (call: Call) => Promise<number>;

const HELP: Flags = { help: { type: 'boolean', short: 'h', help: 'print this' } };

interface Parsed {
  readonly given: Given;
  readonly operands: readonly string[];
}

/** The parser of every command. */
export function parseFlags(flags: Flags, args: readonly string[], takesOperands = false): Parsed | Problem {
  const options = Object.fromEntries(
    Object.entries({ ...flags, ...HELP }).map(([name, { type, short, multiple = false, default: value }]) => [
      name,
      { type, multiple, ...(short === undefined ? {} : { short }), ...(value === undefined ? {} : { default: value }) },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, strict: true, allowPositionals: takesOperands });
    return { given: values, operands: positionals };
  } catch (error) {
    const { message } = error instanceof Error ? error : { message: String(error) };
    const unknown = /^Unknown option '--?([\w-]+)/.exec(message)?.[1];
    const meant = unknown === undefined ? undefined : nearest(unknown, Object.keys(options));
    return problem(meant === undefined ? message : `--${unknown} is no flag of this command. Is --${meant} meant?`);
  }
}

/** The usage of one command, as `--help` prints it. `program`: the words that start it. */
function usageOf(program: string, name: string, { summary, flags, operands }: Command): string {
  const lines = Object.entries({ ...flags, ...HELP }).map(([flag, { short, value, help, default: preset }]) => {
    const names = `${short === undefined ? '' : `-${short}, `}--${flag}${value === undefined ? '' : ` ${value}`}`;
    return `  ${names.padEnd(33)} ${help}${preset === undefined || preset === '' ? '' : ` (default ${preset})`}`;
  });
  const what = operands === undefined ? '' : ` [${operands}]`;
  return [`usage: ${program} ${name}${what} [flags]   ${summary}`, '', ...lines].join('\n');
}

/** Every command in a line. */
export function usage(program: string, commands: Readonly<Record<string, Command>>): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`);
  return [`usage: ${program} <command> [flags]`, '', ...lines, '', `${program} <command> --help prints the flags of a command`].join('\n');
}

interface Terminal {
  /** The words by which the user started this program. */
  program(): string;
  print(text: string): void;
  complain(text: string): void;
}

/** Runs the command that the arguments name. Resolves with the exit code. */
export async function dispatch(
  commands: Readonly<Record<string, Command>>,
  [name = 'help', ...args]: readonly string[],
  version: string,
  { program, print, complain }: Terminal,
): Promise<number> {
  if (['help', '--help', '-h'].includes(name)) {
    print(usage(program(), commands));
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    complain(`irsa-operator: "${name}" is not a command\n\n${usage(program(), commands)}`);
    return COULD_NOT_LOOK;
  }
  const misused = (text: string): ExitCode => {
    complain(`irsa-operator ${name}: ${text}\n\n${usageOf(program(), name, command)}`);
    return COULD_NOT_LOOK;
  };
  const parsed = parseFlags(command.flags, args, command.operands !== undefined);
  if (isProblem(parsed)) return misused(parsed.problem);
  const { given, operands } = parsed;
  if (given['help'] === true) {
    print(usageOf(program(), name, command));
    return 0;
  }
  const execute = await command.load();
  return execute({ name, given, operands, version, misused });
}

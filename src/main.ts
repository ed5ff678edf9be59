#!/usr/bin/env node
import { hostname } from 'node:os';
import { isProblem } from './api/problem.ts';
import { COMMANDS } from './cli/index.ts';
import { runCommand } from './commands.ts';
import { FLAGS, parseConfig } from './config.ts';
import { logger } from './observability/logger.ts';
import { runOperator } from './operator.ts';
import { runProcess } from './runtime/lifecycle.ts';
import { VERSION } from './version.ts';

const COULD_NOT_LOOK = 2;

/** Entry: `irsa-operator run [flags]`, and the commands of src/cli. */
const [command, ...args] = process.argv.slice(2);
switch (command) {
  case 'run': {
    const config = parseConfig(args, process.env, hostname());
    if (isProblem(config)) {
      console.error(`irsa-operator: ${config.problem}\n\n${usage()}`);
      process.exitCode = COULD_NOT_LOOK;
      break;
    }
    const log = logger(config.logLevel, VERSION);
    await runProcess(process, log, (stop) => runOperator(config, VERSION, log, stop));
    break;
  }
  case 'version':
    console.log(VERSION);
    break;
  case undefined:
  case 'help':
  case '--help':
    console.log(usage());
    break;
  default: {
    const known = Object.entries(COMMANDS).find(([name]) => name === command);
    if (known !== undefined) {
      process.exitCode = await runCommand(...known, args, VERSION);
      break;
    }
    console.error(`irsa-operator: "${command}" is no command\n\n${usage()}`);
    process.exitCode = COULD_NOT_LOOK;
  }
}

function usage(): string {
  const flags = Object.entries(FLAGS).map(
    ([name, { help, default: value }]) => `  --${name.padEnd(22)} ${help}${value === '' || value === false ? '' : ` (default ${value})`}`,
  );
  return [
    'usage: irsa-operator run [flags]   keep role trust, ServiceAccount annotations and pods in agreement',
    ...Object.entries(COMMANDS).map(([name, { summary }]) => `       irsa-operator ${name} [flags]   ${summary} (--help tells its flags)`),
    '       irsa-operator version',
    '',
    'flags of run:',
    ...flags,
  ].join('\n');
}

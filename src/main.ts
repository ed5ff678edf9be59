#!/usr/bin/env node
import { hostname } from 'node:os';
import { isProblem } from './api/problem.ts';
import { FLAGS, parseConfig } from './config.ts';
import { logger } from './observability/logger.ts';
import { runOperator } from './operator.ts';
import { runProcess } from './runtime/lifecycle.ts';
import { VERSION } from './version.ts';

const COULD_NOT_LOOK = 2;

/** Entry: `irsa-operator run [flags]`. */
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
  default:
    console.error(`irsa-operator: "${command}" is no command\n\n${usage()}`);
    process.exitCode = COULD_NOT_LOOK;
}

function usage(): string {
  const flags = Object.entries(FLAGS).map(
    ([name, { help, default: value }]) => `  --${name.padEnd(22)} ${help}${value === '' || value === false ? '' : ` (default ${value})`}`,
  );
  return [
    'usage: irsa-operator run [flags]   keep role trust, ServiceAccount annotations and pods in agreement',
    '       irsa-operator version',
    '',
    ...flags,
  ].join('\n');
}

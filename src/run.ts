import { hostname } from 'node:os';
import { isProblem } from './api/problem.ts';
import type { Call } from './cli/command.ts';
import { parseConfig } from './config.ts';
import { logger } from './observability/logger.ts';
import { runOperator } from './operator.ts';
import { runProcess } from './runtime/lifecycle.ts';

/** The body of `irsa-operator run`: the operator until it is told to stop. */
export async function run({ given, version, misused }: Call): Promise<number> {
  const config = parseConfig(given, process.env, hostname());
  if (isProblem(config)) return misused(config.problem);
  const log = logger(config.logLevel, version);
  await runProcess(process, log, (stop) => runOperator(config, version, log, stop));
  return 0;
}

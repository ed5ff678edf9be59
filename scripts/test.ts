import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/**
 * `node scripts/test.ts check|all`: what needs no cluster first, then the suites, then random input; all of it is run even after a failure, and the last line
 * counts over all suites. What failed is told again right before it: a log of which only the end was kept still says it. Exits with 1 when anything failed.
 */
const CHECKS: readonly (readonly [string, string[]])[] = [
  ['types', ['tsc', '--noEmit']],
  ['lint', ['biome', 'check', '--error-on-warnings', '.']],
  ['import rules', ['depcruise', '--config', 'dependency-cruiser.config.cjs', 'src', 'test', 'scripts']],
  ['dead code', ['knip', '--no-progress']],
  ['generated files', ['node', 'scripts/generate.ts', '--check']],
  ['words that users read', ['node', 'scripts/words.ts']],
];
/** Random input, less of it than a fuzzer gets on a quiet day: `npm run fuzz:trust -- --cases 1000000`. */
const FUZZERS: typeof CHECKS = [['fuzzing of trust policies', ['node', 'test/fuzz/trust.ts', '--cases', '20000']]];
const SUITES = { check: ['unit'], all: ['unit', 'integration', 'crash'] } as const;

/** What is read of vitest's JSON report. */
interface Results extends Partial<Record<'numPassedTests' | 'numFailedTests' | 'numPendingTests' | 'numTodoTests', number>> {
  testResults?: {
    name: string;
    message: string;
    status: string;
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
  }[];
}
/** Of each failure: enough for the difference that an assertion prints, not its whole stack. */
const LINES_OF_A_FAILURE = 12;

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

const what = process.argv[2] === 'all' ? 'all' : 'check';
const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];
await runEach(CHECKS);
if (what === 'all') await runEach([['the npm package', ['node', 'scripts/package/main.ts']]]);
for (const suite of SUITES[what]) add(await runSuite(suite));
if (what === 'all') await runEach(FUZZERS);
if (failures.length > 0) console.log(`\nFailed:\n${failures.join('\n')}`);
console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed === 0 ? 0 : 1;

/** Each counts as one. */
async function runEach(commands: typeof CHECKS): Promise<void> {
  for (const [name, command] of commands) {
    const started = performance.now();
    const code = await run(command);
    totals[code === 0 ? 'passed' : 'failed'] += 1;
    if (code !== 0) failures.push(name);
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds(started)} s)`);
  }
}

async function runSuite(suite: string): Promise<Totals> {
  const folder = await mkdtemp(join(tmpdir(), 'irsa-operator-test-'));
  const file = join(folder, 'results.json');
  try {
    const code = await run(['vitest', 'run', '--project', suite, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]);
    const results = JSON.parse(await readFile(file, 'utf8').catch(() => '{}')) as Results;
    failures.push(...failuresOf(results));
    const { numPassedTests: passed = 0, numFailedTests: failed = 0, numPendingTests: pending = 0, numTodoTests: todo = 0 } = results;
    if (code !== 0 && failed === 0) failures.push(`${suite}: ended with ${code}, and no test failed`);
    // A suite that dies without a failed test (a file that does not load, an unhandled error) has failed all the same.
    return { passed, failed: code !== 0 && failed === 0 ? 1 : failed, skipped: pending + todo };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of each failed test its file, its name and what it said; of a file that did not load, why. */
function failuresOf({ testResults = [] }: Results): string[] {
  return testResults.flatMap(({ name, message, status, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    const told = failed.map(({ fullName, failureMessages }) => failure(`${relative('.', name)}: ${fullName}`, failureMessages.join('\n')));
    return told.length === 0 && status === 'failed' ? [failure(relative('.', name), message)] : told;
  });
}

function failure(title: string, message: string): string {
  return [title, ...message.split('\n').slice(0, LINES_OF_A_FAILURE)].join('\n    ');
}

function add({ passed, failed, skipped }: Totals): void {
  totals.passed += passed;
  totals.failed += failed;
  totals.skipped += skipped;
}

function run([command = '', ...args]: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit' });
    child.on('error', (error) => {
      console.error(error.message);
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

function seconds(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(1);
}

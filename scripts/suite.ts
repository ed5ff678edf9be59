import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/** What is read of vitest's JSON report. */
interface Results extends Partial<Record<'numPassedTests' | 'numFailedTests' | 'numPendingTests' | 'numTodoTests', number>> {
  testResults?: {
    name: string;
    message: string;
    status: string;
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
  }[];
}

export interface Ended {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Of each failure the file, the test, and what it said. */
  readonly failures: readonly string[];
}

/** Of each failure: what it said and where, without the lines of packages. */
const LINES_OF_A_FAILURE = 12;
const isOfPackage = (line: string) => line.includes('/node_modules/') || line.includes('node:internal');
/** What vitest leaves in place of a message where a test did not end in its time. */
const TIMED_OUT = /^Error: STACK_TRACE_ERROR$/m;

/** Runs a project of vitest, or these files of it. */
export async function runSuite(project: string, files: readonly string[] = []): Promise<Ended> {
  const folder = await mkdtemp(join(tmpdir(), 'irsa-operator-suite-'));
  const file = join(folder, 'results.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const code = await exitCodeOf(['vitest', 'run', '--project', project, ...reporters, ...files]);
    const results = JSON.parse(await readFile(file, 'utf8').catch(() => '{}')) as Results;
    const { numPassedTests: passed = 0, numFailedTests: failed = 0, numPendingTests: pending = 0, numTodoTests: todo = 0 } = results;
    const failures = failuresOf(results);
    const skipped = pending + todo;
    if (code === 0 || failed > 0) return { passed, failed, skipped, failures };
    // A suite that dies without a failed test (a file that does not load, an unhandled error) has failed all the same.
    return { passed, failed: 1, skipped, failures: [...failures, `${project}: ended with ${code}, and no test failed`] };
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
  const lines = message.replace(TIMED_OUT, 'it did not end in its time').split('\n');
  return [title, ...lines.filter((line) => !isOfPackage(line)).slice(0, LINES_OF_A_FAILURE)].join('\n    ');
}

/** Runs a command in this terminal. */
export function exitCodeOf([command = '', ...args]: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit' });
    child.on('error', (error) => {
      console.error(error.message);
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

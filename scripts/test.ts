import { type Ended, exitCodeOf, runSuite } from './suite.ts';

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

const what = process.argv[2] === 'all' ? 'all' : 'check';
const totals = { passed: 0, failed: 0, skipped: 0 };
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
    const code = await exitCodeOf(command);
    totals[code === 0 ? 'passed' : 'failed'] += 1;
    if (code !== 0) failures.push(name);
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds(started)} s)`);
  }
}

function add(ended: Ended): void {
  totals.passed += ended.passed;
  totals.failed += ended.failed;
  totals.skipped += ended.skipped;
  failures.push(...ended.failures);
}

function seconds(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(1);
}

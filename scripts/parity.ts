import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PARITY_FOLDER, type SuiteParity } from '../test/harness/parity.ts';

/**
 * `make parity`, or `node scripts/parity.ts FILES`: the integration tests, and after each file `check` and `plan` beside every binding that is
 * left. Exits with 1 where one of them says something else than the operator says or does.
 */
const folder = mkdtempSync(join(tmpdir(), 'irsa-operator-parity-'));
const files = process.argv.slice(2);
const args = ['run', '--project', 'integration', ...(files.length > 0 ? files : ['test/integration'])];
const { status } = spawnSync('vitest', args, { stdio: 'inherit', env: { ...process.env, [PARITY_FOLDER]: folder } });

const suites = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as SuiteParity);
rmSync(folder, { recursive: true, force: true });
const sum = (of: (one: SuiteParity) => number) => suites.reduce((total, one) => total + of(one), 0);

const differences = suites.flatMap(({ check }) => check.differences);
for (const { binding, role, onlyOperator, onlyCheck } of differences)
  console.log(`${binding} (${role}): only the operator ${onlyOperator.join() || 'nothing'}, only check ${onlyCheck.join() || 'nothing'}`);
console.log(`found by both: ${[...new Set(suites.flatMap(({ check }) => check.codes))].toSorted().join(', ') || 'nothing'}`);
console.log(
  `check: ${sum(({ check }) => check.compared)} bindings compared, ${sum(({ check }) => check.leftOut)} left out (without a grant, or going), ${differences.length} different`,
);

const notAsPlanned = suites.flatMap(({ plan }) => plan.differences);
for (const difference of notAsPlanned) console.log(difference);
const leftOut = suites.flatMap(({ plan }) => plan.leftOut);
console.log(
  `plan: ${sum(({ plan }) => plan.effects)} effects in ${sum(({ plan }) => plan.compared)} namespaces compared, ${notAsPlanned.length} different, left out: ${leftOut.join(', ') || 'none'}`,
);
process.exitCode = differences.length + notAsPlanned.length > 0 || status !== 0 ? 1 : 0;

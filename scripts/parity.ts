import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PARITY_FOLDER, type Parity } from '../test/harness/parity.ts';

/** `make parity`, or `node scripts/parity.ts FILES`: the integration tests, and after each file `check` beside every binding that is left. Exits with 1 where the two differ. */
const folder = mkdtempSync(join(tmpdir(), 'irsa-operator-parity-'));
const files = process.argv.slice(2);
const args = ['run', '--project', 'integration', ...(files.length > 0 ? files : ['test/integration'])];
const { status } = spawnSync('vitest', args, { stdio: 'inherit', env: { ...process.env, [PARITY_FOLDER]: folder } });

const all = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Parity);
rmSync(folder, { recursive: true, force: true });
const sum = (of: (one: Parity) => number) => all.reduce((total, one) => total + of(one), 0);
const differences = all.flatMap((one) => one.differences);
for (const { binding, role, onlyOperator, onlyCheck } of differences)
  console.log(`${binding} (${role}): only the operator ${onlyOperator.join() || 'nothing'}, only check ${onlyCheck.join() || 'nothing'}`);
console.log(`found by both: ${[...new Set(all.flatMap(({ codes }) => codes))].toSorted().join(', ') || 'nothing'}`);
console.log(
  `${sum((one) => one.compared)} bindings compared, ${sum((one) => one.leftOut)} left out (without a grant, or going), ${differences.length} different`,
);
process.exitCode = differences.length > 0 || status !== 0 ? 1 : 0;

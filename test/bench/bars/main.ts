import { parseArgs } from 'node:util';
import { barsOf } from './bars.ts';
import type { Size } from './fleet.ts';
import { measure } from './measure.ts';
import { inLines, keep, load, type Result, surroundings } from './page.ts';
import { printProfile } from './profile.ts';

/**
 * `make bench`: the bars of the contract, for a fleet that is there before the operator starts, beside a bare client in the same run. Prints a
 * table, writes it to docs/benchmarks.md, and ends with 1 where a bar is missed. `--bindings 10000` is another size than 1,000; `--roles` a tenth
 * of that unless it is given. `--profile` measures nothing, and prints where the time and the memory go.
 */
const { values } = parseArgs({
  options: {
    bindings: { type: 'string', default: '1000' },
    roles: { type: 'string' },
    pods: { type: 'string', default: '0' },
    profile: { type: 'boolean', default: false },
  },
});
const bindings = Number(values.bindings);
const size: Size = { bindings, roles: Number(values.roles ?? Math.ceil(bindings / 10)), pods: Number(values.pods) };
if (!Object.values(size).every(Number.isInteger) || size.roles < 1 || size.bindings < size.roles) {
  console.error('bench: --bindings, --roles and --pods are numbers, with a binding for each role at least');
  process.exit(2);
}
const began = performance.now();
const tell = (what: string) => console.log(`${((performance.now() - began) / 1_000).toFixed(0)} s, load ${load()}: ${what}`);
if (values.profile) await printProfile(size, tell);
else await bench();

async function bench(): Promise<void> {
  const about = surroundings();
  const from = load();
  const rows = barsOf(size, await measure(size, tell));
  const result: Result = { size, ...about, load: [from, load()], rows };
  console.log(inLines(result));
  keep(result);
  process.exitCode = rows.some(({ holds }) => holds === false) ? 1 : 0;
}

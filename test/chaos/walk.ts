import { parseArgs } from 'node:util';
import { chance } from './chance.ts';
import { walk } from './walk/index.ts';

/**
 * Bindings, grants, ServiceAccounts, roles, pods, faults and other writers at random, on the testbed; then quiet: everything is as it should
 * be, and nothing is written any more. `npm run chaos:walk -- --ops 10000`; `SEED=` makes the same choices again (the moments are the machine's).
 */
const { values } = parseArgs({ options: { ops: { type: 'string', default: '10000' }, sweeps: { type: 'string', default: '600' } } });
const [ops, sweeps] = [Number(values.ops), Number(values.sweeps)];
if (![ops, sweeps].every((number) => Number.isInteger(number) && number > 0)) {
  console.error(`chaos:walk: --ops ${values.ops} --sweeps ${values.sweeps}: both are numbers above 0`);
  process.exit(2);
}
const choices = chance();
console.log(`random walk of ${ops} steps, seed ${choices.seed}`);
const { wrong, ...figures } = await walk({ chance: choices, ops, sweeps, say: (line) => console.log(line) });
console.log(JSON.stringify(figures, undefined, 2));
for (const one of wrong) console.error(`WRONG ${one}`);
console.log(`${wrong.length === 0 ? `nothing wrong, and no write in ${sweeps} sweeps` : 'the walk went wrong'}: seed ${choices.seed}`);
process.exitCode = wrong.length === 0 ? 0 : 1;

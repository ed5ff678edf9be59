import { parseArgs } from 'node:util';
import { namesOf } from './play.ts';
import { SCENARIOS } from './scenarios.ts';
import { crashAt, inWords, pointsOf, withTheatre } from './suite.ts';

/**
 * `npm run chaos:crash`: kills the operator at every external effect of every scenario, starts it again, and compares the end with that of an
 * undisturbed run. `--scenario TEXT` plays only those with this text in their name, `--workers N` plays so many side by side.
 */
const { values } = parseArgs({ options: { scenario: { type: 'string', default: '' }, workers: { type: 'string', default: '3' } } });
const workers = Number(values.workers);
const scenarios = SCENARIOS.filter(({ name }) => name.includes(values.scenario));
if (scenarios.length === 0 || !(Number.isInteger(workers) && workers > 0)) {
  console.error(`chaos:crash: --scenario "${values.scenario}" is in no name, or --workers ${values.workers} is no number of them`);
  process.exit(2);
}
const began = performance.now();
const outcomes = await withTheatre(async (theatre) => {
  const trials = await pointsOf(theatre, scenarios, workers);
  for (const { name } of scenarios) {
    const effects = trials.find(({ scenario }) => scenario.name === name)?.wanted.effects ?? [];
    console.log(`${name}: ${namesOf(effects)}`);
  }
  return crashAt(theatre, trials, workers, ({ trial, problem }) => {
    console.log(`${problem === undefined ? 'ok    ' : 'FAILED'} ${inWords(trial)}${problem === undefined ? '' : `\n${problem}`}`);
  });
});
const passed = outcomes.filter(({ problem }) => problem === undefined).length;
const minutes = ((performance.now() - began) / 60_000).toFixed(1);
console.log(`\n${scenarios.length} scenarios, ${outcomes.length} points tried, ${passed} passed, in ${minutes} min`);
process.exitCode = passed === outcomes.length && outcomes.length > 0 ? 0 : 1;

import { parseArgs } from 'node:util';
import { type Crashed, namesOf } from './play.ts';
import { SCENARIOS } from './scenarios.ts';
import { crashAt, inWords, pointsOf, withTheatre } from './suite.ts';

const WORDS: Record<Crashed['kind'], string> = { passed: 'ok    ', missed: 'missed', failed: 'FAILED' };

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
  const play = async (some: typeof scenarios, sideBySide: number) => {
    const trials = await pointsOf(theatre, some, sideBySide);
    for (const { name } of some) {
      const effects = trials.find(({ scenario }) => scenario.name === name)?.wanted.effects ?? [];
      console.log(`${name}: ${namesOf(effects)}`);
    }
    return crashAt(theatre, trials, sideBySide, ({ trial, crashed }) => {
      console.log(`${WORDS[crashed.kind]} ${inWords(trial)}${crashed.kind === 'failed' ? `\n${crashed.why}` : ''}`);
    });
  };
  const { alone = [], beside = [] } = Object.groupBy(scenarios, (one) => (one.alone ? 'alone' : 'beside'));
  return [...(await play(beside, workers)), ...(await play(alone, 1))];
});
const count = (kind: Crashed['kind']) => outcomes.filter(({ crashed }) => crashed.kind === kind).length;
const [passed, missed, failed] = [count('passed'), count('missed'), count('failed')];
const minutes = ((performance.now() - began) / 60_000).toFixed(1);
console.log(`\n${scenarios.length} scenarios, ${passed + failed} points tried, ${passed} passed, in ${minutes} min`);
if (missed > 0) console.log(`${missed} reports of the undisturbed run did not come again: nothing was tried there`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

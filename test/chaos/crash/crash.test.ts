import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SCENARIOS } from './scenarios.ts';
import { crashAt, inWords, pointsOf, withTheatre } from './suite.ts';

/** A sample of `npm run chaos:crash`: so many points of so many scenarios, in two minutes. */
const POINTS = 6;
const PLAYED = 3;
const WORKERS = 3;
const LIMIT_MS = 480_000;
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

test(`killed at any external effect, the operator comes to the same end (SEED=${seed})`, { timeout: LIMIT_MS }, async () => {
  const scenarios = draw(
    SCENARIOS.filter(({ slow }) => !slow),
    PLAYED,
  );
  const outcomes = await withTheatre(async (theatre) => {
    const trials = draw(await pointsOf(theatre, scenarios, WORKERS), POINTS);
    return crashAt(theatre, trials, WORKERS, () => {});
  });
  const failed = outcomes.flatMap(({ trial, crashed }) => (crashed.kind === 'failed' ? [`${inWords(trial)}\n${crashed.why}`] : []));
  expect(failed).toEqual([]);
  // A report that did not come again is no point that was tried.
  expect(outcomes.filter(({ crashed }) => crashed.kind === 'passed').length).toBeGreaterThanOrEqual(POINTS / 2);
});

function draw<T>(from: readonly T[], count: number): T[] {
  return fc.sample(fc.shuffledSubarray([...from], { minLength: count, maxLength: count }), { seed, numRuns: 1 }).flat();
}

import { expect, test } from 'vitest';
import { chance } from './chance.ts';
import { walk } from './walk/index.ts';

/** A sample of `npm run chaos:walk`. */
const OPS = 500;
const SWEEPS = 20;
/** Longer than the walk itself waits for its end, so that it tells what did not come to it. */
const PATIENCE_MS = 25 * 60_000;

test('after a random walk all is as it should be, and nothing is written any more', { timeout: PATIENCE_MS }, async () => {
  const choices = chance();
  console.log(`random walk of ${OPS} steps, seed ${choices.seed}`);
  const { wrong, logFile } = await walk({ chance: choices, ops: OPS, sweeps: SWEEPS, say: () => {} });
  expect(wrong, `SEED=${choices.seed}, the log is ${logFile}`).toEqual([]);
});

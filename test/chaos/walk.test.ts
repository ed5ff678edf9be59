import { expect, test } from 'vitest';
import { chance } from './chance.ts';
import { walk } from './walk/index.ts';

/** A sample of `npm run chaos:walk`. */
const OPS = 500;
const SWEEPS = 20;
/** A lost grant costs its trust after a minute, and the walk may end with one; the rest is for a busy machine. */
const PATIENCE_MS = 10 * 60_000;

test('after a random walk all is as it should be, and nothing is written any more', { timeout: PATIENCE_MS }, async () => {
  const choices = chance();
  console.log(`random walk of ${OPS} steps, seed ${choices.seed}`);
  const { wrong } = await walk({ chance: choices, ops: OPS, sweeps: SWEEPS, say: () => {} });
  expect(wrong, `SEED=${choices.seed}`).toEqual([]);
});

import { expect, test } from 'vitest';
import { chance } from './chance.ts';
import { allFields, sweepFields } from './fields/index.ts';

/** A sample of `npm run chaos:fields`: so many fields out of all, and of each so many values. */
const FIELDS = 3;
const VALUES = 5;
/** It takes about a minute; the rest is for a busy machine. */
const PATIENCE_MS = 10 * 60_000;

test('a field of a CRD does what it says, refuses what it must, and leaves nothing when it is taken back', {
  timeout: PATIENCE_MS,
}, async () => {
  const { seed } = chance();
  console.log(`sweep of ${FIELDS} fields, seed ${seed}`);
  // Each choice begins with the seed: fields are swept side by side, and the order among them is the machine's.
  const some = <T>(all: readonly T[], count: number): T[] => {
    const { below } = chance(seed);
    const left = [...all];
    return Array.from({ length: Math.min(count, all.length) }, () => left.splice(below(left.length), 1)).flat();
  };
  const pick = (values: readonly unknown[]) => some(values, VALUES);
  const { wrong } = await sweepFields(some(allFields(), FIELDS), () => {}, pick);
  expect(wrong, `SEED=${seed}`).toEqual([]);
});

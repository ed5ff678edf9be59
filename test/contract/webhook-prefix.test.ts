import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** docs/concepts/other-clusters.md writes another prefix and audience into the policies by these patterns: they must find all of them, and nothing else. */
const files = globSync('config/{policies,admission}/*.yaml').map((file) => readFileSync(file, 'utf8'));
const found = (pattern: RegExp) => files.flatMap((text) => [...text.matchAll(pattern)].map(([whole]) => whole));

// Contract: webhook-flags
test('the commands of the page find every key that a policy names', () => {
  expect(found(/eks\.amazonaws\.com\//g).length).toBeGreaterThanOrEqual(8);
  expect(found(/eks\.amazonaws\.com(?!\/)/g)).toEqual([]);
});

test('the commands of the page find the one audience that a policy compares with', () => {
  expect(found(/.*sts\.amazonaws\.com.*/g)).toEqual([expect.stringContaining('!= "sts.amazonaws.com"')]);
});

test('the page has these patterns', () => {
  const page = readFileSync('docs/concepts/other-clusters.md', 'utf8');
  expect(page).toContain(String.raw`s,eks\.amazonaws\.com/,$PREFIX/,g`);
  expect(page).toContain(String.raw`s,!= \"sts\.amazonaws\.com\",!= \"$AUDIENCE\",`);
});

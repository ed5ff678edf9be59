import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FIXED_BY_CHECK } from './fixed-by-check.ts';
import { ONLY_OPERATOR } from './seen-by.ts';

const unfixed = Object.entries(FIXED_BY_CHECK).filter(([, why]) => why !== 'commands');

test('docs/check.md names each finding that check cannot have, or has no commands for, under its reason', () => {
  const rows = [...readFileSync('docs/check.md', 'utf8').matchAll(/^\| (.*) \| (.*) \|$/gm)].map(([, codes = '', why = '']) => ({
    codes,
    why,
  }));
  for (const [code, reason] of [...Object.entries(ONLY_OPERATOR), ...unfixed]) {
    const row = rows.find(({ codes }) => codes.includes(`[${code}](findings/${code}.md)`));
    expect(row?.why, code).toBe(reason);
  }
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ONLY_OPERATOR } from './seen-by.ts';

test('docs/check.md names each finding that check cannot have, under its reason', () => {
  const rows = [...readFileSync('docs/check.md', 'utf8').matchAll(/^\| (.*) \| (.*) \|$/gm)].map(([, codes = '', why = '']) => ({
    codes,
    why,
  }));
  for (const [code, reason] of Object.entries(ONLY_OPERATOR)) {
    const row = rows.find(({ codes }) => codes.includes(`[${code}](findings/${code}.md)`));
    expect(row?.why, code).toBe(reason);
  }
});

import { describe, expect, test } from 'vitest';
import { conformance, linksIn } from './links.ts';

const MARK = '// Contract:';

describe('a mark', () => {
  const found: Record<string, string> = {
    'above a test': `test('it works', () => {`,
    'above a loop over a table': `for (const x of y)\n  test('it works', () => {`,
    'above a group of tests': `describe.concurrent('it works', () => {`,
    'above a row of a table': `  'it works': { a: 1 },`,
    'above a title with a quote in it': `test("it works", () => {`,
  };
  for (const [sentence, line] of Object.entries(found)) {
    test(`${sentence} links it to each sentence`, () => {
      expect(linksIn('a.test.ts', `${MARK} end-retain, end-force\n${line}`)).toEqual([
        { sentence: 'end-retain', test: 'it works', file: 'a.test.ts' },
        { sentence: 'end-force', test: 'it works', file: 'a.test.ts' },
      ]);
    });
  }

  test('of a sentence that does not exist is refused', () => {
    expect(() => linksIn('a.test.ts', `${MARK} end-of-days\ntest('x', `)).toThrow(
      'a.test.ts:1: test/contract/sentences.ts has no sentence "end-of-days"',
    );
  });

  test('above no test is refused: the test was removed, or moved away', () => {
    expect(() => linksIn('a.test.ts', `\n${MARK} end-retain\nconst x = 1;`)).toThrow(
      'a.test.ts:2: "// Contract: end-retain" stands above no test',
    );
  });
});

test('the page lists what is proved by section, and what is not apart', () => {
  const page = conformance([{ sentence: 'end-retain', test: 'both stay', file: 'test/a.test.ts' }]);
  expect(page).toContain('\n## Change and end\n\n- `Retain` leaves both.\n  - [test/a.test.ts](../test/a.test.ts): both stay\n');
  expect(page.split('## Not proved yet')[1]).toContain('\n- It never deletes a ServiceAccount.\n');
  expect(page).not.toContain('## Pods');
});

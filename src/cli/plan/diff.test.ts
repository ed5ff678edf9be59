import fc from 'fast-check';
import { expect, test } from 'vitest';
import { diffLines, GAP } from './diff.ts';

const inText = (before: string, after: string) => diffLines(before.split(''), after.split('')).map(([sign, text]) => `${sign}${text}`);

test('lines that go and come are told with those around them', () => {
  expect(inText('abc', 'abc')).toEqual([]);
  expect(inText('abc', 'axc')).toEqual([' a', '-b', '+x', ' c']);
  expect(inText('', 'ab')).toEqual(['+a', '+b']);
  expect(inText('ab', '')).toEqual(['-a', '-b']);
});

test('of many that stay three are shown, and a gap is told', () => {
  expect(inText('0123456789abcdef', 'x123456789abcdey')).toEqual(['-0', '+x', ' 1', ' 2', ' 3', ' ...', ' c', ' d', ' e', '-f', '+y']);
  expect(diffLines([...'abcdefgh'], [...'abcdefg']).includes(GAP)).toBe(false);
});

test('what goes and what stays is the text before, and what comes and stays the text after', () =>
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 4 }),
      fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 4 }),
      (before, after) => {
        // So short that nothing that stays is far from a change.
        const lines = diffLines(before, after);
        const side = (left: string) => lines.filter(([sign]) => sign === ' ' || sign === left).map(([, text]) => text);
        if (lines.length > 0) expect([side('-'), side('+')]).toEqual([before, after]);
        else expect(before).toEqual(after);
      },
    ),
  ));

import { describe, expect, test } from 'vitest';
import { fold, like, matches } from './text.ts';

describe('wildcards', () => {
  const cases: readonly (readonly [pattern: string, text: string, matches: boolean])[] = [
    ['abc', 'abc', true],
    ['abc', 'abd', false],
    ['abc', 'abcd', false],
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['*', 'a:b/c', true],
    ['a*', 'a', true],
    ['a*', 'ba', false],
    ['*c', 'abc', true],
    ['*c', 'abcd', false],
    ['a*c', 'abbc', true],
    ['a*c', 'ac', true],
    ['a*b*c', 'aXbYc', true],
    ['a*b*c', 'aXcYb', false],
    ['*ab', 'aab', true],
    ['*aab', 'aaab', true],
    ['a**b', 'ab', true],
    ['**', '', true],
    ['?', '', false],
    ['?', 'a', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*?', '', false],
    ['*?', 'a', true],
    ['?*?', 'a', false],
    ['?*?', 'ab', true],
    ['a*?', 'a', false],
    ['*a*', 'bab', true],
    ['*a*', 'bbb', false],
    ['a?', 'a', false],
    ['.', 'a', false],
    ['A', 'a', false],
  ];
  for (const [pattern, text, expected] of cases) {
    test(`"${pattern}" ${expected ? 'matches' : 'does not match'} "${text}"`, () => expect(like(pattern, text)).toBe(expected));
  }

  test('a literal star is no wildcard', () => {
    const pattern = [{ literal: 'a' }, { literal: '*' }, { wildcard: '?' as const }];
    expect(matches(pattern, 'a*b')).toBe(true);
    expect(matches(pattern, 'axb')).toBe(false);
  });

  test('a hostile pattern is refused without trying', () => {
    expect(like(`${'*a'.repeat(20_000)}b`, 'a'.repeat(300))).toBe(false);
    expect(like(`${'*'.repeat(60_000)}b`, 'a'.repeat(300))).toBe(false);
  });
});

describe('case', () => {
  test('is folded for ASCII letters', () => expect(fold('AWS:SourceVpc_Z[')).toBe('aws:sourcevpc_z['));
  test('is not folded for others: the Kelvin sign is no k', () => expect(fold('\u212aA\u00c9Z')).toBe('\u212aa\u00c9z'));
});

import { describe, expect, test } from 'vitest';
import { statementName } from './document.ts';
import { list, quote, quoteAll } from './quote.ts';

describe('a quoted value', () => {
  const cases: Record<string, readonly [value: string, quoted: string]> = {
    'stands in double quotes': ['a b', '"a b"'],
    'shows quotes and line breaks': ['"\n', '"\\"\\n"'],
    'shows what does not print': ['\u00a0\u001b\u007f\u{1f600}', '"\\u00a0\\u001b\\u007f\\ud83d\\ude00"'],
    'is whole up to its limit': ['x'.repeat(160), `"${'x'.repeat(160)}"`],
    'is cut beyond': ['x'.repeat(161), `"${'x'.repeat(160)}..."`],
  };
  for (const [sentence, [value, quoted]] of Object.entries(cases)) test(sentence, () => expect(quote(value)).toBe(quoted));
});

describe('a list', () => {
  const cases: Record<string, readonly string[]> = {
    nothing: [],
    '"a"': ['a'],
    '"a" and "b"': ['a', 'b'],
    '"a", "b", "c" and "d"': ['a', 'b', 'c', 'd'],
    '"a", "b", "c", "d" and 2 more': ['a', 'b', 'c', 'd', 'e', 'f'],
  };
  for (const [text, values] of Object.entries(cases)) test(`reads: ${text}`, () => expect(quoteAll(values)).toBe(text));
  test('of phrases has no quotes', () => expect(list(['a', 'b', 'c'])).toBe('a, b and c'));
});

test('a statement is called by its number', () => expect(statementName({ index: 2 })).toBe('statement 2'));

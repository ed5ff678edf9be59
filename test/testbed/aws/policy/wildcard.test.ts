import fc from 'fast-check';
import { test } from 'vitest';
import { matchesPattern, patternOf } from './wildcard.ts';

/** Few characters, so that patterns and texts often meet; one of them outside the basic plane. */
const character = fc.constantFrom('a', 'b', ':', '*', '?', '🦆');
const word = fc.string({ unit: character, maxLength: 8 });

test('a pattern matches what the regular expression of the same meaning matches', () =>
  fc.assert(
    fc.property(word, word, (pattern, text) => {
      const source = [...pattern]
        .map((one) => (one === '*' ? '.*' : one === '?' ? '.' : `\\u{${one.codePointAt(0)?.toString(16)}}`))
        .join('');
      return matchesPattern(patternOf(pattern), text) === new RegExp(`^${source}$`, 'su').test(text);
    }),
    { numRuns: 5_000 },
  ));

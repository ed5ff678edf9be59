import { describe, expect, test } from 'vitest';
import { isProblem } from '../../api/problem.ts';
import { compact, MAX_TEXT_LENGTH, parseJson } from './json.ts';

describe('a JSON text is read with everything that stands in it', () => {
  test('keeps members in their order, duplicates too, and says where each value stands', () => {
    const text = '{"a": [1.50, "\\u0062\\n"], "a": null}';
    expect(parseJson(text)).toEqual({
      kind: 'object',
      start: 0,
      end: text.length,
      members: [
        {
          name: 'a',
          value: {
            kind: 'array',
            start: 6,
            end: 24,
            items: [
              { kind: 'number', start: 7, end: 11, raw: '1.50' },
              { kind: 'string', start: 13, end: 23, value: 'b\n' },
            ],
          },
        },
        { name: 'a', value: { kind: 'null', start: 31, end: 35, raw: 'null' } },
      ],
    });
  });

  const values: Record<string, unknown> = {
    '""': '',
    '"\\" \\\\ \\/ \\b \\f \\n \\r \\t"': '" \\ / \b \f \n \r \t',
    '"\\u00e9\\ud83d\\ude00"': '\u00e9\u{1f600}',
    '"\u007f\u00e9"': '\u007f\u00e9',
    '"\\\\"': '\\',
  };
  for (const [text, value] of Object.entries(values)) {
    test(`reads the string ${text}`, () => expect(parseJson(text)).toEqual({ kind: 'string', start: 0, end: text.length, value }));
  }

  const scalars: Record<string, string> = {
    '-0': 'number',
    '1e9': 'number',
    '1.5E-3': 'number',
    '10': 'number',
    true: 'boolean',
    false: 'boolean',
    null: 'null',
  };
  for (const [raw, kind] of Object.entries(scalars)) {
    test(`keeps ${raw} as it is written`, () => expect(parseJson(` ${raw}\n`)).toEqual({ kind, start: 1, end: 1 + raw.length, raw }));
  }
});

describe('what is not JSON is a problem that says where', () => {
  const problems: Record<string, string> = {
    '': 'at character 1, the end of the text was found, but a value was expected',
    '{"a":1}x': 'at character 8, "x" was found, but the end of the text was expected',
    '{"a" 1}': 'at character 6, "1" was found, but ":" was expected',
    '{"a":1 "b":2}': 'at character 8, "\\"" was found, but "," was expected',
    '{"a":1,}': 'at character 8, "}" was found, but the name of a member in double quotes was expected',
    '{a:1}': 'at character 2, "a" was found, but the name of a member in double quotes was expected',
    '{,}': 'at character 2, "," was found, but the name of a member in double quotes was expected',
    '[1 2]': 'at character 4, "2" was found, but "," was expected',
    '[1,]': 'at character 4, "]" was found, but a value was expected',
    '[,]': 'at character 2, "," was found, but a value was expected',
    '[1': 'at character 3, the end of the text was found, but "," was expected',
    '{"a":1': 'at character 7, the end of the text was found, but "," was expected',
    '01': 'at character 2, "1" was found, but the end of the text was expected',
    '+1': 'at character 1, "+" was found, but a value was expected',
    '1.': 'at character 2, "." was found, but the end of the text was expected',
    NaN: 'at character 1, "N" was found, but a value was expected',
    truefalse: 'at character 5, "f" was found, but the end of the text was expected',
    '"abc': 'the string at character 1 does not end',
    '"abc\\"': 'the string at character 1 does not end',
    '["a\\x"]': 'the string at character 2 contains an unknown escape',
    '"\\u12g4"': 'the string at character 1 contains an unknown escape',
    '"\\u{1f600}"': 'the string at character 1 contains an unknown escape',
    '"\\\u{1f600}"': 'the string at character 1 contains an unknown escape',
    '"\t"': 'the string at character 1 contains a control character',
    '"\\n\n"': 'the string at character 1 contains a control character',
    '"\\ud800"': 'the string at character 1 contains half of a surrogate pair',
    '"\\ude00\\ud83d"': 'the string at character 1 contains half of a surrogate pair',
    '"\ud800"': 'it contains half of a surrogate pair, which JSON does not allow',
    '\ufeff{}': 'at character 1, "\ufeff" was found, but a value was expected',
    '\u00a0{}': 'at character 1, "\u00a0" was found, but a value was expected',
  };
  for (const [text, problem] of Object.entries(problems)) test(JSON.stringify(text), () => expect(parseJson(text)).toEqual({ problem }));
});

describe('hostile input ends in a problem', () => {
  test('nested as deep as is read, and one deeper', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(isProblem(parseJson(nested(33)))).toBe(false);
    expect(parseJson(nested(34))).toEqual({ problem: 'it is nested deeper than 32 levels' });
    expect(parseJson(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`)).toEqual({ problem: 'it is nested deeper than 32 levels' });
    expect(isProblem(parseJson('['.repeat(60_000)))).toBe(true);
  });

  test('as long as is read, and one longer', () => {
    expect(isProblem(parseJson(`"${'x'.repeat(MAX_TEXT_LENGTH - 2)}"`))).toBe(false);
    expect(parseJson(`"${'x'.repeat(MAX_TEXT_LENGTH - 1)}"`)).toEqual({ problem: 'it has 65537 characters, more than 65536' });
  });
});

describe('white space', () => {
  const texts: Record<string, string> = {
    '{ "a b" : [ 1 ,\t2 ] ,\r\n"c":"\\" " }': '{"a b":[1,2],"c":"\\" "}',
    ' 5 ': '5',
    '{"a":1}': '{"a":1}',
    '"\\\\" ': '"\\\\"',
  };
  for (const [text, wanted] of Object.entries(texts))
    test(`of ${JSON.stringify(text)} goes between tokens, and stays in strings`, () => expect(compact(text)).toBe(wanted));
});

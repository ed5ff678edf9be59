import { expect, test } from 'vitest';
import { type Json, parseJson, stringifyJson } from './json.ts';

const same: Record<string, string> = {
  'members that look like numbers stay where they are': '{"b":1,"10":2,"2":3}',
  'a member called __proto__ is a member': '{"__proto__":{"x":1}}',
  'empty lists, empty objects, every kind of value': '{"a":[],"b":{},"c":[null,true,false,-1.5,"x"]}',
  'texts that hold brackets, quotes and backslashes': String.raw`{"a":"[{\"}\\","b":["]"]}`,
};
for (const [sentence, text] of Object.entries(same)) test(sentence, () => expect(stringifyJson(parseJson(text))).toBe(text));

test('white space goes, inside texts it stays', () =>
  expect(stringifyJson(parseJson(' { "a" :\n[ 1 , "x y" ] } '))).toBe('{"a":[1,"x y"]}'));

const refused: Record<string, string> = {
  'a duplicate member': '{"a":1,"b":2,"a":3}',
  'a duplicate member, one of them escaped': '{"a":1,"\\u0061":2}',
  'a duplicate member deep inside': '{"x":[{"a":1,"a":1}]}',
  'a trailing comma': '{"a":1,}',
  'a comment': '{/* */"a":1}',
  'two documents': '{}{}',
  nothing: '',
  'nesting without end': '['.repeat(100) + ']'.repeat(100),
};
for (const [sentence, text] of Object.entries(refused))
  test(`refused: ${sentence}`, () => expect((): Json => parseJson(text)).toThrow(SyntaxError));

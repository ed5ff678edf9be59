import { describe, expect, test } from 'vitest';
import { policy, read, valid } from '../../../test/trust/cluster.ts';
import { compacted, decodeDocument, parseDocument, printDocument, statementTexts, withStatements } from './document.ts';

const SERVICE = '{"Effect":"Allow"}';

describe('reading', () => {
  test('finds version, statements, their numbers and Sids', () => {
    const { version, statements } = read('{"Version":"2012-10-17","Statement":[{"Sid":"One"},{"Sid":5},{}]}');
    expect(version).toBe('2012-10-17');
    expect(statements.map(({ index, sid }) => ({ index, sid }))).toEqual([
      { index: 1, sid: 'One' },
      { index: 2, sid: undefined },
      { index: 3, sid: undefined },
    ]);
  });

  test('takes a single object for a list of one', () =>
    expect(read(`{"Statement":${SERVICE}}`).statements.map(({ index }) => index)).toEqual([1]));
  test('takes a document without Version, which is 2008-10-17', () => expect(read('{"Statement":[]}').version).toBeUndefined());

  const problems: Record<string, string> = {
    'not JSON': 'not JSON: at character 1, "n" was found, but a value was expected',
    '[]': 'it is a JSON array, not an object with "Version" and "Statement"',
    '"x"': 'it is a JSON string, not an object with "Version" and "Statement"',
    '{}': 'it has no member "Statement"',
    '{"statement":[]}': 'it has no member "Statement"',
    '{"Statement":5}': '"Statement" is a JSON number, not an array or an object',
    '{"Statement":[],"Version":2012}': '"Version" is a JSON number, not a string',
    '{"Statement":[{},5]}': 'statement 2 is a JSON number, not an object',
    '{"Statement":[],"Statement":[]}': 'the member "Statement" appears twice in one object',
    '{"Statement":[{"Condition":{"A":{"b":1,"b":2}}}]}': 'the member "b" appears twice in one object',
    '{"Statement":[{"Condition":{"A":{"oidc.example.com:sub":1,"oidc.example.com:sub":2}}}]}':
      'a condition key appears twice in one object',
    '{"Statement":[],"X":[[{"a\\u0062":1,"ab":2}]]}': 'the member "ab" appears twice in one object',
  };
  // Contract: bad-document
  for (const [text, problem] of Object.entries(problems))
    test(`${text} is a problem`, () => expect(parseDocument(text)).toEqual({ problem }));
});

describe('decoding', () => {
  const cases: Record<string, string> = {
    '%7B%22Statement%22%3A%5B%5D%7D': '{"Statement":[]}',
    '{"Statement":[]}': '{"Statement":[]}',
    ' \n{"a":"100%"}': ' \n{"a":"100%"}',
    '%7B%22a%22%3A%22x+y%C3%A9%22%7D': '{"a":"x+y\u00e9"}',
    plain: 'plain',
  };
  for (const [encoded, text] of Object.entries(cases)) test(JSON.stringify(encoded), () => expect(decodeDocument(encoded)).toBe(text));

  test('says what is wrong with a text that is neither', () => {
    const problem = 'it is neither JSON nor URL-encoded: a "%" is not followed by the hexadecimal digits of UTF-8';
    for (const text of ['%', '%7', '%zz', '%ff']) expect(decodeDocument(text)).toEqual({ problem });
  });

  test('does not even begin with a text that is too long', () => {
    expect(decodeDocument('%20'.repeat(196_609))).toEqual({ problem: 'it has 589827 characters, more than any trust policy can have' });
    expect(decodeDocument('%20'.repeat(196_608))).toBe(' '.repeat(196_608));
  });
});

describe('printing', () => {
  const messy = '{ "Version" : "2012-10-17",\n "Statement" : [ {"a": 1.0} ,\t{"b":"\\u0041 "} ] , "Id":"x" }';

  test('an untouched document gives the same characters', () => expect(printDocument(read(messy))).toBe(messy));

  test('compacted loses the white space between tokens, and is the same object when there is none', () => {
    const document = compacted(read(messy));
    expect(printDocument(document)).toBe('{"Version":"2012-10-17","Statement":[{"a":1.0},{"b":"\\u0041 "}],"Id":"x"}');
    expect(statementTexts(document)).toEqual(['{"a":1.0}', '{"b":"\\u0041 "}']);
    expect(compacted(document)).toBe(document);
  });

  test('with other statements, everything around them stays', () => {
    expect(withStatements(read(messy), ['{"c":1}'])).toBe('{ "Version" : "2012-10-17",\n "Statement" : [{"c":1}] , "Id":"x" }');
  });

  test('a single object stays one while it is one, and becomes a list with the second', () => {
    const single = read(`{"Statement":${SERVICE},"Id":"x"}`);
    expect(withStatements(single, ['{"c":1}'])).toBe('{"Statement":{"c":1},"Id":"x"}');
    expect(withStatements(single, [SERVICE, '{"c":1}'])).toBe(`{"Statement":[${SERVICE},{"c":1}],"Id":"x"}`);
  });

  test('a list of one stays a list', () =>
    expect(withStatements(valid(parseDocument(policy({}))), ['{"c":1}'])).toBe('{"Version":"2012-10-17","Statement":[{"c":1}]}'));
});

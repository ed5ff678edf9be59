import { expect, test } from 'vitest';
import { type Family, linesOf } from './family.ts';

const family = (samples: Family['samples']): Family => ({ name: 'pods', help: 'Pods.', type: 'gauge', labelNames: ['a', 'b'], samples });

test('a family is its help, its type and a line for each series', () =>
  expect(
    [
      ...linesOf(
        family(() => [
          { labels: ['x', 'y'], value: 1 },
          { labels: ['x', 'z'], value: 0.5 },
        ]),
      ),
    ].join(''),
  ).toBe('# HELP pods Pods.\n# TYPE pods gauge\npods{a="x",b="y"} 1\npods{a="x",b="z"} 0.5\n'));

test('a pause is no line', () => expect([...linesOf(family(() => [undefined]))].join('')).toBe('# HELP pods Pods.\n# TYPE pods gauge\n'));

const escaped: Record<string, [string, string]> = {
  'a quote': ['a"b', 'a\\"b'],
  'a backslash': ['a\\b', 'a\\\\b'],
  'a new line': ['a\nb', 'a\\nb'],
  'all of them': ['\\"\n', '\\\\\\"\\n'],
  'nothing else': ['arn:aws:iam::1:role/a+=,.@-_', 'arn:aws:iam::1:role/a+=,.@-_'],
};
for (const [sentence, [value, written]] of Object.entries(escaped))
  test(`in the value of a label ${sentence} does not end it`, () =>
    expect([...linesOf(family(() => [{ labels: [value, ''], value: 1 }]))].at(-1)).toBe(`pods{a="${written}",b=""} 1\n`));

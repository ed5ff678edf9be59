import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { readTexts } from './texts.ts';

const stdin = () => Readable.from([Buffer.from('a: 1')]);

test('standard input is a file among others', async () =>
  expect(await readTexts(['-', 'config/samples/grant.yaml'], stdin())).toMatchObject([
    { file: 'standard input', text: 'a: 1' },
    { file: 'config/samples/grant.yaml' },
  ]));

// Contract: commands-stdin-once
test('standard input that is given twice is refused, because it can be read once', () =>
  expect(readTexts(['-', '-'], stdin())).rejects.toThrow(
    'standard input is given twice (-f -), and can be read once. Remove one of the two',
  ));

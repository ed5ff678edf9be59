import { describe, expect, test } from 'vitest';
import { isProblem } from '../api/problem.ts';
import { styleOf } from './style.ts';

type Env = Readonly<Record<string, string>>;
const isColoured = (isTTY: boolean, env: Env, color: string) => {
  const style = styleOf({ isTTY }, env, { color });
  return isProblem(style) ? style.problem : style.colour;
};

// Contract: commands-color
describe('colors are', () => {
  const cases: Readonly<Record<string, readonly [isTTY: boolean, env: Env, color: string, found: boolean | string]>> = {
    'in a terminal': [true, {}, 'auto', true],
    'not in a pipe': [false, {}, 'auto', false],
    'not where NO_COLOR is set': [true, { NO_COLOR: '1' }, 'auto', false],
    'in a terminal where NO_COLOR is empty, which counts as not set': [true, { NO_COLOR: '' }, 'auto', true],
    'in a pipe where they are asked for, whatever NO_COLOR says': [false, { NO_COLOR: '1' }, 'always', true],
    'nowhere where they are not wanted': [true, {}, 'never', false],
    'refused in another way': [true, {}, 'yes', '--color: "yes" is none of auto, always, never'],
  };
  for (const [sentence, [isTTY, env, color, found]] of Object.entries(cases))
    test(sentence, () => expect(isColoured(isTTY, env, color)).toBe(found));
});

test('a page is as wide as the terminal, and 100 columns in a pipe', () => {
  const width = (stream: object) => styleOf(stream, {}, { color: 'auto' });
  expect([width({ isTTY: true, columns: 132 }), width({ isTTY: true, columns: 10 }), width({ columns: 132 })]).toMatchObject([
    { width: 132 },
    { width: 40 },
    { width: 100 },
  ]);
});

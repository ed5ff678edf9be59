import { expect, test } from 'vitest';
import { ManualClock } from '../runtime/manual-clock.ts';
import { progressOn } from './progress.ts';

/** What is written when of ten roles one is done every so many milliseconds. */
function written(isTTY: boolean, everyMs: number, upTo = 10): string {
  const clock = new ManualClock();
  let text = '';
  const line = progressOn({ isTTY, write: (more: string) => (text += more) }, clock);
  for (let done = 1; done <= upTo; done += 1) {
    clock.freeze(everyMs);
    line.progress(done, 10, 'roles');
  }
  line.end();
  return text;
}
const ERASE = '\r\u001b[2K';

// Contract: commands-progress
test('what takes longer than a second says how many of how many, in one line that is gone in the end', () =>
  expect(written(true, 500)).toBe(`${[2, 3, 4, 5, 6, 7, 8, 9].map((done) => `${ERASE}${done} of 10 roles`).join('')}${ERASE}`));

test('a line is written five times a second at most', () =>
  expect(written(true, 150)).toBe(`${ERASE}7 of 10 roles${ERASE}9 of 10 roles${ERASE}`));

test('what is over within a second writes none', () => expect(written(true, 50)).toBe(''));

// Contract: commands-progress
test('in a pipe there is none', () => expect(written(false, 500)).toBe(''));

test('one that ends early leaves no line behind', () =>
  expect(written(true, 500, 3)).toBe(`${ERASE}2 of 10 roles${ERASE}3 of 10 roles${ERASE}`));

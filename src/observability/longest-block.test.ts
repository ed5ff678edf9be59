import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { longestBlock } from './longest-block.ts';

test('what holds the event loop for 80 ms is a block of 60 ms at least', async () => {
  const read = longestBlock(() => 0);
  await wait(100); // the meter has to tick once
  const until = performance.now() + 80;
  while (performance.now() < until);
  await wait(100);
  expect(read()).toBeGreaterThanOrEqual(0.06);
});

test('a block is shown for a minute at least, and for two at most', () => {
  let now = 0;
  const meters = [fake(), fake()] as [Fake, Fake];
  const read = longestBlock(() => now, meters);
  const block = (ms: number) => {
    for (const one of meters) one.max = Math.max(one.max, (ms + 20) * 1e6);
  };
  const minutes = [];
  block(300);
  for (let minute = 0; minute < 5; minute += 1) {
    if (minute === 2) block(100);
    now = minute * 60_000;
    minutes.push(read());
  }
  expect(minutes).toEqual([0.3, 0.3, 0.3, 0.1, 0]);
});

interface Fake {
  max: number;
  reset(): void;
}

function fake(): Fake {
  return {
    max: 0,
    reset() {
      this.max = 0;
    },
  };
}

import { describe, expect, test } from 'vitest';
import { ManualClock, settle } from '../runtime/manual-clock.ts';
import { renderings } from './rendering.ts';

/** Pieces that each take so long. */
function* taking(clock: ManualClock, ms: number, pieces: readonly string[]): Generator<string> {
  for (const piece of pieces) {
    clock.freeze(ms);
    yield piece;
  }
}
const text = (pages: readonly Buffer[]) => Buffer.concat(pages).toString();

// Contract: metrics-one-scrape
describe('a page is rendered in slices', () => {
  const slices: Record<string, { ms: number; pieces: number; gaveWay: number }> = {
    'none where it takes a moment': { ms: 0, pieces: 1_000, gaveWay: 0 },
    'one every 10 ms': { ms: 1, pieces: 100, gaveWay: 10 },
    'one after each piece that is longer than that': { ms: 30, pieces: 5, gaveWay: 5 },
  };
  for (const [sentence, { ms, pieces, gaveWay }] of Object.entries(slices))
    test(sentence, async () => {
      const clock = new ManualClock();
      const page = Array.from({ length: pieces }, (_, at) => `line ${at}\n`);
      expect(text(await renderings(() => taking(clock, ms, page), clock)())).toBe(page.join(''));
      expect(clock.gaveWay).toBe(gaveWay);
    });

  test('and an empty piece is a moment in which others may have their turn', async () => {
    const clock = new ManualClock();
    expect(text(await renderings(() => taking(clock, 10, ['', '', 'a', '']), clock)())).toBe('a');
    expect(clock.gaveWay).toBe(4);
  });

  test('and what is not there yet is waited for', async () => {
    const page = () => ['a', Promise.resolve('b'), 'c'];
    expect(text(await renderings(page, new ManualClock())())).toBe('abc');
  });
});

describe('a rendering is used again', () => {
  /** Each rendering takes so long, and is the number of it. */
  function numbered(ms: number) {
    const clock = new ManualClock();
    let number = 0;
    const latest = renderings(() => taking(clock, ms, [String(++number)]), clock);
    return { clock, latest: async () => Number(text(await latest())) };
  }
  const used: Record<string, { takes: number; after: number; is: number }> = {
    'at once': { takes: 300, after: 0, is: 1 },
    'until it is 5 s old': { takes: 300, after: 4_699, is: 1 },
    'and no longer, which counts from its beginning': { takes: 300, after: 4_700, is: 2 },
    'for twenty times what it took, where that is less: scraping costs 5 % of the time at most': { takes: 10, after: 189, is: 1 },
    'and no longer than twenty times': { takes: 10, after: 190, is: 2 },
    'not at all where it took more than 5 s': { takes: 5_000, after: 0, is: 2 },
  };
  for (const [sentence, { takes, after, is }] of Object.entries(used))
    test(sentence, async () => {
      const { clock, latest } = numbered(takes);
      expect(await latest()).toBe(1);
      await clock.advance(after);
      expect(await latest()).toBe(is);
    });
});

// Contract: metrics-one-scrape
test('whoever asks while a page is rendered gets that one', async () => {
  const clock = new ManualClock();
  const first = Promise.withResolvers<string>();
  let begun = 0;
  const latest = renderings(() => {
    begun += 1;
    return begun === 1 ? [first.promise] : ['second'];
  }, clock);
  const all = Promise.all(Array.from({ length: 100 }, async () => text(await latest())));
  await clock.advance(60_000);
  expect(begun).toBe(1);
  first.resolve('first');
  expect(new Set(await all)).toEqual(new Set(['first']));
});

test('a page that cannot be rendered is told to all who asked, and the next one tries again', async () => {
  const clock = new ManualClock();
  const first = Promise.withResolvers<string>();
  let begun = 0;
  const latest = renderings(() => (++begun === 1 ? [first.promise] : ['second']), clock);
  const asked = Promise.allSettled([latest(), latest()]);
  await settle();
  first.reject(new Error('no metric'));
  expect((await asked).map((one) => one.status === 'rejected' && one.reason.message)).toEqual(['no metric', 'no metric']);
  expect(text(await latest())).toBe('second');
});

import { describe, expect, test } from 'vitest';
import { adviceFor, type Contention, Contentions, contentionLevel, NO_CONTENTION, nextWriteAt, recordRevert } from './contention.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 0, 1);
const contended = (minutes: readonly number[]): Contention =>
  minutes.reduce((contention, minute) => recordRevert(contention, START + minute * MINUTE, ['helm']), NO_CONTENTION);

interface Case {
  readonly reverts: readonly number[];
  readonly now: number;
  readonly contentionLevel: ReturnType<typeof contentionLevel>;
  readonly waitsMinutes: number;
}
/** Times in minutes. */
const cases: Record<string, Case> = {
  'nothing was reverted': { reverts: [], now: 0, contentionLevel: 'none', waitsMinutes: 0 },
  "a person's single revert is repaired at once": { reverts: [0], now: 0, contentionLevel: 'none', waitsMinutes: 0 },
  'so is a second one': { reverts: [0, 1], now: 1, contentionLevel: 'none', waitsMinutes: 0 },
  'the third in ten minutes is contention: the next write waits five minutes': {
    reverts: [0, 1, 2],
    now: 2,
    contentionLevel: 'contended',
    waitsMinutes: 5,
  },
  'exactly ten minutes are in ten minutes': { reverts: [0, 5, 10], now: 10, contentionLevel: 'contended', waitsMinutes: 5 },
  'of the five minutes those that passed are over': { reverts: [0, 1, 2], now: 5, contentionLevel: 'contended', waitsMinutes: 2 },
  'after them we may write': { reverts: [0, 1, 2], now: 7, contentionLevel: 'contended', waitsMinutes: 0 },
  'it stays contention while each of our paced writes is reverted': {
    reverts: [0, 1, 2, 7.5, 13, 18.5, 24],
    now: 24,
    contentionLevel: 'contended',
    waitsMinutes: 5,
  },
  'ten minutes without a revert are quiet, though not forgotten': {
    reverts: [0, 1, 2],
    now: 12.1,
    contentionLevel: 'repeated',
    waitsMinutes: 0,
  },
  'after a quiet time a revert is repaired at once again': {
    reverts: [0, 1, 2, 30],
    now: 30,
    contentionLevel: 'repeated',
    waitsMinutes: 0,
  },
  // Contract: contention-day
  'the third in 24 hours is told, and repaired at once': {
    reverts: [0, 8 * 60, 24 * 60],
    now: 24 * 60,
    contentionLevel: 'repeated',
    waitsMinutes: 0,
  },
  'three in more than 24 hours are nothing': {
    reverts: [0, 8 * 60, 24 * 60 + 1],
    now: 24 * 60 + 1,
    contentionLevel: 'none',
    waitsMinutes: 0,
  },
  'what was told is over a day after it began': { reverts: [0, 60, 120], now: 24 * 60 + 1, contentionLevel: 'none', waitsMinutes: 0 },
};
describe('contention', () => {
  for (const [sentence, { reverts: minutes, now, ...expected }] of Object.entries(cases)) {
    test(sentence, () => {
      const [contention, at] = [contended(minutes), START + now * MINUTE];
      const waitsMinutes = (nextWriteAt(contention, at) - at) / MINUTE;
      expect({ contentionLevel: contentionLevel(contention, at), waitsMinutes }).toEqual(expected);
    });
  }

  test('however often it is reverted, two writes of a day of contention are five minutes apart, but for the first three', () => {
    const writes: number[] = [];
    let [contention, now] = [NO_CONTENTION, START];
    while (now < START + 24 * HOUR) {
      contention = recordRevert(contention, now, ['argocd-controller']);
      now = nextWriteAt(contention, now);
      writes.push(now);
      now += 1_000; // the other writer is quick
    }
    const gaps = writes.slice(1).map((at, before) => at - (writes[before] ?? 0));
    expect(gaps.slice(0, 1)).toEqual([1_000]);
    expect(Math.min(...gaps.slice(1))).toBeGreaterThanOrEqual(5 * MINUTE);
    expect(contention.reverts).toHaveLength(3);
  });

  test('who did it is named once, the latest last, and four at most', () => {
    const names = [['a'], ['b'], ['a'], [], ['c', 'd'], ['e']];
    expect(names.reduce((contention, by) => recordRevert(contention, START, by), NO_CONTENTION).by).toEqual(['a', 'c', 'd', 'e']);
  });

  test('the advice is for the managers that are in it', () => {
    const advice = { helm: 'about Helm', kustomize: 'about Flux', argocd: 'about Argo CD' };
    expect(adviceFor(['helm-controller', 'argocd-controller', 'me'], advice)).toEqual(['about Helm', 'about Argo CD']);
  });
});

describe('the contentions of a process', () => {
  test('are kept by object', () => {
    const contentions = new Contentions();
    const contention = contended([1]);
    contentions.set('one', contention);
    expect([contentions.of('one'), contentions.of('other')]).toEqual([contention, NO_CONTENTION]);
  });

  test('are bounded: the one that was quiet longest is forgotten', () => {
    const contentions = new Contentions();
    for (let object = 0; object < 4_096; object++) contentions.set(`object-${object}`, contended([1]));
    contentions.set('object-0', contended([1, 2]));
    contentions.set('one too many', contended([1]));
    expect([contentions.of('object-0'), contentions.of('object-1')]).toEqual([contended([1, 2]), NO_CONTENTION]);
  });

  test('an object without contention takes no room', () => {
    const contentions = new Contentions();
    contentions.set('one', contended([1]));
    for (let object = 0; object < 5_000; object++) contentions.set(`object-${object}`, NO_CONTENTION);
    expect(contentions.of('one')).toEqual(contended([1]));
  });
});

import { describe, expect, test } from 'vitest';
import { adviceFor, type Fight, Fights, mayWriteAt, peace, tempers, undone } from './contention.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 0, 1);
const fought = (minutes: readonly number[]): Fight =>
  minutes.reduce((fight, minute) => undone(fight, START + minute * MINUTE, ['helm']), peace);

interface Case {
  readonly undone: readonly number[];
  readonly now: number;
  readonly tempers: ReturnType<typeof tempers>;
  readonly waitsMinutes: number;
}
/** Times in minutes. */
const cases: Record<string, Case> = {
  'nothing was undone': { undone: [], now: 0, tempers: 'calm', waitsMinutes: 0 },
  "a person's single undo is repaired at once": { undone: [0], now: 0, tempers: 'calm', waitsMinutes: 0 },
  'so is a second one': { undone: [0, 1], now: 1, tempers: 'calm', waitsMinutes: 0 },
  'the third in ten minutes is a fight: the next write waits five minutes': {
    undone: [0, 1, 2],
    now: 2,
    tempers: 'contended',
    waitsMinutes: 5,
  },
  'exactly ten minutes are in ten minutes': { undone: [0, 5, 10], now: 10, tempers: 'contended', waitsMinutes: 5 },
  'of the five minutes those that passed are over': { undone: [0, 1, 2], now: 5, tempers: 'contended', waitsMinutes: 2 },
  'after them we may write': { undone: [0, 1, 2], now: 7, tempers: 'contended', waitsMinutes: 0 },
  'it stays a fight while each of our paced writes is undone': {
    undone: [0, 1, 2, 7.5, 13, 18.5, 24],
    now: 24,
    tempers: 'contended',
    waitsMinutes: 5,
  },
  'ten minutes without an undo are peace, though not forgotten': {
    undone: [0, 1, 2],
    now: 12.1,
    tempers: 'repeated',
    waitsMinutes: 0,
  },
  'after peace an undo is repaired at once again': { undone: [0, 1, 2, 30], now: 30, tempers: 'repeated', waitsMinutes: 0 },
  // Contract: fight-day
  'the third in 24 hours is told, and repaired at once': {
    undone: [0, 8 * 60, 24 * 60],
    now: 24 * 60,
    tempers: 'repeated',
    waitsMinutes: 0,
  },
  'three in more than 24 hours are nothing': { undone: [0, 8 * 60, 24 * 60 + 1], now: 24 * 60 + 1, tempers: 'calm', waitsMinutes: 0 },
  'what was told is over a day after it began': { undone: [0, 60, 120], now: 24 * 60 + 1, tempers: 'calm', waitsMinutes: 0 },
};
describe('fights', () => {
  for (const [sentence, { undone: minutes, now, ...expected }] of Object.entries(cases)) {
    test(sentence, () => {
      const [fight, at] = [fought(minutes), START + now * MINUTE];
      const waitsMinutes = (mayWriteAt(fight, at) - at) / MINUTE;
      expect({ tempers: tempers(fight, at), waitsMinutes }).toEqual(expected);
    });
  }

  test('however often it is undone, two writes of a day of fighting are five minutes apart, but for the first three', () => {
    const writes: number[] = [];
    let [fight, now] = [peace, START];
    while (now < START + 24 * HOUR) {
      fight = undone(fight, now, ['argocd-controller']);
      now = mayWriteAt(fight, now);
      writes.push(now);
      now += 1_000; // the other one is quick
    }
    const gaps = writes.slice(1).map((at, before) => at - (writes[before] ?? 0));
    expect(gaps.slice(0, 1)).toEqual([1_000]);
    expect(Math.min(...gaps.slice(1))).toBeGreaterThanOrEqual(5 * MINUTE);
    expect(fight.undone).toHaveLength(3);
  });

  test('who did it is named once, the latest last, and four at most', () => {
    const names = [['a'], ['b'], ['a'], [], ['c', 'd'], ['e']];
    expect(names.reduce((fight, by) => undone(fight, START, by), peace).by).toEqual(['a', 'c', 'd', 'e']);
  });

  test('the advice is for whoever is in it', () => {
    const advice = { helm: 'about Helm', kustomize: 'about Flux', argocd: 'about Argo CD' };
    expect(adviceFor(['helm-controller', 'argocd-controller', 'me'], advice)).toEqual(['about Helm', 'about Argo CD']);
  });
});

describe('the fights of a process', () => {
  test('are kept by object', () => {
    const fights = new Fights();
    const fight = fought([1]);
    fights.keep('one', fight);
    expect([fights.of('one'), fights.of('other')]).toEqual([fight, peace]);
  });

  test('are bounded: the one that was quiet longest is forgotten', () => {
    const fights = new Fights();
    for (let object = 0; object < 4_096; object++) fights.keep(`object-${object}`, fought([1]));
    fights.keep('object-0', fought([1, 2]));
    fights.keep('one too many', fought([1]));
    expect([fights.of('object-0'), fights.of('object-1')]).toEqual([fought([1, 2]), peace]);
  });

  test('an object that nobody fights over takes no room', () => {
    const fights = new Fights();
    fights.keep('one', fought([1]));
    for (let object = 0; object < 5_000; object++) fights.keep(`object-${object}`, peace);
    expect(fights.of('one')).toEqual(fought([1]));
  });
});

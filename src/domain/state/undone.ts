import { subjectKey } from '../../api/subject.ts';
import type { StatedSubject } from '../../trust/own-subjects.ts';
import type { ClusterName } from './identity.ts';

/** A subject that we took out and that somebody allowed again before the write was confirmed. `at`: the last time, epoch milliseconds. */
export interface Undone {
  readonly times: number;
  readonly at: number;
}

/** By subject. */
export type UndoneSubjects = ReadonlyMap<string, Undone>;

/** At the third time the other operator would count it as contention, and write at most once in 5 minutes. */
const TIMES_UNTIL_LEFT_ALONE = 2;
const REMEMBERED_MS = 24 * 3_600_000;

/** What was undone before a write was confirmed, with these now. Times are epoch milliseconds. */
export function countUndone(before: UndoneSubjects, subjects: readonly StatedSubject[], now: number): UndoneSubjects {
  const counted = new Map([...before].filter(([, { at }]) => now - at < REMEMBERED_MS));
  for (const one of subjects) {
    const key = subjectKey(one);
    counted.set(key, { times: (counted.get(key)?.times ?? 0) + 1, at: now });
  }
  return counted;
}

/** Until when a subject is not taken out, because somebody allows it again each time: epoch milliseconds. */
export function leftAloneUntil(undone: Undone | undefined): number {
  return undone !== undefined && undone.times >= TIMES_UNTIL_LEFT_ALONE ? undone.at + REMEMBERED_MS : 0;
}

/** Without an ID another cluster with this issuer writes the same statement, and what it needs cannot be told from what we left there. */
export const mayShareStatement = ({ clusterId }: Pick<ClusterName, 'clusterId'>): boolean => clusterId === undefined;

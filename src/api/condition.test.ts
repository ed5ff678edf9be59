import { expect, test } from 'vitest';
import { type Condition, conditionsFrom, timestamp } from './condition.ts';

const NOW = Date.parse('2026-11-24T12:00:00.789Z');
const THEN = '2026-11-24T11:00:00Z';
const good = { status: 'True', reason: 'Granted', message: 'granted' } as const;
const before: Condition[] = [{ type: 'Authorized', ...good, observedGeneration: 1, lastTransitionTime: THEN }];

test('the time of a condition stays while its status stays, also with another reason', () => {
  expect(conditionsFrom({ Authorized: { ...good, reason: 'Other', message: 'other' } }, before, 2, NOW)).toEqual([
    { type: 'Authorized', status: 'True', reason: 'Other', message: 'other', observedGeneration: 2, lastTransitionTime: THEN },
  ]);
});

test('the time moves with the status, in whole seconds', () => {
  const [condition] = conditionsFrom({ Authorized: { ...good, status: 'False' } }, before, 1, NOW);
  expect(condition?.lastTransitionTime).toBe('2026-11-24T12:00:00Z');
  expect(timestamp(NOW)).toBe('2026-11-24T12:00:00Z');
});

test('conditions stand in the order of the contract, and one that is not assessed is gone', () => {
  const types = conditionsFrom({ Stalled: good, Trusted: good, Ready: good }, before, 1, NOW).map(({ type }) => type);
  expect(types).toEqual(['Ready', 'Trusted', 'Stalled']);
});

// Contract: bad-size
test('a message that is too long ends after four thousand characters', () => {
  const [condition] = conditionsFrom({ Ready: { ...good, message: 'x'.repeat(2 ** 20) } }, [], 1, NOW);
  expect(condition?.message).toBe(`${'x'.repeat(4_095)}…`);
});

import { expect, test } from 'vitest';
import { Fault } from './fault.ts';

// Contract: bad-size
test('a fault has a message of two thousand characters at most, whatever the other side answered', () => {
  expect(new Fault('invalid', 'short').message).toBe('short');
  expect(new Fault('invalid', 'x'.repeat(2 ** 20)).message).toBe(`${'x'.repeat(2_047)}…`);
});

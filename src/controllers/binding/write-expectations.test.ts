import { expect, test } from 'vitest';
import { keyOf } from '../../api/cluster.ts';
import { ManualClock } from '../../runtime/manual-clock.ts';
import { UNSEEN_MOST_MS, WriteExpectations } from './write-expectations.ts';

const at = (resourceVersion: string, name = 'app') => ({ namespace: 'shop', name, resourceVersion });

test('a binding that we did not write is as we know it', () =>
  expect(new WriteExpectations(new ManualClock()).isUnseen(at('1'))).toBe(false));

test('after our write the version before it is not looked at', () => {
  const writes = new WriteExpectations(new ManualClock());
  writes.expect(at('1'), '2');
  expect([writes.isUnseen(at('1')), writes.isUnseen(at('1'))]).toEqual([true, true]);
});

test('the version that we wrote is looked at, and any other that came after', () => {
  for (const version of ['2', '7']) {
    const writes = new WriteExpectations(new ManualClock());
    writes.expect(at('1'), '2');
    expect(writes.isUnseen(at(version))).toBe(false);
  }
});

test('a write whose answer tells no version is waited for too', () => {
  const writes = new WriteExpectations(new ManualClock());
  writes.expect(at('1'));
  expect([writes.isUnseen(at('1')), writes.isUnseen(at('2'))]).toEqual([true, false]);
});

test('a write that changed nothing is not waited for', () => {
  const writes = new WriteExpectations(new ManualClock());
  writes.expect(at('1'), '1');
  expect(writes.isUnseen(at('1'))).toBe(false);
});

test('of two writes in one round the version before both is waited for', () => {
  const writes = new WriteExpectations(new ManualClock());
  writes.expect(at('1'), '2');
  writes.expect(at('1'), '3');
  expect([writes.isUnseen(at('1')), writes.isUnseen(at('3'))]).toEqual([true, false]);
});

test('of two writes one after the other what came of the first is not looked at either', () => {
  const writes = new WriteExpectations(new ManualClock());
  writes.expect(at('1'), '2');
  writes.expect(at('2'), '3');
  expect([writes.isUnseen(at('1')), writes.isUnseen(at('2')), writes.isUnseen(at('3'))]).toEqual([true, true, false]);
});

test('bindings do not wait for each other', () => {
  const writes = new WriteExpectations(new ManualClock());
  writes.expect(at('1'), '2');
  expect(writes.isUnseen(at('1', 'other'))).toBe(false);
  expect(writes.isUnseen(at('1'))).toBe(true);
});

test('a binding that is gone is forgotten: another one of its name starts anew', () => {
  const writes = new WriteExpectations(new ManualClock());
  writes.expect(at('1'), '2');
  writes.forget(keyOf(at('1')));
  expect(writes.isUnseen(at('1'))).toBe(false);
});

test('a write that the watch never shows is waited for two minutes, and then decided on again', async () => {
  const clock = new ManualClock();
  const writes = new WriteExpectations(clock);
  writes.expect(at('1'));
  await clock.advance(UNSEEN_MOST_MS - 1);
  expect(writes.isUnseen(at('1'))).toBe(true);
  await clock.advance(1);
  expect(writes.isUnseen(at('1'))).toBe(false);
});

test('each write is waited for anew', async () => {
  const clock = new ManualClock();
  const writes = new WriteExpectations(clock);
  writes.expect(at('1'), '2');
  await clock.advance(UNSEEN_MOST_MS - 1);
  writes.expect(at('2'), '3');
  await clock.advance(1);
  expect(writes.isUnseen(at('2'))).toBe(true);
});

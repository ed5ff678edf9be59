import { expect, test } from 'vitest';
import { keyOf } from '../../api/cluster.ts';
import { WriteExpectations } from './write-expectations.ts';

const at = (resourceVersion: string, name = 'app') => ({ namespace: 'shop', name, resourceVersion });

test('a binding that we did not write is as we know it', () => expect(new WriteExpectations().isUnseen(at('1'))).toBe(false));

test('after our write the version before it is not looked at', () => {
  const writes = new WriteExpectations();
  writes.expect(at('1'), '2');
  expect([writes.isUnseen(at('1')), writes.isUnseen(at('1'))]).toEqual([true, true]);
});

test('the version that we wrote is looked at, and any other that came after', () => {
  for (const version of ['2', '7']) {
    const writes = new WriteExpectations();
    writes.expect(at('1'), '2');
    expect(writes.isUnseen(at(version))).toBe(false);
  }
});

test('a write whose answer tells no version is waited for too', () => {
  const writes = new WriteExpectations();
  writes.expect(at('1'));
  expect([writes.isUnseen(at('1')), writes.isUnseen(at('2'))]).toEqual([true, false]);
});

test('a write that changed nothing is not waited for', () => {
  const writes = new WriteExpectations();
  writes.expect(at('1'), '1');
  expect(writes.isUnseen(at('1'))).toBe(false);
});

test('of two writes in one round the version before both is waited for', () => {
  const writes = new WriteExpectations();
  writes.expect(at('1'), '2');
  writes.expect(at('1'), '3');
  expect([writes.isUnseen(at('1')), writes.isUnseen(at('3'))]).toEqual([true, false]);
});

test('bindings do not wait for each other', () => {
  const writes = new WriteExpectations();
  writes.expect(at('1'), '2');
  expect(writes.isUnseen(at('1', 'other'))).toBe(false);
  expect(writes.isUnseen(at('1'))).toBe(true);
});

test('a binding that is gone is forgotten: another one of its name starts anew', () => {
  const writes = new WriteExpectations();
  writes.expect(at('1'), '2');
  writes.forget(keyOf(at('1')));
  expect(writes.isUnseen(at('1'))).toBe(false);
});

import { expect, test } from 'vitest';
import { Fault } from '../../api/fault.ts';
import type { Loss } from '../../domain/authorization/loss.ts';
import { readRecord, writeRecord } from '../../domain/authorization/revocation-record.ts';
import { ARN, loss, OTHER_ARN } from '../../domain/test-observed.ts';
import { silentLog } from '../../runtime/log.ts';
import { createStores } from '../stores.ts';
import { Ledger } from './ledger.ts';

const { signal } = new AbortController();
const lost = (part: Partial<Loss> = {}): Loss => {
  const { dueAt: _, paused: __, ...rest } = loss(part);
  return rest;
};

/** A ConfigMap whose writes wait until they are let through. */
function ledgerOver(text?: string) {
  const owned = createStores(silentLog);
  const written: string[] = [];
  const faults: Fault[] = [];
  let gate = Promise.resolve();
  let reads = 0;
  const record = {
    async read() {
      reads += 1;
      return text;
    },
    async write(next: string) {
      await gate;
      const fault = faults.shift();
      if (fault !== undefined) throw fault;
      written.push(next);
    },
  };
  return {
    ledger: new Ledger({ owned, record, log: silentLog }),
    owned,
    written,
    faults,
    reads: () => reads,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
  };
}

// Contract: rule-revocation-record
test('a loss is in view once it is written down, and not before', async () => {
  const of = ledgerOver();
  const letThrough = of.hold();
  const put = of.ledger.put(ARN, [lost()], signal);
  await Promise.resolve();
  expect(of.owned.losses.list()).toEqual([]);
  letThrough();
  await put;
  expect([of.owned.losses.list(), of.written.map(readRecord)]).toEqual([[lost()], [[lost()]]]);
});

test('what was written before a restart is in view after it', async () => {
  const of = ledgerOver(writeRecord([lost()]).text);
  await of.ledger.load(signal);
  expect(of.owned.losses.list()).toEqual([lost()]);
});

test('roles that change while a write is under way go together in the next one', async () => {
  const of = ledgerOver();
  const letThrough = of.hold();
  const roles = [ARN, OTHER_ARN, 'arn:aws:iam::111122223333:role/a', 'arn:aws:iam::111122223333:role/b'] as (typeof ARN)[];
  const puts = roles.map((role) => of.ledger.put(role, [lost({ role })], signal));
  letThrough();
  await Promise.all(puts);
  expect(of.owned.losses.list().map(({ role }) => role)).toEqual(roles);
  expect(of.written.length).toBeLessThanOrEqual(2);
});

test('nothing is written where nothing changed', async () => {
  const of = ledgerOver(writeRecord([lost()]).text);
  await of.ledger.put(ARN, [lost()], signal);
  await of.ledger.put(OTHER_ARN, [], signal);
  expect(of.written).toEqual([]);
});

test('what is over is taken out', async () => {
  const of = ledgerOver(writeRecord([lost()]).text);
  await of.ledger.put(ARN, [], signal);
  expect(of.written).toEqual([]);
  await of.ledger.load(signal);
  await of.ledger.put(ARN, [], signal);
  expect([of.owned.losses.list(), of.written]).toEqual([[], ['[]']]);
});

test('a write that is refused is tried again, over what another wrote', async () => {
  const of = ledgerOver();
  of.faults.push(new Fault('conflict', 'the object has been modified'));
  await expect(of.ledger.put(ARN, [lost()], signal)).rejects.toMatchObject({ kind: 'conflict' });
  expect([of.owned.losses.list(), of.reads()]).toEqual([[], 2]);
  await of.ledger.put(ARN, [lost()], signal);
  expect(of.owned.losses.list()).toEqual([lost()]);
});

test('a record that nobody can read is begun anew', async () => {
  const of = ledgerOver('{');
  await of.ledger.put(ARN, [lost()], signal);
  expect(of.written.map(readRecord)).toEqual([[lost()]]);
});

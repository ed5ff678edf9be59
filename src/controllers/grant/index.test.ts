import { expect, test } from 'vitest';
import { problem } from '../../api/problem.ts';
import { grant } from '../../domain/test-observed.ts';
import type { BindingEvent } from '../../ports/events.ts';
import { silentLog } from '../../runtime/log.ts';
import { ManualClock, settle } from '../../runtime/manual-clock.ts';
import { createStores, type OwnedStores } from '../stores.ts';
import { testLoops } from '../test-loop.ts';
import { grantController } from './index.ts';

/** The real loop over the store of grants: what is told of those that cannot be read. */
const run = testLoops();

const named = (name: string) => ({ ...grant(), name, uid: name });
const unreadable = (name: string, why: string) => ({ ...named(name), spec: problem(why) });

async function running(...grants: ReturnType<typeof unreadable | typeof named>[]) {
  const events: BindingEvent[] = [];
  const clock = new ManualClock();
  const stores: OwnedStores = createStores(silentLog);
  for (const one of grants) stores.grants.put(one);
  stores.grants.markSynced();
  run(grantController({ stores, events: { record: (event) => void events.push(event) }, clock }), clock);
  await settle();
  const put = async (one: (typeof grants)[number]) => {
    stores.grants.put(one);
    await settle();
  };
  const pass = async (ms: number) => {
    await clock.advance(ms);
    await settle();
  };
  return { events, put, pass, notes: () => events.map(({ note }) => note) };
}

const WHY = 'spec.roleArns.0: it is wrong';
const told = (name: string, others = '') => `IrsaGrant "${name}" cannot be read, and grants nothing until you correct it: ${WHY}${others}`;

// Contract: api-grant-unreadable
test('a grant that cannot be read is told at the start, and again each hour', async () => {
  const { events, pass, notes } = await running(named('a'), unreadable('b', WHY));
  expect(events).toEqual([{ type: 'Warning', reason: 'InvalidSpec', action: 'Reconcile', note: told('b') }]);
  await pass(3_599_000);
  expect(notes()).toHaveLength(1);
  await pass(1_000);
  expect(notes()).toEqual([told('b'), told('b')]);
});

test('what changes in a grant is told, and nothing that has not changed', async () => {
  const { put, pass, notes } = await running(named('a'), unreadable('b', WHY));
  await put(named('a'));
  await put(unreadable('b', WHY));
  expect(notes()).toHaveLength(1);
  await put(unreadable('a', WHY));
  expect(notes()).toEqual([told('b'), told('a', '. Other IrsaGrants that cannot be read: 1')]);
  await put(named('a'));
  await put(named('b'));
  await pass(7_200_000);
  expect(notes()).toEqual([told('b'), told('a', '. Other IrsaGrants that cannot be read: 1'), told('b')]);
});

test('of thousands one Event is written, and no more of a problem than it has room for', async () => {
  const many = Array.from({ length: 5_000 }, (_, at) => unreadable(`g-${String(at).padStart(4, '0')}`, 'x'.repeat(100_000)));
  const { notes } = await running(...many);
  expect(notes()).toEqual([
    `IrsaGrant "g-0000" cannot be read, and grants nothing until you correct it: ${'x'.repeat(511)}…. Other IrsaGrants that cannot be read: 4999`,
  ]);
});

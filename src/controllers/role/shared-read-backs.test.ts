import { expect, test } from 'vitest';
import { type RoleArn, roleArnParts } from '../../api/arn.ts';
import { Fault } from '../../api/fault.ts';
import { ACCOUNT, ARN, NOW, present } from '../../domain/test-observed.ts';
import type { ListedRole } from '../../ports/roles.ts';
import { silentLog } from '../../runtime/log.ts';
import { ManualClock } from '../../runtime/manual-clock.ts';
import { createStores } from '../stores.ts';
import { written } from './records.ts';
import { SharedReadBacks } from './shared-read-backs.ts';

/** Roles that were written now, in an account whose list has so many pages; what it shows of them. */
function account(
  count: number,
  { pages = 1, shows = (policy: string) => policy, fault }: { pages?: number; shows?: (policy: string) => string; fault?: Fault } = {},
) {
  const { roles } = createStores(silentLog);
  const clock = new ManualClock(NOW);
  const arns = Array.from({ length: count }, (_, at) => ARN.replace(roleArnParts(ARN).name, `role-${at}`) as RoleArn);
  for (const arn of arns) {
    roles.put({ ...present({}), arn });
    written(roles, arn, `{"Statement":["${arn}"]}`, NOW);
  }
  let lists = 0;
  const iam = {
    async *list(): AsyncIterable<readonly ListedRole[]> {
      lists += 1;
      if (fault !== undefined) throw fault;
      yield arns.map((arn) => ({
        arn,
        mayBeOurs: true,
        parse: () => ({ arn, roleId: 'AROAAPP', policy: shows(`{"Statement":["${arn}"]}`) }),
      }));
      for (let page = 1; page < pages; page++) yield [];
    },
  };
  const stop = new AbortController();
  const readBacks = new SharedReadBacks({ account: ACCOUNT, owned: { roles }, roles: iam, clock, log: silentLog });
  const running = readBacks.run(stop.signal);
  return {
    readBacks,
    clock,
    lists: () => lists,
    /** Since when the oldest read of a role is, after the writes. */
    readAfterMs: () => Math.min(...arns.map((arn) => (roles.get(arn)?.asOf ?? 0) - NOW)),
    async end() {
      stop.abort();
      await running;
    },
  };
}

// Contract: trust-shared-read-back
test('the writes of many roles are read back by one list', async () => {
  const { readBacks, clock, lists, readAfterMs, end } = account(20);
  expect(readBacks.leaves(NOW)).toBe(true);
  await clock.advance(3_000);
  expect([lists(), readAfterMs()]).toEqual([1, 3_000]);
  await end();
});

// Contract: trust-shared-read-back
test('few are read one by one, and so is each where a list costs as much', async () => {
  const few = account(10);
  expect(few.readBacks.leaves(NOW)).toBe(false);
  await few.clock.advance(30_000);
  expect(few.lists()).toBe(0);
  const large = account(20, { pages: 10 });
  await large.clock.advance(30_000);
  expect([large.lists(), large.readBacks.leaves(NOW + 30_000)]).toEqual([1, false]);
  await Promise.all([few.end(), large.end()]);
});

// Contract: trust-shared-read-back
test('one that no list shows in time is read by itself', async () => {
  const { readBacks, clock, readAfterMs, end } = account(20, { shows: () => '{}' });
  await clock.advance(8_900);
  expect([readBacks.leaves(NOW), readAfterMs()]).toEqual([true, 0]);
  await clock.advance(100);
  expect(readBacks.leaves(NOW)).toBe(false);
  await end();
});

test('where IAM denies the list each role is read by itself; a list that fails is tried again', async () => {
  const denied = account(20, { fault: new Fault('denied', 'iam:ListRoles') });
  const failing = account(20, { fault: new Fault('throttled', 'iam:ListRoles') });
  await Promise.all([denied.clock.advance(9_000), failing.clock.advance(9_000)]);
  expect([denied.lists(), denied.readBacks.leaves(NOW + 9_000)]).toEqual([1, false]);
  expect([failing.lists(), failing.readBacks.leaves(NOW + 9_000)]).toEqual([3, true]);
  await Promise.all([denied.end(), failing.end()]);
});

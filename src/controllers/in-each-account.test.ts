import { expect, test } from 'vitest';
import type { AccountId } from '../api/arn.ts';
import { type AccountView, reachedAs } from '../domain/state/account.ts';
import { ACCOUNT, caller } from '../domain/test-observed.ts';
import { silentLog } from '../runtime/log.ts';
import { inEachAccount } from './in-each-account.ts';
import { createStores } from './stores.ts';

const OTHER = '444455556666' as AccountId;
const SILENT: AccountView = { account: OTHER, access: { kind: 'unknown', why: 'no answer' } };
const turn = () => new Promise((resolve) => setImmediate(resolve));

function running() {
  const { accounts } = createStores(silentLog);
  accounts.put(reachedAs(caller, ACCOUNT, 2048));
  const stop = new AbortController();
  const told: string[] = [];
  const until = (signal: AbortSignal) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  const fail = Promise.withResolvers<never>();
  const done = inEachAccount(
    accounts,
    async (account, signal) => {
      told.push(`+${account}`);
      await Promise.race([until(signal), fail.promise]);
      told.push(`-${account}`);
    },
    stop.signal,
  );
  return { accounts, told, stop, done, fail };
}

test('the work begins for each account that answers, once, and ends with the signal', async () => {
  const { accounts, told, stop, done } = running();
  accounts.put(SILENT);
  expect(told).toEqual([`+${ACCOUNT}`]);
  accounts.put(reachedAs(caller, OTHER, 2048));
  accounts.put(reachedAs(caller, OTHER, 4096));
  expect(told).toEqual([`+${ACCOUNT}`, `+${OTHER}`]);
  stop.abort();
  await done;
  expect(told.slice(2)).toEqual([`-${ACCOUNT}`, `-${OTHER}`]);
});

test('it ends for one that does not answer any more, or is gone, and begins anew when it answers again', async () => {
  const { accounts, told, stop, done } = running();
  for (const view of [reachedAs(caller, OTHER, 2048), SILENT, reachedAs(caller, OTHER, 2048)]) {
    accounts.put(view);
    await turn();
  }
  accounts.delete(OTHER);
  await turn();
  expect(told).toEqual([`+${ACCOUNT}`, `+${OTHER}`, `-${OTHER}`, `+${OTHER}`, `-${OTHER}`]);
  stop.abort();
  await done;
});

test('work that fails while it is wanted is a failure of the whole', async () => {
  const { done, fail, stop } = running();
  fail.reject(new Error('a bug'));
  await expect(
    done.finally(() => {
      stop.abort();
    }),
  ).rejects.toThrow('a bug');
});

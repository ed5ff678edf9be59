import type { AccountId } from '../api/arn.ts';
import { type AccountView, reachedIn } from '../domain/state/account.ts';
import { orAborted } from '../runtime/signals.ts';
import type { StoreReader } from '../runtime/store.ts';

/** Runs `work` for each account while it answers, and begins anew when it answers again. Ends with the signal, when all of them have ended. */
export async function inEachAccount(
  accounts: StoreReader<AccountView>,
  work: (account: AccountId, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const running = new Map<AccountId, { readonly end: AbortController; readonly done: Promise<void> }>();
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const begin = ({ account }: AccountView) => {
    if (running.has(account)) return;
    const end = new AbortController();
    const done = work(account, AbortSignal.any([signal, end.signal])).catch((error: unknown) => {
      if (!signal.aborted && !end.signal.aborted) reject(error);
    });
    running.set(account, { end, done });
  };
  const end = ({ account }: AccountView) => {
    running.get(account)?.end.abort();
    running.delete(account);
  };
  const off = accounts.onChange((previous, next) => {
    if (next !== undefined && reachedIn(next) !== undefined) begin(next);
    else if (previous !== undefined) end(previous);
  });
  for (const one of accounts.list()) if (reachedIn(one) !== undefined) begin(one);
  try {
    await orAborted(failed, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    off();
    await Promise.all([...running.values()].map(({ done }) => done));
  }
}

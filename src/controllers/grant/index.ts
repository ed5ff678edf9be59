import { isDeepStrictEqual } from 'node:util';
import { unreadableGrants } from '../../domain/authorization/unreadable.ts';
import { type Controller, recheck, settled, wakeOn } from '../../runtime/controller.ts';
import { HERE } from '../stores.ts';
import type { GrantOptions } from './ports.ts';

/** A warning that nobody acted on is said again: Events are kept for an hour. */
const REPEAT_MS = 3_600_000;

/** Tells of stored grants that cannot be read, which would otherwise grant nothing without a word. It writes nothing and makes no call. */
export function grantController({ stores, events, clock }: GrantOptions): Controller<typeof HERE> {
  let told: { readonly message: string; readonly at: number } | undefined;
  return {
    name: 'grant',
    wakes: [wakeOn(stores.grants, () => [HERE], { when: (a, b) => !isDeepStrictEqual(a.spec, b.spec) })],
    async reconcile(_, _signal, { log }) {
      const message = unreadableGrants(stores.grants.list())?.message;
      const now = clock.monotonic();
      if (message === undefined) {
        if (told !== undefined) log.info({}, 'all grants can be read');
        told = undefined;
        return settled;
      }
      if (told?.message !== message || now - told.at >= REPEAT_MS) {
        told = { message, at: now };
        log.warn({ problem: message }, 'grant cannot be read');
        events.record({ type: 'Warning', reason: 'InvalidSpec', action: 'Reconcile', note: message });
      }
      return recheck(told.at + REPEAT_MS - now, 'whether the grant can be read by then');
    },
  };
}

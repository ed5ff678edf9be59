import { isDeepStrictEqual } from 'node:util';
import { keyOf, type ObjectKey, type ServiceAccount } from '../../api/cluster.ts';
import { audit } from '../../domain/audit/audit.ts';
import { type Controller, settled, type Wake, wakeOn } from '../../runtime/controller.ts';
import { serviceAccountOf } from '../stores.ts';
import { gather, isUnbound } from './gather.ts';
import type { UnboundOptions } from './ports.ts';

/** Audits ServiceAccounts that ask for a role and that no binding names. It writes nothing and calls nobody: sweep and provider controller ask AWS for it. */
export function unboundController({ world, events, clock }: UnboundOptions): Controller<ObjectKey> {
  const unbound = (accounts: readonly ServiceAccount[]) => accounts.filter((account) => isUnbound(world, account)).map(keyOf);
  const every = () => unbound(world.serviceAccounts.list());
  // What is bound at the start is nothing to look at; what loses its binding later is.
  const loses: Wake<ObjectKey> = {
    ...wakeOn(world.bindings, serviceAccountOf, { when: (a, b) => !isDeepStrictEqual(serviceAccountOf(a), serviceAccountOf(b)) }),
    all: () => [],
  };
  return {
    name: 'unbound',
    wakes: [
      wakeOn(world.serviceAccounts, (account) => unbound([account])),
      wakeOn(world.audits, ({ account }) => [keyOf(account)], { when: () => false }), // those of accounts that are gone, at a resync
      loses,
      wakeOn(world.grants, every),
      wakeOn(world.namespaces, ({ name }) => unbound(world.serviceAccounts.byIndex('namespace', name)), {
        when: (a, b) => !isDeepStrictEqual(a.labels, b.labels),
      }),
      wakeOn(world.roles, ({ arn }) => world.audits.byIndex('role', arn).map((known) => keyOf(known.account)), {
        when: (a, b) => !isDeepStrictEqual(a.state, b.state),
        urgency: 'drift',
      }),
      wakeOn(world.providers, ({ account }) => world.audits.byIndex('account', account).map((known) => keyOf(known.account))),
      wakeOn(world.surroundings, every),
    ],
    async reconcile(key, _signal, { log }) {
      const account = world.serviceAccounts.get(key);
      if (account === undefined || !isUnbound(world, account)) {
        world.audits.delete(key);
        return settled;
      }
      const before = world.audits.get(key);
      const { pending, ...found } = audit(gather(world, account, clock.now()));
      const { namespace, name } = account;
      const next = { account: { namespace, name }, ...found };
      // After a write of ours the role is read back for some seconds: what was known of it stands meanwhile.
      if (pending && before?.role === found.role && before !== undefined) return settled;
      if (isDeepStrictEqual(before, next)) return settled;
      world.audits.put(next);
      if (isDeepStrictEqual(before?.findings ?? [], found.findings)) return settled;
      const [first] = found.findings;
      if (first === undefined) {
        log.info({ role: found.role }, 'nothing is wrong any more with the ServiceAccount, which no binding names');
        return settled;
      }
      log.warn({ findings: found.findings }, 'something is wrong with a ServiceAccount that no binding names');
      const note = `ServiceAccount "${key}", which no binding names: ${first.message}`;
      events.record({ type: 'Warning', reason: first.code, action: 'Audit', note });
      return settled;
    },
  };
}

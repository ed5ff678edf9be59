import { isDeepStrictEqual } from 'node:util';
import type { AccountId } from '../../api/arn.ts';
import { keyOf, type ObjectKey, type ServiceAccount } from '../../api/cluster.ts';
import { audit } from '../../domain/audit/audit.ts';
import { type Controller, settled, type Wake, wakeEvery, wakeMany, wakeOn } from '../../runtime/controller.ts';
import { serviceAccountOf } from '../stores.ts';
import { namespaceOf } from '../tenants.ts';
import { gather, isUnbound } from './gather.ts';
import type { AuditOptions } from './ports.ts';

/** Audits ServiceAccounts that ask for a role and that no binding names. It writes nothing and makes no call: the sweep and the oidc-provider controller ask AWS for it. */
export function auditController({ stores, owned, events, clock }: AuditOptions): Controller<ObjectKey> {
  const unbound = (accounts: readonly ServiceAccount[]) => accounts.filter((account) => isUnbound(stores, account)).map(keyOf);
  const every = () => unbound(stores.serviceAccounts.list());
  const inAccount = ({ account }: { readonly account: AccountId }) =>
    stores.audits.byIndex('account', account).map((known) => keyOf(known.account));
  // What is bound at the start is nothing to look at; what loses its binding later is.
  const loses: Wake<ObjectKey> = {
    ...wakeOn(stores.bindings, serviceAccountOf, { when: (a, b) => !isDeepStrictEqual(serviceAccountOf(a), serviceAccountOf(b)) }),
    all: () => [],
  };
  return {
    name: 'audit',
    tenantsOf: namespaceOf,
    wakes: [
      wakeOn(stores.serviceAccounts, (account) => unbound([account])),
      wakeOn(stores.audits, ({ account }) => [keyOf(account)], { when: () => false }), // those of accounts that are gone, at a resync
      loses,
      wakeEvery(stores.grants, every),
      wakeOn(stores.namespaces, ({ name }) => unbound(stores.serviceAccounts.byIndex('namespace', name)), {
        when: (a, b) => !isDeepStrictEqual(a.labels, b.labels),
      }),
      wakeOn(stores.roles, ({ arn }) => stores.audits.byIndex('role', arn).map((known) => keyOf(known.account)), {
        when: (a, b) => !isDeepStrictEqual(a.state, b.state),
        urgency: 'drift',
      }),
      wakeOn(stores.providers, inAccount),
      wakeMany(stores.accounts, inAccount),
      wakeMany(stores.sweptAccounts, inAccount),
      wakeEvery(stores.identity, every),
    ],
    async reconcile(key, _signal, { log }) {
      const account = stores.serviceAccounts.get(key);
      if (account === undefined || !isUnbound(stores, account)) {
        owned.audits.delete(key);
        return settled;
      }
      const before = stores.audits.get(key);
      const { pending, ...found } = audit(gather(stores, account, clock.now()));
      const { namespace, name } = account;
      const next = { account: { namespace, name }, ...found };
      // After a write of ours the role is read back for some seconds: what was known of it stands meanwhile.
      if (pending && before?.role === found.role && before !== undefined) return settled;
      if (isDeepStrictEqual(before, next)) return settled;
      owned.audits.put(next);
      if (isDeepStrictEqual(before?.findings ?? [], found.findings)) return settled;
      const [first] = found.findings;
      if (first === undefined) {
        log.info({ role: found.role }, 'audit finding resolved');
        return settled;
      }
      log.warn({ findings: found.findings }, 'audit finding');
      const note = `ServiceAccount "${key}", which no binding names: ${first.message}`;
      events.record({ type: 'Warning', reason: first.code, action: 'Audit', note });
      return settled;
    },
  };
}

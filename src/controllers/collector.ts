import { roleArnParts } from '../api/arn.ts';
import { isUngranted } from '../domain/authorization/loss.ts';
import { identityOf } from './observe.ts';
import type { Stores } from './stores.ts';

/** What the metrics tell of bindings and of the roles that they name, from the stores as they are at the moment of a scrape. */
export function collector(from: Stores) {
  return {
    *bindings() {
      for (const { metadata, status } of from.bindings.list()) {
        const { current = 0, stale = 0, exempt = 0 } = status.pods ?? {};
        yield {
          namespace: metadata.namespace,
          name: metadata.name,
          conditions: status.conditions,
          codes: (status.findings ?? []).map(({ code }) => code),
          pods: { current, stale, exempt },
        };
      }
    },
    *serviceAccounts() {
      for (const { account, trusted } of from.audits.list()) if (trusted !== undefined) yield { ...account, trusted };
    },
    *accounts() {
      for (const { account, access } of from.accounts.list()) {
        const isSuspended = access.kind === 'refused' && access.finding.code === 'AccountSuspended';
        if (!isSuspended) yield { account, reachable: access.kind === 'reached' };
      }
    },
    *ungranted() {
      // None is told too: an alert must see that it is over. The account is known by then, or nothing stands that is known of.
      const { caller } = identityOf(from);
      const accounts = new Map<string, number>(caller.kind === 'known' ? [[caller.account, 0]] : []);
      for (const loss of from.losses.list()) {
        if (!isUngranted(loss)) continue;
        const { account } = roleArnParts(loss.role);
        accounts.set(account, (accounts.get(account) ?? 0) + 1);
      }
      for (const [account, count] of accounts) yield { account, count };
    },
    *policies() {
      for (const { question, verdict } of from.verdicts.list()) {
        if (verdict.kind === 'released' || verdict.size === undefined) continue;
        yield { arn: question.role, ratio: verdict.size.characters / verdict.size.quota };
      }
    },
  };
}

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
    *policies() {
      for (const { question, verdict } of from.verdicts.list()) {
        if (verdict.kind === 'released' || verdict.size === undefined) continue;
        yield { arn: question.role, ratio: verdict.size.characters / verdict.size.quota };
      }
    },
  };
}

import type { Family } from './family.ts';
import { inTurns } from './turns.ts';

export interface Binding {
  readonly namespace: string;
  readonly name: string;
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
  readonly codes: readonly string[];
  readonly pods: Readonly<Record<'current' | 'stale' | 'exempt', number>>;
}

/** What is read from the stores at the moment of a scrape, so that nothing is left of a deleted object. */
export interface Collected {
  bindings(): Iterable<Binding>;
  serviceAccounts(): Iterable<{ readonly namespace: string; readonly name: string; readonly trusted: boolean }>;
  policies(): Iterable<{ readonly arn: string; readonly ratio: number }>;
  /** Those that are to be reached: not one that is suspended. */
  accounts(): Iterable<{ readonly account: string; readonly reachable: boolean }>;
  /** Subjects that stand and that no grant was ever seen to cover, by account. */
  ungranted(): Iterable<{ readonly account: string; readonly count: number }>;
}

/** Of which objects there are series: of those that need a look, or of all. */
export const DETAILS = ['problems', 'full'] as const;
export type Detail = (typeof DETAILS)[number];

/** Tenants choose how many of their objects are in a bad way, and how many there are. A scrape and its readers must stand the worst. */
const MOST = { bindings: 1_000, pods: 10_000, serviceAccounts: 10_000 };

/** Only while true, as kstatus reads them. */
const BAD_WHEN_TRUE: readonly string[] = ['Reconciling', 'Stalled'];
/** Of a binding whose status nobody wrote yet. */
const NOT_RECONCILED = { type: 'Ready', status: 'Unknown', reason: 'NotReconciled' };
const STATUSES = ['True', 'False', 'Unknown'];

/** The metrics that have series of single objects, in the order in which they are rendered. */
export function objectMetrics(detail: Detail, collected: () => Collected | undefined): Family[] {
  const most = (limit: number) => (detail === 'full' ? Number.POSITIVE_INFINITY : limit);
  const bindings = () => collected()?.bindings() ?? [];
  const needsALook = (binding: Binding) => detail === 'full' || conditionsOf(binding).some(isBad);
  /** Objects without series for want of room, by metric: as the page that is being rendered has it. */
  const omitted = new Map(
    ['irsa_binding_status_condition', 'irsa_binding_findings', 'irsa_pods', 'irsa_serviceaccount_trusted'].map((name) => [name, 0]),
  );

  /** Those that a metric shows. */
  function* chosen<T extends { namespace: string; name: string }>(
    metric: string,
    limit: number,
    all: Iterable<T>,
    which: (one: T) => boolean,
  ) {
    const turns = inTurns<T>(most(limit));
    for (const one of all) {
      if (which(one)) turns.add(one);
      yield undefined;
    }
    yield* turns.taken();
    omitted.set(metric, turns.left);
  }

  return [
    gauge('irsa_bindings', 'Bindings, by what a condition says of them.', ['condition', 'status', 'reason'], function* () {
      const counts = new Map<string, { labels: string[]; value: number }>();
      for (const binding of bindings()) {
        for (const { type, status, reason } of conditionsOf(binding)) {
          const labels = [type, status, reason];
          const key = labels.join();
          const count = counts.get(key);
          if (count === undefined) counts.set(key, { labels, value: 1 });
          else count.value += 1;
        }
        yield undefined;
      }
      yield* counts.values();
    }),
    gauge(
      'irsa_binding_status_condition',
      'Conditions of bindings of which something is not True.',
      ['namespace', 'name', 'condition', 'status'],
      function* () {
        for (const binding of chosen('irsa_binding_status_condition', MOST.bindings, bindings(), needsALook)) {
          if (binding === undefined) yield undefined;
          else
            for (const { type, status } of conditionsOf(binding))
              for (const each of STATUSES) yield { labels: [binding.namespace, binding.name, type, each], value: Number(status === each) };
        }
      },
    ),
    gauge('irsa_binding_findings', 'Findings of bindings of which something is not True.', ['namespace', 'name', 'code'], function* () {
      for (const binding of chosen('irsa_binding_findings', MOST.bindings, bindings(), needsALook)) {
        if (binding === undefined) yield undefined;
        else
          for (const code of new Set(binding.codes))
            yield { labels: [binding.namespace, binding.name, code], value: binding.codes.filter((each) => each === code).length };
      }
    }),
    gauge('irsa_pods', 'Pods of the bound ServiceAccounts.', ['namespace', 'name', 'state'], function* () {
      const isShown = (count: number) => count > 0 || detail === 'full';
      const hasPods = ({ pods }: Binding) => Object.values(pods).some(isShown);
      for (const binding of chosen('irsa_pods', MOST.pods, bindings(), hasPods)) {
        if (binding === undefined) yield undefined;
        else
          for (const [state, count] of Object.entries(binding.pods))
            if (isShown(count)) yield { labels: [binding.namespace, binding.name, state], value: count };
      }
    }),
    gauge(
      'irsa_serviceaccount_trusted',
      'Whether STS accepts an annotated ServiceAccount that no binding names. Leader only.',
      ['namespace', 'service_account'],
      function* () {
        const accounts = collected()?.serviceAccounts() ?? [];
        for (const account of chosen('irsa_serviceaccount_trusted', MOST.serviceAccounts, accounts, () => true))
          yield account && { labels: [account.namespace, account.name], value: Number(account.trusted) };
      },
    ),
    gauge('irsa_account_reachable', 'Whether AWS accepts irsa-operator in the account. Leader only.', ['account'], function* () {
      for (const { account, reachable } of collected()?.accounts() ?? []) yield { labels: [account], value: Number(reachable) };
    }),
    gauge('irsa_trust_ungranted', 'Subjects in trust policies that no grant was ever seen to cover.', ['account'], function* () {
      for (const { account, count } of collected()?.ungranted() ?? []) yield { labels: [account], value: count };
    }),
    gauge('irsa_trust_policy_size_ratio', 'Size of the trust policy as a part of its quota.', ['role_arn'], function* () {
      const ratios = new Map<string, number>();
      for (const { arn, ratio } of collected()?.policies() ?? []) {
        ratios.set(arn, ratio);
        yield undefined;
      }
      for (const [arn, value] of ratios) yield { labels: [arn], value };
    }),
    // The last one: it counts what the others left out.
    gauge('irsa_metrics_omitted', 'Objects of which a metric has no series, because there are too many.', ['metric'], function* () {
      for (const [metric, value] of omitted) yield { labels: [metric], value };
    }),
  ];
}

function gauge(name: string, help: string, labelNames: readonly string[], samples: Family['samples']): Family {
  return { name, help, type: 'gauge', labelNames, samples };
}

function conditionsOf({ conditions }: Binding): Binding['conditions'] {
  return conditions.some(({ type }) => type === 'Ready') ? conditions : [NOT_RECONCILED, ...conditions];
}

function isBad({ type, status }: { readonly type: string; readonly status: string }): boolean {
  return BAD_WHEN_TRUE.includes(type) === (status === 'True');
}

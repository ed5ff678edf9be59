import { describe, expect, test } from 'vitest';
import { linesOf } from './family.ts';
import { type Binding, type Collected, type Detail, objectMetrics } from './object-metrics.ts';

const READY = ['Ready', 'Authorized', 'ProviderReady', 'Trusted', 'Annotated', 'PodsCurrent'];

/** All True, but for what is said. */
function binding(name: string, not: Record<string, string> = {}, more: Partial<Binding> = {}): Binding {
  const types = [...new Set([...READY, ...Object.keys(not)])];
  const conditions = types.map((type) => ({ type, status: not[type] ?? 'True', reason: not[type] === undefined ? type : `Not${type}` }));
  return { namespace: 'shop', name, conditions, codes: [], pods: { current: 0, stale: 0, exempt: 0 }, ...more };
}

const NOTHING: Collected = { bindings: () => [], serviceAccounts: () => [], policies: () => [], accounts: () => [], ungranted: () => [] };

/** The lines of one metric, without its name. */
function series(metric: string, of: Partial<Collected>, detail: Detail = 'problems'): string[] {
  const page = objectMetrics(detail, () => ({ ...NOTHING, ...of })).flatMap((family) => [...linesOf(family)]);
  return page.filter((line) => line.startsWith(`${metric}{`)).map((line) => line.trimEnd().slice(metric.length));
}
/** Of these names: those of which conditions are shown. */
function shown(all: readonly Binding[], detail?: Detail): string[] {
  const lines = series('irsa_binding_status_condition', { bindings: () => all }, detail);
  return [...new Set(lines.map((line) => /namespace="(\w+)",name="([\w-]+)"/.exec(line)?.slice(1).join('/') ?? ''))];
}

describe('of how many bindings a condition has a status for a reason', () => {
  const counted: Record<string, { of: Binding[]; lines: string[] }> = {
    'nothing of no binding': { of: [], lines: [] },
    'all of them count, whatever is shown of each': {
      of: [binding('a'), binding('b'), binding('c', { Ready: 'False' })],
      lines: [
        '{condition="Annotated",status="True",reason="Annotated"} 3',
        '{condition="Authorized",status="True",reason="Authorized"} 3',
        '{condition="PodsCurrent",status="True",reason="PodsCurrent"} 3',
        '{condition="ProviderReady",status="True",reason="ProviderReady"} 3',
        '{condition="Ready",status="False",reason="NotReady"} 1',
        '{condition="Ready",status="True",reason="Ready"} 2',
        '{condition="Trusted",status="True",reason="Trusted"} 3',
      ],
    },
    'one that nobody looked at yet': {
      of: [binding('a', {}, { conditions: [] })],
      lines: ['{condition="Ready",status="Unknown",reason="NotReconciled"} 1'],
    },
    'one that waits for a change': {
      of: [binding('a', {}, { conditions: [{ type: 'Stalled', status: 'True', reason: 'RoleNotFound' }] })],
      lines: [
        '{condition="Ready",status="Unknown",reason="NotReconciled"} 1',
        '{condition="Stalled",status="True",reason="RoleNotFound"} 1',
      ],
    },
  };
  for (const [sentence, { of, lines }] of Object.entries(counted))
    test(sentence, () => expect(series('irsa_bindings', { bindings: () => of }).toSorted()).toEqual(lines));

  test('is a page of no more lines than there are reasons, however many bindings there are', () => {
    const of = Array.from({ length: 5_000 }, (_, at) => binding(`app-${at}`, { Trusted: at % 2 === 0 ? 'False' : 'Unknown' }));
    expect(series('irsa_bindings', { bindings: () => of })).toHaveLength(READY.length + 1);
  });
});

describe('the conditions of a single binding are shown', () => {
  const who: Record<string, { of: Binding; shown: boolean }> = {
    'not where all are True': { of: binding('a'), shown: false },
    'not where all are True and the finding is a remark': { of: binding('a', {}, { codes: ['TrustOrphaned'] }), shown: false },
    'not where what is not asked for is missing': {
      of: binding('a', {}, { conditions: [{ type: 'Ready', status: 'True', reason: 'Ready' }] }),
      shown: false,
    },
    'where Ready is False': { of: binding('a', { Ready: 'False' }), shown: true },
    'where Ready is Unknown': { of: binding('a', { Ready: 'Unknown' }), shown: true },
    'where Ready holds and a step does not, such as a ServiceAccount that is waited for': {
      of: binding('a', { Annotated: 'Unknown' }),
      shown: true,
    },
    'where a proof failed': { of: binding('a', { Verified: 'False' }), shown: true },
    'where it is Stalled': { of: binding('a', { Stalled: 'True' }), shown: true },
    'where it is Reconciling': { of: binding('a', { Reconciling: 'True' }), shown: true },
    'not where Stalled and Reconciling are False': { of: binding('a', { Stalled: 'False', Reconciling: 'False' }), shown: false },
    'where nobody looked yet': { of: binding('a', {}, { conditions: [] }), shown: true },
  };
  for (const [sentence, { of, shown: is }] of Object.entries(who)) {
    test(sentence, () => expect(shown([of])).toEqual(is ? ['shop/a'] : []));
    test(`${sentence}; with full detail always`, () => expect(shown([of], 'full')).toEqual(['shop/a']));
  }

  test('with each status, 1 for the one that it has', () => {
    const of = binding('a', {}, { conditions: [{ type: 'Ready', status: 'False', reason: 'x' }] });
    expect(series('irsa_binding_status_condition', { bindings: () => [of] })).toEqual([
      '{namespace="shop",name="a",condition="Ready",status="True"} 0',
      '{namespace="shop",name="a",condition="Ready",status="False"} 1',
      '{namespace="shop",name="a",condition="Ready",status="Unknown"} 0',
    ]);
  });

  // Contract: metrics-problems
  test('of 1,000 bindings at most, in turns over namespaces, and the rest are counted', () => {
    const crowd = Array.from({ length: 3_000 }, (_, at) => binding(`app-${at}`, { Ready: 'False' }));
    const of = [...crowd, binding('lonely', { Ready: 'False' }, { namespace: 'zoo' })];
    const names = shown(of);
    expect([names.length, names.includes('zoo/lonely')]).toEqual([1_000, true]);
    expect(shown(of.toReversed()).toSorted()).toEqual(names.toSorted());
    const omitted = (detail?: Detail) => series('irsa_metrics_omitted', { bindings: () => of }, detail);
    expect(omitted()).toContain('{metric="irsa_binding_status_condition"} 2001');
    expect(omitted()).toContain('{metric="irsa_binding_findings"} 2001');
    expect(shown(of, 'full')).toHaveLength(3_001);
    expect(omitted('full')).toContain('{metric="irsa_binding_status_condition"} 0');
    expect(series('irsa_bindings', { bindings: () => of })).toContain('{condition="Ready",status="False",reason="NotReady"} 3001');
  });
});

describe('findings', () => {
  const bindings = () => [
    binding('ready', {}, { codes: ['TrustOrphaned'] }),
    binding('waiting', { Trusted: 'False' }, { codes: ['TrustOrphaned', 'RoleNotFound', 'TrustOrphaned'] }),
  ];
  test('of a binding of which something is not True, each code with its number', () =>
    expect(series('irsa_binding_findings', { bindings })).toEqual([
      '{namespace="shop",name="waiting",code="TrustOrphaned"} 2',
      '{namespace="shop",name="waiting",code="RoleNotFound"} 1',
    ]));
  test('of all bindings with full detail', () =>
    expect(series('irsa_binding_findings', { bindings }, 'full')).toContain('{namespace="shop",name="ready",code="TrustOrphaned"} 1'));
});

describe('pods', () => {
  const bindings = () => [binding('none'), binding('some', {}, { pods: { current: 2, stale: 0, exempt: 1 } })];
  test('have a series for each state in which there are any', () =>
    expect(series('irsa_pods', { bindings })).toEqual([
      '{namespace="shop",name="some",state="current"} 2',
      '{namespace="shop",name="some",state="exempt"} 1',
    ]));
  test('have a series for each state with full detail', () => {
    expect(series('irsa_pods', { bindings }, 'full')).toHaveLength(6);
    expect(series('irsa_pods', { bindings }, 'full')).toContain('{namespace="shop",name="none",state="stale"} 0');
  });
});

for (const [metric, from] of [
  ['irsa_pods', 'bindings'],
  ['irsa_serviceaccount_trusted', 'serviceAccounts'],
] as const)
  test(`${metric} has series of 10,000 objects at most, since tenants choose how many there are`, () => {
    const crowd = Array.from({ length: 12_000 }, (_, at) => ({
      ...binding(`app-${at}`),
      pods: { current: 1, stale: 0, exempt: 0 },
      trusted: false,
    }));
    const of = { [from]: () => [...crowd, { ...crowd[0], namespace: 'zoo', name: 'lonely' }] };
    const lines = series(metric, of);
    expect([lines.length, lines.filter((line) => line.includes('"zoo"')).length]).toEqual([10_000, 1]);
    expect(series('irsa_metrics_omitted', of)).toContain(`{metric="${metric}"} 2001`);
    expect(series(metric, of, 'full').length).toBeGreaterThan(12_000);
  });

test('a role has one size, of however many questions about it there are answers', () =>
  expect(
    series('irsa_trust_policy_size_ratio', {
      policies: () => [
        { arn: 'one', ratio: 0.5 },
        { arn: 'two', ratio: 0.1 },
        { arn: 'one', ratio: 0.6 },
      ],
    }),
  ).toEqual(['{role_arn="one"} 0.6', '{role_arn="two"} 0.1']));

test('before there are stores there are no series, and the names are told', () => {
  for (const family of objectMetrics('problems', () => undefined))
    expect([...linesOf(family)].filter((line) => !line.startsWith('#') && !line.includes('irsa_metrics_omitted') && line !== '')).toEqual(
      [],
    );
});

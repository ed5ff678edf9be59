import { expect, test } from 'vitest';
import { metrics } from './metrics.ts';

test("a controller's series stand at zero before anything happened, so that a rate works from the first scrape", async () => {
  const { registry, runtime } = metrics('1.2.3');
  runtime.controller('trust', 8);
  runtime.queue('trust', () => ({ depth: 3, unfinishedSeconds: 0, longestSeconds: 0 }));
  const text = await registry.metrics();
  for (const line of [
    'controller_runtime_reconcile_total{controller="trust",result="success"} 0',
    'controller_runtime_reconcile_total{controller="trust",result="requeue"} 0',
    'controller_runtime_reconcile_errors_total{controller="trust"} 0',
    'controller_runtime_reconcile_panics_total{controller="trust"} 0',
    'controller_runtime_max_concurrent_reconciles{controller="trust"} 8',
    'workqueue_adds_total{name="trust",controller="trust"} 0',
    'workqueue_depth{name="trust",controller="trust",priority=""} 3',
    'irsa_trust_policy_writes_total{result="written"} 0',
    'irsa_drift_total{kind="trust"} 0',
    'irsa_build_info{version="1.2.3"',
  ]) {
    expect(text).toContain(line);
  }
});

test('of a deleted binding no series is left', async () => {
  const { registry, observe } = metrics('1.2.3');
  const one = {
    namespace: 'a',
    name: 'b',
    conditions: [{ type: 'Ready', status: 'True' }],
    codes: ['TrustOrphaned', 'TrustOrphaned'],
    pods: { current: 2, stale: 0, exempt: 1 },
  };
  let all = [one];
  observe({ bindings: () => all, policies: () => [{ arn: 'arn', ratio: 0.5 }] });
  const before = await registry.metrics();
  for (const line of [
    'irsa_binding_status_condition{namespace="a",name="b",condition="Ready",status="True"} 1',
    'irsa_binding_status_condition{namespace="a",name="b",condition="Ready",status="False"} 0',
    'irsa_binding_findings{namespace="a",name="b",code="TrustOrphaned"} 2',
    'irsa_pods{namespace="a",name="b",state="exempt"} 1',
    'irsa_trust_policy_size_ratio{role_arn="arn"} 0.5',
  ]) {
    expect(before).toContain(line);
  }
  all = [];
  expect(await registry.metrics()).not.toContain('namespace="a"');
});

test('a limiter shows its rate as it is now, and how long turns were waited for', async () => {
  const { registry, limiter } = metrics('1.2.3');
  let perSecond = 5;
  const waited = limiter('write', () => perSecond);
  waited(0.2);
  perSecond = 2.5;
  const text = await registry.metrics();
  expect(text).toContain('irsa_aws_rate_limit{action="write"} 2.5');
  expect(text).toContain('irsa_aws_rate_limiter_duration_seconds_sum{action="write"} 0.2');
});

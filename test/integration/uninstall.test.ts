import { until } from '@irsa-operator/testbed';
import { expect, test } from 'vitest';
import { FOREIGN, isOurs } from '../harness/policies.ts';
import { integrationSuite } from '../harness/suite.ts';
import { ROLE_ARN } from '../harness/views.ts';

/** docs/uninstall.md, both ways: the commands are those of the page. */
const suite = integrationSuite({ grant: {} });
const { working } = suite;

// Contract: end-uninstalled
test('in the right order nothing of it is left: bindings first, then the operator', async () => {
  const s = await working('in-order');
  await suite.testbed.kubectl(['delete', 'irsab', '--all', '-A', '--timeout=60s']);
  expect(JSON.parse(s.trust())).toEqual(FOREIGN);
  expect(await s.annotations()).toBeUndefined();
});

// Contract: end-uninstalled
test('removed before its objects: bindings hang until the finalizer is patched away, the trust stays, and is found by its Sid', async () => {
  const s = await working('too-early');
  const roles = (await s.binding()).status?.roles ?? [];
  expect(await suite.operator.stop()).toBe(0);
  await suite.testbed.kubectl(['delete', '-k', 'config/policies']);
  await suite.testbed.kubectl(['delete', 'clusterrolebinding,clusterrole', 'irsa-operator']);
  await suite.testbed.kubectl(['delete', 'irsab', '-n', s.namespace, 'app', '--wait=false']);
  expect((await s.binding()).metadata.finalizers).toEqual(['irsa-operator.dev/finalizer']);

  await suite.testbed.kubectl(['patch', 'irsab', '-n', s.namespace, 'app', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
  await until('the binding is gone', async () => (await suite.testbed.kubectl(['get', 'irsab', '-A', '-o', 'name'])) === '', {
    timeoutMs: 10_000,
  });

  const statements = s.statements();
  const ours = statements.filter((one) => isOurs(one, suite.testbed.issuer));
  expect(ours.map(({ Sid }) => Sid)).toEqual(roles.map(({ sid }) => sid));
  expect(JSON.stringify(ours)).toContain(s.subject);
  expect(statements.filter((statement) => !ours.includes(statement))).toEqual(FOREIGN.Statement);
  expect(await s.annotations()).toEqual({ [ROLE_ARN]: s.roleArn });
});

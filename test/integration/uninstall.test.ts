import { type Api, connect, startTestbed, type Testbed, until } from '@irsa-operator/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FOREIGN, makeGrant } from '../harness/given.ts';
import { install, type RunningOperator, startOperator } from '../harness/operator.ts';
import { ROLE_ARN, type Scene, scene } from '../harness/scene.ts';

/** docs/uninstall.md, both ways: the commands are those of the page. */

let testbed: Testbed;
let api: Api;
let operator: RunningOperator;

beforeAll(async () => {
  testbed = await startTestbed();
  api = connect(testbed.kubeconfig);
  testbed.aws.account().provider.put({ issuer: testbed.issuer });
  await install(testbed);
  operator = await startOperator(testbed, ['--sweep-interval', '2s']);
});

afterAll(async () => {
  expect(await operator?.stop()).toBe(0);
  api?.close();
  await testbed?.stop();
});

async function working(name: string): Promise<Scene> {
  const s = await scene(testbed, api, name);
  testbed.aws.account().role.put({ name: s.roleName, trustPolicy: FOREIGN });
  await s.serviceAccount();
  const spec = { roleArns: [s.roleArn], namespaces: { names: [name] }, serviceAccountNames: ['app'] };
  await makeGrant(api, name, spec);
  await s.bind();
  await s.conditionIs('Ready', 'True');
  return s;
}

const policyOf = (s: Scene) => testbed.aws.account().role.get(s.roleName)?.trustPolicy ?? '';

// Contract: end-uninstalled
test('in the right order nothing of it is left: bindings first, then the operator', async () => {
  const s = await working('in-order');
  await testbed.kubectl(['delete', 'irsab', '--all', '-A', '--timeout=60s']);
  expect(JSON.parse(policyOf(s))).toEqual(FOREIGN);
  const account = await api.call<{ metadata: { annotations?: object } }>('GET', `/api/v1/namespaces/${s.namespace}/serviceaccounts/app`);
  expect(account.metadata.annotations).toBeUndefined();
});

// Contract: end-uninstalled
test('removed before its objects: bindings hang until the finalizer is patched away, the trust stays, and is found by its Sid', async () => {
  const s = await working('too-early');
  const roles = (await s.binding()).status?.roles ?? [];
  expect(await operator.stop()).toBe(0);
  await testbed.kubectl(['delete', '-k', 'config/policies']);
  await testbed.kubectl(['delete', 'clusterrolebinding,clusterrole', 'irsa-operator']);
  await testbed.kubectl(['delete', 'irsab', '-n', s.namespace, 'app', '--wait=false']);
  expect((await s.binding()).metadata.finalizers).toEqual(['irsa-operator.dev/finalizer']);

  await testbed.kubectl(['patch', 'irsab', '-n', s.namespace, 'app', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
  await until('the binding is gone', async () => (await testbed.kubectl(['get', 'irsab', '-A', '-o', 'name'])) === '', {
    timeoutMs: 10_000,
  });

  const { Statement: statements } = JSON.parse(policyOf(s)) as { Statement: { Sid: string }[] };
  const ours = statements.filter(({ Sid }) => /^Irsa[a-z2-7]{12}$/.test(Sid));
  expect(ours.map(({ Sid }) => Sid)).toEqual(roles.map(({ sid }) => sid));
  expect(JSON.stringify(ours)).toContain(s.subject);
  expect(statements.filter((statement) => !ours.includes(statement))).toEqual(FOREIGN.Statement);
  const account = await api.call<{ metadata: { annotations: object } }>('GET', `/api/v1/namespaces/${s.namespace}/serviceaccounts/app`);
  expect(account.metadata.annotations).toEqual({ [ROLE_ARN]: s.roleArn });
});

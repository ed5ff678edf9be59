import { until } from '@irsa-operator/testbed';
import { beforeAll, expect, test } from 'vitest';
import { POLICIES } from '../../src/api/names.ts';
import { openScene, type Scene } from '../harness/scene.ts';
import { samples } from '../harness/scrape.ts';
import { ROLE_ARN, type ServiceAccount } from '../harness/views.ts';
import { CHART } from './helm.ts';
import { shipyard, VALUES } from './suite.ts';

/** A release in another namespace, whose objects have another name, as a ServiceAccount that has yet another: the confinement follows, and is proved. */
const yard = shipyard();
const NAMESPACE = 'platform';
const USER = 'system:serviceaccount:platform:keeper';
const values = {
  ...VALUES,
  fullnameOverride: 'trust',
  serviceAccount: { create: false, name: 'keeper' },
  rollout: { enabled: true },
  verification: { enabled: true },
  admission: 'auto',
};
/** The check comes again after a minute, and some jitter. */
const PATIENCE = { timeoutMs: 120_000 };
let scene: Scene;

beforeAll(async () => {
  await yard.testbed.kubectl(['create', 'namespace', NAMESPACE]);
  await yard.testbed.kubectl(['create', 'serviceaccount', '-n', NAMESPACE, 'keeper']);
  await yard.helm(['install', 'acme', CHART, '-n', NAMESPACE, '--wait', '--timeout=90s'], values);
  scene = await yard.working('shop');
});

/** By policy, as the leader says. */
async function confined(): Promise<Record<string, number>> {
  const found = (await Promise.all(yard.pods.replicas(NAMESPACE).map(samples))).flat().filter(({ name }) => name === 'irsa_confined');
  return Object.fromEntries(found.map(({ labels, value }) => [labels['policy'] ?? '', value]));
}

// Contract: install-elsewhere
test('both replicas run as the ServiceAccount that is named, which the release does not own', async () => {
  expect(yard.pods.replicas(NAMESPACE).map(({ serviceAccount }) => serviceAccount)).toEqual(['keeper', 'keeper']);
  const events = await yard.testbed.auditEvents();
  const writers = events
    .filter(({ objectRef }) => objectRef?.resource === 'irsabindings' && objectRef.subresource === 'status')
    .map(({ user }) => user.username);
  expect(new Set(writers)).toEqual(new Set([USER]));
  expect(scene.stands()).toBe(true);
});

// Contract: install-elsewhere
test('every policy confines this ServiceAccount, and the operator proves it', async () => {
  await until(
    'all policies confine it',
    async () => {
      expect(await confined()).toEqual(Object.fromEntries(POLICIES.map((policy) => [policy, 1])));
      return true;
    },
    PATIENCE,
  );
});

// Contract: install-elsewhere
test('nothing that is installed names another namespace or ServiceAccount, and each name is that of the release', async () => {
  const manifest = await yard.helm(['get', 'manifest', 'acme', '-n', NAMESPACE]);
  expect(manifest).not.toMatch(/irsa-operator-system/);
  const named = [...manifest.matchAll(/(?:paramRef:|- kind: ServiceAccount)\n\s+name: (\S+)\n\s+namespace: (\S+)\n/g)];
  expect(named.map(([, name, namespace]) => ({ namespace, name }))).toEqual(
    Array(POLICIES.length + 4).fill({ namespace: NAMESPACE, name: 'keeper' }),
  );
  const names = [...manifest.matchAll(/^metadata:\n {2}name: (\S+)$/gm)].map(([, name]) => name);
  expect(names.filter((name) => !/^trust(-|$)|\.irsa-operator\.dev$/.test(name ?? ''))).toEqual([]);
});

// Contract: install-elsewhere
test('another ServiceAccount of the default name is none of its business: it may not write a status', async () => {
  await yard.testbed.kubectl(['create', 'namespace', 'irsa-operator-system']);
  await yard.testbed.kubectl(['create', 'serviceaccount', '-n', 'irsa-operator-system', 'irsa-operator']);
  const rights = ['--clusterrole=cluster-admin', '--serviceaccount=irsa-operator-system:irsa-operator'];
  await yard.testbed.kubectl(['create', 'clusterrolebinding', 'lookalike', ...rights]);
  const kubeconfig = await yard.testbed.kubeconfigFor({ namespace: 'irsa-operator-system', name: 'irsa-operator' });
  const patch = ['patch', 'irsab', 'app', '-n', 'shop', '--subresource=status', '--type=merge', '-p', '{"status":{"plan":["mine"]}}'];
  await expect(yard.testbed.kubectl(patch, { kubeconfig })).rejects.toThrow('only irsa-operator changes the status of an IrsaBinding');
});

// Contract: install-elsewhere
test('with admission auto the API server annotates a ServiceAccount in the request that creates it', async () => {
  const policies = await yard.testbed.kubectl(['get', 'mutatingadmissionpolicies,mutatingadmissionpolicybindings', '-o', 'name']);
  const names = policies.trim().split('\n');
  expect(names.map((name) => name.split('/')[1])).toEqual(['trust-irsa-operator-admission', 'trust-irsa-operator-admission']);

  const first = await openScene(yard.testbed, yard.api, 'first');
  first.role();
  await first.grant();
  await first.bind();
  await first.conditionIs('Ready', 'True', 'AwaitingServiceAccount');
  const created = await yard.api.call<ServiceAccount>('POST', first.path('serviceaccounts'), { body: { metadata: { name: 'app' } } });
  expect(created.metadata.annotations).toEqual({ [ROLE_ARN]: first.roleArn });
});

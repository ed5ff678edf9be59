import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Scene } from '../harness/scene.ts';
import { CHART } from './helm.ts';
import { overlay } from './overlay.ts';
import { crdPath, NAMESPACE, shipyard, snapshotOf, sweptTwice, VALUES } from './suite.ts';

/** From kustomize to Helm, with the command of the README of the chart. The tests build on each other. */
const yard = shipyard();
let scene: Scene;
let folder: string;

/** A line of the README of the chart. */
function commandOf(pattern: string): string {
  const found = new RegExp(`^${pattern}.*$`, 'm').exec(readFileSync(join(CHART, 'README.md'), 'utf8'));
  return found?.[0] ?? expect.fail(`the README has no ${pattern}`);
}

/** Who owns fields of the Deployment. */
async function managers(): Promise<string[]> {
  const path = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/irsa-operator`;
  const { metadata } = await yard.api.call<{ metadata: { managedFields: { manager: string; subresource?: string }[] } }>('GET', path);
  return metadata.managedFields.filter(({ subresource }) => subresource === undefined).map(({ manager }) => manager);
}

test('kustomize installs what runs: two replicas that are ready', async () => {
  folder = overlay(yard.testbed);
  await yard.testbed.kubectl(['apply', '-k', folder]);
  await yard.testbed.kubectl(['rollout', 'status', '-n', NAMESPACE, 'deploy/irsa-operator', '--timeout=60s']);
  expect(yard.pods.replicas(NAMESPACE)).toHaveLength(2);
  scene = await yard.working('shop');
});

// Contract: install-from-kustomize
test('Helm refuses to take it over without being told to', async () => {
  await expect(yard.install()).rejects.toThrow(/invalid ownership metadata/);
});

// Contract: install-from-kustomize
test('told to, Helm takes it over: bindings, trust and pods stay, nothing is written to AWS, and the CRDs are the same', async () => {
  const before = await snapshotOf(scene);
  const uid = async () => (await yard.api.call<{ metadata: { uid: string } }>('GET', crdPath('irsabindings'))).metadata.uid;
  const crd = await uid();
  const writes = yard.writes();
  const owned = commandOf('kubectl apply -k config/default').split(' ').slice(1);
  await yard.testbed.kubectl(owned.map((word) => (word === 'config/default' ? folder : word)));
  const command = commandOf('helm upgrade --install irsa-operator .*--take-ownership');
  expect(command).toContain(CHART);

  const said = await yard.helm([...command.split(' ').slice(1), '--timeout=90s'], VALUES);
  expect(said).toContain('STATUS: deployed');
  await sweptTwice(yard);
  expect(await uid()).toBe(crd);
  expect(await snapshotOf(scene)).toEqual(before);
  expect(yard.writes()).toBe(writes);
  expect((await managers()).filter((manager) => /kubectl/.test(manager))).toEqual([]);
});

// Contract: install-from-kustomize
test('from then on it is a release like any other: a value that is set and removed again is gone', async () => {
  const ofPods = (path: string) =>
    yard.testbed.kubectl(['get', 'deploy', '-n', NAMESPACE, 'irsa-operator', '-o', `jsonpath={.spec.template.spec${path}}`]);
  const args = () => ofPods('.containers[0].args');
  await yard.install({ extraArgs: [...VALUES.extraArgs, '--log-level=debug'], nodeSelector: { 'kubernetes.io/os': 'linux' } });
  expect(await args()).toContain('--log-level=debug');
  await yard.install();
  expect(await args()).toBe('["run","--lease-namespace=$(POD_NAMESPACE)","--sweep-interval=2s"]');
  expect(await ofPods('.nodeSelector')).toBe('');

  const before = await snapshotOf(scene);
  await yard.helm(['uninstall', 'irsa-operator', '-n', NAMESPACE, '--wait', '--timeout=60s']);
  const left = await yard.labelled('deploy,sa,svc,pdb,role,rolebinding', '-n', NAMESPACE);
  expect(left).toBe('');
  expect(await snapshotOf(scene)).toEqual(before);
});

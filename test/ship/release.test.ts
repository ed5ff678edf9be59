import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { until } from '@irsa-operator/testbed';
import { expect, test } from 'vitest';
import { openScene, type Scene } from '../harness/scene.ts';
import { CHART, manifestsIn } from './helm.ts';
import { appChart, crdPath, NAMESPACE, pathOf, shipyard, snapshotOf, sweptTwice, VALUES } from './suite.ts';

/** One release from its first installation to its last, by the real helm. The tests build on each other. */
const yard = shipyard();
const PATIENCE = { timeoutMs: 60_000 };
let scene: Scene;

/** A chart in a folder of the testbed. */
function written(name: string, files: Record<string, string>): string {
  const folder = mkdtempSync(join(yard.testbed.folder, `${name}-`));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

// Contract: install-wait
test('helm --wait does not call it installed before a replica is ready', async () => {
  // kwok would call every pod ready, and this kubelet runs none without its label; the scheduler waits for a gate.
  const gate = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'no-pods', namespace: NAMESPACE },
    spec: { hard: { pods: '0' } },
  };
  await yard.testbed.kubectl(['create', 'namespace', NAMESPACE]);
  await yard.testbed.kubectl(['apply', '-f', '-'], { input: JSON.stringify(gate) });
  const install = yard.helm(['install', 'irsa-operator', CHART, '-n', NAMESPACE, '--wait', '--timeout=15s'], VALUES);
  await expect(install).rejects.toThrow(
    /Deployment\/irsa-operator-system\/irsa-operator|Deployment\/irsa-operator not ready|context deadline exceeded/,
  );
  expect(await yard.helm(['status', 'irsa-operator', '-n', NAMESPACE, '-o', 'json'])).toContain('"status":"failed"');
});

// Contract: install-wait
test('a release with a binding is not called done while no irsa-operator runs', async () => {
  const app = await openScene(yard.testbed, yard.api, 'unseen');
  const install = yard.helm(['install', 'app', written('app', appChart(app)), '-n', 'unseen', '--wait', '--timeout=10s']);
  await expect(install).rejects.toThrow(/IrsaBinding\/unseen\/app|IrsaBinding|deadline/);
  expect((await app.binding()).status).toEqual({ observedGeneration: -1 });
  await yard.helm(['uninstall', 'app', '-n', 'unseen']);
});

// Contract: install-wait
test('with replicas that are ready it is deployed, and a release with a binding when the binding is Ready', async () => {
  await yard.testbed.kubectl(['delete', 'resourcequota', '-n', NAMESPACE, 'no-pods']);
  const said = await yard.install();
  expect(said).toContain('STATUS: deployed');
  const replicas = yard.pods.replicas(NAMESPACE);
  expect(replicas.map(({ args, serviceAccount }) => ({ args, serviceAccount }))).toEqual(
    Array(2).fill({ args: ['run', '--lease-namespace=$(POD_NAMESPACE)', '--sweep-interval=2s'], serviceAccount: 'irsa-operator' }),
  );

  const app = await openScene(yard.testbed, yard.api, 'released');
  app.role();
  await app.serviceAccount();
  await app.grant();
  await yard.helm(['install', 'app', written('app', appChart(app)), '-n', 'released', '--wait', '--timeout=60s']);
  const { metadata, status } = await app.binding();
  expect(status?.observedGeneration).toBe(metadata.generation);
  expect(await app.condition('Ready')).toMatchObject({ status: 'True', observedGeneration: metadata.generation });
  expect(app.stands()).toBe(true);
});

// Contract: install-wait
test('a release with a binding that no grant covers fails at once, with the condition that says why', async () => {
  const app = await openScene(yard.testbed, yard.api, 'ungranted');
  const install = yard.helm(['install', 'app', written('app', appChart(app)), '-n', 'ungranted', '--wait', '--timeout=60s']);
  await expect(install).rejects.toThrow('resource IrsaBinding/ungranted/app not ready. status: Failed, message: see condition Authorized');
  await yard.helm(['uninstall', 'app', '-n', 'ungranted', '--wait']);
});

test('the notes name the namespaces that would hang, and the way out', async () => {
  scene = await yard.working('shop');
  const notes = (await yard.install()).split('NOTES:\n')[1];
  expect(notes).toContain('Namespaces with bindings now: released, shop\n');
  expect(notes).toContain('helm uninstall alone. Do not delete bindings or their namespaces until it is installed again');
  expect(notes).toContain('docs/uninstall.md');
  expect(notes).not.toContain('WARNING');
});

// Contract: install-bad-value
test('a flag whose value is wrong leaves the old replicas at work and is named by the new one, and a rollback mends it', async () => {
  const before = await snapshotOf(scene);
  const upgrade = yard.install({ extraArgs: ['--sweep-interval=2d'] }, '--timeout=20s');
  await expect(upgrade).rejects.toThrow(/Deployment|deadline/);
  const said = async () => {
    const { items } = await yard.api.call<{ items: object[] }>('GET', pathOf('pods', { namespace: NAMESPACE }));
    return JSON.stringify(items).includes('--sweep-interval: \\"2d\\" is not a duration from 1s to 1h, such as 60s');
  };
  await until('the pod says which flag is wrong', said, PATIENCE);
  await yard.helm(['rollback', 'irsa-operator', '-n', NAMESPACE, '--wait', '--timeout=60s']);
  expect(await snapshotOf(scene)).toEqual(before);
  await sweptTwice(yard);
});

// Contract: install-second
test('a second release is refused by the ServiceAccount of the first, and so is the same name elsewhere', async () => {
  const second = (...args: string[]) => yard.helm(['install', ...args, '-n', 'second', '--create-namespace'], VALUES);
  const refusal =
    /another irsa-operator is installed in this cluster, with the ServiceAccount irsa-operator-system\/irsa-operator\. A cluster has one/;
  await expect(second('irsa-operator', CHART)).rejects.toThrow(refusal);
  await expect(second('other', CHART, '--set', 'fullnameOverride=other', '--set', 'crds.enabled=false')).rejects.toThrow(refusal);
  // Without policies that say so, the CRDs are those of the first.
  await expect(second('other', CHART, '--set', 'policies=false', '--dry-run=server')).rejects.toThrow(refusal);
});

// Contract: install-again
test('uninstalled, everything stays but the operator; installed again, nothing is written to AWS', async () => {
  const before = await snapshotOf(scene);
  const uid = async () => (await yard.api.call<{ metadata: { uid: string } }>('GET', crdPath('irsabindings'))).metadata.uid;
  const crd = await uid();
  const writes = yard.writes();

  await yard.helm(['uninstall', 'irsa-operator', '-n', NAMESPACE, '--wait', '--timeout=60s']);
  const left = await yard.labelled('deploy,sa,svc,pdb,role,rolebinding', '-n', NAMESPACE);
  const wide = await yard.labelled('clusterrole,clusterrolebinding,validatingadmissionpolicy,crd');
  expect(left).toBe('');
  expect(wide.trim().split('\n').sort()).toEqual(
    ['irsaaccounts', 'irsabindings', 'irsagrants'].map((name) => `customresourcedefinition.apiextensions.k8s.io/${name}.irsa-operator.dev`),
  );
  expect(await snapshotOf(scene)).toEqual(before);

  await yard.install();
  await sweptTwice(yard);
  expect(await uid()).toBe(crd);
  expect(await snapshotOf(scene)).toEqual(before);
  expect(yard.writes()).toBe(writes);
});

test('what is installed is what the chart renders', async () => {
  const installed = manifestsIn(await yard.helm(['get', 'manifest', 'irsa-operator', '-n', NAMESPACE]));
  expect(installed).toEqual(manifestsIn(await yard.helm(['template', 'irsa-operator', CHART, '-n', NAMESPACE], VALUES)));
});

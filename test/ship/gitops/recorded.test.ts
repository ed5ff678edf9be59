import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@irsa-operator/testbed';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Scene } from '../../harness/scene.ts';
import { integrationSuite } from '../../harness/suite.ts';
import type { Binding } from '../../harness/views.ts';
import { runLua, TESTDATA } from './programs.ts';

/**
 * The bindings on which the scripts for Argo CD and kstatus are tested are those that irsa-operator writes. `UPDATE_GOLDEN=1` records them
 * anew; read the difference as prose before you keep it.
 */
const suite = integrationSuite({
  testbed: { issuer: 'https://oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF' },
  grant: {},
  operator: false,
});

/** What a binding looks like, by the name of its file. */
const recorded = new Map<string, Binding>();
const record = async (name: string, s: Scene) => recorded.set(name, await s.binding());

/** A binding in this state, seen by an operator. */
const SEEN: Readonly<Record<string, (name: string) => Promise<Scene>>> = {
  async ready(name) {
    const s = await suite.prepared(name);
    await s.bind();
    await s.conditionIs('Ready', 'True', 'Ready');
    await s.deployment();
    await s.allReady();
    await until('the pods are counted', async () => (await s.binding()).status?.pods?.total === 2, { timeoutMs: 90_000 });
    return s;
  },
  async 'without-service-account'(name) {
    const s = await suite.scene(name);
    s.role();
    await s.bind();
    await s.conditionIs('Ready', 'True', 'AwaitingServiceAccount');
    return s;
  },
  async stalled(name) {
    const s = await suite.scene(name, { granted: false });
    await s.bind();
    await s.conditionIs('Stalled', 'True', 'NotGranted');
    return s;
  },
  async reconciling(name) {
    const s = await suite.prepared(name);
    await s.workload('statefulsets');
    await s.allReady();
    await s.put('poddisruptionbudgets', 'app', { spec: { selector: { matchLabels: { app: 'app' } }, minAvailable: 2 } });
    await s.bind();
    await s.conditionIs('Reconciling', 'True', 'EvictionBlocked');
    return s;
  },
  async suspended(name) {
    const s = await suite.working(name);
    await s.change({ suspend: true });
    await s.conditionIs('Ready', 'True', 'Suspended');
    return s;
  },
  async observing(name) {
    const s = await suite.prepared(name);
    await s.bind({ mode: 'Observe' });
    await s.conditionIs('Ready', 'False', 'TrustNoWebIdentityStatement');
    return s;
  },
};

beforeAll(async () => {
  const s = await suite.scene('new');
  await s.bind();
  await record('new', s);
  await suite.start();
  const scenes = await Promise.all(Object.entries(SEEN).map(async ([name, make]) => [name, await make(name)] as const));
  await suite.secondLook();
  for (const [name, scene] of scenes) await record(name, scene);
  const changed = await suite.working('changed');
  const deleted = await suite.working('deleted');
  expect(await suite.operator.stop()).toBe(0);
  await changed.change({ restart: { strategy: 'Never' } });
  await record('changed', changed);
  await deleted.unbind();
  await record('deleted', deleted);
  await suite.start();
});

describe('what irsa-operator writes is what was recorded:', () => {
  for (const name of ['new', ...Object.keys(SEEN), 'changed', 'deleted'])
    test(name, () => {
      const found = comparable(recorded.get(name));
      const path = join(TESTDATA, `${name}.yaml`);
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, stringify(found, { lineWidth: 0 }));
      expect(found).toEqual(parse(readFileSync(path, 'utf8')));
    });
});

// Contract: gitops-argocd
test('what the action of Argo CD makes of a binding is a reconcile request, and irsa-operator handles it', async () => {
  const s = await suite.working('asked');
  const asked = (await runLua('actions/reconcile/action.lua', await s.binding())) as Binding;
  const value = asked.metadata.annotations?.['irsa-operator.dev/reconcile-requested-at'];
  await s.patch('irsabindings', 'app', { metadata: { annotations: asked.metadata.annotations } });
  await until('it is handled', async () => (await s.binding()).status?.lastHandledReconcileAt === value, { timeoutMs: 60_000 });
});

/** Without what is another at each run: IDs and times. */
function comparable(binding: Binding | undefined): unknown {
  const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
  const IDS: Readonly<Record<string, string>> = {
    uid: '00000000-0000-0000-0000-000000000000',
    resourceVersion: '1',
    roleId: 'AROAEXAMPLEEXAMPLE000',
  };
  const replaced = (key: string, value: unknown): unknown => {
    if (key === 'managedFields') return undefined;
    if (typeof value !== 'string') return value;
    return TIME.test(value) ? '2026-01-01T00:00:00Z' : (IDS[key] ?? value);
  };
  return JSON.parse(JSON.stringify(binding, replaced));
}

import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { openScene, type Scene } from '../harness/scene.ts';
import { type Binding, ROLE_ARN } from '../harness/views.ts';
import { CHART } from './helm.ts';
import { crdPath, NAMESPACE, shipyard, snapshotOf, sweptTwice, VALUES } from './suite.ts';

/** An upgrade from what an older version left, frozen in test/golden, to this one, and back. The tests build on each other. */
const FROZEN = 'test/golden/upgrade/0.1.0';
const read = (name: string) => readFileSync(join(FROZEN, name), 'utf8');
/** The issuer for which the frozen trust policies were written. */
const yard = shipyard({ issuer: 'https://oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF' });

interface Frozen extends Binding {
  readonly apiVersion: string;
  readonly kind: string;
}
const bindings = parseAllDocuments(read('bindings.yaml')).map((document) => document.toJS() as Frozen);
const trust = JSON.parse(read('trust-policies.json')) as Record<string, object>;
let scenes: Scene[];
let older: string;

/** The chart of today with the CRDs of then. */
function olderChart(): string {
  const folder = join(mkdtempSync(join(yard.testbed.folder, 'older-')), 'irsa-operator');
  cpSync(CHART, folder, { recursive: true });
  const crds = ['irsabindings', 'irsagrants'].map((name) => {
    const crd = parseAllDocuments(read(`${name}.yaml`))[0]?.toJS() as { metadata: object };
    return stringify({ ...crd, metadata: { ...crd.metadata, annotations: { 'helm.sh/resource-policy': 'keep' } } });
  });
  writeFileSync(join(folder, 'templates', 'crds.yaml'), crds.join('---\n'));
  return folder;
}

const release = (chart: string, values: object) =>
  yard.helm(['upgrade', '--install', 'irsa-operator', chart, '-n', NAMESPACE, '--create-namespace', '--wait', '--timeout=90s'], values);

/** What the API server would put into the status of a new binding. */
async function defaultStatus(): Promise<unknown> {
  interface Crd {
    spec: { versions: [{ schema: { openAPIV3Schema: { properties: { status: { default?: unknown } } } } }] };
  }
  const { spec } = await yard.api.call<Crd>('GET', crdPath('irsabindings'));
  return spec.versions[0].schema.openAPIV3Schema.properties.status.default;
}

beforeAll(async () => {
  older = olderChart();
  // Without the label of the pods that are run here, no irsa-operator runs: it would write the statuses anew.
  await release(older, {});
  scenes = await Promise.all(bindings.map(({ metadata }) => openScene(yard.testbed, yard.api, metadata.namespace)));
  for (const [at, scene] of scenes.entries()) {
    const { metadata, spec, status, ...type } = bindings[at] ?? expect.fail('there is a scene for each');
    const isTrusted = status?.roles !== undefined;
    scene.role(trust[scene.roleName] ?? expect.fail(`there is no trust policy of ${scene.roleName}`));
    await scene.serviceAccount(isTrusted ? { [ROLE_ARN]: scene.roleArn } : {});
    if (isTrusted) await scene.deployment();
    if (isTrusted) await scene.allReady();
    await scene.grant();
    await yard.api.call('POST', scene.path('irsabindings'), { body: { ...type, metadata, spec } });
    const roleId = yard.testbed.aws.account().role.get(scene.roleName)?.id;
    const roles = status?.roles?.map((role) => ({ ...role, roleId }));
    const body = { status: { ...status, ...(roles === undefined ? {} : { roles }) } };
    await yard.api.call('PATCH', `${scene.path('irsabindings', 'app')}/status`, { patch: 'merge', body });
  }
});

/** Without what is counted anew. */
function lasting({ status }: Binding): object {
  const { pods: _, restarts: __, ...rest } = status ?? {};
  const since = rest.conditions?.map(({ type, status: is, reason, lastTransitionTime }) => ({ type, is, reason, lastTransitionTime }));
  return { ...rest, conditions: since };
}

// Contract: install-upgrade
test('the first look of a newer operator at older statuses changes nothing: no write to AWS, no restart, the same conditions since then', async () => {
  const before = await Promise.all(scenes.map(snapshotOf));
  const statuses = await Promise.all(scenes.map(async (scene) => lasting(await scene.binding())));
  await release(older, VALUES);
  await sweptTwice(yard);
  expect(await defaultStatus()).toBeUndefined();
  expect(await Promise.all(scenes.map(snapshotOf))).toEqual(before);
  expect(await Promise.all(scenes.map(async (scene) => lasting(await scene.binding())))).toEqual(
    statuses.map((status) => ({ ...status, conditions: expect.arrayContaining(Object(status).conditions) })),
  );
  expect(yard.writes()).toBe(0);
});

// Contract: install-upgrade
test('the upgrade brings the newer CRDs, and loses nothing', async () => {
  const before = await Promise.all(scenes.map(snapshotOf));
  await release(CHART, VALUES);
  await sweptTwice(yard);
  expect(await defaultStatus()).toEqual({ observedGeneration: -1 });
  expect(await Promise.all(scenes.map(snapshotOf))).toEqual(before);
  expect(yard.writes()).toBe(0);
});

// Contract: install-upgrade
test('rolled back, the older CRDs are there again, and nothing is lost', async () => {
  const before = await Promise.all(scenes.map(snapshotOf));
  await yard.helm(['rollback', 'irsa-operator', '2', '-n', NAMESPACE, '--wait', '--timeout=90s']);
  await sweptTwice(yard);
  expect(await defaultStatus()).toBeUndefined();
  expect(await Promise.all(scenes.map(snapshotOf))).toEqual(before);
  expect(yard.writes()).toBe(0);
});

// Contract: install-upgrade
test('after all of that the operator still works: a new binding becomes Ready, a deleted one releases its trust', async () => {
  await release(CHART, VALUES);
  const fresh = await yard.working('fresh');
  await fresh.unbind();
  await fresh.gone();
  expect(fresh.stands()).toBe(false);
  const [shop] = scenes;
  await shop?.unbind();
  await shop?.gone();
  expect(shop?.stands()).toBe(false);
});

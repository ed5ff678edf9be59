import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Api, connect, startTestbed, type Testbed, until } from '@irsa-operator/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { POLICIES } from '../../src/api/names.ts';
import { connectAs } from '../harness/connect-as.ts';
import { binding, pathOf } from '../harness/objects.ts';
import { type RunningOperator, startOperator } from '../harness/operator.ts';
import { openScene, type Scene } from '../harness/scene.ts';
import { samples } from '../harness/scrape.ts';

/**
 * Installed in another namespace under another name, by an overlay that says no more than that: the policies follow, and the operator proves
 * it. What it says where a policy is missing, and when it is back.
 */
const INSTALLED = { namespace: 'platform', name: 'acme-irsa-operator-two' };
/** The check comes again after a minute, and some jitter. */
const PATIENCE = { timeoutMs: 100_000 };

let testbed: Testbed;
let api: Api;
let operator: RunningOperator | undefined;
/** With the rights of the installed ServiceAccount. */
let installed: Api;
let s: Scene;
let overlay: string;

/** A kustomization over what ships, as a user writes it. */
function overlayOf(name: string, fields: object, bases: readonly string[]): string {
  const folder = join(testbed.folder, name);
  mkdirSync(folder);
  const resources = bases.map((base) => relative(folder, join('config', base)));
  writeFileSync(join(folder, 'kustomization.yaml'), stringify({ ...fields, resources }));
  return folder;
}

beforeAll(async () => {
  testbed = await startTestbed();
  api = connect(testbed.kubeconfig);
  testbed.aws.account().provider.put({ issuer: testbed.issuer, clientIds: ['sts.amazonaws.com'] });
  const names = { namespace: INSTALLED.namespace, namePrefix: 'acme-', nameSuffix: '-two' };
  overlay = overlayOf('overlay', names, ['rollout', 'verification']);
  await testbed.kubectl(['apply', '-k', overlay]);
  await testbed.kubectl(['wait', '--for=condition=Established', '--timeout=10s', 'crd/irsabindings.irsa-operator.dev']);
  installed = await connectAs(testbed, INSTALLED);
  s = await openScene(testbed, api, 'shop');
  await s.put('irsabindings', 'app', binding({ serviceAccountName: 'app', roleArn: 'arn:aws:iam::111122223333:role/a' }));
  await s.workload('deployments', { replicas: 0, pod: { nodeName: 'none' } });
  operator = await started();
});
afterAll(async () => {
  const code = await operator?.stop();
  installed?.close();
  api?.close();
  await testbed?.stop();
  if (operator !== undefined) expect(code).toBe(0);
});

const started = () => startOperator(testbed, ['--lease-namespace', INSTALLED.namespace], [], undefined, INSTALLED);
const running = (): RunningOperator => operator ?? expect.fail('it does not run');

/** By policy. */
async function confined(): Promise<Record<string, number>> {
  const found = (await samples(running())).filter(({ name }) => name === 'irsa_confined');
  return Object.fromEntries(found.map(({ labels, value }) => [labels['policy'] ?? '', value]));
}
const all = (value: number, but: Record<string, number> = {}) => ({
  ...Object.fromEntries(POLICIES.map((policy) => [policy, value])),
  ...but,
});
const becomes = (what: Record<string, number>) =>
  until(
    'the metric says so',
    async () => {
      const found = await confined();
      expect(found).toEqual(what);
      return true;
    },
    PATIENCE,
  );
/**
 * A change of policies is in force a moment after it was stored, in the order of the changes. An operator that starts within that moment
 * finds itself confined, and does not look again for an hour.
 */
const isTold = (what: 'irsabindings' | 'deployments', by: RegExp) =>
  until(
    `the API server tells who labels ${what}: ${by}`,
    async () => {
      const path = `${s.path(what, 'app')}?dryRun=All&fieldManager=irsa-operator`;
      const answer = await installed
        .call('PATCH', path, { patch: 'merge', body: { metadata: { labels: { here: 'yes' } } } })
        .then(() => 'accepted', String);
      expect(answer).toMatch(by);
      return true;
    },
    PATIENCE,
  );
async function events(): Promise<string[]> {
  const { items } = await api.call<{ items: { reason: string; note: string; regarding: { kind: string; name: string } }[] }>(
    'GET',
    pathOf('events', { namespace: INSTALLED.namespace }),
  );
  return items
    .filter(({ reason }) => /Confined/.test(reason))
    .map(({ reason, note, regarding }) => `${regarding.kind} ${regarding.name}: ${reason}: ${note}`)
    .sort();
}

// Contract: confined-installed, confined-proved
test('every policy confines the ServiceAccount that is installed, and the operator proves it', async () => {
  await becomes(all(1));
  expect(await events()).toEqual([]);
});

// Contract: confined-installed
test('an overlay names the installed ServiceAccount wherever the default one is named', async () => {
  const built = await testbed.kubectl(['kustomize', overlay]);
  expect(built).not.toMatch(/irsa-operator-system/);
  const paramRefs = [...built.matchAll(/paramRef:\n {4}name: (\S+)\n {4}namespace: (\S+)\n/g)].map(([, name, namespace]) => ({
    namespace,
    name,
  }));
  expect(paramRefs).toEqual(POLICIES.map(() => INSTALLED));
});

describe.each([
  ['only the namespace', { namespace: 'platform' }, { namespace: 'platform', name: 'irsa-operator' }],
  ['only the name', { namePrefix: 'acme-' }, { namespace: 'irsa-operator-system', name: 'acme-irsa-operator' }],
] as const)('an overlay that changes %s', (what, fields, wanted) => {
  // Contract: confined-installed
  test('changes all that names the ServiceAccount', async () => {
    const folder = overlayOf(what.replaceAll(' ', '-'), fields, ['rollout', 'verification']);
    const built = await testbed.kubectl(['kustomize', folder]);
    const named = [...built.matchAll(/(?:paramRef:|kind: ServiceAccount)\n {2,4}name: (\S+)\n {2,4}namespace: (\S+)\n/g)];
    expect(named.map(([, name, namespace]) => ({ namespace, name }))).toEqual(Array(POLICIES.length + 4).fill(wanted));
  });
});

// Contract: confined-proved
test('where policies are missing or do too much the operator says so, and says when they confine it again', async () => {
  const bindingsOfPolicies = 'validatingadmissionpolicybindings';
  await testbed.kubectl(['delete', bindingsOfPolicies, 'acme-irsa-operator-bindings-two']);
  await isTold('irsabindings', /^accepted/);
  // Another policy refuses the same, so that a refusal alone proves nothing.
  await testbed.kubectl(['apply', '-f', '-'], { input: refusesLabels() });
  await testbed.kubectl([
    'patch',
    bindingsOfPolicies,
    'acme-irsa-operator-workloads-two',
    '--type=merge',
    '-p',
    '{"spec":{"paramRef":{"name":"irsa-operator"}}}',
  ]);
  await isTold('irsabindings', /no labels here/);
  await isTold('deployments', /^accepted/);
  expect(await running().stop()).toBe(0);
  operator = await started();
  await becomes(all(1, { 'irsa-operator-bindings': 0, 'irsa-operator-workloads': 0 }));
  await until('both are told', async () => (await events()).length === 2, PATIENCE);
  const lease = 'Lease irsa-operator: NotConfined: Policy';
  expect(await events()).toEqual([
    expect.stringMatching(
      new RegExp(`^${lease} "irsa-operator-bindings" does not confine irsa-operator: .* was refused, but not by this policy\\. .*'theirs'`),
    ),
    `${lease} "irsa-operator-workloads" does not confine irsa-operator: the API server accepted a dry run that this policy forbids`,
  ]);
  expect(running().log.filter(({ msg }) => msg === 'not confined').length).toBeGreaterThanOrEqual(2);
  await testbed.kubectl(['delete', 'validatingadmissionpolicy,validatingadmissionpolicybinding', 'theirs']);
  await testbed.kubectl(['apply', '-k', overlay]);
  await becomes(all(1));
  await until('both are told', async () => (await events()).length === 4, PATIENCE);
  expect((await events()).slice(0, 2)).toEqual([
    'Lease irsa-operator: Confined: Policy "irsa-operator-bindings" confines irsa-operator',
    'Lease irsa-operator: Confined: Policy "irsa-operator-workloads" confines irsa-operator',
  ]);
}, 400_000);

// Contract: confined-proved
test('where there is no policy at all, as before Kubernetes 1.30, nothing confines it', async () => {
  await testbed.kubectl(['delete', 'validatingadmissionpolicybindings,validatingadmissionpolicies', '--all']);
  await isTold('deployments', /^accepted/);
  expect(await running().stop()).toBe(0);
  operator = await started();
  await becomes(all(0));
});

// Contract: confined-unknown
test('without the rights of config/rollout and config/verification their policies are not asked for', async () => {
  await testbed.kubectl(['delete', 'clusterrolebindings', 'acme-irsa-operator-rollout-two', 'acme-irsa-operator-verification-two']);
  expect(await running().stop()).toBe(0);
  operator = await started();
  const { 'irsa-operator-workloads': _, 'irsa-operator-verification': __, ...others } = all(0);
  await becomes(others);
});

function refusesLabels(): string {
  const metadata = { name: 'theirs' };
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const rule = { apiGroups: ['irsa-operator.dev'], apiVersions: ['*'], operations: ['UPDATE'], resources: ['irsabindings'] };
  const policy = {
    apiVersion,
    kind: 'ValidatingAdmissionPolicy',
    metadata,
    spec: {
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: '!has(object.metadata.labels)', message: 'no labels here', reason: 'Forbidden' }],
    },
  };
  const inForce = {
    apiVersion,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata,
    spec: { policyName: 'theirs', validationActions: ['Deny'] },
  };
  return [policy, inForce].map((one) => JSON.stringify(one)).join('\n---\n');
}

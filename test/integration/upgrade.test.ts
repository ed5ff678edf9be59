import { readFileSync } from 'node:fs';
import { type Api, connect, startTestbed, type Testbed, until } from '@irsa-operator/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { bindingPath, FOREIGN, makeGrant } from '../harness/given.ts';
import { install, type RunningOperator, startOperator } from '../harness/operator.ts';
import { ACCOUNT, ROLE_ARN, type Scene, scene } from '../harness/scene.ts';

/** "A CR written before the CRD had a field", through a real upgrade of the CRD, with the operator running. */
const PATIENCE = { timeoutMs: 90_000 };
/** Two sweeps and more: a write that is not wanted would come within them. */
const QUIET_MS = 5_000;
const OPERATOR_USER = 'system:serviceaccount:irsa-operator-system:irsa-operator';
const CRD = 'crd/irsabindings.irsa-operator.dev';

let testbed: Testbed;
let api: Api;
let operator: RunningOperator;

beforeAll(async () => {
  testbed = await startTestbed();
  api = connect(testbed.kubeconfig);
  testbed.aws.account().provider.put({ issuer: testbed.issuer });
  await install(testbed);
  await testbed.kubectl(['apply', '-f', '-'], { input: olderCrd() });
  const spec = { roleArns: [`arn:aws:iam::${ACCOUNT}:role/*`], namespaces: { names: ['older'] }, serviceAccountNames: ['*'] };
  await makeGrant(api, 'upgrade', spec);
  await until('the older CRD is served', async () => !(await serves('tokenExpirationSeconds')), PATIENCE);
  operator = await startOperator(testbed, ['--sweep-interval', '2s']);
});

afterAll(async () => {
  await operator?.stop();
  api?.close();
  await testbed?.stop();
});

interface Schema {
  properties: Record<string, Schema>;
  required?: string[];
}

/** The CRD as it may have been some versions ago: fewer fields of every kind. */
function olderCrd(): string {
  const crd = parse(readFileSync('crds/irsabindings.yaml', 'utf8')) as {
    spec: { versions: [{ schema: { openAPIV3Schema: Schema } }] };
  };
  const { spec, status } = crd.spec.versions[0].schema.openAPIV3Schema.properties;
  const policy = status?.properties['trustPolicy'];
  if (spec === undefined || status === undefined || policy === undefined) throw new Error('the CRD has not the fields that are taken out');
  for (const field of ['tokenExpirationSeconds', 'stsRegionalEndpoints', 'restart', 'deletionPolicy', 'verification'])
    delete spec.properties[field];
  for (const field of ['plan', 'lastHandledReconcileAt', 'verification']) delete status.properties[field];
  delete policy.properties['summary'];
  policy.required = policy.required?.filter((field) => field !== 'summary') ?? [];
  return stringify(crd);
}

/** What the API server validates by, which follows a new CRD after a moment. */
async function serves(field: string): Promise<boolean> {
  const openApi = await api.call<object>('GET', '/openapi/v3/apis/irsa-operator.dev/v1alpha1');
  return JSON.stringify(openApi).includes(`"${field}"`);
}

const raw = (s: Scene) => api.call<{ spec: Record<string, unknown> }>('GET', bindingPath(s));

async function writesIn(s: Scene): Promise<string[]> {
  return (await testbed.auditEvents())
    .filter(({ user, objectRef }) => user.username === OPERATOR_USER && objectRef?.namespace === s.namespace)
    .filter(({ objectRef }) => objectRef?.resource !== 'events')
    .map(({ verb, objectRef }) => [`${verb} ${objectRef?.resource}`, objectRef?.subresource].filter(Boolean).join('/'));
}

async function quiet(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
}

// Contract: bad-old-object
test('a binding that was written before the CRD had a field works before the upgrade, through it, and takes the field after it', async () => {
  const s = await scene(testbed, api, 'older');
  testbed.aws.account().role.put({ name: s.roleName, trustPolicy: FOREIGN });
  await s.serviceAccount();
  await s.bind();
  await s.conditionIs('Ready', 'True', 'Ready');
  expect(Object.keys((await raw(s)).spec).toSorted()).toEqual([
    'audience',
    'mode',
    'roleArn',
    'serviceAccountName',
    'suspend',
    'trustPolicy',
  ]);

  // A status that the older CRD cuts is not written again and again.
  await quiet();
  const before = await writesIn(s);
  await quiet();
  expect(await writesIn(s)).toEqual(before);

  await testbed.kubectl(['apply', '-f', 'crds/irsabindings.yaml']);
  await until('the newer CRD is served', () => serves('tokenExpirationSeconds'), PATIENCE);
  await quiet();
  expect((await raw(s)).spec).toMatchObject({ deletionPolicy: 'Revoke', verification: 'Never', restart: { strategy: 'Evict' } });
  expect((await s.condition('Ready'))?.status).toBe('True');
  const since = (await writesIn(s)).slice(before.length);
  expect(since.filter((what) => what !== 'patch irsabindings/status')).toEqual([]);
  expect(s.writes()).toHaveLength(1);

  await api.call('PATCH', bindingPath(s), { patch: 'merge', body: { spec: { tokenExpirationSeconds: 3600 } } });
  const account = await until(
    'the new field is acted on',
    async () => {
      const { metadata } = await api.call<{ metadata: { annotations: Record<string, string> } }>(
        'GET',
        `/api/v1/namespaces/${s.namespace}/serviceaccounts/app`,
      );
      return 'eks.amazonaws.com/token-expiration' in metadata.annotations && metadata;
    },
    PATIENCE,
  );
  expect(account.annotations).toEqual({ [ROLE_ARN]: s.roleArn, 'eks.amazonaws.com/token-expiration': '3600' });
  const { size } = await until(
    'the new column is filled',
    async () => {
      const policy = (await s.binding()).status?.trustPolicy;
      return policy?.summary !== undefined && { size: policy };
    },
    PATIENCE,
  );
  expect(size.summary).toBe(`${size.characters}/${size.quota}`);
  await testbed.kubectl(['wait', '--for=condition=Established', '--timeout=10s', CRD]);
});

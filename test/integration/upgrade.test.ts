import { readFileSync } from 'node:fs';
import { until } from '@irsa-operator/testbed';
import { beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { inWords, type Scene } from '../harness/scene.ts';
import { integrationSuite } from '../harness/suite.ts';
import { ROLE_ARN } from '../harness/views.ts';

/** "A CR written before the CRD had a field", through a real upgrade of the CRD, with the operator running. */
const PATIENCE = { timeoutMs: 90_000 };
const CRD = 'crd/irsabindings.irsa-operator.dev';

const suite = integrationSuite({ grant: {}, operator: false });
const { prepared, secondLook } = suite;

beforeAll(async () => {
  await suite.testbed.kubectl(['apply', '-f', '-'], { input: olderCrd() });
  await until('the older CRD is served', async () => !(await serves('tokenExpirationSeconds')), PATIENCE);
  await suite.start();
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
  const openApi = await suite.api.call<object>('GET', '/openapi/v3/apis/irsa-operator.dev/v1alpha1');
  return JSON.stringify(openApi).includes(`"${field}"`);
}

const writesIn = async (s: Scene) => (await s.requests()).map((event) => inWords(event).replace(/^\d+ /, ''));

// Contract: bad-old-object
test('a binding that was written before the CRD had a field works before the upgrade, through it, and takes the field after it', async () => {
  const s = await prepared('older');
  await s.bind();
  await s.conditionIs('Ready', 'True', 'Ready');
  expect(Object.keys((await s.binding()).spec).toSorted()).toEqual([
    'audience',
    'mode',
    'roleArn',
    'serviceAccountName',
    'suspend',
    'trustPolicy',
  ]);

  // A status that the older CRD cuts is not written again and again.
  await secondLook();
  const before = await writesIn(s);
  await secondLook();
  expect(await writesIn(s)).toEqual(before);

  await suite.testbed.kubectl(['apply', '-f', 'crds/irsabindings.yaml']);
  await until('the newer CRD is served', () => serves('tokenExpirationSeconds'), PATIENCE);
  await secondLook();
  expect((await s.binding()).spec).toMatchObject({ deletionPolicy: 'Revoke', verification: 'Never', restart: { strategy: 'Evict' } });
  expect((await s.condition('Ready'))?.status).toBe('True');
  const since = (await writesIn(s)).slice(before.length);
  expect(since.filter((what) => what !== 'patch irsabindings/status')).toEqual([]);
  expect(s.writes()).toHaveLength(1);

  await s.change({ tokenExpirationSeconds: 3600 });
  const annotations = await until(
    'the new field is acted on',
    async () => {
      const found = await s.annotations();
      return found !== undefined && 'eks.amazonaws.com/token-expiration' in found && found;
    },
    PATIENCE,
  );
  expect(annotations).toEqual({ [ROLE_ARN]: s.roleArn, 'eks.amazonaws.com/token-expiration': '3600' });
  const { size } = await until(
    'the new column is filled',
    async () => {
      const policy = (await s.binding()).status?.trustPolicy;
      return policy?.summary !== undefined && { size: policy };
    },
    PATIENCE,
  );
  expect(size.summary).toBe(`${size.characters}/${size.quota}`);
  await suite.testbed.kubectl(['wait', '--for=condition=Established', '--timeout=10s', CRD]);
});

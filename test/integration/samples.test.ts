import { globSync, readFileSync } from 'node:fs';
import { until } from '@irsa-operator/testbed';
import { beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { irsaAccountCrd, irsaBindingCrd, irsaGrantCrd } from '../../src/api/crds.ts';
import { openScene, type Scene } from '../harness/scene.ts';
import { integrationSuite } from '../harness/suite.ts';
import { type Condition, conditionOf } from '../harness/views.ts';

/** config/samples, applied as they are, with the operator beside them and the roles that they name. */
const AUDIENCES = ['sts.amazonaws.com', 'vault.example.com'];
const PATIENCE = { timeoutMs: 120_000 };
const shipped = (name: string) => readFileSync(`config/iam/accounts/${name}`, 'utf8');
const suite = integrationSuite({ clientIds: AUDIENCES, morePolicies: [shipped('hub-by-account.json')] });
let scene: Scene;

interface Sample {
  readonly file: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: { readonly roleArn?: string; readonly [field: string]: unknown };
}
const samples = globSync('config/samples/**/*.yaml').flatMap((file) =>
  parseAllDocuments(readFileSync(file, 'utf8')).map((document): Sample => ({ file, ...(document.toJS() as Omit<Sample, 'file'>) })),
);
const bindings = samples.filter(({ kind, metadata }) => kind === 'IrsaBinding' && metadata.namespace === 'shop');

/** What each of them comes to; the others become Ready, without pods and with a ServiceAccount that is there. */
const COMES_TO: Record<string, { type: string; status: string; reason: string }> = {
  observed: { type: 'Trusted', status: 'False', reason: 'TrustNoWebIdentityStatement' },
  external: { type: 'Trusted', status: 'False', reason: 'TrustNoWebIdentityStatement' },
  suspended: { type: 'Trusted', status: 'False', reason: 'TrustNoWebIdentityStatement' },
  verified: { type: 'Verified', status: 'True', reason: 'Proved' },
};

beforeAll(async () => {
  scene = await openScene(suite.testbed, suite.api, 'shop', { team: 'shop' });
  for (const { metadata, spec } of bindings) {
    const [, path, name = ''] = /:role(\/.*?)([^/]+)$/.exec(String(spec.roleArn)) ?? [];
    suite.testbed.aws.account().role.put({
      name,
      path: path ?? '/',
      trustPolicy: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
      },
      tags: name === 'reports' ? { 'irsa-operator.dev/team': 'shop' } : {},
    });
    await scene.serviceAccount({}, metadata.name);
  }
  const trustPolicy = shipped('member-trust.json').replace('EXAMPLE-EXTERNAL-ID', 'platform-7f3a');
  const member = { name: 'irsa-operator-member', trustPolicy, identityPolicy: shipped('member.json') };
  suite.testbed.aws.account('444455556666').role.put(member);
  await suite.testbed.kubectl(['apply', '-k', 'config/verification']);
});

// Contract: install-samples
test('every sample is accepted as it is, with strict validation', async () => {
  await suite.testbed.kubectl(['apply', '--validate=strict', '-f', 'config/samples', '-f', 'config/samples/features']);
  expect(samples.length).toBeGreaterThan(15);
});

for (const { metadata } of bindings) {
  // Contract: install-samples
  test(`the binding ${metadata.name} of the samples comes to what its comment says`, async () => {
    const { type, ...wanted } = COMES_TO[metadata.name] ?? { type: 'Ready', status: 'True', reason: 'Ready' };
    const found = await until(
      `${type} is ${wanted.status}`,
      async (): Promise<Condition | undefined> => {
        const condition = conditionOf(await scene.binding(metadata.name), type);
        return condition?.status === wanted.status ? condition : undefined;
      },
      PATIENCE,
    );
    expect(found).toMatchObject(wanted);
  });
}

/** `restart.strategy`; a map of free keys and a list end a path. */
function fieldsOf(schema: object, prefix = ''): string[] {
  const { properties = {} } = schema as { properties?: Record<string, object> };
  return Object.entries(properties).flatMap(([name, field]) => {
    const inside = fieldsOf(field, `${prefix}${name}.`);
    return inside.length > 0 ? inside : [prefix + name];
  });
}

function fieldsIn(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => [prefix + name, ...fieldsIn(inner, `${prefix}${name}.`)]);
}

// Contract: install-samples
test('the account of the samples is reached, with its external ID', async () => {
  await suite.testbed.kubectl(['wait', '--for=condition=Ready', '--timeout=60s', 'irsaacc/444455556666']);
});

// Contract: install-samples
test('every field of each kind is in a sample, and each sample has its line in the README', () => {
  for (const crd of [irsaBindingCrd, irsaGrantCrd, irsaAccountCrd]) {
    const { kind } = crd.spec.names;
    const properties = crd.spec.versions[0]?.schema.openAPIV3Schema.properties as Record<string, object>;
    const used = new Set(samples.filter((sample) => sample.kind === kind).flatMap(({ spec }) => fieldsIn(spec)));
    expect([kind, fieldsOf(properties['spec'] ?? {}).filter((field) => !used.has(field))]).toEqual([kind, []]);
  }
  const readme = readFileSync('config/samples/README.md', 'utf8');
  for (const { file } of samples) expect(readme).toContain(`](${file.slice('config/samples/'.length)})`);
});

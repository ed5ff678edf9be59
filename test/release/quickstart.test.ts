import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@irsa-operator/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ownVersion } from '../../scripts/release/assemble.ts';
import { Cosign } from '../../scripts/release/cosign.ts';
import { namesOf, RELEASE } from '../../scripts/release/files.ts';
import { digestIn, publish, referenceAt } from '../../scripts/release/publish.ts';
import { type Registry, startRegistry } from '../../scripts/release/registry.ts';
import { openTools } from '../../scripts/release/tools.ts';
import { PROJECT } from '../../src/api/project.ts';
import { FOREIGN } from '../harness/policies.ts';
import { NAMESPACE, shipyard, VALUES } from '../ship/suite.ts';

/** The three commands of the README, with a registry of this test in place of that of the project. The tests build on each other. */
const yard = shipyard();
const version = await ownVersion();
const readme = readFileSync('README.md', 'utf8');
const commands = /## Keep it fixed[\s\S]*?```sh\n([^`]*)```/.exec(readme)?.[1]?.trim().split('\n') ?? [];
const [role = '', helm = '', kubectl = ''] = commands;
let registry: Registry;
let began: number;

beforeAll(async () => {
  const home = mkdtempSync(join(yard.testbed.folder, 'release-'));
  const tools = await openTools(join(home, 'tools'), AbortSignal.timeout(240_000));
  registry = await startRegistry(tools.crane);
  const cosign = await Cosign.withNewKey(tools.cosign, join(home, 'key'));
  await publish(RELEASE, version, { registry: registry.address, local: true }, tools, cosign);
});
afterAll(async () => registry?.stop());

test('there are three, and each names this version', () => {
  expect(commands).toHaveLength(3);
  expect(helm).toContain(` --version ${version} `);
  expect(role).toContain(`${PROJECT.repository}/releases/download/v${version}/${namesOf(version).cloudFormation} `);
});

// AWS has the only CloudFormation. What the template makes of its parameters is compared with config/iam in test/ship/iam.test.ts.
test('the first deploys a file of the release, with parameters that it has, for the ServiceAccount that the second installs', () => {
  const template = parse(readFileSync(join(RELEASE, namesOf(version).cloudFormation), 'utf8')) as {
    Parameters: Record<string, { Default: string }>;
    Resources: { Role: { Properties: { RoleName?: object } } };
  };
  const [, given = ''] = /--parameter-overrides (\w+)=/.exec(role) ?? [];
  expect(Object.keys(template.Parameters)).toContain(given);
  expect(template.Parameters).toMatchObject({ Namespace: { Default: NAMESPACE }, ServiceAccount: { Default: 'irsa-operator' } });
  // A role with a name needs this consent.
  expect(template.Resources.Role.Properties.RoleName).toBeDefined();
  expect(role).toContain(' --capabilities CAPABILITY_NAMED_IAM ');
});

test('the second installs the chart of the registry, and its pods run the signed image', async () => {
  const local = helm.replace(PROJECT.chart, referenceAt(PROJECT.chart, { registry: registry.address, local: true }));
  expect(local).not.toBe(helm);
  began = performance.now();
  const args = local.split(' ').slice(1);
  const said = await yard.helm([...args, '--plain-http', '--timeout=90s'], { ...VALUES, global: { imageRegistry: registry.address } });
  expect(said).toContain('STATUS: deployed');
  const images = new Set(yard.pods.replicas(NAMESPACE).map(({ image }) => image));
  expect([...images]).toEqual([`${referenceAt(PROJECT.image, { registry: registry.address, local: true })}:${version}`]);
  for (const image of images) expect((await registry.crane('digest', image)).trim()).toBe(await digestIn(RELEASE, version));
});

test('the third, with the grant and the binding of the README, makes refused pods Ready', async () => {
  const [grant = '', binding = ''] = [...readme.matchAll(/```yaml\n(apiVersion: irsa-operator\.dev[^`]*)```/g)].map(
    ([, yaml]) => yaml ?? '',
  );
  const folder = mkdtempSync(join(yard.testbed.folder, 'binding-'));
  writeFileSync(join(folder, 'grant.yaml'), grant);
  writeFileSync(join(folder, 'binding.yaml'), binding);
  const { roleArn } = (parse(binding) as { spec: { roleArn: string } }).spec;
  yard.testbed.aws.account().role.put({ name: roleArn.split('/')[1] ?? '', trustPolicy: FOREIGN });
  await yard.testbed.kubectl(['apply', '-f', 'test/demo/controller.yaml']);

  await yard.testbed.kubectl(
    kubectl
      .split(' ')
      .slice(1)
      .map((word) => (word.endsWith('.yaml') ? join(folder, word) : word)),
  );
  const wait = ['wait', '--for=condition=Ready', '--timeout=60s', 'irsab/aws-load-balancer-controller', '-n', 'kube-system'];
  expect(await yard.testbed.kubectl(wait)).toContain('condition met');
  console.log(`from helm upgrade --install to the first Ready: ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  const ready = ['get', 'deploy', '-n', 'kube-system', 'aws-load-balancer-controller', '-o', 'jsonpath={.status.readyReplicas}'];
  await until('both pods are Ready', async () => (await yard.testbed.kubectl(ready)) === '2', { timeoutMs: 120_000 });
});

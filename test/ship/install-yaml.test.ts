import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { startTestbed, type Testbed } from '@irsa-operator/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { manifestsIn, nameOf } from './helm.ts';

/** `install.yaml` of a release, for people who have only kubectl. */
const FILE = 'dist/install.yaml';
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

let testbed: Testbed;
beforeAll(async () => {
  testbed = await startTestbed();
  await promisify(execFile)(process.execPath, ['scripts/install-yaml.ts']);
});
afterAll(async () => testbed?.stop());

const images = (yaml: string) => [...yaml.matchAll(/^ *(?:- )?image: (.*)$/gm)].map(([, image]) => image ?? '');

// Contract: install-yaml
test('it is what kustomize builds of config/default, and names its version and no other', async () => {
  const built = await testbed.kubectl(['kustomize', 'config/default']);
  const written = readFileSync(FILE, 'utf8');
  expect(images(written)).toHaveLength(1);
  for (const image of images(written)) expect(image).toMatch(new RegExp(`:${version.replaceAll('.', '\\.')}(@|$)`));
  expect(written).not.toMatch(/\blatest\b/);
  const withoutImage = (yaml: string) => manifestsIn(yaml.replaceAll(/^( *(?:- )?image: ).*$/gm, '$1x'));
  expect(withoutImage(written)).toEqual(withoutImage(built));
});

// Contract: install-yaml
test('kubectl installs it with one command, with strict validation, and again without a change', async () => {
  const apply = async () => (await testbed.kubectl(['apply', '--validate=strict', '-f', FILE])).trim().split('\n');
  const first = await apply();
  expect(first).toHaveLength(manifestsIn(readFileSync(FILE, 'utf8')).length);
  expect(first.filter((line) => !line.endsWith(' created'))).toEqual([]);
  const generations = () =>
    testbed.kubectl(['get', '-f', FILE, '-o', 'jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.generation}{"\\n"}{end}']);
  const before = await generations();
  expect(before).toContain('Deployment/irsa-operator 1\n');
  await apply();
  expect(await generations()).toBe(before);
  await testbed.kubectl(['rollout', 'status', '-n', 'irsa-operator-system', 'deploy/irsa-operator', '--timeout=60s']);
  const names = manifestsIn(readFileSync(FILE, 'utf8')).map(nameOf);
  expect(names).toContain('Namespace//irsa-operator-system');
});

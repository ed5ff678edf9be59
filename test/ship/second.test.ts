import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { promisify } from 'node:util';
import { until } from '@irsa-operator/testbed';
import { beforeAll, expect, test } from 'vitest';
import type { Scene } from '../harness/scene.ts';
import { overlay } from './overlay.ts';
import { NAMESPACE, pathOf, shipyard } from './suite.ts';

/** A second irsa-operator by kustomize, in another namespace under another name, beside a first one by Helm. The tests build on each other. */
const yard = shipyard();
const SECOND = 'acme';
const PATIENCE = { timeoutMs: 90_000 };
const REFUSAL =
  'another irsa-operator is installed in this cluster, with the ServiceAccount irsa-operator-system/irsa-operator. A cluster has one. Uninstall one of them: docs/uninstall.md#two-installations';
let scene: Scene;

beforeAll(async () => {
  await yard.install();
  scene = await yard.working('shop');
  await yard.testbed.kubectl(['create', 'namespace', SECOND]);
  await yard.testbed.kubectl(['apply', '-k', overlay(yard.testbed, { namespace: SECOND, namePrefix: 'acme-' })]);
});

interface Pod {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}
const podsIn = async (namespace: string) => (await yard.api.call<{ items: Pod[] }>('GET', pathOf('pods', { namespace }))).items;

// Contract: install-second
test('it refuses to start, and its log says which one is the first', async () => {
  const said = () =>
    yard.pods
      .replicas(SECOND)
      .flatMap(({ log }) => log)
      .find(({ msg }) => msg === 'exited with an error');
  expect(await until('it exits', said, PATIENCE)).toMatchObject({ level: 'error', err: { message: REFUSAL } });
});

// Contract: install-second
test('it is never ready, and never leads', async () => {
  const restarted = async () => (await podsIn(SECOND)).every(({ status }) => (status.containerStatuses?.[0]?.restartCount ?? 0) >= 2);
  await until('each of its pods was started three times', restarted, PATIENCE);
  const ready = (await podsIn(SECOND)).flatMap(({ status }) => status.conditions ?? []).filter(({ type }) => type === 'Ready');
  expect(ready.map(({ status }) => status)).toEqual(['False', 'False']);
  expect(await yard.testbed.kubectl(['get', 'leases', '-n', SECOND, '-o', 'name'])).toBe('');
});

// Contract: install-second
test('the commands of the docs delete it, and the first one works on, without a restart', async () => {
  const section = readFileSync('docs/uninstall.md', 'utf8').split('## Two installations')[1] ?? '';
  const [, commands = expect.fail('the section has no commands')] = /```sh\n([^`]*)```/.exec(section) ?? [];
  await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', commands.replace(/^SECOND=.*$/m, `SECOND=${SECOND}`)], {
    env: {
      ...process.env,
      KUBECONFIG: yard.testbed.kubeconfig,
      PATH: [dirname(yard.testbed.kubectlPath), process.env['PATH']].join(delimiter),
    },
  });
  expect(await yard.testbed.kubectl(['get', 'validatingadmissionpolicybindings', '-o', 'name'])).not.toContain('acme');
  expect(scene.stands()).toBe(true);
  expect((await yard.working('later')).stands()).toBe(true);
  const restarts = (await podsIn(NAMESPACE)).map(({ status }) => status.containerStatuses?.[0]?.restartCount);
  expect(restarts).toEqual([0, 0]);
});

import { execFile } from 'node:child_process';
import { mkdtempSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { TAB } from '../harness/shells.ts';
import { integrationSuite } from '../harness/suite.ts';

/** The tab key in each shell, with the bundle in PATH under its three names. */
const suite = integrationSuite({ operator: false });

let at: { path: string; env: Record<string, string>; folder: string };

beforeAll(async () => {
  const folder = mkdtempSync(join(suite.testbed.folder, 'completion-'));
  for (const name of ['irsa-operator', 'kubectl-irsa', 'kubectl_complete-irsa'])
    symlinkSync(resolve('dist/irsa-operator.mjs'), join(folder, name));
  symlinkSync(suite.testbed.kubectlPath, join(folder, 'kubectl'));
  at = {
    path: [folder, dirname(process.execPath), '/usr/bin', '/bin'].join(':'),
    env: { KUBECONFIG: suite.testbed.kubeconfig },
    folder,
  };
  for (const name of ['shop', 'shipping', 'till']) await suite.scene(name);
  const s = await suite.scene('till');
  await s.serviceAccount();
  await s.bind();
  await s.deployment({ name: 'payments' });
});

/** A line, the word that fits alone, and the line that zsh then shows. */
const LINES: Record<string, [line: string, word: string, then: string]> = {
  'a command': ['irsa-operator reco', 'reconcile', 'irsa-operator reconcile'],
  'a flag': ['irsa-operator get --not-r', '--not-ready', 'irsa-operator get --not-ready'],
  'a choice of a flag': ['irsa-operator get -o wi', 'wide', 'irsa-operator get -o wide'],
  'a code of a finding': ['irsa-operator explain TrustSubjectW', 'TrustSubjectWhitespace', 'irsa-operator explain TrustSubjectWhitespace'],
  'a namespace from the cluster': ['irsa-operator get -n til', 'till', 'irsa-operator get -n till'],
  'a binding from the cluster': ['irsa-operator get -n till a', 'app', 'irsa-operator get -n till app'],
  'a workload from the cluster': [
    'irsa-operator check -n till deploy/pay',
    'deploy/payments',
    'irsa-operator check -n till deploy/payments',
  ],
  'a ServiceAccount from the cluster': ['irsa-operator check -n till sa/ap', 'sa/app', 'irsa-operator check -n till sa/app'],
};

// Contract: completion-shells
for (const shell of ['bash', 'zsh', 'fish'] as const)
  describe(`${shell} completes`, () => {
    for (const [sentence, [line, word, then]] of Object.entries(LINES))
      test(sentence, async () =>
        expect((await TAB[shell](line, at)).map((found) => found.trimEnd())).toEqual([shell === 'zsh' ? then : word]),
      );

    test('a file where one is meant', async () => {
      const found = await TAB[shell](`irsa-operator check -f ${at.folder}/kubectl-ir`, at);
      // Of bash the shell itself adds the files: the function only says that it may.
      expect(found).toEqual(shell === 'bash' ? [] : [expect.stringContaining(`${at.folder}/kubectl-irsa`)]);
    });
  });

test('of several words bash and fish show all', async () => {
  for (const shell of ['bash', 'fish'] as const)
    expect((await TAB[shell]('irsa-operator get -n sh', at)).toSorted()).toEqual(['shipping', 'shop']);
});

test('behind an equals sign bash completes what is left of the word', async () =>
  expect(await TAB.bash('irsa-operator get --namespace=til', at)).toEqual(['till']));

// Contract: completion-kubectl
test('kubectl completes the plugin', async () => {
  const kubectl = (...words: readonly string[]) =>
    promisify(execFile)('kubectl', ['__complete', 'irsa', ...words], { env: { PATH: at.path, ...at.env } });
  expect((await kubectl('get', '-n', 'till', '')).stdout).toBe('app\n:4\n');
  expect((await kubectl('reco')).stdout).toMatch(/^reconcile\t.*\n:4\n$/);
});

test('without a cluster there are the words that the program itself knows, and no error', async () => {
  const none = { ...at, env: { KUBECONFIG: '/nonexistent' } };
  expect(await TAB.bash('irsa-operator get -n ', none)).toEqual([]);
  expect(await TAB.bash('irsa-operator get -o wi', none)).toEqual(['wide']);
});

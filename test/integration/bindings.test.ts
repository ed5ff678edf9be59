import { spawn } from 'node:child_process';
import { until } from '@irsa-operator/testbed';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Ended, runCommand } from '../harness/command.ts';
import { eventually, type Person, personWith } from '../harness/person.ts';
import { FOREIGN } from '../harness/policies.ts';
import type { Scene } from '../harness/scene.ts';
import { integrationSuite, SWEEP } from '../harness/suite.ts';

/** `get`, `reconcile`, `suspend` and `resume` beside an operator at work. They need no AWS credentials, and are given none. */
const suite = integrationSuite({ grant: {}, flags: [...SWEEP] });

const PATIENCE = { timeoutMs: 30_000 };
const run = (...args: readonly string[]): Promise<Ended> =>
  runCommand(suite.testbed.aws, args, { kubeconfig: suite.testbed.kubeconfig, credentials: {} });
const namesIn = ({ stdout }: Ended) =>
  (JSON.parse(stdout) as { name: string; namespace: string }[]).map(({ namespace }) => namespace).toSorted();
const resultsIn = ({ stdout }: Ended) => (JSON.parse(stdout) as { results: { result: string; message?: string }[] }).results;

let works: Scene;
let broken: Scene;
beforeAll(async () => {
  works = await suite.working('works');
  broken = await suite.scene('broken');
  await broken.serviceAccount();
  await broken.bind();
  await broken.conditionIs('Ready', 'False', 'RoleNotFound');
});

describe('get', () => {
  // Contract: get-filters
  test('prints bindings in the columns of kubectl, and the filters choose among them', async () => {
    const { code, stdout } = await run('get', '-A');
    expect(code).toBe(0);
    const [header, ...rows] = stdout.trimEnd().split('\n');
    expect(header?.split(/ {2,}/)).toEqual(['NAMESPACE', 'NAME', 'READY', 'REASON', 'SERVICEACCOUNT', 'ROLE', 'PODS', 'SUSPENDED', 'AGE']);
    expect(rows.map((row) => row.split(/ {2,}/).slice(0, 4)).toSorted()).toEqual([
      ['broken', 'app', 'False', 'RoleNotFound'],
      ['works', 'app', 'True', 'Ready'],
    ]);
    expect(namesIn(await run('get', '-A', '--not-ready', '-o', 'json'))).toEqual(['broken']);
    expect(namesIn(await run('get', '-A', '--code', 'RoleNotFound', '-o', 'json'))).toEqual(['broken']);
    expect(namesIn(await run('get', '-A', '--suspended', '-o', 'json'))).toEqual([]);
    expect((await run('get', 'app', '-n', 'works', '-o', 'wide')).stdout).toContain(works.roleArn);
  });

  // Contract: commands-labels
  test('labels choose bindings in get and suspend, and what is no selector is refused', async () => {
    await works.patch('irsabindings', 'app', { metadata: { labels: { team: 'shop' } } });
    expect(namesIn(await run('get', '-A', '-l', 'team=shop', '-o', 'json'))).toEqual(['works']);
    expect(namesIn(await run('get', '-A', '-l', 'team!=shop', '-o', 'json'))).toEqual(['broken']);
    expect(await run('get', '-A', '-l', 'team in shop')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/unable to parse requirement/),
    });
    const suspended = await run('suspend', '-A', '-l', 'team=other', '-o', 'json');
    expect([suspended.code, resultsIn(suspended)]).toEqual([0, []]);
  });

  test('exit codes: 0 also where none is Ready or selected, 2 for a name that does not exist', async () => {
    expect((await run('get', '-n', 'broken')).code).toBe(0);
    expect(await run('get', '-n', 'default')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('no IrsaBinding is selected'),
    });
    expect(await run('get', 'none', '-n', 'works')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no IrsaBinding "none"'),
    });
  });

  test('--watch prints what happens, until Ctrl-C', async () => {
    const { kubeconfig } = suite.testbed;
    const child = spawn(process.execPath, ['dist/irsa-operator.mjs', 'get', '-n', 'works', '--watch', '-o', 'json'], {
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', KUBECONFIG: kubeconfig },
    });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
    const lines = () =>
      printed
        .trimEnd()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { suspended: boolean });
    await until('the binding is printed', async () => lines().length > 0, PATIENCE);
    await works.change({ suspend: true });
    await until('its change is printed', async () => lines().at(-1)?.suspended === true, PATIENCE);
    await works.change({ suspend: false });
    await until('the next change is printed', async () => lines().at(-1)?.suspended === false, PATIENCE);
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    await works.conditionIs('Ready', 'True', 'Ready');
  });
});

describe('reconcile', () => {
  // Contract: reconcile-wait
  test('--wait comes back when the operator has read the role again and the binding is Ready', async () => {
    const s = await suite.working('again');
    const ended = await run('reconcile', 'app', '-n', s.namespace, '--wait', '-o', 'json');
    expect([ended.code, resultsIn(ended).map(({ result }) => result)]).toEqual([0, ['ready']]);
    const { metadata, status } = await s.binding();
    expect(status?.lastHandledReconcileAt).toBe(metadata.annotations?.['irsa-operator.dev/reconcile-requested-at']);
  });

  test('--wait ends with 1 at the time-out, and at once where only a change helps', async () => {
    const stalled = await run('reconcile', 'app', '-n', 'broken', '--wait', '--timeout', '60s', '-o', 'json');
    expect([stalled.code, resultsIn(stalled)]).toMatchObject([1, [{ result: 'stalled', message: expect.stringMatching(/^RoleNotFound/) }]]);
    const s = await suite.prepared('slow', FOREIGN);
    await s.bind({ trustPolicy: 'External' });
    await s.conditionIs('Ready', 'False');
    const waiting = await run('reconcile', 'app', '-n', s.namespace, '--wait', '--timeout', '3s', '-o', 'json');
    expect(waiting.code).toBe(1);
  });

  test('without a name, a filter or --all it refuses', async () =>
    expect(await run('reconcile', '-n', 'works')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('name the bindings'),
    }));
});

describe('suspend and resume', () => {
  // Contract: suspend-resume
  test('an operator leaves a suspended binding alone, and repairs it when it is resumed', async () => {
    const s = await suite.working('paused');
    const suspended = await run('suspend', 'app', '-n', s.namespace, '-o', 'json');
    expect([suspended.code, resultsIn(suspended).map(({ result }) => result)]).toEqual([0, ['suspended']]);
    const trusted = s.trust();
    s.role(FOREIGN);
    await suite.secondLook();
    expect(s.trust()).not.toBe(trusted);
    expect(namesIn(await run('get', '-A', '--suspended', '-o', 'json'))).toEqual([s.namespace]);

    const resumed = await run('resume', '-A', '--suspended', '-o', 'json');
    expect([resumed.code, resultsIn(resumed).map(({ result }) => result)]).toEqual([0, ['resumed']]);
    expect((await run('reconcile', 'app', '-n', s.namespace, '--wait', '--timeout', '60s')).code).toBe(0);
    expect(JSON.parse(s.trust())).toEqual(JSON.parse(trusted));
  });
});

// Contract: commands-rights
describe('with exactly its file of rights each works, and without one of them it says so:', () => {
  const cases: Record<string, { file: string; needs: Record<string, readonly string[]> }> = {
    get: {
      file: 'config/rbac/get.yaml',
      needs: { 'list irsabindings': ['get', '-n', 'works'], 'watch irsabindings': ['get', '-n', 'works', '--watch'] },
    },
    reconcile: {
      file: 'config/rbac/reconcile.yaml',
      needs: {
        'list irsabindings': ['reconcile', 'app', '-n', 'works'],
        'patch irsabindings': ['reconcile', 'app', '-n', 'works', '-o', 'json'],
        'watch irsabindings': ['reconcile', 'app', '-n', 'broken', '--wait', '--timeout', '20s'],
      },
    },
  };
  for (const [name, { file, needs }] of Object.entries(cases))
    test(name, async () => {
      const person: Person = await personWith(suite.testbed, file, `${name}-er`);
      expect(person.rights.toSorted()).toEqual(Object.keys(needs).toSorted());
      const as = (args: readonly string[]) => run(...args, '--as', person.name);
      const [first = []] = Object.values(needs);
      await eventually('the rights are known', async () => (await as(first)).code === 0);
      if (name === 'reconcile') {
        expect((await as(['suspend', 'app', '-n', 'works'])).code).toBe(0);
        expect((await as(['resume', 'app', '-n', 'works'])).code).toBe(0);
        expect((await as(['reconcile', 'app', '-n', 'works', '--wait'])).code).toBe(0);
      }
      for (const [right, args] of Object.entries(needs))
        await person.without(right, async () => {
          await eventually(`without ${right} it is refused`, async () => {
            const { code, stderr, stdout } = await as(args);
            return code === 2 && /forbidden/.test(stderr + stdout);
          });
        });
    });
});

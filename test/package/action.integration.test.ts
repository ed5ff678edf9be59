import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { newMachine } from './machine.ts';

/** The steps of the GitHub Action, in the shell that a runner starts for them, in a folder where the package of `make package` is. */
const action = parse(readFileSync('action.yml', 'utf8')) as {
  inputs: Record<string, { default?: string; required?: boolean }>;
  runs: { using: string; steps: { shell: string; run: string; env: Record<string, string> }[] };
};
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const machine = newMachine();
let folder: string;

const account = (key: string) => `apiVersion: v1
kind: ServiceAccount
metadata:
  name: app
  namespace: shop
  annotations:
    ${key}: arn:aws:iam::111122223333:role/app
`;

beforeAll(async () => {
  folder = machine.folder();
  const packed = await machine.run('npm', ['pack', '--pack-destination', folder], { cwd: resolve('dist/npm') });
  await machine.run('npm', ['install', '--no-audit', '--no-fund', packed.stdout.trim()], { cwd: folder });
  writeFileSync(join(folder, 'right.yaml'), account('eks.amazonaws.com/role-arn'));
  writeFileSync(join(folder, 'wrong.yaml'), account('eks.amazon.com/role-arn'));
});
afterAll(() => machine.remove());

/** As a runner does it: inputs are put into the variables of a step, and bash runs it with these options. */
async function use(given: Record<string, string>) {
  const summary = join(folder, 'summary.md');
  writeFileSync(summary, '');
  const inputs = Object.fromEntries(Object.entries(action.inputs).map(([name, { default: preset = '' }]) => [name, given[name] ?? preset]));
  const filled = (text: string) => text.replaceAll(/\$\{\{ inputs\.(\w+) \}\}/g, (_, name: string) => inputs[name] ?? '');
  const output: string[] = [];
  for (const { shell, run, env } of action.runs.steps) {
    const variables = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, filled(value)]));
    const ended = await machine.run(shell, ['--noprofile', '--norc', '-eo', 'pipefail', '-c', filled(run)], {
      cwd: folder,
      path: [dirname(process.execPath)],
      env: { ...variables, GITHUB_STEP_SUMMARY: summary },
    });
    output.push(ended.stdout);
    if (ended.code !== 0)
      return { code: ended.code, stdout: output.join(''), stderr: ended.stderr, summary: readFileSync(summary, 'utf8') };
  }
  return { code: 0, stdout: output.join(''), stderr: '', summary: readFileSync(summary, 'utf8') };
}

test('the Action runs the version that it belongs to', () => expect(action.inputs['version']?.default).toBe(version));

describe('the steps of the Action', () => {
  test('annotate the line that is wrong, write a summary, and fail', async () => {
    const { code, stdout, summary } = await use({ args: '-f wrong.yaml' });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^::error file=wrong\.yaml,line=7,col=5,title=AnnotationKeyMisspelt%3A shop\/app::/);
    expect(summary).toContain('| **FAIL** | `shop/app` | AnnotationKeyMisspelt | `wrong.yaml:7:5` |');
  });

  test('pass where all is right, with arguments on several lines', async () => {
    const { code, stdout, summary } = await use({ args: '-f right.yaml\n-n shop\n' });
    expect([code, stdout]).toEqual([0, '']);
    expect(summary).toContain('| ok | `shop/app` |');
  });

  test('tell what makes no sense, and fail', async () => {
    const { code, stderr } = await use({ args: '-f nowhere.yaml' });
    expect(code).toBe(2);
    expect(stderr).toContain('"nowhere.yaml" cannot be read');
  });

  test('run nothing that an argument says', async () => {
    await use({ args: '-f wrong.yaml; touch a $(touch b) `touch c` "$(touch d)" && touch e' });
    expect(['a', 'b', 'c', 'd', 'e'].filter((name) => existsSync(join(folder, name)))).toEqual([]);
  });
});

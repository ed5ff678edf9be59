import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CUSTOMIZATION, objectIn, runLua, TESTDATA } from './programs.ts';

/** The Lua scripts for Argo CD, with the test files that Argo CD itself would run: health_test.yaml and actions/action_test.yaml. */
interface HealthTests {
  readonly tests: readonly { readonly inputPath: string; readonly healthStatus: object }[];
}
interface ActionTests {
  readonly discoveryTests: readonly { readonly inputPath: string; readonly result: readonly { name: string; disabled: boolean }[] }[];
  readonly actionTests: readonly { readonly action: string; readonly inputPath: string; readonly expectedOutputPath: string }[];
}
const testsIn = <T>(path: string) => parse(readFileSync(join(CUSTOMIZATION, path), 'utf8')) as T;
const REQUESTED_AT = 'irsa-operator.dev/reconcile-requested-at';

// Contract: gitops-argocd
describe('health.lua says of a binding', () => {
  const { tests } = testsIn<HealthTests>('health_test.yaml');
  for (const { inputPath, healthStatus } of tests)
    test(`in ${inputPath}: ${JSON.stringify(healthStatus)}`, async () =>
      expect(await runLua('health.lua', objectIn(join(CUSTOMIZATION, inputPath)))).toEqual(healthStatus));

  test('something of every object that was recorded', () => {
    const deleted = ['deleted.yaml']; // Argo CD says Progressing, and asks no script.
    expect([...tests.map(({ inputPath }) => inputPath.split('/')[1]), ...deleted].toSorted()).toEqual(readdirSync(TESTDATA).toSorted());
  });

  test('one that Git has and no cluster', async () =>
    expect(await runLua('health.lua', { kind: 'IrsaBinding', metadata: { name: 'app' }, spec: {} })).toMatchObject({
      status: 'Progressing',
    }));
});

// Contract: gitops-argocd
describe('an action', () => {
  const { discoveryTests, actionTests } = testsIn<ActionTests>('actions/action_test.yaml');
  for (const { inputPath, result } of discoveryTests)
    test(`is offered for ${inputPath}: ${result.map(({ name }) => name).join()}`, async () =>
      expect(await runLua('actions/discovery.lua', objectIn(join(CUSTOMIZATION, 'actions', inputPath)))).toEqual(
        Object.fromEntries(result.map(({ name, disabled }) => [name, { disabled }])),
      ));

  for (const { action, inputPath, expectedOutputPath } of actionTests)
    test(`${action} makes ${expectedOutputPath} of ${inputPath}`, async () => {
      const output = await runLua(`actions/${action}/action.lua`, objectIn(join(CUSTOMIZATION, 'actions', inputPath)));
      const wanted = objectIn(join(CUSTOMIZATION, 'actions', expectedOutputPath));
      expect(withTime(output)).toEqual(withTime(wanted));
    });
});

/** The request has the time of its own moment. */
function withTime(object: unknown): unknown {
  const { metadata, ...rest } = object as { metadata: { annotations: Record<string, string> } };
  const { [REQUESTED_AT]: at = '', ...annotations } = metadata.annotations;
  expect(at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  return { ...rest, metadata: { ...metadata, annotations: { ...annotations, [REQUESTED_AT]: 'NOW' } } };
}

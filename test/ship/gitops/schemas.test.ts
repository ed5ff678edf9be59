import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { objectIn, runTool } from './programs.ts';

/** The JSON schemas of docs/schema, by kubeconform, which needs no cluster. */
const LOCATION = 'docs/schema/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json';
const conform = (...paths: string[]) => runTool('kubeconform', ['-strict', '-summary', '-schema-location', LOCATION, ...paths]);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'irsa-operator-schemas-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// Contract: gitops-schemas
test('every sample conforms', async () => {
  const samples = globSync('config/samples/**/*.yaml');
  const { code, stdout } = await conform('config/samples');
  expect([code, stdout]).toEqual([0, expect.stringMatching(/Invalid: 0, Errors: 0, Skipped: 0/)]);
  expect(Number(/(\d+) resources? found/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(samples.length);
});

test('so does every binding that irsa-operator has written a status to', async () =>
  expect((await conform('config/argocd/irsa-operator.dev/IrsaBinding/testdata')).code).toBe(0));

// Contract: gitops-schemas
describe('what the API server would refuse is refused:', () => {
  type Edit = (manifest: { spec: Record<string, unknown>; [field: string]: unknown }) => void;
  const wrong: Readonly<Record<string, { of: string; edit: Edit; says: RegExp }>> = {
    'a field of a binding that is misspelt': {
      of: 'binding',
      edit: ({ spec }) => (spec['serviceAcountName'] = 'x'),
      says: /additional properties 'serviceAcountName' not allowed/,
    },
    'a field inside of a field': { of: 'binding', edit: ({ spec }) => (spec['restart'] = { strategie: 'Evict' }), says: /strategie/ },
    'a value that is none of those that there are': {
      of: 'binding',
      edit: ({ spec }) => (spec['mode'] = 'enforce'),
      says: /mode.*must be one of 'Enforce', 'Observe'/s,
    },
    'a binding without a role': { of: 'binding', edit: ({ spec }) => delete spec['roleArn'], says: /missing property 'roleArn'/ },
    'a field of a grant that is misspelt': { of: 'grant', edit: ({ spec }) => (spec['audience'] = []), says: /'audience' not allowed/ },
    'a field beside spec': { of: 'grant', edit: (manifest) => (manifest['specs'] = {}), says: /'specs' not allowed/ },
    'a percentage that is none': {
      of: 'binding',
      edit: ({ spec }) => (spec['restart'] = { maxUnavailable: true }),
      says: /maxUnavailable.*want integer or string/s,
    },
  };
  for (const [sentence, { of, edit, says }] of Object.entries(wrong))
    test(sentence, async () => {
      const manifest = objectIn(`config/samples/${of}.yaml`) as Parameters<Edit>[0];
      edit(manifest);
      const path = join(folder, `${sentence.replaceAll(' ', '-')}.yaml`);
      writeFileSync(path, stringify(manifest));
      const { code, stdout } = await conform(path);
      expect([code, stdout]).toEqual([1, expect.stringMatching(says)]);
    });
});

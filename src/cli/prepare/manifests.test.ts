import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isProblem } from '../../api/problem.ts';
import { parseManifests, readManifests } from './manifests.ts';

const BINDING = `apiVersion: irsa-operator.dev/v1alpha1
kind: IrsaBinding
metadata: {name: app, namespace: shop}
spec: {serviceAccountName: app, roleArn: "arn:aws:iam::111122223333:role/app"}
`;
const GRANT = `apiVersion: irsa-operator.dev/v1alpha1
kind: IrsaGrant
metadata: {name: platform}
spec: {roleArns: ["arn:aws:iam::111122223333:role/app"], namespaces: {names: [shop]}, serviceAccountNames: [app]}
`;
const NAMESPACE = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: a, odd: 1}}\n';
const OTHERS = 'kind: Deployment\napiVersion: apps/v1\nmetadata: {name: x}\n---\n---\n# nothing\n---\njust text\n';

const parse = (...texts: string[]) => parseManifests(texts.map((text, at) => ({ file: `${at}.yaml`, text })));
const names = (...texts: string[]) => {
  const source = parse(...texts);
  if (isProblem(source)) return source;
  const { bindings, grants, namespaces } = source;
  return [bindings.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`), grants.map(({ name }) => name), namespaces];
};
const shop = { name: 'shop', labels: { team: 'a' } };

describe('manifests', () => {
  test('are read from many files and documents, and what is not ours is left alone', () =>
    expect(names(`${BINDING}---\n${OTHERS}---\n${GRANT}`, NAMESPACE)).toEqual([['shop/app'], ['platform'], [shop]]));

  test('may be a list, as kubectl writes it', () => {
    const items = [BINDING, GRANT].map((text) => `- ${text.trimEnd().replaceAll('\n', '\n  ')}`).join('\n');
    expect(names(`apiVersion: v1\nkind: List\nitems:\n${items}\n`)).toEqual([['shop/app'], ['platform'], []]);
  });

  test('tell that a binding is on its way out', () => {
    const source = parse(BINDING.replace('namespace: shop', 'namespace: shop, deletionTimestamp: "2026-01-01T00:00:00Z"'));
    expect(isProblem(source) || source.bindings.map(({ metadata }) => metadata.deleting)).toEqual([true]);
  });
});

describe('one bad document spoils all, and is named', () => {
  const bomb = `a: &a [x, x]\n${[...'bcdefgh'].map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[at]}`)}]`).join('\n')}\n`;
  const bad: Record<string, { text: string; says: string }> = {
    'that is no YAML': { text: 'a: [', says: '"1.yaml", document 2: not YAML: ' },
    'with a key twice': {
      text: BINDING.replace('kind:', 'kind: IrsaGrant\nkind:'),
      says: '"1.yaml", document 2: not YAML: Map keys must be unique',
    },
    'with aliases that grow without end': { text: bomb, says: '"1.yaml", document 2: not YAML: Excessive alias count' },
    'of another version': { text: BINDING.replace('v1alpha1', 'v1'), says: 'document 2: apiVersion "irsa-operator.dev/v1" is unknown' },
    'of an unknown kind': {
      text: BINDING.replace('IrsaBinding', 'IrsaBindings'),
      says: 'document 2: kind "IrsaBindings" of irsa-operator.dev is unknown',
    },
    'without a namespace': {
      text: BINDING.replace(', namespace: shop', ''),
      says: 'document 2: IrsaBinding "app" without metadata.namespace',
    },
    'without a name': { text: GRANT.replace('name: platform', ''), says: 'document 2: IrsaGrant without metadata.name' },
    'whose role is none': { text: BINDING.replace(':role/', ':policy/'), says: 'document 2: IrsaBinding "shop/app": spec.roleArn' },
    'without a spec': { text: BINDING.replace(/spec:.*/, ''), says: 'document 2: IrsaBinding "shop/app": ' },
    'with a field that no spec has': {
      text: GRANT.replace('spec: {', 'spec: {requiredRoleTag: {a: b}, '),
      says: 'document 2: IrsaGrant "platform": spec has no field "requiredRoleTag"',
    },
    'with a wildcard for the account of a grant': { text: GRANT.replace('111122223333', '*'), says: 'document 2: IrsaGrant "platform": ' },
  };
  for (const [sentence, { text, says }] of Object.entries(bad))
    test(sentence, () => {
      const source = parse(NAMESPACE, `${OTHERS.split('---')[0]}---\n${text}`);
      expect(isProblem(source) ? source.problem : 'taken').toContain(says);
    });

  test('that stands twice', () => {
    expect(parse(BINDING, BINDING)).toEqual({ problem: '"1.yaml", document 1: IrsaBinding "shop/app" is there twice' });
    expect(parse(`${GRANT}---\n${GRANT}`)).toEqual({ problem: '"0.yaml", document 2: IrsaGrant "platform" is there twice' });
  });

  test('in a list', () =>
    expect(parse('apiVersion: v1\nkind: List\nitems: [{apiVersion: irsa-operator.dev/v1alpha1, kind: IrsaGrant}]')).toEqual({
      problem: '"0.yaml", document 1: IrsaGrant without metadata.name',
    }));
});

describe('on disk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'irsa-operator-manifests-'));
  mkdirSync(join(folder, 'deep'));
  writeFileSync(join(folder, 'deep', 'binding.yml'), BINDING);
  writeFileSync(join(folder, 'grant.json'), JSON.stringify({ kind: 'ConfigMap' }));
  writeFileSync(join(folder, 'README.md'), 'a: [');

  test('a folder is read to its depth, manifests only', async () => {
    const { bindings, of } = await readManifests([folder]);
    expect([bindings.length, of]).toEqual([1, `"${join(folder, 'deep', 'binding.yml')}", "${join(folder, 'grant.json')}"`]);
  });

  test('a file is read whatever its name, and a problem says that nothing was written', async () =>
    await expect(readManifests([join(folder, 'README.md')])).rejects.toThrow(/README.md", document 1: not YAML: .*. Nothing was written$/));

  test('what is not there is told', async () => {
    await expect(readManifests([join(folder, 'none')])).rejects.toThrow('none" cannot be read: ENOENT');
    rmSync(folder, { recursive: true });
  });
});

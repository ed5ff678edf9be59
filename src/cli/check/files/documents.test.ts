import { describe, expect, test } from 'vitest';
import { Fault } from '../../../api/fault.ts';
import { manifestsIn } from './documents.ts';

const read = (...texts: string[]) => manifestsIn(texts.map((text, at) => ({ file: `${at}.yaml`, text })));
const ACCOUNT = `apiVersion: v1
kind: ServiceAccount
metadata:
  name: app
  annotations:
    team: shop
    eks.amazonaws.com/role-arn: x
`;
const DEPLOYMENT = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\n';

describe('objects of Kubernetes in files', () => {
  test('are read from many documents and files; what is none is left out', () =>
    expect(read(`${ACCOUNT}---\n---\n# nothing\n---\njust: values\n---\n${DEPLOYMENT}`, DEPLOYMENT).map(({ raw }) => raw['kind'])).toEqual([
      'ServiceAccount',
      'Deployment',
      'Deployment',
    ]));

  test('may be in a list, as kubectl writes it, and in JSON', () => {
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [{ apiVersion: 'v1', kind: 'ServiceAccountList', items: [{ apiVersion: 'v1', kind: 'ServiceAccount' }] }],
    };
    expect(read(JSON.stringify(list)).map(({ raw }) => raw)).toEqual([{ apiVersion: 'v1', kind: 'ServiceAccount' }]);
  });
});

describe('the place of a field', () => {
  const places: Record<string, { text: string; path: (string | number)[]; line: number; column: number }> = {
    'is that of its key': { text: ACCOUNT, path: ['metadata', 'annotations', 'eks.amazonaws.com/role-arn'], line: 7, column: 5 },
    'in a later document counts from the top of the file': {
      text: `${DEPLOYMENT}---\n${ACCOUNT}`,
      path: ['metadata', 'name'],
      line: 8,
      column: 3,
    },
    'in braces has a column too': { text: DEPLOYMENT, path: ['metadata', 'name'], line: 3, column: 12 },
    'that is missing is what is around it': { text: ACCOUNT, path: ['metadata', 'labels', 'x'], line: 3, column: 1 },
    'of an object without any of it is its beginning': { text: ACCOUNT, path: ['spec'], line: 1, column: 1 },
    'in a list is in the item': {
      text: `apiVersion: v1\nkind: List\nitems:\n- ${ACCOUNT.trimEnd().replaceAll('\n', '\n  ')}\n`,
      path: ['metadata', 'name'],
      line: 7,
      column: 5,
    },
    'after Windows line ends is the same': { text: ACCOUNT.replaceAll('\n', '\r\n'), path: ['metadata', 'name'], line: 4, column: 3 },
    'behind an alias is that of the alias': {
      text: 'x: &m {name: app}\napiVersion: v1\nkind: ServiceAccount\nmetadata: *m\n',
      path: ['metadata', 'name'],
      line: 4,
      column: 1,
    },
  };
  for (const [sentence, { text, path, line, column }] of Object.entries(places))
    test(sentence, () =>
      expect(
        read(text)
          .at(-1)
          ?.at(...path),
      ).toEqual({ file: '0.yaml', line, column }),
    );
});

describe('one bad document spoils all, and is named', () => {
  const bomb = `a: &a [x, x]\n${[...'bcdefgh'].map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[at]}`)}]`).join('\n')}\n`;
  const bad: Record<string, { text: string; says: RegExp }> = {
    'that is no YAML': { text: 'a: [', says: /^"1\.yaml" is not YAML: .* at line 1, column 5$/ },
    'with a key twice': { text: 'kind: a\nkind: b', says: /^"1\.yaml" is not YAML: Map keys must be unique at line 2, column 1$/ },
    'with aliases that grow without end': { text: bomb, says: /^"1\.yaml" is not YAML: Excessive alias count/ },
    'of a chart that is not rendered': {
      text: '{{- if .Values.x }}\nkind: x\n{{- end }}\n',
      says: /^"1\.yaml" is not YAML: .*\. A chart is rendered first: helm template CHART \| irsa-operator check -f -$/,
    },
  };
  for (const [sentence, { text, says }] of Object.entries(bad))
    test(sentence, () => {
      const said = () => read(ACCOUNT, text);
      expect(said).toThrow(Fault);
      expect(said).toThrow(says);
    });
});

import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs: readonly string[];
}

/** Every rule of every role that any folder of config installs. The chart is made of these. */
const rules = globSync('config/**/*.yaml', { exclude: ['config/helm/**'] }).flatMap((file) =>
  parseAllDocuments(readFileSync(file, 'utf8')).flatMap((document) => {
    const { kind, rules: found } = (document.toJS() ?? {}) as { kind?: string; rules?: readonly Rule[] };
    return kind === 'ClusterRole' || kind === 'Role' ? (found ?? []) : [];
  }),
);
const covers = (list: readonly string[] | undefined, value: string) => list?.includes(value) || list?.includes('*') || false;

// Contract: end-never-sa
test('no role that ships may do more to a ServiceAccount than read and patch it, and ask for its token', () => {
  const verbs = (resource: string) => [
    ...new Set(rules.flatMap((rule) => (covers(rule.apiGroups, '') && covers(rule.resources, resource) ? rule.verbs : []))),
  ];
  expect(verbs('serviceaccounts').toSorted()).toEqual(['get', 'list', 'patch', 'watch']);
  expect(verbs('serviceaccounts/token')).toEqual(['create']);
});

test('no role that ships may do anything to everything', () => {
  const wild = rules.filter((rule) => [rule.apiGroups, rule.resources, rule.verbs].some((list) => list?.includes('*')));
  expect(wild).toEqual([]);
});

import { expect, test } from 'vitest';
import { bindingStatus, parseBindingSpec, parseBindingStatus } from './binding.ts';
import { irsaAccountCrd, irsaBindingCrd, irsaGrantCrd } from './crds.ts';
import { cut } from './cut.ts';
import { parseGrantSpec } from './grant.ts';

const ARN = 'arn:aws:iam::111122223333:role/lbc';

/** Every value under a key, at any depth. */
function valuesOf(node: unknown, key: string): unknown[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([name, value]) => [...(name === key ? [value] : []), ...valuesOf(value, key)]);
}

for (const crd of [irsaBindingCrd, irsaGrantCrd, irsaAccountCrd]) {
  const schema = crd.spec.versions[0]?.schema;
  test(`${crd.spec.names.kind}: no pattern looks ahead or back, which the API server's expressions cannot`, () => {
    const patterns = [...valuesOf(schema, 'pattern'), ...valuesOf(schema, 'rule')];
    expect(patterns.length).toBeGreaterThan(0);
    for (const pattern of patterns) expect(pattern).not.toMatch(/\(\?[=!<]/);
  });
  test(`${crd.spec.names.kind}: no union and no closed object, which a structural schema refuses`, () => {
    expect([...valuesOf(schema, 'anyOf'), ...valuesOf(schema, 'oneOf'), ...valuesOf(schema, '$ref')]).toEqual([]);
    expect(valuesOf(schema, 'additionalProperties').filter((value) => value === false)).toEqual([]);
  });
  test(`${crd.spec.names.kind}: every string and list is bounded, so that CEL stays cheap and an object small`, () => {
    const [spec] = valuesOf(schema, 'spec');
    expect(spec).toBeDefined();
    for (const node of nodesOf(spec)) {
      if (node['type'] === 'string' && node['enum'] === undefined) expect(node).toHaveProperty('maxLength');
      if (node['type'] === 'array') expect(node).toHaveProperty('maxItems');
    }
  });
}

const documented = [irsaBindingCrd, irsaGrantCrd].flatMap((crd) => {
  const root = crd.spec.versions[0]?.schema.openAPIV3Schema;
  return fieldsOf(root, '').map(([path, field]) => [`${crd.spec.names.singular}${path}`, field] as const);
});
for (const [path, field] of documented)
  test(`kubectl explain ${path} says what it is, and its default`, () => {
    expect(field['description']).toMatch(/^\S.{10,}\S$/);
    if (!path.includes('.status') && ('default' in field || field['x-required'] === false))
      expect(field['description']).toMatch(/Default: /);
  });

/** Every field but what Kubernetes itself describes, with whether it may be left out. */
function fieldsOf(node: unknown, path: string): [string, Record<string, unknown>][] {
  const {
    properties,
    items,
    required = [],
    ...own
  } = node as { properties?: object; items?: unknown; required?: string[] } & Record<string, unknown>;
  const inside = Object.entries(properties ?? {}).flatMap(([name, field]) => {
    if (path === '' && ['apiVersion', 'kind', 'metadata'].includes(name)) return [];
    return fieldsOf({ ...field, 'x-required': required.includes(name) }, `${path}.${name}`);
  });
  // A list of texts has no field of its own to explain.
  const entries = (items as { properties?: object } | undefined)?.properties === undefined ? [] : fieldsOf(items, path).slice(1);
  return [[path, own], ...inside, ...entries];
}

function nodesOf(node: unknown): Record<string, unknown>[] {
  if (typeof node !== 'object' || node === null) return [];
  return [node as Record<string, unknown>, ...Object.values(node).flatMap(nodesOf)];
}

// Contract: api-defaults
test('a spec that says only what is required gets the defaults of the contract', () => {
  expect(parseBindingSpec({ serviceAccountName: 'lbc', roleArn: ARN })).toEqual({
    serviceAccountName: 'lbc',
    roleArn: ARN,
    mode: 'Enforce',
    audience: 'sts.amazonaws.com',
    trustPolicy: 'Managed',
    restart: { strategy: 'Evict', afterTrustRepair: 'Unready', maxUnavailable: 1 },
    deletionPolicy: 'Revoke',
    suspend: false,
    verification: 'Never',
  });
});

const refused: Record<string, object> = {
  'without a role': { serviceAccountName: 'lbc' },
  'with an ARN of a policy': { serviceAccountName: 'lbc', roleArn: 'arn:aws:iam::111122223333:policy/x' },
  'with a name in capitals': { serviceAccountName: 'Lbc', roleArn: ARN },
  'with an unknown mode': { serviceAccountName: 'lbc', roleArn: ARN, mode: 'Maybe' },
  'with an audience with a blank': { serviceAccountName: 'lbc', roleArn: ARN, audience: 'sts .amazonaws.com' },
  'with a budget of nothing': { serviceAccountName: 'lbc', roleArn: ARN, restart: { maxUnavailable: 0 } },
  'with a budget of nothing in percent': { serviceAccountName: 'lbc', roleArn: ARN, restart: { maxUnavailable: '0%' } },
  'with a budget of more than all': { serviceAccountName: 'lbc', roleArn: ARN, restart: { maxUnavailable: '101%' } },
  'with a budget of words': { serviceAccountName: 'lbc', roleArn: ARN, restart: { maxUnavailable: 'all' } },
};
for (const [sentence, spec] of Object.entries(refused)) {
  // Contract: api-one-schema
  test(`a spec ${sentence} is a problem that names the field`, () =>
    expect(parseBindingSpec(spec)).toEqual({ problem: expect.stringMatching(/^spec\./) }));
}

const ROLES = 'arn:aws:iam::111122223333:role/';
const grantOf = (part: object) => parseGrantSpec({ roleArns: [ARN], serviceAccountNames: ['*'], namespaces: { names: ['a'] }, ...part });

const limits: Record<string, [parsed: unknown, sentence: string]> = {
  'the name of a ServiceAccount': [
    parseBindingSpec({ serviceAccountName: 'n'.repeat(254), roleArn: ARN }),
    'spec.serviceAccountName: serviceAccountName has 254 characters, and Kubernetes allows 253. Shorten it',
  ],
  'an audience': [
    parseBindingSpec({ serviceAccountName: 'lbc', roleArn: ARN, audience: 'a'.repeat(300) }),
    'spec.audience: the audience has 300 characters, and IAM allows 255. Shorten it',
  ],
  'an audience of a grant': [
    parseGrantSpec({ roleArns: [ARN], serviceAccountNames: ['*'], namespaces: { names: ['a'] }, audiences: ['x', 'a'.repeat(256)] }),
    'spec.audiences.1: the audience has 256 characters, and IAM allows 255. Shorten it',
  ],
  'a namespace of a grant': [
    parseGrantSpec({ roleArns: [ARN], serviceAccountNames: ['*'], namespaces: { names: ['n'.repeat(64)] } }),
    'spec.namespaces.names.0: the name of the namespace has 64 characters, and Kubernetes allows 63. Shorten it',
  ],
  'a ServiceAccount of a grant': [
    parseGrantSpec({ roleArns: [ARN], serviceAccountNames: ['n'.repeat(254)], namespaces: { names: ['a'] } }),
    'spec.serviceAccountNames.0: the name in serviceAccountNames has 254 characters, and Kubernetes allows 253. Shorten it',
  ],
  'a role of a grant': [
    grantOf({ roleArns: [`${ROLES}${'n'.repeat(60)}*${'n'.repeat(19)}`] }),
    `spec.roleArns.0: "${ROLES}${'n'.repeat(60)}*${'n'.repeat(19)}": the name of the role without "*" has 79 characters, and IAM allows 64. Shorten it`,
  ],
  'the path of a role of a grant': [
    grantOf({ roleArns: [`${ROLES}*${'p'.repeat(511)}/x`] }),
    `spec.roleArns.0: "${cut(`${ROLES}*${'p'.repeat(511)}`, 160)}": the path of the role without "*" has 513 characters, and IAM allows 512. Shorten it`,
  ],
  'an audience, however long it is': [
    parseBindingSpec({ serviceAccountName: 'lbc', roleArn: ARN, audience: 'a'.repeat(100_000) }),
    'spec.audience: the audience has 100000 characters, and IAM allows 255. Shorten it',
  ],
  'the value of a label': [
    grantOf({ namespaces: { selector: { matchLabels: { team: 'v'.repeat(64) } } } }),
    'spec.namespaces.selector.matchLabels.team: the value of the label has 64 characters, and Kubernetes allows 63. Shorten it',
  ],
  'the key of a label': [
    grantOf({ namespaces: { selector: { matchLabels: { [`${'k'.repeat(253)}/${'k'.repeat(64)}`]: 'v' } } } }),
    `spec.namespaces.selector.matchLabels: the label key "${cut('k'.repeat(318), 64)}" has 318 characters, and Kubernetes allows 317. Shorten it`,
  ],
  'the value of a tag, in characters as IAM counts them': [
    grantOf({ requiredRoleTags: { team: '\u{20000}'.repeat(257) } }),
    'spec.requiredRoleTags.team: the value of the tag has 257 characters, and IAM allows 256. Shorten it',
  ],
  'the key of a tag': [
    grantOf({ requiredRoleTags: { ['k'.repeat(129)]: 'v' } }),
    `spec.requiredRoleTags: the tag key "${cut('k'.repeat(129), 64)}" has 129 characters, and IAM allows 128. Shorten it`,
  ],
  'both of a tag, and no more of the key than can be read': [
    grantOf({ requiredRoleTags: { ['k'.repeat(300_000)]: 'v'.repeat(257) } }),
    `spec.requiredRoleTags.${cut('k'.repeat(300_000), 64)}: the value of the tag has 257 characters, and IAM allows 256. Shorten it. spec.requiredRoleTags: the tag key "${cut('k'.repeat(300_000), 64)}" has 300000 characters, and IAM allows 128. Shorten it`,
  ],
};
for (const [what, [parsed, sentence]] of Object.entries(limits)) {
  // Contract: bad-names
  test(`of ${what} that is too long the limit and the length are said`, () => expect(parsed).toEqual({ problem: sentence }));
}

const wrongKeys: Record<string, [parsed: unknown, sentence: string]> = {
  'a label': [
    grantOf({ namespaces: { selector: { matchLabels: { 'team name': 'v' } } } }),
    'spec.namespaces.selector.matchLabels: the label key "team name" has a character or a form that Kubernetes does not allow. Allowed: letters, digits, "-", "_" and ".", after a DNS name and "/" if there is one',
  ],
  'a tag': [
    grantOf({ requiredRoleTags: { 'team!': 'v' } }),
    'spec.requiredRoleTags: the tag key "team!" has a character or a form that IAM does not allow. Allowed: letters, digits, blanks and "_.:/=+-@"',
  ],
};
for (const [what, [parsed, sentence]] of Object.entries(wrongKeys)) {
  // Contract: bad-names
  test(`of the key of ${what} with a wrong character the key is quoted, and what is allowed`, () =>
    expect(parsed).toEqual({ problem: sentence }));
}
test('keys as people write them are taken', () => {
  const matchLabels = { team: 'shop', 'kubernetes.io/metadata.name': 'shop', 'A_b.c-d': '' };
  expect(grantOf({ namespaces: { selector: { matchLabels } }, requiredRoleTags: { 'aws:team/Größe =1': 'x' } })).not.toHaveProperty(
    'problem',
  );
});

test('of a status that somebody edited only what does not parse is lost', () => {
  const role = { arn: ARN, roleId: 'AROA1', audience: 'sts.amazonaws.com', sid: 'Irsaab' };
  expect(
    parseBindingStatus({ roles: [role, { arn: 'not an ARN', roleId: 'x', sid: 'y' }], conditions: 'gone', pods: 3, observedGeneration: 7 }),
  ).toEqual({
    conditions: [],
    roles: [role],
    observedGeneration: 7,
  });
  expect(parseBindingStatus(undefined)).toEqual({ conditions: [] });
  expect(bindingStatus.shape).toHaveProperty('roles');
});

const longest: Record<string, object> = {
  'roles with a name of 64 and a path of 512 characters beside wildcards': { roleArns: [`${ROLES}*${'p'.repeat(510)}/${'n'.repeat(64)}*`] },
  'every character of a path': { roleArns: [`${ROLES}a!b/c:d/*`] },
  'labels of the longest key and value': {
    namespaces: { selector: { matchLabels: { [`${'k'.repeat(253)}/${'k'.repeat(63)}`]: 'v'.repeat(63), empty: '' } } },
  },
  'tags of the longest key and value': { requiredRoleTags: { ['k'.repeat(128)]: '\u{20000}'.repeat(256), empty: '' } },
};
for (const [sentence, part] of Object.entries(longest))
  test(`a grant may have ${sentence}`, () => expect(grantOf(part)).toMatchObject(part));

const grantsOfNothing: Record<string, object> = {
  'without namespaces': { namespaces: {} },
  'with an empty list of namespaces': { namespaces: { names: [] } },
  // Contract: api-grant-selector
  'with an empty selector': { namespaces: { selector: { matchLabels: {} } } },
  'with an empty selector beside a name': { namespaces: { names: ['a'], selector: { matchLabels: {} } } },
  // Contract: api-grant-patterns
  'with a wildcard for the account': { namespaces: { names: ['a'] }, roleArns: ['arn:aws:iam::*:role/x'] },
  'with a "?" for a character': { namespaces: { names: ['a'] }, roleArns: [`${ROLES}a?b`] },
  'with an empty key of a tag': { namespaces: { names: ['a'] }, requiredRoleTags: { '': 'v' } },
  'with more tags than a role can have': {
    namespaces: { names: ['a'] },
    requiredRoleTags: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`t${at}`, 'v'])),
  },
  'without roles': { namespaces: { names: ['a'] }, roleArns: [] },
};
for (const [sentence, part] of Object.entries(grantsOfNothing)) {
  test(`a grant ${sentence} grants nothing`, () => {
    expect(parseGrantSpec({ roleArns: [ARN], serviceAccountNames: ['*'], ...part })).toEqual({ problem: expect.stringMatching(/^spec\./) });
  });
}

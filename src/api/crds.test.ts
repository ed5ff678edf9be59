import { expect, test } from 'vitest';
import { bindingStatus, parseBindingSpec, parseBindingStatus } from './binding.ts';
import { irsaBindingCrd, irsaGrantCrd } from './crds.ts';
import { parseGrantSpec } from './grant.ts';

const ARN = 'arn:aws:iam::111122223333:role/lbc';

/** Every value under a key, at any depth. */
function valuesOf(node: unknown, key: string): unknown[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([name, value]) => [...(name === key ? [value] : []), ...valuesOf(value, key)]);
}

for (const crd of [irsaBindingCrd, irsaGrantCrd]) {
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
    parseGrantSpec({
      roleArns: [`arn:aws:iam::111122223333:role/${'n'.repeat(600)}`],
      serviceAccountNames: ['*'],
      namespaces: { names: ['a'] },
    }),
    'spec.roleArns.0: the ARN in roleArns has 631 characters, and IAM allows 613. Shorten it',
  ],
};
for (const [what, [parsed, sentence]] of Object.entries(limits)) {
  // Contract: bad-names
  test(`of ${what} that is too long the limit and the length are said`, () => expect(parsed).toEqual({ problem: sentence }));
}

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

const grantsOfNothing: Record<string, object> = {
  'without namespaces': { namespaces: {} },
  'with an empty list of namespaces': { namespaces: { names: [] } },
  // Contract: api-grant-selector
  'with an empty selector': { namespaces: { selector: { matchLabels: {} } } },
  'with an empty selector beside a name': { namespaces: { names: ['a'], selector: { matchLabels: {} } } },
  // Contract: api-grant-patterns
  'with a wildcard for the account': { namespaces: { names: ['a'] }, roleArns: ['arn:aws:iam::*:role/x'] },
  'without roles': { namespaces: { names: ['a'] }, roleArns: [] },
};
for (const [sentence, part] of Object.entries(grantsOfNothing)) {
  test(`a grant ${sentence} grants nothing`, () => {
    expect(parseGrantSpec({ roleArns: [ARN], serviceAccountNames: ['*'], ...part })).toEqual({ problem: expect.stringMatching(/^spec\./) });
  });
}

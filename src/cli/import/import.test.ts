import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parseRoleArn, type RoleArn } from '../../api/arn.ts';
import { type IrsaBinding, parseBindingSpec } from '../../api/binding.ts';
import type { ServiceAccount } from '../../api/cluster.ts';
import { Fault } from '../../api/fault.ts';
import { parseGrantSpec } from '../../api/grant.ts';
import { isProblem } from '../../api/problem.ts';
import { EKS_WEBHOOK } from '../../api/webhook.ts';
import { GrantIndex } from '../../domain/authorization/grant-index.ts';
import { ARN, binding, caller, parsed } from '../../domain/test-observed.ts';
import { noProgress } from '../progress.ts';
import { exactGrants, grantSpecOf } from './grants.ts';
import { type ImportPorts, importAll } from './import.ts';
import type { Imported } from './imported.ts';
import { manifestsOf } from './print.ts';

const ROLE = 'eks.amazonaws.com/role-arn';
const AUDIENCE = 'eks.amazonaws.com/audience';
const signal = new AbortController().signal;

function account(
  name: string,
  annotations: Readonly<Record<string, string>> = { [ROLE]: ARN },
  part: Partial<ServiceAccount> = {},
): ServiceAccount {
  return { namespace: 'shop', name, uid: name, resourceVersion: '1', annotations, misspelt: [], writers: {}, ...part };
}
interface World {
  readonly accounts: readonly ServiceAccount[];
  readonly bindings?: readonly IrsaBinding[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly fault?: Fault;
  readonly foundAs?: string;
}
const imported = ({ accounts, bindings = [], tags = {}, fault, foundAs }: World, given: object = { mode: 'Observe' }) => {
  const ports: ImportPorts = {
    cluster: { serviceAccounts: async () => accounts, bindings: async () => bindings },
    aws: {
      caller: async () => caller,
      roles: {
        read: async (arn) => {
          if (fault !== undefined) throw fault;
          return { arn: foundAs ?? arn, roleId: 'AROA', policy: '', tags: new Map(Object.entries(tags)) };
        },
      },
    },
    progress: noProgress,
    webhook: EKS_WEBHOOK,
  };
  return importAll({ namespace: 'shop' }, { ...given }, ports, signal);
};
const one = async (world: World, given?: object) => (await imported(world, given))[0];

describe('an annotated ServiceAccount', () => {
  // Contract: import-exact
  test('gets a binding that observes, retains and never restarts', async () =>
    expect(await one({ accounts: [account('app')] })).toMatchObject({
      spec: {
        serviceAccountName: 'app',
        roleArn: ARN,
        mode: 'Observe',
        deletionPolicy: 'Retain',
        restart: { strategy: 'Never' },
        trustPolicy: 'Managed',
      },
      remarks: [],
    }));

  test('keeps its audience', async () =>
    expect((await one({ accounts: [account('app', { [ROLE]: ARN, [AUDIENCE]: 'other' })] }))?.spec).toMatchObject({ audience: 'other' }));

  for (const [tool, tags] of [
    ['Terraform', { ManagedBy: 'terraform' }],
    ['CloudFormation', { 'aws:cloudformation:stack-name': 'x' }],
  ] as const)
    test(`whose role ${tool} manages has its trust policy left to others`, async () =>
      expect(await one({ accounts: [account('app')], tags })).toMatchObject({
        spec: { trustPolicy: 'External' },
        remarks: [expect.stringContaining(tool)],
      }));

  test('whose role may not be read has its trust policy left to others', async () =>
    expect(await one({ accounts: [account('app')], fault: new Fault('denied', 'AccessDenied') })).toMatchObject({
      spec: { trustPolicy: 'External' },
      remarks: [expect.stringContaining('AccessDenied')],
    }));

  test('whose role does not exist, or under another path, is told so', async () => {
    for (const world of [{ fault: new Fault('notFound', 'NoSuchEntity') }, { foundAs: `${ARN}x` }])
      expect((await one({ accounts: [account('app')], ...world }))?.remarks).toEqual([`IAM has no role "${ARN}"`]);
  });

  const left: Record<string, [world: World, says: RegExp]> = {
    'with a malformed ARN': [
      { accounts: [account('app', { [ROLE]: 'arn:aws:iam::1:role/x' })] },
      /annotation eks.amazonaws.com\/role-arn: /,
    ],
    'with a misspelt key alone': [
      { accounts: [account('app', {}, { misspelt: ['eks.amazon.com/role-arn'] })] },
      /"eks.amazon.com\/role-arn" is misspelt/,
    ],
    'with a role of another account': [
      { accounts: [account('app', { [ROLE]: 'arn:aws:iam::444455556666:role/x' })] },
      /in another account than these credentials, 111122223333/,
    ],
    'with an audience that can be none': [{ accounts: [account('app', { [ROLE]: ARN, [AUDIENCE]: 'a b' })] }, /audience/],
    'that another binding binds': [
      { accounts: [account('app')], bindings: [binding({ metadata: { name: 'by-hand' } })] },
      /IrsaBinding "by-hand" binds it already/,
    ],
  };
  for (const [sentence, [world, says]] of Object.entries(left))
    test(`${sentence} gets no binding, and a comment`, async () =>
      expect(await one(world)).toMatchObject({ spec: undefined, remarks: [expect.stringMatching(says)] }));

  test('whose binding was changed since keeps it as it is', async () => {
    const changed = binding({ spec: { mode: 'Enforce', restart: { strategy: 'Evict' } } });
    expect((await one({ accounts: [account('app')], bindings: [changed] }))?.spec).toEqual(changed.spec);
  });

  test('is not looked at without an annotation', async () => expect(await imported({ accounts: [account('app', {})] })).toEqual([]));
  test('gets the mode that is asked for', async () =>
    expect((await one({ accounts: [account('app')] }, { mode: 'Enforce' }))?.spec).toMatchObject({ mode: 'Enforce' }));
  test('and a mode that does not exist is refused', async () =>
    await expect(imported({ accounts: [] }, { mode: 'x' })).rejects.toThrow('--mode'));
});

const bound = (namespace: string, name: string, role: RoleArn): Imported => ({
  of: { namespace, name },
  spec: parsed(parseBindingSpec({ serviceAccountName: name, roleArn: role })),
  remarks: [],
});
const role = (name: string) => parsed(parseRoleArn(`arn:aws:iam::111122223333:role/${name}`));

// Contract: import-exact
test('the grants cover every binding, nothing else, and have no wildcard', () =>
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('x', 'y', 'z'), fc.constantFrom('r', 's')), {
        selector: ([n, s]) => `${n}/${s}`,
      }),
      (all) => {
        const list = all.map(([namespace, name, of]) => bound(namespace, name, role(of)));
        const grants = exactGrants(list);
        expect(JSON.stringify(grants)).not.toContain('*');
        expect(new Set(grants.map(({ name }) => name)).size).toBe(grants.length);
        const index = new GrantIndex(
          grants.map((grant) => ({
            name: grant.name,
            uid: '',
            generation: 0,
            spec: parseGrantSpec(grantSpecOf(grant)),
            revocationConfirmedAt: undefined,
          })),
        );
        for (const namespace of ['a', 'b', 'c'])
          for (const name of ['x', 'y', 'z'])
            for (const of of ['r', 's']) {
              const spec = parsed(parseBindingSpec({ serviceAccountName: name, roleArn: role(of) }));
              const isWanted = all.some((entry) => entry.join() === [namespace, name, of].join());
              expect(index.grantsFor(spec, { name: namespace, labels: {} }).length).toBe(isWanted ? 1 : 0);
            }
      },
    ),
  ));

test('a list that is longer than a grant may have is shared out', () => {
  const many = Array.from({ length: 300 }, (_, at) => bound(`n${String(at).padStart(3, '0')}`, 'app', role('shared')));
  const grants = exactGrants(many);
  expect(grants.map(({ namespaces }) => namespaces.length).toSorted()).toEqual([256, 44]);
  expect(grants.map(grantSpecOf).filter((spec) => isProblem(parseGrantSpec(spec)))).toEqual([]);
});

describe('the manifests', () => {
  // Contract: import-stable
  test('do not depend on the order in which they were read', async () => {
    const accounts = [account('b'), account('a'), account('c', { [ROLE]: 'x' })];
    expect(manifestsOf(await imported({ accounts: accounts.toReversed() }))).toBe(manifestsOf(await imported({ accounts })));
  });

  test('are the same once they were applied', async () => {
    const accounts = [account('b'), account('a', { [ROLE]: ARN, [AUDIENCE]: 'other' })];
    const tags = { ManagedBy: 'pulumi' };
    const first = await imported({ accounts, tags });
    const applied = first.map(({ of, spec }) => ({ ...binding({ metadata: of }), spec: spec as IrsaBinding['spec'] }));
    expect(manifestsOf(await imported({ accounts, bindings: applied, tags }))).toBe(manifestsOf(first));
  });

  test('are YAML whatever an annotation holds', async () => {
    const text = manifestsOf(await imported({ accounts: [account('app', { [ROLE]: 'x\n---\nkind: Evil' }), account('web')] }));
    const kinds = parseAllDocuments(text).map((document) => (document.toJS() as { kind?: string } | null)?.kind);
    expect(kinds.filter((kind) => kind !== undefined)).toEqual(['IrsaGrant', 'IrsaBinding']);
  });

  test('are nothing but comments where nothing can be bound', async () =>
    expect(manifestsOf(await imported({ accounts: [account('app', { [ROLE]: 'x' })] }))).toMatch(
      /^# Without a binding:\n# shop\/app: .*\n$/,
    ));
});

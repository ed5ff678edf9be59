import { readFileSync } from 'node:fs';
import { until } from '@irsa-operator/testbed';
import { unusedGrants } from '@irsa-operator/testbed/aws';
import { beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type Ended, runCommand } from '../harness/command.ts';
import { OPERATOR_USER, pathOf } from '../harness/objects.ts';
import { eventually, personWith } from '../harness/person.ts';
import { allowing, EC2, FOREIGN, policy } from '../harness/policies.ts';
import { integrationSuite, SWEEP } from '../harness/suite.ts';
import { ACCOUNT, type Binding, ROLE_ARN, type ServiceAccount, says } from '../harness/views.ts';

/**
 * A cluster that was there before irsa-operator: 200 annotated ServiceAccounts in ten namespaces, on roles as people make them. The tests are
 * a story and run in their order.
 */
const suite = integrationSuite({ flags: [...SWEEP] });
const PATIENCE = { timeoutMs: 120_000 };
const NAMESPACES = Array.from({ length: 10 }, (_, at) => `team-${at}`);
const EACH = 20;

const IAM = readFileSync('config/iam/import.json', 'utf8');
const importAs = (args: readonly string[], policy = IAM): Promise<Ended> =>
  runCommand(suite.testbed.aws, ['import', ...args], {
    kubeconfig: suite.testbed.kubeconfig,
    credentials: suite.testbed.aws.env({ accountId: ACCOUNT, roleName: 'importer', identityPolicy: policy, sessionName: 'jane' }),
  });

type Kind = 'works' | 'shared' | 'terraform' | 'terraformBroken' | 'broken' | 'missing' | 'malformed' | 'misspelt' | 'otherAccount';
/** Of twenty in a namespace. */
const KINDS: readonly Kind[] = [
  ...Array<Kind>(6).fill('works'),
  ...Array<Kind>(4).fill('shared'),
  'terraform',
  'terraform',
  'terraformBroken',
  'broken',
  'broken',
  'missing',
  'malformed',
  'malformed',
  'misspelt',
  'otherAccount',
];
const UNBOUND: ReadonlySet<Kind> = new Set(['malformed', 'misspelt', 'otherAccount']);

interface Account {
  readonly namespace: string;
  readonly name: string;
  readonly kind: Kind;
  readonly role: string;
}
const ACCOUNTS: readonly Account[] = NAMESPACES.flatMap((namespace) =>
  KINDS.map((kind, at) => {
    const name = `app-${String(at).padStart(2, '0')}`;
    const role = kind === 'shared' ? `shared-${at}` : `${namespace}-${name}`;
    return { namespace, name, kind, role };
  }),
);
const of = (...kinds: readonly Kind[]) => ACCOUNTS.filter(({ kind }) => kinds.includes(kind));
const arnOf = ({ role }: Account, account = ACCOUNT) => `arn:aws:iam::${account}:role/${role}`;

function annotationOf(one: Account): Record<string, string> {
  switch (one.kind) {
    case 'malformed':
      return { [ROLE_ARN]: `arn:aws:iam::<ACCOUNT_ID>:role/${one.role}` };
    case 'misspelt':
      return { 'eks.amazon.com/role-arn': arnOf(one) };
    case 'otherAccount':
      return { [ROLE_ARN]: arnOf(one, '444455556666') };
    default:
      return { [ROLE_ARN]: arnOf(one) };
  }
}

/** The roles as their owners made them. What no pod of theirs needs is in them too. */
function makeRoles(): void {
  const roles = suite.testbed.aws.account().role;
  const { issuer } = suite.testbed;
  const subject = ({ namespace, name }: Account) => `system:serviceaccount:${namespace}:${name}`;
  for (const one of of('works')) roles.put({ name: one.role, trustPolicy: policy(EC2, allowing(issuer, subject(one))) });
  for (const [role, all] of Map.groupBy(of('shared'), (one) => one.role))
    roles.put({ name: role, trustPolicy: policy(allowing(issuer, all.map(subject))) });
  for (const one of of('terraform'))
    roles.put({ name: one.role, trustPolicy: policy(allowing(issuer, subject(one))), tags: { ManagedBy: 'Terraform' } });
  for (const one of of('terraformBroken')) roles.put({ name: one.role, trustPolicy: FOREIGN, tags: { terraform: 'true' } });
  for (const one of of('broken')) roles.put({ name: one.role, trustPolicy: policy(EC2, allowing(issuer, `${subject(one)}x`)) });
}

const annotations = async () => {
  const { items } = await suite.api.call<{ items: ServiceAccount[] }>('GET', pathOf('serviceaccounts'));
  return Object.fromEntries(
    items
      .filter(({ metadata }) => NAMESPACES.includes(metadata.namespace))
      .map(({ metadata }) => [`${metadata.namespace}/${metadata.name}`, metadata.annotations ?? {}]),
  );
};
const documents = () => {
  const roles = suite.testbed.aws.account().role;
  return Object.fromEntries([...new Set(ACCOUNTS.map(({ role }) => role))].map((role) => [role, roles.get(role)?.trustPolicy]));
};
const bindings = async () => (await suite.api.call<{ items: Binding[] }>('GET', pathOf('irsabindings'))).items;
const writtenRoles = () =>
  new Set(
    suite.testbed.aws.journal.flatMap(({ operation, code, params }) =>
      operation === 'UpdateAssumeRolePolicy' && code === 'OK' ? [params['RoleName'] ?? ''] : [],
    ),
  );

let before: { annotations: Awaited<ReturnType<typeof annotations>>; documents: ReturnType<typeof documents> };
let manifests = '';

beforeAll(async () => {
  makeRoles();
  const items = [
    ...NAMESPACES.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    ...ACCOUNTS.map((one) => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: one.name, namespace: one.namespace, annotations: annotationOf(one) },
    })),
  ];
  const manifest = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await suite.testbed.kubectl(['create', '-f', '-'], { input: manifest });
  before = { annotations: await annotations(), documents: documents() };
  expect(Object.values(before.annotations).filter((one) => Object.keys(one).length > 0)).toHaveLength(NAMESPACES.length * EACH);
});

// Contract: import-exact, import-stable
test('200 annotated ServiceAccounts are imported: what can be bound is bound, the rest is a comment', async () => {
  const ended = await importAs(['-A']);
  expect(ended).toMatchObject({ code: 0, stderr: expect.stringContaining('160 bindings') });
  manifests = ended.stdout;
  const found = parseAllDocuments(manifests).flatMap(
    (document) => (document.toJS() as { kind: string; metadata: object; spec: object }) ?? [],
  );
  const [grants, bound] = ['IrsaGrant', 'IrsaBinding'].map((kind) => found.filter((one) => one.kind === kind));
  expect(bound?.map(({ metadata }) => metadata)).toEqual(
    ACCOUNTS.filter(({ kind }) => !UNBOUND.has(kind)).map(({ namespace, name }) => ({ name, namespace })),
  );
  expect(JSON.stringify(grants)).not.toContain('*');
  const external = bound?.filter(({ spec }) => (spec as { trustPolicy: string }).trustPolicy === 'External');
  expect(external).toHaveLength(of('terraform', 'terraformBroken').length);
  for (const { namespace, name } of of(...UNBOUND)) expect(manifests).toContain(`# ${namespace}/${name}: `);
  expect((await importAs(['-A'])).stdout).toBe(manifests);
});

// Contract: import-no-trace
test('applied as it is, the operator writes statuses and nothing else', async () => {
  await suite.testbed.kubectl(['apply', '-f', '-'], { input: manifests });
  await until(
    'every binding has a status',
    async () => {
      const all = await bindings();
      return all.length === 160 && all.every(({ metadata, status }) => status?.observedGeneration === metadata.generation);
    },
    PATIENCE,
  );
  await suite.secondLook();
  const writes = (await suite.testbed.auditEvents())
    .filter(({ user, objectRef }) => user.username === OPERATOR_USER && NAMESPACES.includes(objectRef?.namespace ?? ''))
    .filter(({ objectRef }) => objectRef?.resource !== 'events')
    .map(({ objectRef }) => [objectRef?.resource, objectRef?.subresource].filter(Boolean).join('/'));
  expect([...new Set(writes)]).toEqual(['irsabindings/status']);
  expect([...writtenRoles()]).toEqual([]);
  expect([await annotations(), documents()]).toEqual([before.annotations, before.documents]);
});

// Contract: import-stable
test('a second run, after the first was applied, prints the same', async () => {
  expect((await importAs(['-A'])).stdout).toBe(manifests);
  const diff = await suite.testbed.kubectl(['diff', '-f', '-'], { input: manifests });
  expect(diff).toBe('');
});

// Contract: import-no-trace
test('set to Enforce namespace by namespace, trust is written only where none was', { timeout: 600_000 }, async () => {
  for (const namespace of NAMESPACES) {
    const all = (await bindings()).filter(({ metadata }) => metadata.namespace === namespace);
    for (const { metadata } of all)
      await suite.api.call('PATCH', pathOf('irsabindings', metadata), { patch: 'merge', body: { spec: { mode: 'Enforce' } } });
    const settles = new Set(
      ACCOUNTS.filter(({ kind }) => ['works', 'shared', 'terraform', 'broken'].includes(kind)).map((one) => `${one.namespace}/${one.name}`),
    );
    await until(
      `what can work in ${namespace} is Ready`,
      async () =>
        (await bindings())
          .filter(({ metadata }) => metadata.namespace === namespace && settles.has(`${metadata.namespace}/${metadata.name}`))
          .every((one) => says(one, 'Ready', 'True')),
      PATIENCE,
    );
  }
  expect([...writtenRoles()].toSorted()).toEqual(
    of('broken')
      .map(({ role }) => role)
      .toSorted(),
  );
  expect(await annotations()).toEqual(before.annotations);
});

test('what a person has changed since is not changed back by another import', async () => {
  const { stdout } = await importAs(['-n', 'team-0']);
  expect(stdout.match(/mode: Enforce/g)).toHaveLength(16);
});

// Contract: commands-labels
test('labels choose among the ServiceAccounts', async () => {
  const { items } = await suite.api.call<{ items: ServiceAccount[] }>('GET', pathOf('serviceaccounts', { namespace: 'team-0' }));
  const [one] = items.filter(({ metadata }) => metadata.annotations?.[ROLE_ARN] !== undefined);
  const name = one?.metadata.name ?? '';
  await suite.api.call('PATCH', pathOf('serviceaccounts', { namespace: 'team-0', name }), {
    patch: 'merge',
    body: { metadata: { labels: { team: 'shop' } } },
  });
  const { stdout } = await importAs(['-A', '-l', 'team=shop']);
  expect([...stdout.matchAll(/serviceAccountName: (\S+)/g)].map(([, found]) => found)).toEqual([name]);
});

// Contract: import-no-trace
test('everything deleted, annotations and documents are byte for byte what they were', { timeout: 600_000 }, async () => {
  // Trust of its own goes with a binding that says so. The others retain, and have none.
  for (const { namespace, name } of of('broken'))
    await suite.api.call('PATCH', pathOf('irsabindings', { namespace, name }), {
      patch: 'merge',
      body: { spec: { deletionPolicy: 'Revoke' } },
    });
  await suite.testbed.kubectl(['delete', 'irsabindings', '--all', '--all-namespaces', '--wait=true', '--timeout=300s']);
  await suite.testbed.kubectl(['delete', 'irsagrants', '--all']);
  expect(await annotations()).toEqual(before.annotations);
  expect(documents()).toEqual(before.documents);
});

// Contract: commands-rights
test('with exactly config/rbac/import.yaml and config/iam/import.json it works, and without one of them it ends with 2', async () => {
  const person = await personWith(suite.testbed, 'config/rbac/import.yaml', 'importer');
  const as = () => importAs(['-n', 'team-1', '--as', person.name]);
  await eventually('the rights are known', async () => (await as()).code === 0);
  for (const right of person.rights)
    await person.without(right, async () => {
      await eventually(`without ${right} it is refused`, async () => {
        const { code, stderr } = await as();
        return code === 2 && /forbidden/.test(stderr);
      });
    });
  expect(
    unusedGrants(
      IAM,
      suite.testbed.aws.journal.filter(({ caller }) => caller.includes('/importer/')),
    ),
  ).toEqual([]);
  const none = IAM.replace('"Allow"', '"Deny"');
  expect((await importAs(['-n', 'team-1'], none)).stdout).toContain('the role could not be read');
});

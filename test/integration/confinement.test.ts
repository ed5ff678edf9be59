import { type Api, until } from '@irsa-operator/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { POLICIES } from '../../src/api/names.ts';
import { connectAs } from '../harness/connect-as.ts';
import { binding, OPERATOR_NAMESPACE, pathOf } from '../harness/objects.ts';
import { openScene, type Scene } from '../harness/scene.ts';
import { integrationSuite } from '../harness/suite.ts';
import { ROLE_ARN as ROLE } from '../harness/views.ts';

/**
 * The operator confined: with every right that RBAC can give it over ServiceAccounts, workloads and bindings, the policies of the default
 * installation leave it the annotations and the finalizer that it needs. Each row is a request as the operator.
 */
const OPERATOR = { namespace: OPERATOR_NAMESPACE, name: 'irsa-operator' };
const TENANT = { namespace: 'default', name: 'tenant' };
const RESTARTED_AT = 'irsa-operator.dev/restarted-at';

const suite = integrationSuite({ operator: false });
let operator: Api;
/** Of a namespace, with all rights on its bindings: RBAC has no smaller word for them than `*` for many. */
let tenant: Api;
let s: Scene;

beforeAll(async () => {
  const { testbed, api: admin } = suite;
  await testbed.kubectl(['apply', '-f', 'config/rollout/rbac.yaml']);
  const rules = [
    { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['*'] },
    { apiGroups: ['apps'], resources: ['*'], verbs: ['*'] },
    { apiGroups: ['irsa-operator.dev'], resources: ['irsabindings', 'irsabindings/status'], verbs: ['*'] },
    { apiGroups: [''], resources: ['configmaps'], verbs: ['*'] },
  ];
  await admin.call('POST', pathOf('clusterroles'), { body: { metadata: { name: 'all-rights' }, rules } });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'all-rights' };
  const subjects = [OPERATOR, TENANT].map((one) => ({ kind: 'ServiceAccount', ...one }));
  await admin.call('POST', pathOf('clusterrolebindings'), { body: { metadata: { name: 'all-rights' }, roleRef, subjects } });
  operator = await connectAs(testbed, OPERATOR);
  s = await openScene(testbed, admin, 'default');
  await s.put('serviceaccounts', TENANT.name, {});
  tenant = await connectAs(testbed, TENANT);
  const metadata = { name: 'app', labels: { app: 'app' } };
  const annotations = { team: 'shop', [ROLE]: 'before' };
  await s.put('serviceaccounts', 'app', { metadata: { ...metadata, annotations }, imagePullSecrets: [{ name: 'registry' }] });
  for (const kind of WORKLOADS)
    await s.workload(kind, { replicas: 0, annotations: { team: 'shop', [RESTARTED_AT]: 'before' }, pod: { nodeName: 'none' } });
  await s.put('irsabindings', 'app', binding({ serviceAccountName: 'app', roleArn: ROLE_A }));
  // A policy takes a moment to be in force; until then each probe is a change that is let through.
  for (const path of [ACCOUNT, `${APPS}/deployments/app`, BINDING]) {
    const probe = () => patched(path, { metadata: { labels: { probe: `${performance.now()}` } } });
    await until(
      `the policy for ${path} is in force`,
      async () => {
        const said = await probe();
        if (!said.startsWith('irsa-operator changes')) throw new Error(said);
        return true;
      },
      {
        timeoutMs: 30_000,
      },
    );
  }
});

afterAll(() => {
  operator?.close();
  tenant?.close();
});

const WORKLOADS = ['deployments', 'statefulsets', 'daemonsets'] as const;
const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts';
const ACCOUNT = `${ACCOUNTS}/app`;
const APPS = '/apis/apps/v1/namespaces/default';
const BINDINGS = pathOf('irsabindings', { namespace: 'default' });
const BINDING = `${BINDINGS}/app`;
const ROLE_A = 'arn:aws:iam::111122223333:role/a';

/** The testbed's own client reads no token file. */
/** `done`, or the sentence of the policy. */
async function answer(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'done';
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return /(irsa-operator (?:creates|changes|reports|writes) .*)$/.exec(said)?.[1] ?? said;
  }
}
const patched = (path: string, body: object) => answer(operator.call('PATCH', path, { patch: 'merge', body }));
const annotations = (values: Record<string, string | null>) => ({ metadata: { annotations: values } });

const NO_FIELD = 'irsa-operator changes nothing of a ServiceAccount but annotations';
const NO_ANNOTATION = 'irsa-operator changes no annotation of a ServiceAccount but eks.amazonaws.com/*';
const accounts: Record<string, { body: object; wanted: string }> = {
  'may set an annotation of the webhook': { body: annotations({ [ROLE]: 'after', 'eks.amazonaws.com/audience': 'x' }), wanted: 'done' },
  'may take one away': { body: annotations({ 'eks.amazonaws.com/audience': null }), wanted: 'done' },
  'may not set another annotation': { body: annotations({ other: 'x' }), wanted: NO_ANNOTATION },
  'may not set one that only looks like it': { body: annotations({ 'eks.amazonaws.com.example/role-arn': 'x' }), wanted: NO_ANNOTATION },
  'may not change another annotation': { body: annotations({ team: 'other' }), wanted: NO_ANNOTATION },
  'may not take another annotation away': { body: annotations({ team: null }), wanted: NO_ANNOTATION },
  'may not add a label': { body: { metadata: { labels: { other: 'x' } } }, wanted: NO_FIELD },
  'may not take its labels away': { body: { metadata: { labels: null } }, wanted: NO_FIELD },
  'may not set a finalizer': { body: { metadata: { finalizers: ['example.com/x'] } }, wanted: NO_FIELD },
  'may not set an owner': {
    body: { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x' }] } },
    wanted: NO_FIELD,
  },
  'may not change whether its token is mounted': { body: { automountServiceAccountToken: false }, wanted: NO_FIELD },
  'may not take its pull secrets away': { body: { imagePullSecrets: null }, wanted: NO_FIELD },
  'may not do both at once': { body: { ...annotations({ [ROLE]: 'x' }), automountServiceAccountToken: false }, wanted: NO_FIELD },
};

const NO_SPEC = 'irsa-operator changes nothing of a workload but its template';
const NO_TEMPLATE = 'irsa-operator changes nothing of a template but its annotations';
const NO_KEY = 'irsa-operator changes no annotation of a template but irsa-operator.dev/restarted-at';
const template = (body: object) => ({ spec: { template: body } });
const containers = (container: object) => template({ spec: { containers: [{ name: 'app', image: 'app', ...container }] } });
const workloads: Record<string, { body: object; wanted: string }> = {
  'may set the restart annotation': { body: template(annotations({ [RESTARTED_AT]: '2026-01-01T00:00:00Z' })), wanted: 'done' },
  'may take it away': { body: template(annotations({ [RESTARTED_AT]: null })), wanted: 'done' },
  'may not set another annotation of the template': { body: template(annotations({ other: 'x' })), wanted: NO_KEY },
  "may not set kubectl's": { body: template(annotations({ 'kubectl.kubernetes.io/restartedAt': 'x' })), wanted: NO_KEY },
  'may not take another annotation away': { body: template(annotations({ team: null })), wanted: NO_KEY },
  'may not take all of them away': { body: template({ metadata: { annotations: null } }), wanted: NO_KEY },
  'may not set a label of the template': { body: template({ metadata: { labels: { other: 'x' } } }), wanted: NO_TEMPLATE },
  'may not change an image': { body: containers({ image: 'other' }), wanted: NO_TEMPLATE },
  'may not set a variable': { body: containers({ env: [{ name: 'AWS_ROLE_ARN', value: 'x' }] }), wanted: NO_TEMPLATE },
  'may not change the ServiceAccount': { body: template({ spec: { serviceAccountName: 'other' } }), wanted: NO_TEMPLATE },
  'may not make it privileged': { body: containers({ securityContext: { privileged: true } }), wanted: NO_TEMPLATE },
  'may not change another field': { body: { spec: { revisionHistoryLimit: 1 } }, wanted: NO_SPEC },
  'may not add a label': { body: { metadata: { labels: { other: 'x' } } }, wanted: NO_SPEC },
  'may not add an annotation of its own': { body: annotations({ [RESTARTED_AT]: 'x' }), wanted: NO_SPEC },
  'may not do both at once': {
    body: { spec: { revisionHistoryLimit: 1, template: annotations({ [RESTARTED_AT]: 'x' }) } },
    wanted: NO_SPEC,
  },
};

const OURS = 'irsa-operator.dev/finalizer';
const THEIRS = 'example.com/theirs';
const NO_MEMBER = 'irsa-operator changes nothing of an IrsaBinding but its finalizer and its status';
const NO_FINALIZER = 'irsa-operator changes no finalizer of an IrsaBinding but irsa-operator.dev/finalizer';
const finalizers = (...names: string[]) => ({ metadata: { finalizers: names } });
const bindings: Record<string, { from?: string[]; body: object; wanted: string }> = {
  'may add its finalizer': { body: finalizers(THEIRS, OURS), wanted: 'done' },
  'may add its finalizer where there is none': { from: [], body: finalizers(OURS), wanted: 'done' },
  'may remove its finalizer': { from: [THEIRS, OURS], body: finalizers(THEIRS), wanted: 'done' },
  'may remove its finalizer from between others': {
    from: [THEIRS, OURS, 'example.com/more'],
    body: finalizers(THEIRS, 'example.com/more'),
    wanted: 'done',
  },
  'may remove its finalizer where it is the only one': { from: [OURS], body: { metadata: { finalizers: null } }, wanted: 'done' },
  'may write what is there already': { body: finalizers(THEIRS), wanted: 'done' },
  'may not add the finalizer of another': { body: finalizers(THEIRS, 'example.com/more'), wanted: NO_FINALIZER },
  'may not add one that only looks like it': { body: finalizers(THEIRS, `${OURS}-2`), wanted: NO_FINALIZER },
  'may not remove the finalizer of another': { body: finalizers(), wanted: NO_FINALIZER },
  'may not replace the finalizer of another by its own': { body: finalizers(OURS), wanted: NO_FINALIZER },
  'may not remove all of them with its own': { from: [THEIRS, OURS], body: { metadata: { finalizers: null } }, wanted: NO_FINALIZER },
  'may not change the role': { body: { spec: { roleArn: 'arn:aws:iam::111122223333:role/b' } }, wanted: NO_MEMBER },
  'may not set the mode': { body: { spec: { mode: 'Observe' } }, wanted: NO_MEMBER },
  'may not suspend it': { body: { spec: { suspend: true } }, wanted: NO_MEMBER },
  'may not set how it is deleted': { body: { spec: { deletionPolicy: 'Retain' } }, wanted: NO_MEMBER },
  'may not add a label': { body: { metadata: { labels: { other: 'x' } } }, wanted: NO_MEMBER },
  'may not change a label': { body: { metadata: { labels: { team: 'other' } } }, wanted: NO_MEMBER },
  'may not take its labels away': { body: { metadata: { labels: null } }, wanted: NO_MEMBER },
  'may not say that it may be deleted by force': { body: annotations({ 'irsa-operator.dev/force-delete': 'true' }), wanted: NO_MEMBER },
  'may not request a reconcile': { body: annotations({ 'irsa-operator.dev/reconcile-requested-at': 'now' }), wanted: NO_MEMBER },
  'may not take its annotations away': { body: { metadata: { annotations: null } }, wanted: NO_MEMBER },
  'may not set an owner': {
    body: { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x' }] } },
    wanted: NO_MEMBER,
  },
  'may not do both at once': { body: { ...finalizers(THEIRS, OURS), spec: { suspend: true } }, wanted: NO_MEMBER },
};

describe('of a binding it', () => {
  const from = async (names: readonly string[]) => {
    const metadata = { labels: { team: 'shop' }, annotations: { team: 'shop' }, finalizers: names };
    await suite.api.call('PATCH', BINDING, { patch: 'merge', body: { metadata } });
  };
  for (const [sentence, { from: before = [THEIRS], body, wanted }] of Object.entries(bindings))
    test(sentence, async () => {
      await from(before);
      expect(await patched(BINDING, body)).toBe(wanted);
    });

  test('may write the status, and with it nothing else', async () => {
    await from([THEIRS]);
    const body = { status: { observedGeneration: 1 }, spec: { suspend: true }, ...finalizers() };
    expect(await patched(`${BINDING}/status`, body)).toBe('done');
    const found = await suite.api.call<{ metadata: { finalizers: string[] }; spec: { suspend?: boolean }; status: object }>('GET', BINDING);
    expect([found.metadata.finalizers, found.spec.suspend ?? false, found.status]).toEqual([[THEIRS], false, { observedGeneration: 1 }]);
  });

  test('may remove its finalizer while it is being deleted, which ends it', async () => {
    await s.put('irsabindings', 'ending', binding({ serviceAccountName: 'ending', roleArn: ROLE_A }));
    await suite.api.call('PATCH', `${BINDINGS}/ending`, { patch: 'merge', body: finalizers(OURS) });
    await suite.api.call('DELETE', `${BINDINGS}/ending`);
    const body = { metadata: { finalizers: null } };
    // The write that ends it is answered without the finalizer: so the operator knows that nothing put it back.
    const ended = await operator.call<{ metadata: object }>('PATCH', `${BINDINGS}/ending`, { patch: 'merge', body });
    expect(ended.metadata).not.toHaveProperty('finalizers');
    await expect(suite.api.call('GET', `${BINDINGS}/ending`)).rejects.toThrow('404');
  });

  test('may not create one', async () => {
    const body = { ...binding({ serviceAccountName: 'mine', roleArn: ROLE_A }), metadata: { name: 'mine' } };
    expect(await answer(operator.call('POST', BINDINGS, { body }))).toBe('irsa-operator creates no IrsaBinding');
  });

  test('is refused by the policy that ships, which the refusal names', async () => {
    await expect(operator.call('PATCH', BINDING, { patch: 'merge', body: { spec: { suspend: true } } })).rejects.toThrow(
      /403.*ValidatingAdmissionPolicy 'irsa-operator-bindings' with binding 'irsa-operator-bindings' denied request/,
    );
  });
});

const NOT_YOURS = 'irsa-operator changes the status of an IrsaBinding';
const planted = { status: { roles: [{ arn: ROLE_A, roleId: 'AROAEXAMPLE', audience: 'sts.amazonaws.com', sid: 'Irsaaaaaaaaaaaaa' }] } };

// Contract: confined-status
describe('the status of a binding', () => {
  const tenantPatches = (path: string, body: object) => answer(tenant.call('PATCH', path, { patch: 'merge', body }));

  test('is not for a tenant to write, whatever RBAC gives it', async () => {
    await until(
      'the policy is in force',
      async () => (await tenantPatches(`${BINDING}/status`, { status: { observedGeneration: 1 } })) === NOT_YOURS,
      { timeoutMs: 30_000 },
    );
    expect(await tenantPatches(`${BINDING}/status`, planted)).toBe(NOT_YOURS);
    const found = await suite.api.call<object>('GET', BINDING);
    expect(await answer(tenant.call('PUT', `${BINDING}/status`, { body: { ...found, ...planted } }))).toBe(NOT_YOURS);
  });

  test('that a tenant plants beside the spec is dropped, when it creates the binding and later', async () => {
    const body = { ...binding({ serviceAccountName: 'planted', roleArn: ROLE_A }), metadata: { name: 'planted' }, ...planted };
    expect(await answer(tenant.call('POST', BINDINGS, { body }))).toBe('done');
    const roles = async () => (await suite.api.call<{ status?: { roles?: object } }>('GET', `${BINDINGS}/planted`)).status?.roles;
    expect(await roles()).toBeUndefined();
    expect(await tenantPatches(`${BINDINGS}/planted`, { ...planted, spec: { suspend: true } })).toBe('done');
    expect(await roles()).toBeUndefined();
  });

  test('is for a cluster administrator to correct', async () => {
    await suite.api.call('PATCH', `${BINDING}/status`, { patch: 'merge', body: planted });
    await suite.api.call('PATCH', `${BINDING}/status`, { patch: 'merge', body: { status: { roles: null } } });
  });

  test('speaks of no generation that does not exist yet', async () => {
    const { generation } = (await suite.api.call<{ metadata: { generation: number } }>('GET', BINDING)).metadata;
    const reported = (observedGeneration: number) => patched(`${BINDING}/status`, { status: { observedGeneration } });
    expect(await reported(generation)).toBe('done');
    expect(await reported(generation + 1)).toBe('irsa-operator reports no generation of an IrsaBinding that does not exist');
  });
});

describe('of ConfigMaps it', () => {
  const NO_OTHER = 'irsa-operator writes no ConfigMap but irsa-operator-revocations in its own namespace';
  const mapsIn = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;
  const created = (namespace: string, name: string) => answer(operator.call('POST', mapsIn(namespace), { body: { metadata: { name } } }));

  test('may not create another', async () => {
    await until('the policy is in force', async () => (await created(OPERATOR_NAMESPACE, `x-${performance.now()}`)) === NO_OTHER, {
      timeoutMs: 30_000,
    });
  });
  test('may not create that of revocations elsewhere', async () => {
    expect(await created('default', 'irsa-operator-revocations')).toBe(NO_OTHER);
  });
  test('may not leave the name to chance', async () => {
    const body = { metadata: { generateName: 'irsa-operator-revocations' } };
    expect(await answer(operator.call('POST', mapsIn(OPERATOR_NAMESPACE), { body }))).toBe(NO_OTHER);
  });
  test('may not change another', async () => {
    await suite.api.call('POST', mapsIn(OPERATOR_NAMESPACE), { body: { metadata: { name: 'theirs' } } });
    expect(await patched(`${mapsIn(OPERATOR_NAMESPACE)}/theirs`, { data: { a: 'b' } })).toBe(NO_OTHER);
  });
  test('may create and change that of revocations in its own namespace', async () => {
    expect(await created(OPERATOR_NAMESPACE, 'irsa-operator-revocations')).toBe('done');
    expect(await patched(`${mapsIn(OPERATOR_NAMESPACE)}/irsa-operator-revocations`, { data: { a: 'b' } })).toBe('done');
  });
});

// Contract: annotate-confined
describe('of a ServiceAccount it', () => {
  for (const [sentence, { body, wanted }] of Object.entries(accounts))
    test(sentence, async () => expect(await patched(ACCOUNT, body)).toBe(wanted));

  test('may not make one', async () => {
    expect(await answer(operator.call('POST', ACCOUNTS, { body: { metadata: { name: 'mine' } } }))).toBe(
      'irsa-operator creates no ServiceAccount',
    );
  });
});

for (const kind of WORKLOADS) {
  // Contract: annotate-confined
  describe(`of ${kind} it`, () => {
    for (const [sentence, { body, wanted }] of Object.entries(workloads))
      test(sentence, async () => expect(await patched(`${APPS}/${kind}/app`, body)).toBe(wanted));

    test('may not make one', async () => {
      const labels = { app: 'mine' };
      const spec = {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'a' }] } },
      };
      expect(await answer(operator.call('POST', `${APPS}/${kind}`, { body: { metadata: { name: 'mine' }, spec } }))).toBe(
        'irsa-operator creates no workload, and scales none',
      );
    });
  });
}

test('of a Deployment it may not change the scale', async () => {
  expect(await patched(`${APPS}/deployments/app/scale`, { spec: { replicas: 3 } })).toBe(
    'irsa-operator creates no workload, and scales none',
  );
});

// Contract: api-grants-read-only
test('of grants it may read each, and make, change or delete none', async () => {
  const GRANTS = pathOf('irsagrants');
  await s.grant({}, 'theirs');
  const { items } = await operator.call<{ items: { metadata: { name: string } }[] }>('GET', GRANTS);
  expect(items.map(({ metadata }) => metadata.name)).toEqual(['theirs']);
  const grant = await suite.api.call<object>('GET', `${GRANTS}/theirs`);
  const forbidden = (verb: string) => new RegExp(`^.*403.*cannot ${verb} resource "irsagrants"`);
  await expect(operator.call('POST', GRANTS, { body: { ...grant, metadata: { name: 'mine' } } })).rejects.toThrow(forbidden('create'));
  await expect(operator.call('PUT', `${GRANTS}/theirs`, { body: grant })).rejects.toThrow(forbidden('update'));
  await expect(operator.call('PATCH', `${GRANTS}/theirs`, { patch: 'merge', body: {} })).rejects.toThrow(forbidden('patch'));
  await expect(operator.call('DELETE', `${GRANTS}/theirs`)).rejects.toThrow(forbidden('delete'));
});

test('nobody else is confined', async () => {
  await suite.api.call('PATCH', ACCOUNT, { patch: 'merge', body: { metadata: { labels: { other: 'x' } } } });
  await suite.api.call('PATCH', `${APPS}/deployments/app`, { patch: 'merge', body: containers({ image: 'other' }) });
  await suite.api.call('PATCH', BINDING, { patch: 'merge', body: { spec: { suspend: true }, ...finalizers('example.com/more') } });
});

test('the API server finds nothing to warn of in the policies', async () => {
  await suite.testbed.kubectl(['apply', '-k', 'config/verification']);
  for (const name of POLICIES) {
    const path = `/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/${name}`;
    const status = await until(
      `${name} is checked`,
      async () => {
        const found = await suite.api.call<{
          metadata: { generation: number };
          status?: { observedGeneration?: number; typeChecking?: object };
        }>('GET', path);
        return found.status?.observedGeneration === found.metadata.generation && found.status;
      },
      { timeoutMs: 30_000 },
    );
    expect(status.typeChecking).toEqual({});
  }
});

import { type Api, connect, startTestbed, type Testbed, until } from '@irsa-operator/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bindingPath, FOREIGN, makeGrant } from '../harness/given.ts';
import { install, type RunningOperator, startOperator } from '../harness/operator.ts';
import { ACCOUNT, ROLE_ARN, type Scene, scene } from '../harness/scene.ts';

/** What a binding does after it works: change, end, a restart of the operator, another replica. Everything runs with the RBAC that ships. */
const SWEEP = ['--sweep-interval', '2s'];
const SECOND_LOOK_MS = 5_000;
const OPERATOR_USER = 'system:serviceaccount:irsa-operator-system:irsa-operator';
const PATIENCE = { timeoutMs: 60_000 };

let testbed: Testbed;
let api: Api;
let operator: RunningOperator;

beforeAll(async () => {
  testbed = await startTestbed();
  api = connect(testbed.kubeconfig);
  testbed.aws.account().provider.put({ issuer: testbed.issuer });
  await install(testbed);
  operator = await startOperator(testbed, SWEEP);
  const spec = { roleArns: [`arn:aws:iam::${ACCOUNT}:role/*`], namespaces: { names: NAMES }, serviceAccountNames: ['*'] };
  await makeGrant(api, 'lifecycle', spec);
});

afterAll(async () => {
  await operator?.stop();
  api?.close();
  await testbed?.stop();
});

const NAMES = [
  'neighbour',
  'deleted',
  'retained',
  'moved',
  'observed',
  'suspended',
  'rival',
  'late',
  'restarted',
  'left-observing',
  'left-suspended',
];
const policyOf = (name: string) =>
  JSON.parse(testbed.aws.account().role.get(name)?.trustPolicy ?? '{}') as { Statement: { Sid: string }[] };
const annotationsOf = async (s: Scene) =>
  (await api.call<{ metadata: { annotations?: Record<string, string> } }>('GET', `/api/v1/namespaces/${s.namespace}/serviceaccounts/app`))
    .metadata.annotations;

async function prepared(name: string): Promise<Scene> {
  const s = await scene(testbed, api, name);
  testbed.aws.account().role.put({ name: s.roleName, trustPolicy: FOREIGN });
  await s.serviceAccount();
  return s;
}

/** The writes of the operator that the API server saw, without its Lease and Events. */
async function operatorWrites(): Promise<string[]> {
  return (await testbed.auditEvents())
    .filter(({ user, objectRef }) => user.username === OPERATOR_USER && !['leases', 'events'].includes(objectRef?.resource ?? ''))
    .map(({ verb, requestURI, responseStatus }) => `${responseStatus?.code} ${verb} ${requestURI}`);
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, SECOND_LOOK_MS));
}

describe.concurrent('the end of a binding', () => {
  // Contract: end-revoke
  test('a deleted binding releases its subject and its annotation, and leaves every other statement', async () => {
    const s = await prepared('deleted');
    await s.bind();
    await s.conditionIs('Ready', 'True');
    expect(policyOf(s.roleName).Statement).toHaveLength(2);
    await api.call('DELETE', bindingPath(s));
    await until('the binding is gone', () => gone(bindingPath(s)), PATIENCE);
    expect(policyOf(s.roleName)).toEqual(FOREIGN);
    expect(await annotationsOf(s)).toBeUndefined();
    expect(s.writes()).toHaveLength(2);
  });

  // Contract: end-revoke
  test('a binding that is deleted beside a suspended one of the same ServiceAccount does not wait for it', async () => {
    const s = await prepared('neighbour');
    await s.bind();
    await s.conditionIs('Ready', 'True');
    const body = {
      apiVersion: 'irsa-operator.dev/v1alpha1',
      kind: 'IrsaBinding',
      metadata: { name: 'resting' },
      spec: { serviceAccountName: 'app', roleArn: s.roleArn, suspend: true },
    };
    await api.call('POST', '/apis/irsa-operator.dev/v1alpha1/namespaces/neighbour/irsabindings', { body });
    await api.call('DELETE', bindingPath(s));
    await until('the binding is gone', () => gone(bindingPath(s)), PATIENCE);
    expect(policyOf(s.roleName)).toEqual(FOREIGN);
    expect(await annotationsOf(s)).toBeUndefined();
  });

  // Contract: end-retain
  test('with deletionPolicy Retain both stay', async () => {
    const s = await prepared('retained');
    await s.bind({ deletionPolicy: 'Retain' });
    await s.conditionIs('Ready', 'True');
    const before = policyOf(s.roleName);
    await api.call('DELETE', bindingPath(s));
    await until('the binding is gone', () => gone(bindingPath(s)), PATIENCE);
    expect(policyOf(s.roleName)).toEqual(before);
    expect(await annotationsOf(s)).toEqual({ [ROLE_ARN]: s.roleArn });
    expect(s.writes()).toHaveLength(1);
  });

  // Contract: end-role-change
  test('when roleArn changes the old role is released after the new one works', async () => {
    const s = await prepared('moved');
    await s.bind();
    await s.conditionIs('Ready', 'True');
    const { arn } = testbed.aws.account().role.put({ name: 'moved-to', trustPolicy: FOREIGN });
    await api.call('PATCH', bindingPath(s), { patch: 'merge', body: { spec: { roleArn: arn } } });
    await until('the old role is released', () => policyOf(s.roleName).Statement.length === 1, PATIENCE);
    const trustWrites = testbed.aws.journal.filter(({ operation, code }) => operation === 'UpdateAssumeRolePolicy' && code === 'OK');
    const order = trustWrites.map(({ params }) => params['RoleName']).filter((role) => role === s.roleName || role === 'moved-to');
    expect(order).toEqual([s.roleName, 'moved-to', s.roleName]);
    expect(policyOf('moved-to').Statement).toHaveLength(2);
    await until(
      'status names the new role only',
      async () => (await s.binding()).status?.roles?.map((role) => role.arn).join() === arn,
      PATIENCE,
    );
    expect(await annotationsOf(s)).toEqual({ [ROLE_ARN]: arn });
  });
});

describe.concurrent('leaving alone', () => {
  // Contract: report-plan, rule-leave-alone
  test('a binding that observes says in words what it would do, and changes nothing', async () => {
    const s = await prepared('observed');
    await s.bind({ mode: 'Observe' });
    await s.conditionIs('Trusted', 'False', 'TrustNoWebIdentityStatement');
    const { status, metadata } = await s.binding();
    expect(status?.plan).toEqual([
      expect.stringMatching(
        /^add "system:serviceaccount:observed:app" to our statement in the trust policy of "arn:aws:iam::111122223333:role\/role-of-observed" \(\d+ of 2048 characters then\)$/,
      ),
      `annotate ServiceAccount "app" with ${ROLE_ARN}: "${s.roleArn}"`,
    ]);
    expect(metadata.finalizers).toBeUndefined();
    await settled();
    expect(s.writes()).toEqual([]);
    expect(await annotationsOf(s)).toBeUndefined();
    expect((await operatorWrites()).filter((line) => line.includes('/observed/') && !line.includes('/status'))).toEqual([]);
  });

  // Contract: rule-leave-alone
  test('a suspended binding is only judged', async () => {
    const s = await prepared('suspended');
    await s.bind({ suspend: true });
    await s.conditionIs('Trusted', 'False', 'TrustNoWebIdentityStatement');
    await settled();
    expect(s.writes()).toEqual([]);
    expect(await annotationsOf(s)).toBeUndefined();
  });

  for (const [name, rest] of [
    ['left-observing', { mode: 'Observe' }],
    ['left-suspended', { suspend: true }],
  ] as const) {
    // Contract: rule-leave-alone
    test(`a binding that is deleted with ${JSON.stringify(rest)} leaves what stands, as with Retain`, async () => {
      const s = await prepared(name);
      await s.bind();
      await s.conditionIs('Ready', 'True', 'Ready');
      const before = policyOf(s.roleName);
      await api.call('PATCH', bindingPath(s), { patch: 'merge', body: { spec: rest } });
      await until('that is seen', async () => (await s.binding()).status?.observedGeneration === 2, PATIENCE);
      await api.call('DELETE', bindingPath(s));
      await until('the binding is gone', () => gone(bindingPath(s)), PATIENCE);
      await settled();
      expect([policyOf(s.roleName), await annotationsOf(s), s.writes().length]).toEqual([before, { [ROLE_ARN]: s.roleArn }, 1]);
    });
  }

  // Contract: rival-older
  test('of two bindings for one ServiceAccount the older one wins; the other is Stalled, takes over while the older one is suspended, and when it goes, without a gap', async () => {
    const s = await prepared('rival');
    await s.bind();
    await s.conditionIs('Ready', 'True');
    const body = {
      apiVersion: 'irsa-operator.dev/v1alpha1',
      kind: 'IrsaBinding',
      metadata: { name: 'younger' },
      spec: { serviceAccountName: 'app', roleArn: s.roleArn },
    };
    await api.call('POST', `/apis/irsa-operator.dev/v1alpha1/namespaces/rival/irsabindings`, { body });
    const younger = async () =>
      (await api.call<{ status?: { conditions?: { type: string; status: string; reason: string }[] } }>('GET', bindingPath(s, 'younger')))
        .status?.conditions ?? [];
    const youngerIs = (type: string, reason: string) =>
      until(
        `the younger one is ${type}`,
        async () => (await younger()).some((one) => one.type === type && one.reason === reason),
        PATIENCE,
      );
    const suspend = (value: boolean) => api.call('PATCH', bindingPath(s), { patch: 'merge', body: { spec: { suspend: value } } });
    await youngerIs('Stalled', 'ServiceAccountTaken');
    await suspend(true);
    await youngerIs('Ready', 'Ready');
    await suspend(false);
    await youngerIs('Stalled', 'ServiceAccountTaken');
    await api.call('DELETE', bindingPath(s));
    await until('the older one is gone', () => gone(bindingPath(s)), PATIENCE);
    await youngerIs('Ready', 'Ready');
    expect(s.writes()).toHaveLength(1);
    expect(policyOf(s.roleName).Statement).toHaveLength(2);
    expect(await annotationsOf(s)).toEqual({ [ROLE_ARN]: s.roleArn });
  });

  // Contract: annotate-awaiting
  test('a ServiceAccount that does not exist yet does not hold back Ready, and is annotated when it comes', async () => {
    const s = await scene(testbed, api, 'late');
    testbed.aws.account().role.put({ name: s.roleName, trustPolicy: FOREIGN });
    await s.bind();
    await s.conditionIs('Ready', 'True', 'AwaitingServiceAccount');
    expect((await s.condition('Annotated'))?.status).toBe('Unknown');
    await s.serviceAccount();
    await s.conditionIs('Annotated', 'True');
    expect(await annotationsOf(s)).toEqual({ [ROLE_ARN]: s.roleArn });
  });
});

describe('the process', () => {
  // Contract: trust-fixpoint, pods-one-attempt
  test('a restart with nothing to do writes nothing anywhere, and restarts no pod', async () => {
    const s = await prepared('restarted');
    await s.deployment();
    await s.bind();
    await s.allReady();
    await s.conditionIs('Ready', 'True');
    expect(await operator.stop()).toBe(0);
    const { spec } = await api.call<{ spec: { holderIdentity: string } }>('GET', LEASE);
    expect(spec.holderIdentity).toBe('');
    const [writes, calls, pods] = [await operatorWrites(), testbed.aws.journal.length, await s.pods()];
    operator = await startOperator(testbed, SWEEP);
    await until(
      'it sweeps',
      () => testbed.aws.journal.slice(calls).filter(({ operation }) => operation === 'ListRoles').length >= 2,
      PATIENCE,
    );
    expect(await operatorWrites()).toEqual(writes);
    expect(testbed.aws.journal.slice(calls).filter(({ operation }) => operation === 'UpdateAssumeRolePolicy')).toEqual([]);
    expect((await s.pods()).map(({ metadata }) => metadata.uid)).toEqual(pods.map(({ metadata }) => metadata.uid));
  });

  // Contract: two-leaders
  test('a standby with full caches is ready, and leads within 5 s when the leader is stopped', async () => {
    const standby = await startOperator(testbed, SWEEP);
    expect(standby.log.some(({ msg }) => msg === 'leads')).toBe(false);
    expect(await operator.stop()).toBe(0);
    const stopped = Date.now();
    await until('the standby leads', () => standby.log.some(({ msg }) => msg === 'leads'), { timeoutMs: 20_000 });
    expect(Date.now() - stopped).toBeLessThan(5_000);
    operator = standby;
  });

  // Contract: report-series
  test('its metrics have the names that dashboards expect, and no series of what is gone', async () => {
    const wanted = [
      'controller_runtime_reconcile_total{controller="trust",result="success"}',
      'workqueue_depth{name="binding",controller="binding",priority=""}',
      'leader_election_master_status{name="irsa-operator"} 1',
      'rest_client_requests_total{code="200",method="GET"',
      'irsa_aws_requests_total{service="iam",operation="ListRoles",code="ok"}',
      'irsa_binding_status_condition{namespace="restarted",name="app",condition="Ready",status="True"} 1',
      'irsa_trust_policy_writes_total{result="written"}',
      'irsa_build_info{version="0.1.0"',
    ];
    // A new leader has yet to look at everything once.
    const text = await until(
      'every metric is there',
      async () => {
        const found = await (await fetch(`${operator.url}/metrics`)).text();
        const missing = wanted.filter((name) => !found.includes(name));
        if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')}`);
        return found;
      },
      PATIENCE,
    );
    expect(text).not.toContain('namespace="deleted"');
    expect((await fetch(`${operator.url}/livez`)).status).toBe(200);
  });

  test('the RBAC that ships is enough: the API server refused nothing', async () => {
    const refused = (await operatorWrites()).filter((line) => /^(401|403) /.test(line));
    expect(refused).toEqual([]);
    expect(await (await fetch(`${operator.url}/metrics`)).text()).not.toMatch(/rest_client_requests_total\{code="40[13]"/);
  });
});

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/irsa-operator-system/leases/irsa-operator';

async function gone(path: string): Promise<boolean> {
  try {
    await api.call('GET', path);
    return false;
  } catch {
    return true;
  }
}

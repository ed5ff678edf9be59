import { type Api, type AuditEvent, connect, startTestbed, type Testbed, until } from '@irsa-operator/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeGrant } from '../harness/given.ts';
import { install, type RunningOperator, startOperator } from '../harness/operator.ts';
import { ACCOUNT, isReady, type PodView, type Scene, scene } from '../harness/scene.ts';

/**
 * Pods that lack the role, with the real controllers, budgets and webhook. Pods with the label of the testbed's kubelet are Ready only
 * if STS lets them in (so they crash-loop without the role); the others are Ready whatever they carry, and serve while they are stale.
 */
const OPERATOR_NAMESPACE = 'irsa-operator-system';
const OPERATOR_USER = `system:serviceaccount:${OPERATOR_NAMESPACE}:irsa-operator`;
const PATIENCE = { timeoutMs: 120_000 };
/** Longer than the pace at which a budget is asked again, 30 s, and the settling time, 10 s. */
const ASKED_AGAIN = { timeoutMs: 120_000 };
const SECOND_LOOK_MS = 5_000;
const ASKS = { 'testbed.irsa-operator.dev/workload': 'aws' };

let testbed: Testbed;
let api: Api;
let operator: RunningOperator;

beforeAll(async () => {
  testbed = await startTestbed();
  api = connect(testbed.kubeconfig);
  testbed.aws.account().provider.put({ issuer: testbed.issuer, clientIds: ['sts.amazonaws.com', 'other'] });
  await install(testbed);
  operator = await startOperator(testbed);
  const spec = {
    roleArns: [`arn:aws:iam::${ACCOUNT}:role/*`],
    namespaces: { selector: { matchLabels: { team: 'pods' } } },
    serviceAccountNames: ['*'],
    audiences: ['sts.amazonaws.com', 'other'],
  };
  await makeGrant(api, 'pods', spec);
});

afterAll(async () => {
  await operator?.stop();
  api?.close();
  await testbed?.stop();
});

/** A namespace with a role that lets the ServiceAccount in already, which is not annotated yet: pods made now lack the role. */
async function prepared(name: string): Promise<Scene> {
  const s = await scene(testbed, api, name);
  await api.call('PATCH', `/api/v1/namespaces/${name}`, TEAM_OF_PODS);
  letsIn(s);
  await s.serviceAccount();
  return s;
}

/** What the grant selects. */
const TEAM_OF_PODS = { patch: 'merge', body: { metadata: { labels: { team: 'pods' } } } } as const;

function letsIn(s: Scene, serviceAccount = 'app'): void {
  const host = testbed.issuer.slice('https://'.length);
  const subject = `system:serviceaccount:${s.namespace}:${serviceAccount}`;
  const allow = {
    Effect: 'Allow',
    Principal: { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/${host}` },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { [`${host}:sub`]: subject, [`${host}:aud`]: 'sts.amazonaws.com' } },
  };
  testbed.aws.account().role.put({ name: s.roleName, trustPolicy: { Version: '2012-10-17', Statement: [allow] } });
}

interface WorkloadPart {
  readonly replicas?: number;
  /** Further labels of the pods. */
  readonly labels?: object;
  readonly annotations?: object;
  readonly container?: object;
  readonly pod?: object;
  readonly spec?: object;
}
type Plural = 'deployments' | 'statefulsets' | 'daemonsets';

async function workload(s: Scene, plural: Plural, part: WorkloadPart = {}): Promise<void> {
  const { replicas = 2, labels = {}, annotations = {}, container = {}, pod = {}, spec = {} } = part;
  const app = { app: 'app' };
  const containers = [{ name: 'app', image: 'app', ...container }];
  const template = { metadata: { labels: { ...app, ...labels }, annotations }, spec: { serviceAccountName: 'app', containers, ...pod } };
  const count = plural === 'daemonsets' ? {} : { replicas };
  const service = plural === 'statefulsets' ? { serviceName: 'app' } : {};
  const body = { metadata: { name: 'app' }, spec: { ...count, ...service, selector: { matchLabels: app }, template, ...spec } };
  await api.call('POST', `/apis/apps/v1/namespaces/${s.namespace}/${plural}`, { body });
}

async function budget(s: Scene, spec: object, name = 'app'): Promise<void> {
  const body = { metadata: { name }, spec: { selector: { matchLabels: { app: 'app' } }, ...spec } };
  const path = `/apis/policy/v1/namespaces/${s.namespace}/poddisruptionbudgets`;
  await api.call('POST', path, { body });
  await until(
    `the budget ${name} of ${s.namespace} counts its pods`,
    async () => ((await api.call<{ status?: { expectedPods?: number } }>('GET', `${path}/${name}`)).status?.expectedPods ?? 0) > 0,
    PATIENCE,
  );
}

const roleOf = ({ spec }: PodView) => spec.containers.map(({ env = [] }) => env.find(({ name }) => name === 'AWS_ROLE_ARN')?.value);
const uids = (pods: readonly PodView[]) => pods.map(({ metadata }) => metadata.uid).sort();

async function serving(s: Scene, count = 2): Promise<PodView[]> {
  return await s.allReady(count);
}

async function allCurrent(s: Scene, count = 2): Promise<PodView[]> {
  await s.conditionIs('PodsCurrent', 'True', 'Current');
  const pods = await s.allReady(count);
  expect(pods.flatMap(roleOf)).toEqual(pods.flatMap(({ spec }) => spec.containers.map(() => s.roleArn)));
  return pods;
}

/** What the operator asked of pods and workloads of a namespace: `201 create app-1/eviction`. */
async function asked(s: Scene): Promise<string[]> {
  const mine = ({ user, objectRef }: AuditEvent) =>
    user.username === OPERATOR_USER &&
    objectRef?.namespace === s.namespace &&
    ['pods', 'deployments', 'statefulsets', 'daemonsets'].includes(objectRef.resource);
  return (await testbed.auditEvents()).filter(mine).map(({ verb, objectRef, responseStatus }) => {
    const what = objectRef?.subresource ?? objectRef?.resource;
    return `${responseStatus?.code} ${verb} ${what}`;
  });
}

async function secondLook(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, SECOND_LOOK_MS));
}

async function phases(s: Scene): Promise<unknown> {
  return (await s.binding()).status?.restarts?.map(({ cause, phase, attempts }) => `${cause} ${phase} ${attempts}`);
}

const ROLLOUT = { restart: { strategy: 'Rollout' } };
const RESTARTED_AT = 'irsa-operator.dev/restarted-at';
interface Template {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}
const specOf = async (s: Scene, plural: Plural) =>
  (await api.call<{ spec: { template: Template } }>('GET', `/apis/apps/v1/namespaces/${s.namespace}/${plural}/app`)).spec;

describe.concurrent('budgets, and the right to roll out', () => {
  // Contract: pods-unready-deleted
  test('all replicas crash-looping behind maxUnavailable 1 are mended: the budget refuses for ever, so unready pods are deleted', async () => {
    const s = await prepared('crash-looping');
    await workload(s, 'deployments', { labels: ASKS });
    await s.refused();
    await budget(s, { maxUnavailable: 1 });
    await s.bind();
    await allCurrent(s);
    // With the first replacement ready, the budget may let the second one be evicted.
    // One that crashed again since it was looked at is not deleted before it is looked at again.
    const [first, second, ...rest] = (await asked(s)).filter((line) => line !== '409 delete pods');
    expect([first, second]).toEqual(['429 create eviction', '200 delete pods']);
    expect(rest.at(-1)).toMatch(/^(200 delete pods|201 create eviction)$/);
    expect(await phases(s)).toEqual(['Stale Done 1']);
  });

  // Contract: pods-budget
  test('a ready pod behind a budget that is used up stays, is reported, and goes when the budget lets it', async () => {
    const s = await prepared('used-up');
    await workload(s, 'deployments');
    const before = uids(await serving(s));
    await budget(s, { minAvailable: 2 });
    await s.bind();
    const { message } = await s.conditionIs('PodsCurrent', 'False', 'EvictionBlocked');
    expect(message).toMatch(/^pod "app-.*" cannot be evicted: Cannot evict pod as it would violate the pod's disruption budget/);
    await s.conditionIs('Reconciling', 'True', 'EvictionBlocked');
    await secondLook();
    expect(uids(await s.pods())).toEqual(before);
    expect(await asked(s)).toEqual(['429 create eviction']);
    await api.call('DELETE', `/apis/policy/v1/namespaces/${s.namespace}/poddisruptionbudgets/app`);
    await until('both were replaced', async () => uids(await s.pods()).every((uid) => !before.includes(uid)), ASKED_AGAIN);
    await allCurrent(s);
  });

  // Contract: pods-statefulset-blocked
  test('an unready pod of a StatefulSet behind a budget is not deleted: reported and tried again, every 30 s', async () => {
    const s = await prepared('stateful-blocked');
    await workload(s, 'statefulsets', { replicas: 1, labels: ASKS });
    await s.refused(1);
    const before = uids(await s.pods());
    await budget(s, { minAvailable: 1 });
    await s.bind();
    await s.conditionIs('PodsCurrent', 'False', 'EvictionBlocked');
    const evictions = async () => (await testbed.auditEvents()).filter((event) => isEviction(event, s));
    const [first, second] = await until(
      'it is tried again',
      async () => (await evictions()).length >= 2 && (await evictions()),
      ASKED_AGAIN,
    );
    const gap = Date.parse(second?.requestReceivedTimestamp ?? '') - Date.parse(first?.requestReceivedTimestamp ?? '');
    expect(gap).toBeGreaterThanOrEqual(30_000);
    expect([...new Set(await asked(s))]).toEqual(['429 create eviction']);
    expect(uids(await s.pods())).toEqual(before);
  });

  // Contract: pods-two-budgets
  test('two budgets on one pod: MultiplePDBs', async () => {
    const s = await prepared('two-budgets');
    await workload(s, 'deployments');
    const before = uids(await serving(s));
    await budget(s, { maxUnavailable: 1 });
    await budget(s, { maxUnavailable: 1 }, 'second');
    await s.bind();
    const { message } = await s.conditionIs('PodsCurrent', 'False', 'MultiplePDBs');
    expect(message).toMatch(/^pod "app-.*" is covered by more than one PodDisruptionBudget, and the API server then evicts nothing/);
    await secondLook();
    expect(uids(await s.pods())).toEqual(before);
  });

  // Contract: pods-two-budgets
  test('two budgets on an unready pod of a ReplicaSet: it is reported, and not deleted', async () => {
    const s = await prepared('two-budgets-unready');
    await workload(s, 'deployments', { replicas: 1, labels: ASKS });
    await s.refused(1);
    const before = uids(await s.pods());
    await budget(s, { maxUnavailable: 1 });
    await budget(s, { maxUnavailable: 1 }, 'second');
    await s.bind();
    await s.conditionIs('PodsCurrent', 'False', 'MultiplePDBs');
    await secondLook();
    expect(uids(await s.pods())).toEqual(before);
    expect([...new Set(await asked(s))]).toEqual(['500 create eviction']);
  });
  // Contract: pods-budget
  test('a percentage rounds up: of ten pods with 25 % at most three are away, one first', async () => {
    const s = await prepared('percentage');
    await workload(s, 'deployments', { replicas: 10 });
    await serving(s, 10);
    await s.bind({ restart: { maxUnavailable: '25%' } });
    const ready: number[] = [];
    await until(
      'all are current',
      async () => {
        const pods = await s.pods();
        ready.push(pods.filter(isReady).length);
        return pods.length === 10 && pods.every((pod) => isReady(pod) && roleOf(pod)[0] === s.roleArn);
      },
      PATIENCE,
    );
    expect(Math.min(...ready)).toBeGreaterThanOrEqual(7);
    const evictions = (await testbed.auditEvents()).filter((event) => isEviction(event, s));
    expect(evictions.map(({ responseStatus }) => responseStatus?.code)).toEqual(Array(10).fill(201));
    expect(await canaryCameFirst(s, evictions)).toBe(true);
  });

  test('a budget of no pod at all is refused in the binding, in a number as in percent', async () => {
    const s = await prepared('nothing');
    for (const maxUnavailable of [0, '0%', '00%', '101%', -1])
      await expect(s.bind({ restart: { maxUnavailable } })).rejects.toThrow(/maxUnavailable is a number from 1 to 1000 or a percentage/);
    await s.bind({ restart: { maxUnavailable: '1%' } });
  });

  // Contract: pods-canary-choice
  test('of a StatefulSet that is ready the highest ordinal goes first, then one at a time, whatever may be away', async () => {
    const s = await prepared('ordinals');
    await workload(s, 'statefulsets', { replicas: 3 });
    await serving(s, 3);
    await s.bind({ restart: { maxUnavailable: 3 } });
    await allCurrent(s, 3);
    const evictions = (await testbed.auditEvents()).filter((event) => isEviction(event, s) && event.responseStatus?.code === 201);
    expect(evictions.map(({ objectRef }) => objectRef?.name)).toEqual(['app-2', 'app-1', 'app-0']);
  });

  // Contract: pods-canary-choice
  test('of a StatefulSet whose pods all crash-loop the lowest ordinal goes first, and all are mended', async () => {
    const s = await prepared('ordinals-unready');
    await workload(s, 'statefulsets', { replicas: 3, labels: ASKS, spec: { podManagementPolicy: 'Parallel' } });
    await s.refused(3);
    await s.bind();
    await allCurrent(s, 3);
    const evictions = (await testbed.auditEvents()).filter((event) => isEviction(event, s));
    expect(evictions.map(({ objectRef, responseStatus }) => `${responseStatus?.code} ${objectRef?.name}`)).toEqual([
      '201 app-0',
      '201 app-1',
      '201 app-2',
    ]);
  });

  // Contract: pods-settle
  test('a pod of a DaemonSet is evicted, once', async () => {
    const s = await prepared('daemonset');
    await workload(s, 'daemonsets', { pod: { tolerations: [{ operator: 'Exists' }] } });
    await serving(s, 1);
    await s.bind();
    await allCurrent(s, 1);
    expect(await asked(s)).toEqual(['201 create eviction']);
    expect(await phases(s)).toEqual(['Stale Done 1']);
    const events = await testbed.auditEvents();
    const annotated = events.find(
      ({ user, objectRef }) =>
        user.username === OPERATOR_USER && objectRef?.namespace === s.namespace && objectRef.resource === 'serviceaccounts',
    );
    const evicted = events.find((event) => isEviction(event, s));
    const settled = Date.parse(evicted?.requestReceivedTimestamp ?? '') - Date.parse(annotated?.stageTimestamp ?? '');
    // Conditions tell whole seconds, so it may be one less.
    expect(settled).toBeGreaterThanOrEqual(9_000);
  });
  // Contract: pods-rollout
  test('without the right nothing happens, and the condition says what to install; with it the template gets one annotation, once', async () => {
    testbed.expectRefusal('patch deployments');
    const s = await prepared('rollout');
    await workload(s, 'deployments');
    const before = uids(await serving(s));
    const spec = await specOf(s, 'deployments');
    await s.bind(ROLLOUT);
    const { message } = await s.conditionIs('PodsCurrent', 'False', 'RolloutForbidden');
    expect(message).toContain('install the right with `kubectl apply -k config/rollout`');
    await s.conditionIs('Stalled', 'True', 'RolloutForbidden');
    expect(await specOf(s, 'deployments')).toEqual(spec);
    await testbed.kubectl(['apply', '-f', 'config/rollout/rbac.yaml']);
    await until('both were replaced', async () => uids(await s.pods()).every((uid) => !before.includes(uid)), ASKED_AGAIN);
    await allCurrent(s);
    const after = await specOf(s, 'deployments');
    const at = after.template.metadata.annotations?.[RESTARTED_AT];
    expect(at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(after).toEqual({
      ...spec,
      template: { ...spec.template, metadata: { ...spec.template.metadata, annotations: { [RESTARTED_AT]: at } } },
    });
    expect((await asked(s)).filter((line) => !line.startsWith('403'))).toEqual(['200 patch deployments']);
    expect(await phases(s)).toEqual(['Stale Done 1']);
  });
});

function isEviction({ user, objectRef }: AuditEvent, s: Scene): boolean {
  return user.username === OPERATOR_USER && objectRef?.namespace === s.namespace && objectRef.subresource === 'eviction';
}

/** The second eviction was asked for only after a replacement of the first pod had been made and bound. */
async function canaryCameFirst(s: Scene, [first, second]: readonly AuditEvent[]): Promise<boolean> {
  const from = Date.parse(first?.stageTimestamp ?? '');
  const until2 = Date.parse(second?.requestReceivedTimestamp ?? '');
  return (await testbed.auditEvents()).some(({ objectRef, verb, stageTimestamp }) => {
    const at = Date.parse(stageTimestamp);
    return objectRef?.namespace === s.namespace && objectRef.subresource === 'status' && verb === 'patch' && at >= from && at <= until2;
  });
}

// Contract: pods-current
describe.concurrent('what the webhook touches', () => {
  test('init containers and sidecars carry the role too, skipped ones need not', async () => {
    const s = await prepared('containers');
    const sidecar = { name: 'sidecar', image: 'x', restartPolicy: 'Always' };
    await workload(s, 'deployments', {
      replicas: 1,
      annotations: { 'eks.amazonaws.com/skip-containers': 'proxy' },
      pod: {
        initContainers: [{ name: 'init', image: 'x' }, sidecar],
        containers: [
          { name: 'app', image: 'app' },
          { name: 'proxy', image: 'x' },
        ],
      },
    });
    await serving(s, 1);
    await s.bind();
    await s.conditionIs('PodsCurrent', 'True', 'Current');
    const [pod] = await s.allReady(1);
    expect(pod && roleOf(pod)).toEqual([s.roleArn, undefined]);
    expect((await asked(s)).filter((line) => line === '201 create eviction')).toHaveLength(1);
  });

  test('a pod for Windows is current with the path of Windows', async () => {
    const s = await prepared('windows');
    await workload(s, 'deployments', { replicas: 1, pod: { nodeSelector: { 'kubernetes.io/os': 'windows' } } });
    await serving(s, 1);
    await s.bind();
    const [pod] = await allCurrent(s, 1);
    expect(pod?.spec.containers[0]?.env).toContainEqual({
      name: 'AWS_WEB_IDENTITY_TOKEN_FILE',
      value: 'C:\\var\\run\\secrets\\eks.amazonaws.com\\serviceaccount\\token',
    });
  });

  test('pods whose token has another audience than the binding now wants are replaced: another state, another attempt', async () => {
    const s = await prepared('audience');
    await workload(s, 'deployments', { replicas: 1 });
    await serving(s, 1);
    await s.bind();
    await allCurrent(s, 1);
    const path = `/apis/irsa-operator.dev/v1alpha1/namespaces/${s.namespace}/irsabindings/app`;
    await api.call('PATCH', path, { patch: 'merge', body: { spec: { audience: 'other' } } });
    const audience = async () => JSON.stringify((await s.pods()).map(({ spec }) => (spec as { volumes?: object }).volumes));
    await until('the pod has a token for the other audience', async () => (await audience()).includes('"audience":"other"'), PATIENCE);
    await allCurrent(s, 1);
    expect(await phases(s)).toEqual(['Stale Done 1']);
    expect(await asked(s)).toEqual(['201 create eviction', '201 create eviction']);
  });

  test('what the template sets itself is told, and no pod is restarted in vain; it goes on when the template is mended', async () => {
    const s = await prepared('overridden');
    const env = [
      { name: 'AWS_ROLE_ARN', value: `arn:aws:iam::${ACCOUNT}:role/old` },
      { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token' },
    ];
    await workload(s, 'deployments', { container: { env } });
    await serving(s);
    await s.bind();
    const { message } = await s.conditionIs('PodsCurrent', 'False', 'PodEnvOverridden');
    expect(message).toContain(`its template sets AWS_ROLE_ARN to "arn:aws:iam::${ACCOUNT}:role/old"`);
    await s.conditionIs('Stalled', 'True', 'PodEnvOverridden');
    await secondLook();
    expect(await asked(s)).toEqual([]);
    const containers = [{ name: 'app', image: 'app' }];
    await api.call('PATCH', `/apis/apps/v1/namespaces/${s.namespace}/deployments/app`, {
      patch: 'merge',
      body: { spec: { template: { spec: { containers } } } },
    });
    await s.conditionIs('Ready', 'True', 'Ready');
    // The watch of the Deployment may show its rollout at an end before that of the pods shows the last old one gone.
    expect((await asked(s)).filter((line) => line !== '404 create eviction')).toEqual([]);
  });

  test('half of it in the template, and a volume with the webhook its name, are told likewise', async () => {
    const s = await prepared('partial');
    await workload(s, 'deployments', { replicas: 1, container: { env: [{ name: 'AWS_ROLE_ARN', value: s.roleArn }] } });
    const t = await prepared('volume-taken');
    await workload(t, 'deployments', { replicas: 1, pod: { volumes: [{ name: 'aws-iam-token', emptyDir: {} }] } });
    await serving(s, 1);
    await serving(t, 1);
    await s.bind();
    await t.bind();
    await s.conditionIs('PodsCurrent', 'False', 'PodPartialInjection');
    // The first pod was made before the annotation: only its replacement shows what the volume does.
    await t.conditionIs('PodsCurrent', 'False', 'VolumeNameTaken');
    await secondLook();
    expect(await asked(s)).toEqual([]);
    expect((await asked(t)).length).toBeLessThanOrEqual(2);
  });

  test('a pod with EKS Pod Identity is exempt, and a finding says so', async () => {
    const s = await prepared('pod-identity');
    // As the webhook of EKS Pod Identity would set it.
    const env = [{ name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' }];
    await workload(s, 'deployments', { replicas: 1, container: { env } });
    await serving(s, 1);
    await s.bind();
    await s.conditionIs('Ready', 'True', 'Ready');
    const { status } = await s.binding();
    expect(status?.pods).toEqual({ total: 1, current: 0, stale: 0, exempt: 1, summary: '0/1' });
    expect(status?.findings?.map(({ code }) => code)).toEqual(['PodIdentityShadowsIrsa']);
    await secondLook();
    expect(await asked(s)).toEqual([]);
  });

  test('a pod with the label that skips the webhook is exempt, and a finding says so', async () => {
    const s = await prepared('skipped');
    await workload(s, 'deployments', { labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': '' } });
    await serving(s);
    await s.bind();
    await s.conditionIs('Ready', 'True', 'Ready');
    const { status } = await s.binding();
    expect(status?.pods).toEqual({ total: 2, current: 0, stale: 0, exempt: 2, summary: '0/2' });
    expect(status?.findings?.map(({ code }) => code)).toEqual(['WebhookSkipped']);
    await secondLook();
    expect(await asked(s)).toEqual([]);
  });
});

// Contract: pods-left-alone
describe.concurrent('pods that are left alone', () => {
  const never: Record<string, object> = {
    'says-never': { 'irsa-operator.dev/restart': 'never' },
    'do-not-disrupt': { 'karpenter.sh/do-not-disrupt': 'true' },
    'not-safe-to-evict': { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' },
  };
  for (const [name, annotations] of Object.entries(never)) {
    test(`a Deployment's pod that ${name.replaceAll('-', ' ')}`, async () => {
      const s = await prepared(name);
      await workload(s, 'deployments', { replicas: 1, annotations });
      await serving(s, 1);
      await expectLeftAlone(s, `its annotation ${Object.entries(annotations)[0]?.join(' is "')}"`);
    });
  }

  // Contract: pods-strategy
  test('a pod of a binding that restarts nothing: it says what is wrong', async () => {
    const s = await prepared('strategy-never');
    await workload(s, 'deployments');
    const before = uids(await serving(s));
    await s.bind({ restart: { strategy: 'Never' } });
    const { message } = await s.conditionIs('PodsCurrent', 'False', 'PodCredentialsMissing');
    expect(message).toContain('AWS_ROLE_ARN was not injected when the pod was made');
    await s.conditionIs('Stalled', 'True', 'PodCredentialsMissing');
    await secondLook();
    expect([uids(await s.pods()), await asked(s)]).toEqual([before, []]);
  });

  test('a pod of a Job', async () => {
    const s = await prepared('of-a-job');
    const template = {
      metadata: { labels: ASKS },
      spec: { serviceAccountName: 'app', restartPolicy: 'OnFailure', containers: [{ name: 'app', image: 'app' }] },
    };
    await api.call('POST', `/apis/batch/v1/namespaces/${s.namespace}/jobs`, { body: { metadata: { name: 'import' }, spec: { template } } });
    await s.refused(1);
    await expectLeftAlone(s, 'a Job controls it');
  });

  test('a pod of the operator itself, as config/manager deploys it', async () => {
    const s = await scene(testbed, api, OPERATOR_NAMESPACE);
    await api.call('PATCH', `/api/v1/namespaces/${OPERATOR_NAMESPACE}`, TEAM_OF_PODS);
    letsIn(s, 'irsa-operator');
    await testbed.kubectl(['apply', '-k', 'config/manager']);
    await serving(s, 2);
    await expectLeftAlone(s, 'its annotation irsa-operator.dev/restart is "never"', { serviceAccountName: 'irsa-operator' });
  });

  test('a bare pod, until it says evict', async () => {
    const s = await prepared('bare');
    const pods = `/api/v1/namespaces/${s.namespace}/pods`;
    const spec = { serviceAccountName: 'app', containers: [{ name: 'app', image: 'app' }] };
    await api.call('POST', pods, { body: { metadata: { name: 'bare' }, spec } });
    await serving(s, 1);
    await expectLeftAlone(s, 'nobody controls it');
    await api.call('PATCH', `${pods}/bare`, {
      patch: 'merge',
      body: { metadata: { annotations: { 'irsa-operator.dev/restart': 'evict' } } },
    });
    await until('it is gone', async () => (await s.pods()).length === 0, PATIENCE);
  });
});

/** After all that runs concurrently: the right to roll out is there by now. */
describe('rollouts', () => {
  // Contract: pods-rollout
  test('a StatefulSet and a DaemonSet are rolled out likewise', async () => {
    const rolledOut = async (plural: Plural) => {
      const s = await prepared(`rollout-${plural}`);
      await workload(s, plural, { replicas: 1, pod: { tolerations: [{ operator: 'Exists' }] } });
      await serving(s, 1);
      await s.bind(ROLLOUT);
      await allCurrent(s, 1);
      expect(await asked(s)).toEqual([`200 patch ${plural}`]);
    };
    await Promise.all([rolledOut('statefulsets'), rolledOut('daemonsets')]);
  });

  // Contract: pods-rollout
  test('a paused Deployment and a StatefulSet with OnDelete are reported', async () => {
    const paused = await prepared('paused');
    await workload(paused, 'deployments', { replicas: 1 });
    await serving(paused, 1);
    await api.call('PATCH', '/apis/apps/v1/namespaces/paused/deployments/app', { patch: 'merge', body: { spec: { paused: true } } });
    const onDelete = await prepared('on-delete');
    await workload(onDelete, 'statefulsets', { replicas: 1, spec: { updateStrategy: { type: 'OnDelete' } } });
    await serving(onDelete, 1);
    await paused.bind(ROLLOUT);
    await onDelete.bind(ROLLOUT);
    const { message } = await paused.conditionIs('PodsCurrent', 'False', 'PodNotRestartable');
    expect(message).toContain('Deployment "app" is paused, so a rollout replaces no pod; resume it');
    const other = await onDelete.conditionIs('PodsCurrent', 'False', 'PodNotRestartable');
    expect(other.message).toContain('StatefulSet "app" has the update strategy OnDelete');
    await secondLook();
    expect([...(await asked(paused)), ...(await asked(onDelete))]).toEqual([]);
    await api.call('PATCH', '/apis/apps/v1/namespaces/paused/deployments/app', { patch: 'merge', body: { spec: { paused: false } } });
    await allCurrent(paused, 1);
  });
});

/** Told after it has settled and not before, and nothing is asked of any pod. */
async function expectLeftAlone(s: Scene, why: string, spec: Record<string, unknown> = {}): Promise<void> {
  const before = uids(await s.pods());
  await s.bind(spec);
  const seen = new Set<string>();
  await until(
    `PodNotRestartable in ${s.namespace}`,
    async () => {
      const { status } = await s.binding();
      const stalled = status?.conditions?.find(({ type }) => type === 'Stalled');
      const pods = status?.conditions?.find(({ type }) => type === 'PodsCurrent');
      if (stalled !== undefined) seen.add(`Stalled ${pods?.reason}`);
      else if (pods?.reason === 'Settling') seen.add('Settling');
      return pods?.reason === 'PodNotRestartable' && pods.message.includes(why);
    },
    PATIENCE,
  );
  expect([...seen]).toEqual(['Settling', 'Stalled PodNotRestartable']);
  await secondLook();
  expect(uids(await s.pods())).toEqual(before);
  expect(await asked(s)).toEqual([]);
}

describe('one attempt for each desired state', () => {
  // Contract: pods-one-attempt
  test('an operator that is killed in the middle of a restart goes on where it was: each pod goes once', async () => {
    const s = await prepared('killed');
    await workload(s, 'deployments', { replicas: 4 });
    const before = uids(await serving(s, 4));
    await s.bind();
    const left = async () => uids(await s.pods()).filter((uid) => before.includes(uid)).length;
    await until('the first pod went', async () => (await left()) < 4, PATIENCE);
    operator.kill('SIGKILL');
    const record = (await s.binding()).status?.restarts;
    operator = await startOperator(testbed);
    await allCurrent(s, 4);
    expect(await left()).toBe(0);
    // One call may have been in flight when it was killed: the pod that it asked for was gone then.
    expect((await asked(s)).filter((line) => line === '201 create eviction')).toHaveLength(4);
    expect(record).toHaveLength(1);
    expect(await phases(s)).toEqual(['Stale Done 1']);
  });

  // Contract: pods-ineffective
  test('without the webhook it tries twice, names the cause, and never again, not even after a restart', async () => {
    const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
    const { metadata, webhooks } = await api.call<{ metadata: { name: string }; webhooks: object[] }>(
      'GET',
      `${path}/pod-identity-webhook`,
    );
    await api.call('DELETE', `${path}/${metadata.name}`);
    const s = await prepared('no-webhook');
    await workload(s, 'deployments');
    await serving(s);
    await s.bind();
    const { message } = await s.conditionIs('PodsCurrent', 'False', 'RestartIneffective');
    expect(message).toMatch(
      /^ReplicaSet "app-.*" was restarted 2 times and its new pods are still wrong: pod no-webhook\/app-.*: AWS_ROLE_ARN/,
    );
    expect(message).toContain('the EKS pod identity webhook did not touch the new pod: is its MutatingWebhookConfiguration there');
    expect(await asked(s)).toEqual(['201 create eviction', '201 create eviction']);
    expect(await operator.stop()).toBe(0);
    operator = await startOperator(testbed);
    await until('it leads', () => operator.log.some(({ msg }) => msg === 'leads'), PATIENCE);
    await secondLook();
    expect(await asked(s)).toEqual(['201 create eviction', '201 create eviction']);
    await s.conditionIs('Stalled', 'True', 'RestartIneffective');
    await api.call('POST', path, { body: { metadata: { name: metadata.name }, webhooks } });
  });
});

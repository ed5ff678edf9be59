import { type AuditEvent, follow, until } from '@irsa-operator/testbed';
import { describe, expect, test } from 'vitest';
import { OPERATOR_NAMESPACE, type WorkloadKind } from '../harness/objects.ts';
import { allowing, policy } from '../harness/policies.ts';
import { ASKS_STS, inWords, type Scene } from '../harness/scene.ts';
import { integrationSuite } from '../harness/suite.ts';
import { ACCOUNT, type Binding, conditionOf, isReady, type Pod, rolesOfPod, uidsOf } from '../harness/views.ts';

/**
 * Pods that lack the role, with the real controllers, budgets and webhook. Pods with the label of the testbed's kubelet are Ready only
 * if STS lets them in (so they crash-loop without the role); the others are Ready whatever they carry, and serve while they are stale.
 */
const PATIENCE = { timeoutMs: 120_000 };

const audiences = ['sts.amazonaws.com', 'other'];
const suite = integrationSuite({ clientIds: audiences, grant: { audiences }, flags: [] });

/** A namespace with a role that lets the ServiceAccount in already, which is not annotated yet: pods made now lack the role. */
async function prepared(name: string): Promise<Scene> {
  const s = await suite.scene(name);
  s.role(policy(allowing(suite.testbed.issuer, s.subject)));
  await s.serviceAccount();
  return s;
}

async function budget(s: Scene, spec: object, name = 'app'): Promise<void> {
  await s.put('poddisruptionbudgets', name, { spec: { selector: { matchLabels: { app: 'app' } }, ...spec } });
  const expected = async () =>
    (await s.get<{ status?: { expectedPods?: number } }>('poddisruptionbudgets', name)).status?.expectedPods ?? 0;
  await until(`the budget ${name} of ${s.namespace} counts its pods`, async () => (await expected()) > 0, PATIENCE);
}

async function allCurrent(s: Scene, count = 2): Promise<Pod[]> {
  await s.conditionIs('PodsCurrent', 'True', 'Current');
  const pods = await s.allReady(count);
  expect(pods.flatMap(rolesOfPod)).toEqual(pods.flatMap(({ spec }) => spec.containers.map(() => s.roleArn)));
  return pods;
}

/** What the operator asked of pods and workloads of a namespace: `201 create eviction`. */
async function asked(s: Scene): Promise<string[]> {
  return (await s.requests('pods', 'deployments', 'statefulsets', 'daemonsets')).map((event) => inWords(event).replace('pods/', ''));
}
const evictions = async (s: Scene) => (await s.requests('pods')).filter(({ objectRef }) => objectRef?.subresource === 'eviction');

async function phases(s: Scene): Promise<unknown> {
  return (await s.binding()).status?.restarts?.map(({ cause, phase, attempts }) => `${cause} ${phase} ${attempts}`);
}

const ROLLOUT = { restart: { strategy: 'Rollout' } };
const RESTARTED_AT = 'irsa-operator.dev/restarted-at';
interface Template {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}
const specOf = async (s: Scene, kind: WorkloadKind) => (await s.get<{ spec: { template: Template } }>(kind, 'app')).spec;

describe.concurrent('budgets, and the right to roll out', () => {
  // Contract: pods-unready-deleted
  test('all replicas crash-looping behind maxUnavailable 1 are mended: the budget refuses for ever, so unready pods are deleted', async () => {
    const s = await prepared('crash-looping');
    await s.workload('deployments', { labels: ASKS_STS });
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
    await s.workload('deployments');
    const before = uidsOf(await s.allReady());
    await budget(s, { minAvailable: 2 });
    await s.bind();
    const { message } = await s.conditionIs('PodsCurrent', 'False', 'EvictionBlocked');
    expect(message).toMatch(/^pod "app-.*" cannot be evicted: Cannot evict pod as it would violate the pod's disruption budget/);
    await s.conditionIs('Reconciling', 'True', 'EvictionBlocked');
    await s.lookAgain();
    expect(uidsOf(await s.pods())).toEqual(before);
    expect(await asked(s)).toEqual(['429 create eviction']);
    await s.remove('poddisruptionbudgets', 'app');
    await until('both were replaced', async () => uidsOf(await s.pods()).every((uid) => !before.includes(uid)), PATIENCE);
    await allCurrent(s);
  });

  // Contract: pods-statefulset-blocked
  test('an unready pod of a StatefulSet behind a budget is not deleted: reported and tried again, every 30 s', async () => {
    const s = await prepared('stateful-blocked');
    await s.workload('statefulsets', { replicas: 1, labels: ASKS_STS });
    await s.refused(1);
    const before = uidsOf(await s.pods());
    await budget(s, { minAvailable: 1 });
    await s.bind();
    await s.conditionIs('PodsCurrent', 'False', 'EvictionBlocked');
    const [first, second] = await until(
      'it is tried again',
      async () => (await evictions(s)).length >= 2 && (await evictions(s)),
      PATIENCE,
    );
    const gap = Date.parse(second?.requestReceivedTimestamp ?? '') - Date.parse(first?.requestReceivedTimestamp ?? '');
    expect(gap).toBeGreaterThanOrEqual(30_000);
    expect([...new Set(await asked(s))]).toEqual(['429 create eviction']);
    expect(uidsOf(await s.pods())).toEqual(before);
  });

  // Contract: pods-two-budgets
  test('two budgets on one pod: MultiplePDBs', async () => {
    const s = await prepared('two-budgets');
    await s.workload('deployments');
    const before = uidsOf(await s.allReady());
    await budget(s, { maxUnavailable: 1 });
    await budget(s, { maxUnavailable: 1 }, 'second');
    await s.bind();
    const { message } = await s.conditionIs('PodsCurrent', 'False', 'MultiplePDBs');
    expect(message).toMatch(/^pod "app-.*" is covered by more than one PodDisruptionBudget, so the API server refuses every eviction/);
    await s.lookAgain();
    expect(uidsOf(await s.pods())).toEqual(before);
  });

  // Contract: pods-two-budgets
  test('two budgets on an unready pod of a ReplicaSet: it is reported, and not deleted', async () => {
    const s = await prepared('two-budgets-unready');
    await s.workload('deployments', { replicas: 1, labels: ASKS_STS });
    await s.refused(1);
    const before = uidsOf(await s.pods());
    await budget(s, { maxUnavailable: 1 });
    await budget(s, { maxUnavailable: 1 }, 'second');
    await s.bind();
    await s.conditionIs('PodsCurrent', 'False', 'MultiplePDBs');
    await s.lookAgain();
    expect(uidsOf(await s.pods())).toEqual(before);
    expect([...new Set(await asked(s))]).toEqual(['500 create eviction']);
  });
  // Contract: pods-budget
  test('a percentage rounds up: of ten pods with 25 % at most three are away, one first', async () => {
    const s = await prepared('percentage');
    await s.workload('deployments', { replicas: 10 });
    await s.allReady(10);
    await s.bind({ restart: { maxUnavailable: '25%' } });
    const ready: number[] = [];
    await until(
      'all are current',
      async () => {
        const pods = await s.pods();
        ready.push(pods.filter(isReady).length);
        return pods.length === 10 && pods.every((pod) => isReady(pod) && rolesOfPod(pod)[0] === s.roleArn);
      },
      PATIENCE,
    );
    expect(Math.min(...ready)).toBeGreaterThanOrEqual(7);
    const asked = await evictions(s);
    expect(asked.map(({ responseStatus }) => responseStatus?.code)).toEqual(Array(10).fill(201));
    expect(await canaryCameFirst(s, asked)).toBe(true);
  });

  test('a budget of no pod at all is refused in the binding, in a number as in percent', async () => {
    const s = await prepared('nothing');
    for (const maxUnavailable of [0, '0%', '00%', '101%', -1])
      await expect(s.bind({ restart: { maxUnavailable } })).rejects.toThrow(/maxUnavailable is a number from 1 to 1000 or a percentage/);
    await s.bind({ restart: { maxUnavailable: '1%' } });
  });

  // Contract: pods-ready-too-soon
  test('while the replacement of the only pod does not come, Ready is not True for a moment', async () => {
    const s = await prepared('too-soon');
    await s.workload('statefulsets', { replicas: 1 });
    await s.allReady(1);
    await s.put('limitranges', 'no-pods', { spec: { limits: [{ type: 'Pod', min: { memory: '1Ti' } }] } });
    const said: (string | undefined)[] = [];
    const over = new AbortController();
    const present = (seen: Binding) => void said.push(conditionOf(seen, 'Ready')?.status);
    const following = follow<Binding>(suite.api, s.path('irsabindings'), '', { present, gone: () => {} }, over.signal);
    await s.bind();
    await until('the pod is gone', async () => (await s.list('pods')).length === 0, PATIENCE);
    await s.lookAgain();
    const { message } = await s.conditionIs('PodsCurrent', 'False', 'Restarting');
    expect(message).toBe('StatefulSet "app": the replacement is not created yet');
    expect([said.includes('False'), said.includes('True')]).toEqual([true, false]);
    await s.remove('limitranges', 'no-pods');
    await s.patch('statefulsets', 'app', { metadata: { annotations: { look: 'again' } } }); // its controller has made longer and longer pauses
    await allCurrent(s, 1);
    await s.conditionIs('Ready', 'True');
    over.abort();
    await following;
  });

  // Contract: pods-canary-choice
  test('of a StatefulSet that is ready the highest ordinal goes first, then one at a time, whatever may be away', async () => {
    const s = await prepared('ordinals');
    await s.workload('statefulsets', { replicas: 3 });
    await s.allReady(3);
    await s.bind({ restart: { maxUnavailable: 3 } });
    await allCurrent(s, 3);
    const evicted = (await evictions(s)).filter(({ responseStatus }) => responseStatus?.code === 201);
    expect(evicted.map(({ objectRef }) => objectRef?.name)).toEqual(['app-2', 'app-1', 'app-0']);
  });

  // Contract: pods-canary-choice
  test('of a StatefulSet whose pods all crash-loop the lowest ordinal goes first, and all are mended', async () => {
    const s = await prepared('ordinals-unready');
    await s.workload('statefulsets', { replicas: 3, labels: ASKS_STS, spec: { podManagementPolicy: 'Parallel' } });
    await s.refused(3);
    await s.bind();
    await allCurrent(s, 3);
    expect((await evictions(s)).map(({ objectRef, responseStatus }) => `${responseStatus?.code} ${objectRef?.name}`)).toEqual([
      '201 app-0',
      '201 app-1',
      '201 app-2',
    ]);
  });

  // Contract: pods-settle
  test('a pod of a DaemonSet is evicted, once', async () => {
    const s = await prepared('daemonset');
    await s.workload('daemonsets', { pod: { tolerations: [{ operator: 'Exists' }] } });
    await s.allReady(1);
    await s.bind();
    await allCurrent(s, 1);
    expect(await asked(s)).toEqual(['201 create eviction']);
    expect(await phases(s)).toEqual(['Stale Done 1']);
    const [annotated] = await s.requests('serviceaccounts');
    const [evicted] = await evictions(s);
    const settled = Date.parse(evicted?.requestReceivedTimestamp ?? '') - Date.parse(annotated?.stageTimestamp ?? '');
    // Conditions tell whole seconds, so it may be one less.
    expect(settled).toBeGreaterThanOrEqual(9_000);
  });
  // Contract: pods-rollout
  test('without the right nothing happens, and the condition says what to install; with it the template gets one annotation, once', async () => {
    suite.testbed.expectRefusal('patch deployments');
    const s = await prepared('rollout');
    await s.workload('deployments');
    const before = uidsOf(await s.allReady());
    const spec = await specOf(s, 'deployments');
    await s.bind(ROLLOUT);
    const { message } = await s.conditionIs('PodsCurrent', 'False', 'RolloutForbidden');
    expect(message).toContain('give irsa-operator the permission: kubectl apply -k config/rollout');
    await s.conditionIs('Stalled', 'True', 'RolloutForbidden');
    expect(await specOf(s, 'deployments')).toEqual(spec);
    await suite.testbed.kubectl(['apply', '-f', 'config/rollout/rbac.yaml']);
    await until('both were replaced', async () => uidsOf(await s.pods()).every((uid) => !before.includes(uid)), PATIENCE);
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

/** The second eviction was asked for only after a replacement of the first pod had been made and bound. */
async function canaryCameFirst(s: Scene, [first, second]: readonly AuditEvent[]): Promise<boolean> {
  const from = Date.parse(first?.stageTimestamp ?? '');
  const until2 = Date.parse(second?.requestReceivedTimestamp ?? '');
  return (await suite.testbed.auditEvents()).some(({ objectRef, verb, stageTimestamp }) => {
    const at = Date.parse(stageTimestamp);
    return objectRef?.namespace === s.namespace && objectRef.subresource === 'status' && verb === 'patch' && at >= from && at <= until2;
  });
}

// Contract: pods-current
describe.concurrent('what the webhook touches', () => {
  test('init containers and sidecars carry the role too, skipped ones exempt', async () => {
    const s = await prepared('containers');
    const sidecar = { name: 'sidecar', image: 'x', restartPolicy: 'Always' };
    await s.workload('deployments', {
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
    await s.allReady(1);
    await s.bind();
    await s.conditionIs('PodsCurrent', 'True', 'Current');
    const [pod] = await s.allReady(1);
    expect(pod && rolesOfPod(pod)).toEqual([s.roleArn, undefined]);
    expect((await asked(s)).filter((line) => line === '201 create eviction')).toHaveLength(1);
  });

  test('a pod for Windows is current with the path of Windows', async () => {
    const s = await prepared('windows');
    await s.workload('deployments', { replicas: 1, pod: { nodeSelector: { 'kubernetes.io/os': 'windows' } } });
    await s.allReady(1);
    await s.bind();
    const [pod] = await allCurrent(s, 1);
    expect(pod?.spec.containers[0]?.env).toContainEqual({
      name: 'AWS_WEB_IDENTITY_TOKEN_FILE',
      value: 'C:\\var\\run\\secrets\\eks.amazonaws.com\\serviceaccount\\token',
    });
  });

  test('pods whose token has another audience than the binding now wants are replaced: another state, another attempt', async () => {
    const s = await prepared('audience');
    await s.workload('deployments', { replicas: 1 });
    await s.allReady(1);
    await s.bind();
    await allCurrent(s, 1);
    await s.change({ audience: 'other' });
    const audience = async () => JSON.stringify((await s.pods()).map(({ spec }) => spec.volumes));
    await until('the pod has a token for the other audience', async () => (await audience()).includes('"audience":"other"'), PATIENCE);
    await allCurrent(s, 1);
    expect(await phases(s)).toEqual(['Stale Done 1']);
    expect(await asked(s)).toEqual(['201 create eviction', '201 create eviction']);
  });

  test('an identity that the template sets is told, and no pod is restarted in vain; it goes on when the template is mended', async () => {
    const s = await prepared('overridden');
    const env = [
      { name: 'AWS_ROLE_ARN', value: `arn:aws:iam::${ACCOUNT}:role/old` },
      { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/token-of-before' },
    ];
    await s.workload('deployments', { container: { env } });
    const old = (await s.allReady()).map(({ metadata }) => metadata.name);
    await s.bind();
    const { message } = await s.conditionIs('PodsCurrent', 'False', 'PodEnvOverridden');
    expect(message).toContain(`its template sets AWS_ROLE_ARN to "arn:aws:iam::${ACCOUNT}:role/old"`);
    await s.conditionIs('Stalled', 'True', 'PodEnvOverridden');
    await s.lookAgain();
    expect(await asked(s)).toEqual([]);
    const containers = [{ name: 'app', image: 'app' }];
    await s.patch('deployments', 'app', { spec: { template: { spec: { containers } } } });
    await s.conditionIs('Ready', 'True', 'Ready');
    // The watch of the Deployment may show its rollout at an end before that of the pods shows the last old one going.
    expect((await evictions(s)).filter(({ objectRef }) => !old.includes(objectRef?.name ?? ''))).toEqual([]);
  });

  test('half of it in the template, and a volume with the webhook its name, are told likewise', async () => {
    const s = await prepared('partial');
    await s.workload('deployments', { replicas: 1, container: { env: [{ name: 'AWS_ROLE_ARN', value: s.roleArn }] } });
    const t = await prepared('volume-taken');
    await t.workload('deployments', { replicas: 1, pod: { volumes: [{ name: 'aws-iam-token', emptyDir: {} }] } });
    await s.allReady(1);
    await t.allReady(1);
    await s.bind();
    await t.bind();
    await s.conditionIs('PodsCurrent', 'False', 'PodPartialInjection');
    // The first pod was made before the annotation: only its replacement shows what the volume does.
    await t.conditionIs('PodsCurrent', 'False', 'VolumeNameTaken');
    await Promise.all([s.lookAgain(), t.lookAgain()]);
    expect(await asked(s)).toEqual([]);
    expect((await asked(t)).length).toBeLessThanOrEqual(2);
  });

  test('a pod with EKS Pod Identity is exempt, and a finding says so', async () => {
    const s = await prepared('pod-identity');
    // As the webhook of EKS Pod Identity would set both.
    const env = [{ name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' }];
    await s.workload('deployments', { replicas: 1, labels: { 'eks.amazonaws.com/pod-identity': 'enabled' }, container: { env } });
    await s.allReady(1);
    await s.bind();
    await s.conditionIs('Ready', 'True', 'Ready');
    const { status } = await s.binding();
    expect(status?.pods).toEqual({ total: 1, current: 0, stale: 0, exempt: 1, summary: '0/1' });
    expect(await s.findings()).toEqual(['PodIdentityShadowsIrsa']);
    await s.lookAgain();
    expect(await asked(s)).toEqual([]);
  });

  test('a pod with the label that skips the webhook is exempt, and a finding says so', async () => {
    const s = await prepared('skipped');
    await s.workload('deployments', { labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': '' } });
    await s.allReady();
    await s.bind();
    await s.conditionIs('Ready', 'True', 'Ready');
    const { status } = await s.binding();
    expect(status?.pods).toEqual({ total: 2, current: 0, stale: 0, exempt: 2, summary: '0/2' });
    expect(await s.findings()).toEqual(['WebhookSkipped']);
    await s.lookAgain();
    expect(await asked(s)).toEqual([]);
  });
});

// Contract: pods-left-alone
describe.concurrent('pods that are left alone', () => {
  const never: Record<string, object> = {
    'says-never': { 'irsa-operator.dev/restart': 'never' },
    'do-not-disrupt': { 'karpenter.sh/do-not-disrupt': 'true' },
    'do-not-evict': { 'karpenter.sh/do-not-evict': 'true' },
    'not-safe-to-evict': { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' },
  };
  for (const [name, annotations] of Object.entries(never)) {
    test(`a Deployment's pod that ${name.replaceAll('-', ' ')}`, async () => {
      const s = await prepared(name);
      await s.workload('deployments', { replicas: 1, annotations });
      await s.allReady(1);
      await expectLeftAlone(s, `its annotation ${Object.entries(annotations)[0]?.join(' is "')}"`);
    });
  }

  // Contract: pods-strategy
  test('a pod of a binding that restarts nothing: it says what is wrong', async () => {
    const s = await prepared('strategy-never');
    await s.workload('deployments');
    const before = uidsOf(await s.allReady());
    await s.bind({ restart: { strategy: 'Never' } });
    const { message } = await s.conditionIs('PodsCurrent', 'False', 'PodCredentialsMissing');
    expect(message).toContain('AWS_ROLE_ARN was not injected when the pod was created');
    await s.conditionIs('Stalled', 'True', 'PodCredentialsMissing');
    await s.lookAgain();
    expect([uidsOf(await s.pods()), await asked(s)]).toEqual([before, []]);
  });

  test('a pod of a Job', async () => {
    const s = await prepared('of-a-job');
    const template = {
      metadata: { labels: ASKS_STS },
      spec: { serviceAccountName: 'app', restartPolicy: 'OnFailure', containers: [{ name: 'app', image: 'app' }] },
    };
    await s.put('jobs', 'import', { spec: { template, backoffLimit: 1_000 } });
    await s.refused(1);
    await expectLeftAlone(s, 'Job "import" owns it');
  });

  // Contract: pods-advice
  test('pods of a Job, until they say evict, one after the other', async () => {
    const s = await prepared('of-a-job-twice');
    const spec = { serviceAccountName: 'app', restartPolicy: 'OnFailure', containers: [{ name: 'app', image: 'app' }] };
    const template = { metadata: { labels: ASKS_STS }, spec };
    await s.put('jobs', 'import', { spec: { template, parallelism: 2, completions: 2, backoffLimit: 1_000 } });
    await s.refused(2);
    const before = uidsOf(await s.pods());
    await expectLeftAlone(s, 'Wait for its end, or annotate the pod irsa-operator.dev/restart=evict');
    for (const { metadata } of await s.pods()) {
      await s.patch('pods', metadata.name, { metadata: { annotations: { 'irsa-operator.dev/restart': 'evict' } } });
      await until(`${metadata.name} is gone`, async () => !uidsOf(await s.pods()).includes(metadata.uid), PATIENCE);
    }
    expect(uidsOf(await allCurrent(s)).filter((uid) => before.includes(uid))).toEqual([]);
  });

  test('a pod of the operator itself, as config/manager deploys it', async () => {
    const s = await suite.scene(OPERATOR_NAMESPACE);
    s.role(policy(allowing(suite.testbed.issuer, s.subjectOf('irsa-operator'))));
    await suite.testbed.kubectl(['apply', '-k', 'config/manager']);
    await s.allReady(2);
    await expectLeftAlone(s, 'its annotation irsa-operator.dev/restart is "never"', { serviceAccountName: 'irsa-operator' });
  });

  test('a bare pod, until it says evict', async () => {
    const s = await prepared('bare');
    const spec = { serviceAccountName: 'app', containers: [{ name: 'app', image: 'app' }] };
    await s.put('pods', 'bare', { spec });
    await s.allReady(1);
    await expectLeftAlone(s, 'no controller owns it');
    await s.patch('pods', 'bare', { metadata: { annotations: { 'irsa-operator.dev/restart': 'evict' } } });
    await until('it is gone', async () => (await s.pods()).length === 0, PATIENCE);
  });
});

/** After all that runs concurrently: the right to roll out is there by now. */
describe('rollouts', () => {
  // Contract: pods-rollout
  test('a StatefulSet and a DaemonSet are rolled out likewise', async () => {
    const rolledOut = async (plural: WorkloadKind) => {
      const s = await prepared(`rollout-${plural}`);
      await s.workload(plural, { replicas: 1, pod: { tolerations: [{ operator: 'Exists' }] } });
      await s.allReady(1);
      await s.bind(ROLLOUT);
      await allCurrent(s, 1);
      expect(await asked(s)).toEqual([`200 patch ${plural}`]);
    };
    await Promise.all([rolledOut('statefulsets'), rolledOut('daemonsets')]);
  });

  // Contract: pods-rollout
  test('a paused Deployment and a StatefulSet with OnDelete are reported', async () => {
    const paused = await prepared('paused');
    await paused.workload('deployments', { replicas: 1 });
    await paused.allReady(1);
    await paused.patch('deployments', 'app', { spec: { paused: true } });
    const onDelete = await prepared('on-delete');
    await onDelete.workload('statefulsets', { replicas: 1, spec: { updateStrategy: { type: 'OnDelete' } } });
    await onDelete.allReady(1);
    await paused.bind(ROLLOUT);
    await onDelete.bind(ROLLOUT);
    const { message } = await paused.conditionIs('PodsCurrent', 'False', 'PodNotRestartable');
    expect(message).toContain('Deployment "app" is paused, so a rollout replaces no pod. Resume it');
    const other = await onDelete.conditionIs('PodsCurrent', 'False', 'PodNotRestartable');
    expect(other.message).toContain('StatefulSet "app" has the update strategy OnDelete');
    await Promise.all([paused.lookAgain(), onDelete.lookAgain()]);
    expect([...(await asked(paused)), ...(await asked(onDelete))]).toEqual([]);
    await paused.patch('deployments', 'app', { spec: { paused: false } });
    await allCurrent(paused, 1);
  });
});

/** Told after it has settled and not before, and nothing is asked of any pod. */
async function expectLeftAlone(s: Scene, why: string, spec: Record<string, unknown> = {}): Promise<void> {
  const before = uidsOf(await s.pods());
  await s.bind(spec);
  const told = new Set<string>();
  await until(
    `PodNotRestartable in ${s.namespace}`,
    async () => {
      const seen = await s.binding();
      const [stalled, pods] = [conditionOf(seen, 'Stalled'), conditionOf(seen, 'PodsCurrent')];
      if (stalled !== undefined) told.add(`Stalled ${pods?.reason}`);
      else if (pods?.reason === 'Settling') told.add('Settling');
      return pods?.reason === 'PodNotRestartable' && pods.message.includes(why);
    },
    PATIENCE,
  );
  expect([...told]).toEqual(['Settling', 'Stalled PodNotRestartable']);
  await s.lookAgain();
  expect(uidsOf(await s.pods())).toEqual(before);
  expect(await asked(s)).toEqual([]);
}

describe('one attempt for each desired state', () => {
  // Contract: pods-one-attempt
  test('an operator that is killed in the middle of a restart goes on where it was: each pod goes once', async () => {
    const s = await prepared('killed');
    await s.workload('deployments', { replicas: 4 });
    const before = uidsOf(await s.allReady(4));
    await s.bind();
    const left = async () => uidsOf(await s.pods()).filter((uid) => before.includes(uid)).length;
    await until('the first pod went', async () => (await left()) < 4, PATIENCE);
    suite.operator.kill('SIGKILL');
    const record = (await s.binding()).status?.restarts;
    await suite.start();
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
    const { metadata, webhooks } = await suite.api.call<{ metadata: { name: string }; webhooks: object[] }>(
      'GET',
      `${path}/pod-identity-webhook`,
    );
    await suite.api.call('DELETE', `${path}/${metadata.name}`);
    const s = await prepared('no-webhook');
    await s.workload('deployments');
    await s.allReady();
    await s.bind();
    const { message } = await s.conditionIs('PodsCurrent', 'False', 'RestartIneffective');
    expect(message).toMatch(
      /^ReplicaSet "app-.*" was restarted 2 times and its new pods are still wrong: pod no-webhook\/app-.*: AWS_ROLE_ARN/,
    );
    expect(message).toContain('The EKS pod identity webhook did not touch the new pod: is its MutatingWebhookConfiguration there');
    expect(await asked(s)).toEqual(['201 create eviction', '201 create eviction']);
    await suite.restart();
    await until('it leads', () => suite.operator.log.some(({ msg }) => msg === 'became leader'), PATIENCE);
    await s.lookAgain();
    expect(await asked(s)).toEqual(['201 create eviction', '201 create eviction']);
    await s.conditionIs('Stalled', 'True', 'RestartIneffective');
    await suite.api.call('POST', path, { body: { metadata: { name: metadata.name }, webhooks } });
  });
});

import { until } from '@irsa-operator/testbed';
import { describe, expect, test } from 'vitest';
import { allowing, policy } from '../harness/policies.ts';
import { ASKS_STS, inWords, type Scene } from '../harness/scene.ts';
import { integrationSuite } from '../harness/suite.ts';
import { rolesOfPod, uidsOf } from '../harness/views.ts';

/** Containers whose template sets credentials itself, with the real webhook: each is judged by itself, and none keeps the others from being mended. */
const PATIENCE = { timeoutMs: 120_000 };
const LIFETIME = 'eks.amazonaws.com/token-expiration';
const PATH = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const suite = integrationSuite({ grant: {} });

/** A namespace with a role that lets the ServiceAccount in already, which is not annotated yet: pods made now lack the role. */
async function prepared(name: string): Promise<Scene> {
  const s = await suite.scene(name);
  s.role(policy(allowing(suite.testbed.issuer, s.subject)));
  await s.serviceAccount();
  return s;
}

const identity = (role: string, file = `${PATH}/token`) => [
  { name: 'AWS_ROLE_ARN', value: role },
  { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: file },
];
const app = { name: 'app', image: 'app' };
const evictions = async (s: Scene) => (await s.requests('pods')).map(inWords).filter((line) => line === '201 create pods/eviction').length;
/** The webhook answers from a cache, so not at once. */
async function apiServerRefuses(s: Scene, spec: object, why: RegExp): Promise<void> {
  const refusal = async () => {
    await s.put('pods', 'another', { spec });
    await s.remove('pods', 'another');
  };
  const isRefused = () =>
    refusal().then(
      () => false,
      (error) => why.test(String(error)),
    );
  await until('the API server refuses such a pod', isRefused, PATIENCE);
}
const messages = async (s: Scene) => (await s.binding()).status?.findings?.map(({ code, message }) => [code, message]);

// Contract: pods-template
describe.concurrent('a container with an identity of its own', () => {
  test('a sidecar with another role is reported, and the pods are replaced for the container that lacks the role', async () => {
    const s = await prepared('own-sidecar');
    const logs = s.role(policy(allowing(suite.testbed.issuer, s.subject)), { name: 'role-of-logs' });
    await s.workload('deployments', { labels: ASKS_STS, pod: { containers: [app, { ...app, name: 'logs', env: identity(logs) }] } });
    await until('its pods are there', async () => (await s.pods()).length === 2, PATIENCE);
    await s.bind();
    const { message } = await s.conditionIs('Ready', 'True', 'Ready');
    expect(message).toBe('role, ServiceAccount and pods agree. Warnings about pods: PodEnvOverridden. See status.findings');
    expect((await s.allReady()).map(rolesOfPod)).toEqual([
      [s.roleArn, logs],
      [s.roleArn, logs],
    ]);
    const token = `"${PATH}/token"`;
    expect(await messages(s)).toEqual([
      [
        'PodEnvOverridden',
        `Deployment "app", container "logs": its template sets AWS_ROLE_ARN to "${logs}" and AWS_WEB_IDENTITY_TOKEN_FILE to ${token}, which the webhook does not overwrite. Wanted: "${s.roleArn}" and ${token}. If this is intended, name the container in the annotation eks.amazonaws.com/skip-containers, and mount a token of its own`,
      ],
    ]);
    await s.lookAgain();
    const { status } = await s.binding();
    expect(status?.pods).toEqual({ total: 2, current: 2, stale: 0, exempt: 0, summary: '2/2' });
    expect(await evictions(s)).toBe(2);
  });

  test('one that brings role, token and volume, as kOps does, is exempt, and nothing is restarted', async () => {
    const s = await prepared('own-token');
    const sources = [{ serviceAccountToken: { audience: 'amazonaws.com', expirationSeconds: 86_400, path: 'token' } }];
    const container = {
      ...app,
      env: identity(s.roleArn, '/var/run/secrets/amazonaws.com/token'),
      volumeMounts: [{ name: 'token-amazonaws-com', mountPath: '/var/run/secrets/amazonaws.com/', readOnly: true }],
    };
    const volumes = [{ name: 'token-amazonaws-com', projected: { sources } }];
    await s.workload('deployments', { pod: { containers: [container], volumes } });
    const before = uidsOf(await s.allReady());
    await s.bind();
    await s.conditionIs('Ready', 'True', 'Ready');
    expect((await s.binding()).status?.pods).toEqual({ total: 2, current: 0, stale: 0, exempt: 2, summary: '0/2' });
    expect(await s.findings()).toEqual(['PodEnvOverridden']);
    await s.lookAgain();
    expect([uidsOf(await s.pods()), await evictions(s)]).toEqual([before, 0]);
  });

  test('half an injection in a sidecar is reported, and the other container is mended all the same', async () => {
    const s = await prepared('own-half');
    const half = { ...app, name: 'half', env: identity(s.roleArn).slice(0, 1) };
    await s.workload('deployments', { pod: { containers: [app, half] } });
    const before = uidsOf(await s.allReady());
    await s.bind();
    const mended = async () => (await s.pods()).every((pod) => !before.includes(pod.metadata.uid) && rolesOfPod(pod)[0] === s.roleArn);
    await until('both pods were replaced', mended, PATIENCE);
    const { message } = await s.conditionIs('PodsCurrent', 'False', 'PodPartialInjection');
    expect(message).toBe(
      'Deployment "app", container "half": its template sets AWS_ROLE_ARN and not AWS_WEB_IDENTITY_TOKEN_FILE, so the webhook adds neither. Set neither',
    );
    await s.conditionIs('Stalled', 'True', 'PodPartialInjection');
    await s.lookAgain();
    expect(await evictions(s)).toBe(2);
  });

  // Contract: pods-barred
  test('a foreign mount on the path of the webhook: no pod is evicted, because the API server would refuse the next', async () => {
    const s = await prepared('own-mount');
    const volumes = [{ name: 'data', emptyDir: {} }];
    const containers = [
      { ...app, volumeMounts: [{ name: 'data', mountPath: PATH }] },
      { ...app, name: 'other' },
    ];
    await s.workload('deployments', { pod: { containers, volumes } });
    const before = uidsOf(await s.allReady());
    await s.bind();
    const { message } = await s.conditionIs('PodsCurrent', 'False', 'MountPathTaken');
    expect(message).toContain(`Deployment "app", container "app": its template mounts the volume "data" on "${PATH}"`);
    await apiServerRefuses(s, { serviceAccountName: 'app', containers, volumes }, /must be unique/);
    await s.lookAgain();
    expect([uidsOf(await s.pods()), await evictions(s)]).toEqual([before, 0]);
  });

  // Contract: pods-barred
  test('a token lifetime that Kubernetes refuses: no pod is evicted before it is lowered', async () => {
    const s = await prepared('own-lifetime');
    await s.annotate({ [LIFETIME]: '4294967297' }, 'helm');
    await s.workload('deployments', { pod: { containers: [app] } });
    const before = uidsOf(await s.allReady());
    await s.bind();
    const { message } = await s.conditionIs('Annotated', 'False', 'TokenExpirationInvalid');
    expect(message).toContain(`annotation ${LIFETIME} is "4294967297", and Kubernetes allows 4294967296 seconds`);
    await apiServerRefuses(s, { serviceAccountName: 'app', containers: [app] }, /larger than 2\^32 seconds/);
    await s.lookAgain();
    expect([uidsOf(await s.pods()), await evictions(s)]).toEqual([before, 0]);
    await s.annotate({ [LIFETIME]: '4294967296' }, 'helm');
    await s.conditionIs('Ready', 'True', 'Ready');
    expect((await s.allReady()).map(rolesOfPod)).toEqual([[s.roleArn], [s.roleArn]]);
  });
});

// Contract: pods-static
describe.concurrent('credentials beside the role', () => {
  test('access keys in the environment are reported: the pods get the role, and Ready does not say without a remark that all agree', async () => {
    const s = await prepared('static-keys');
    const fromSecret = (key: string) => ({ secretKeyRef: { name: 'document-store', key } });
    const env = [
      { name: 'AWS_REGION', value: 'us-east-1' },
      { name: 'AWS_ACCESS_KEY_ID', valueFrom: fromSecret('id') },
      { name: 'AWS_SECRET_ACCESS_KEY', valueFrom: fromSecret('secret') },
    ];
    await s.workload('deployments', { replicas: 1, container: { env } });
    await s.allReady(1);
    await s.bind();
    const { message } = await s.conditionIs('Ready', 'True', 'Ready');
    expect(message).toBe('role, ServiceAccount and pods agree. Warnings about pods: PodStaticCredentials. See status.findings');
    expect((await s.pods()).flatMap(rolesOfPod)).toEqual([s.roleArn]);
    expect(await messages(s)).toEqual([
      [
        'PodStaticCredentials',
        'Deployment "app", container "app": its environment has AWS_ACCESS_KEY_ID (Secret "document-store", key "id") and AWS_SECRET_ACCESS_KEY (Secret "document-store", key "secret"). Most AWS SDKs use access keys of the environment before the role. Remove this from the template, or delete the binding',
      ],
    ]);
  });

  test('a profile in an init container is reported, without the value that a person wrote there', async () => {
    const s = await prepared('static-profile');
    const init = { name: 'init', image: 'x', env: [{ name: 'AWS_PROFILE', value: 'secret-name' }] };
    await s.workload('deployments', { replicas: 1, pod: { initContainers: [init] } });
    await s.allReady(1);
    await s.bind();
    await s.conditionIs('Ready', 'True', 'Ready');
    const [found] = (await messages(s)) ?? [];
    expect(found?.join(' ')).toMatch(/^PodStaticCredentials Deployment "app", container "init": its environment has AWS_PROFILE\./);
    expect(JSON.stringify(await s.binding())).not.toContain('secret-name');
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Container, Owner, Pod } from '../../api/cluster.ts';
import { type FindingCode, finding } from '../../api/finding.ts';
import { daemonSet, job, podOf, replicaSet, statefulSet } from '../test-cluster.ts';
import { ARN, OTHER_ARN } from '../test-observed.ts';
import { type PodState, podState, reasonToLeaveAlone } from './pod-state.ts';
import { adviceFor } from './restart/owner.ts';

const desired = { roleArn: ARN, audience: 'sts.amazonaws.com' };
const TOKEN = '/var/run/secrets/eks.amazonaws.com/serviceaccount/token';
const WINDOWS_TOKEN = 'C:\\var\\run\\secrets\\eks.amazonaws.com\\serviceaccount\\token';
const right = { AWS_ROLE_ARN: ARN, AWS_WEB_IDENTITY_TOKEN_FILE: TOKEN };
const podIdentity = { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials' };

function container(env: Container['env'] = right, part: Partial<Container> = {}): Container {
  return { name: 'app', env, mountsToken: true, ...part };
}

const pod = (part: Partial<Pod> = {}, owner: Owner | undefined = replicaSet) => podOf(owner, 'app-1', part);
const withContainers = (...containers: Container[]) => pod({ containers });
const skipping = (names: string, ...containers: Container[]) =>
  pod({ containers, annotations: { 'eks.amazonaws.com/skip-containers': names } });

function stale(code: FindingCode, message: string): PodState {
  return { kind: 'stale', finding: finding(code, message), leftAlone: undefined };
}

/** What its template fixes: each new pod would be as wrong. */
const faulty = (code: FindingCode, message: string): PodState => {
  const found = finding(code, message);
  return { kind: 'faulty', finding: found, hasRole: false, told: [found] };
};
/** It works by what its template sets. */
const byItself = (message: string): PodState => {
  const found = finding('PodEnvOverridden', message);
  return { kind: 'exempt', finding: found, told: [found] };
};
const exempt = (code: FindingCode, message: string): PodState => ({ kind: 'exempt', finding: finding(code, message) });
const OWN = 'ReplicaSet "app-5d9c", container "app": its template sets';
const sets = (role: string, file: string, wanted = TOKEN) =>
  `${OWN} AWS_ROLE_ARN to ${role} and AWS_WEB_IDENTITY_TOKEN_FILE to ${file}, which the webhook does not overwrite. Wanted: "${ARN}" and "${wanted}"`;
const LEAVE_OUT = 'If this is intended, name the container in the annotation eks.amazonaws.com/skip-containers';
const nothingThere = (file: string, wanted?: string) =>
  faulty('PodEnvOverridden', sets(`"${ARN}"`, `${file}, where there is no token`, wanted));
const partial = (key: string, other: string) =>
  faulty('PodPartialInjection', `${OWN} ${key} and not ${other}, so the webhook adds neither. Set neither`);
const ELSEWHERE = 'a value from another object (valueFrom)';

const missing = (name = 'app') =>
  stale(
    'PodCredentialsMissing',
    `pod shop/app-1, container "${name}": AWS_ROLE_ARN was not injected when the pod was created. Wanted: "${ARN}"`,
  );
const notMounted = (file: string) =>
  stale(
    'PodCredentialsMissing',
    `pod shop/app-1, container "app": the token volume "aws-iam-token" is not mounted where AWS_WEB_IDENTITY_TOKEN_FILE (${file}) looks for it`,
  );
const current: PodState = { kind: 'current' };

const states: Record<string, { pod: Pod; wanted: PodState }> = {
  'is current with role, token and audience': { pod: pod(), wanted: current },
  'is current when a second container is too': { pod: withContainers(container(), container(right, { name: 'sidecar' })), wanted: current },
  'is current on Windows with the path of Windows': {
    pod: pod({ windows: true, containers: [container({ ...right, AWS_WEB_IDENTITY_TOKEN_FILE: WINDOWS_TOKEN })] }),
    wanted: current,
  },
  'is current when the container that lacks the role is skipped': {
    pod: skipping('proxy,sidecar', container(), container({}, { name: 'sidecar' })),
    wanted: current,
  },
  'lacks the role when the webhook never saw it': { pod: withContainers(container({}, { mountsToken: false })), wanted: missing() },
  'lacks the role in its init container': { pod: withContainers(container({}, { name: 'init' }), container()), wanted: missing('init') },
  'has only the role, which the webhook never does': {
    pod: withContainers(container({ AWS_ROLE_ARN: ARN })),
    wanted: partial('AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE'),
  },
  'has only the token file, which the webhook never does': {
    pod: withContainers(container({ AWS_WEB_IDENTITY_TOKEN_FILE: TOKEN })),
    wanted: partial('AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_ROLE_ARN'),
  },
  'lacks the role where skip-containers has a blank, as the webhook reads it': {
    pod: skipping('proxy, app', container({})),
    wanted: missing(),
  },
  'is exempt where skip-containers quotes the name, as the webhook reads it': {
    pod: skipping('"app"', container({})),
    wanted: exempt(
      'ContainerSkipped',
      'pod shop/app-1: the webhook skips every container because of its annotation eks.amazonaws.com/skip-containers',
    ),
  },
  'lacks the role where skip-containers cannot be read: the webhook then skips nothing': {
    pod: skipping('app,"b', container({})),
    wanted: missing(),
  },
  'lacks the role where skip-containers only begins with its name': {
    pod: skipping('application', container({}), container(right, { name: 'b' })),
    wanted: missing(),
  },
  'has the role of before': {
    pod: withContainers(container({ ...right, AWS_ROLE_ARN: OTHER_ARN })),
    wanted: stale(
      'PodRoleArnStale',
      `pod shop/app-1, container "app": AWS_ROLE_ARN is "${OTHER_ARN}", as the annotation was when the pod was created. Wanted: "${ARN}"`,
    ),
  },
  'has a role from elsewhere (valueFrom), which the webhook never does': {
    pod: withContainers(container({ ...right, AWS_ROLE_ARN: undefined })),
    wanted: byItself(`${sets(ELSEWHERE, `"${TOKEN}"`)}. ${LEAVE_OUT}, and mount a token of its own`),
  },
  'has a token file from elsewhere (valueFrom), which the webhook never does': {
    pod: withContainers(container({ ...right, AWS_WEB_IDENTITY_TOKEN_FILE: undefined })),
    wanted: byItself(`${sets(`"${ARN}"`, ELSEWHERE)}. ${LEAVE_OUT}`),
  },
  'has another token file than the webhook writes, and nothing there': {
    pod: withContainers(container({ ...right, AWS_WEB_IDENTITY_TOKEN_FILE: '/token' })),
    wanted: nothingThere('"/token"'),
  },
  'does not mount the token': { pod: withContainers(container(right, { mountsToken: false })), wanted: notMounted(`"${TOKEN}"`) },
  'has no volume with the token': { pod: pod({ tokenAudience: undefined, containers: [container()] }), wanted: notMounted(`"${TOKEN}"`) },
  'has the path of Linux on Windows': {
    pod: pod({ windows: true, containers: [container()] }),
    wanted: nothingThere(`"${TOKEN}"`, WINDOWS_TOKEN),
  },
  'has the path of Windows on Linux': {
    pod: withContainers(container({ ...right, AWS_WEB_IDENTITY_TOKEN_FILE: WINDOWS_TOKEN })),
    wanted: nothingThere(`"${WINDOWS_TOKEN}"`),
  },
  'has a token for another audience': {
    pod: pod({ tokenAudience: 'sigstore' }),
    wanted: stale(
      'PodAudienceStale',
      'pod shop/app-1, container "app": its token has the audience "sigstore". Wanted: "sts.amazonaws.com"',
    ),
  },
  'is exempt by the label that skips the webhook, whatever its value': {
    pod: pod({ labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': '' }, containers: [container({})] }),
    wanted: exempt(
      'WebhookSkipped',
      'pod shop/app-1: the webhook skips it because of its label eks.amazonaws.com/skip-pod-identity-webhook',
    ),
  },
  'is exempt when every container is skipped': {
    pod: skipping('app', container({})),
    wanted: exempt(
      'ContainerSkipped',
      'pod shop/app-1: the webhook skips every container because of its annotation eks.amazonaws.com/skip-containers',
    ),
  },
  'is exempt with EKS Pod Identity': {
    pod: withContainers(container(podIdentity)),
    wanted: exempt(
      'PodIdentityShadowsIrsa',
      'pod shop/app-1 has credentials from EKS Pod Identity, so the webhook injects no role. Remove the association or the binding',
    ),
  },
  'is not exempt when Pod Identity is in one of two containers': {
    pod: withContainers(container(podIdentity), container({}, { name: 'sidecar' })),
    wanted: missing(),
  },
  'is judged by its role where it has Pod Identity as well': {
    pod: withContainers(container({ ...podIdentity, ...right, AWS_ROLE_ARN: OTHER_ARN })),
    wanted: {
      ...stale(
        'PodRoleArnStale',
        `pod shop/app-1, container "app": AWS_ROLE_ARN is "${OTHER_ARN}", as the annotation was when the pod was created. Wanted: "${ARN}"`,
      ),
      told: [
        finding(
          'PodStaticCredentials',
          'ReplicaSet "app-5d9c", container "app": its environment has AWS_CONTAINER_CREDENTIALS_FULL_URI. AWS SDKs use the role before container credentials. Remove this from the template, or delete the binding',
        ),
      ],
    },
  },
};
// Contract: pods-current
describe('a pod', () => {
  for (const [sentence, { pod: one, wanted }] of Object.entries(states))
    test(sentence, () => expect(podState(one, desired)).toEqual(wanted));

  const lives = (found: number | string, wanted: number) =>
    stale('PodExpirationStale', `pod shop/app-1, container "app": its token is valid for ${found} s. Wanted: ${wanted} s`);
  const own = (value: string) => ({ annotations: { 'eks.amazonaws.com/token-expiration': value } });
  const expirations: [sentence: string, pod: Partial<Pod>, wanted: number | undefined, state: PodState][] = [
    ['counts not where the binding does not set it', {}, undefined, current],
    ['counts where the binding sets it', {}, 3600, lives(86_400, 3600)],
    ['is right', { tokenExpirationSeconds: 3600 }, 3600, current],
    ['counts not where the pod sets it', own('7200'), 3600, current],
    ['counts where what the pod sets is no number, as for the webhook', own('1h'), 3600, lives(86_400, 3600)],
    ['is at least ten minutes, as for the webhook', { tokenExpirationSeconds: 600 }, 60, current],
    ['counts where the volume does not tell it', { tokenExpirationSeconds: undefined }, 3600, lives('an unknown number of', 3600)],
  ];
  test.each(expirations)('the life of its token %s', (_, part, tokenExpirationSeconds, wanted) =>
    expect(podState(pod(part), { ...desired, tokenExpirationSeconds })).toEqual(wanted),
  );

  test('that is stale and may not be restarted says why', () => {
    const one = podOf(job, 'app-1', { containers: [container({})] });
    const leftAlone = finding('PodNotRestartable', `pod "app-1" lacks the role and is not restarted: ${adviceFor(job)}`);
    expect(podState(one, desired)).toEqual({ ...missing(), leftAlone });
  });

  // Contract: pods-held
  test('that is stale and that its owner restarts by hand says why', () => {
    const one = podOf(statefulSet, 'db-0', { containers: [container({})] });
    const leftAlone = finding('PodNotRestartable', 'pod "db-0" lacks the role and is not restarted: it is held');
    expect(podState(one, desired, undefined, 'it is held')).toMatchObject({ kind: 'stale', leftAlone });
  });

  // Contract: pods-advice
  test('that has an annotation against restarts as well says both, and does what its owner needs', () => {
    const one = podOf(statefulSet, 'db-0', { containers: [container({})], annotations: { 'karpenter.sh/do-not-disrupt': 'true' } });
    const held = 'StatefulSet "db" has the update strategy OnDelete. Delete the pod yourself';
    const why = `its annotation karpenter.sh/do-not-disrupt is "true", and ${held}`;
    const leftAlone = finding('PodNotRestartable', `pod "db-0" lacks the role and is not restarted: ${why}`);
    expect(podState(one, desired, undefined, held)).toMatchObject({ kind: 'stale', leftAlone });
  });

  test('that is current and that its owner restarts by hand is current', () =>
    expect(podState(podOf(statefulSet, 'db-0'), desired, undefined, 'it is held')).toEqual(current));
});

const NEVER = { 'irsa-operator.dev/restart': 'never' };
const EVICT = { 'irsa-operator.dev/restart': 'evict' };
const KARPENTER = { 'karpenter.sh/do-not-disrupt': 'true' };
const FORMER_KARPENTER = { 'karpenter.sh/do-not-evict': 'true' };
const AUTOSCALER = { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' };

const reasons: Record<string, { owner: Owner | undefined; part?: Partial<Pod>; wanted: string | undefined }> = {
  'a pod of a ReplicaSet may be restarted': { owner: replicaSet, wanted: undefined },
  'a pod of a StatefulSet may be restarted': { owner: statefulSet, wanted: undefined },
  'a pod of a DaemonSet may be restarted': { owner: daemonSet, wanted: undefined },
  'a pod of a Job is left alone': { owner: job, wanted: adviceFor(job) },
  'a pod of a workflow engine is left alone': {
    owner: { kind: 'TaskRun', name: 'build', uid: 'task' },
    wanted: adviceFor({ kind: 'TaskRun', name: 'build', uid: 'task' }),
  },
  'a bare pod is left alone': { owner: undefined, wanted: adviceFor(undefined) },
  'a pod of a Job that says evict may be restarted': { owner: job, part: { annotations: EVICT }, wanted: undefined },
  'a bare pod that says evict may be restarted': { owner: undefined, part: { annotations: EVICT }, wanted: undefined },
  'a pod that says never is left alone': {
    owner: replicaSet,
    part: { annotations: NEVER },
    wanted: 'its annotation irsa-operator.dev/restart is "never". Remove it, or delete the pod yourself',
  },
  'a pod that Karpenter must not disrupt is left alone, also when it says evict': {
    owner: job,
    part: { annotations: { ...EVICT, ...KARPENTER } },
    wanted: 'its annotation karpenter.sh/do-not-disrupt is "true". Remove it, or recreate the pod yourself',
  },
  'a pod that an older Karpenter must not evict is left alone, also when it says evict': {
    owner: job,
    part: { annotations: { ...EVICT, ...FORMER_KARPENTER } },
    wanted: 'its annotation karpenter.sh/do-not-evict is "true". Remove it, or recreate the pod yourself',
  },
  'a pod of a ReplicaSet that an older Karpenter must not evict is left alone': {
    owner: replicaSet,
    part: { annotations: FORMER_KARPENTER },
    wanted: 'its annotation karpenter.sh/do-not-evict is "true". Remove it, or delete the pod yourself',
  },
  'a pod that is not safe to evict is left alone': {
    owner: statefulSet,
    part: { annotations: AUTOSCALER },
    wanted: 'its annotation cluster-autoscaler.kubernetes.io/safe-to-evict is "false". Remove it, or delete the pod yourself',
  },
  'a pod that says the contrary of all may be restarted': {
    owner: replicaSet,
    part: {
      annotations: {
        'karpenter.sh/do-not-disrupt': 'false',
        'karpenter.sh/do-not-evict': 'false',
        'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true',
      },
    },
    wanted: undefined,
  },
  'a static pod is left alone, also when it says evict': {
    owner: { kind: 'Node', name: 'node-1', uid: 'node' },
    part: { mirror: true, annotations: EVICT },
    wanted: 'it is a static pod, which the API cannot restart. Change its manifest on the node',
  },
};
for (const [sentence, { owner, part = {}, wanted }] of Object.entries(reasons))
  test(sentence, () => expect(reasonToLeaveAlone(podOf(owner, 'app-1', part))).toBe(wanted));

test("the operator's own pods are left alone: its Deployment says so", () => {
  const manifest = parse(readFileSync(new URL('../../../config/manager/deployment.yaml', import.meta.url), 'utf8')) as {
    spec: { template: { metadata: { annotations: Record<string, string> } } };
  };
  const { annotations } = manifest.spec.template.metadata;
  expect(reasonToLeaveAlone(podOf(replicaSet, 'irsa-operator-1', { annotations }))).toBe(
    'its annotation irsa-operator.dev/restart is "never". Remove it, or delete the pod yourself',
  );
});

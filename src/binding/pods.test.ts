import { describe, expect, test } from 'vitest';
import type { Container, Owner, Pod } from '../api/cluster.ts';
import { type FindingCode, finding } from '../api/finding.ts';
import { type PodState, podState, reasonToLeaveAlone } from './pods.ts';
import { ARN, OTHER_ARN } from './test-observed.ts';
import { daemonSet, job, podOf, replicaSet, statefulSet } from './test-world.ts';

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
  return { kind: 'stale', finding: finding(code, message), restartable: true, why: undefined };
}

const missing = (name = 'app') =>
  stale(
    'PodCredentialsMissing',
    `pod shop/app-1, container "${name}": AWS_ROLE_ARN was not injected when the pod was made; wanted "${ARN}"`,
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
    pod: skipping('proxy, sidecar', container(), container({}, { name: 'sidecar' })),
    wanted: current,
  },
  'lacks the role when the webhook never saw it': { pod: withContainers(container({}, { mountsToken: false })), wanted: missing() },
  'lacks the role in its init container': { pod: withContainers(container({}, { name: 'init' }), container()), wanted: missing('init') },
  'lacks the token file': { pod: withContainers(container({ AWS_ROLE_ARN: ARN })), wanted: missing() },
  'lacks the role where skip-containers only begins with its name': {
    pod: skipping('application', container({}), container(right, { name: 'b' })),
    wanted: missing(),
  },
  'has the role of before': {
    pod: withContainers(container({ ...right, AWS_ROLE_ARN: OTHER_ARN })),
    wanted: stale(
      'PodRoleArnStale',
      `pod shop/app-1, container "app": AWS_ROLE_ARN is "${OTHER_ARN}", as the annotation said when the pod was made; wanted "${ARN}"`,
    ),
  },
  'has a role from elsewhere (valueFrom)': {
    pod: withContainers(container({ ...right, AWS_ROLE_ARN: undefined })),
    wanted: stale(
      'PodRoleArnStale',
      `pod shop/app-1, container "app": AWS_ROLE_ARN is set from elsewhere (valueFrom), as the annotation said when the pod was made; wanted "${ARN}"`,
    ),
  },
  'has a token file from elsewhere (valueFrom)': {
    pod: withContainers(container({ ...right, AWS_WEB_IDENTITY_TOKEN_FILE: undefined })),
    wanted: notMounted('set from elsewhere (valueFrom)'),
  },
  'does not mount the token': { pod: withContainers(container(right, { mountsToken: false })), wanted: notMounted(`"${TOKEN}"`) },
  'has no volume with the token': { pod: pod({ tokenAudience: undefined, containers: [container()] }), wanted: notMounted(`"${TOKEN}"`) },
  'has the path of Linux on Windows': { pod: pod({ windows: true, containers: [container()] }), wanted: notMounted(`"${TOKEN}"`) },
  'has the path of Windows on Linux': {
    pod: withContainers(container({ ...right, AWS_WEB_IDENTITY_TOKEN_FILE: WINDOWS_TOKEN })),
    wanted: notMounted(`"${WINDOWS_TOKEN}"`),
  },
  'has a token for another audience': {
    pod: pod({ tokenAudience: 'sigstore' }),
    wanted: stale('PodAudienceStale', 'pod shop/app-1, container "app": its token has the audience "sigstore"; wanted "sts.amazonaws.com"'),
  },
  'is exempt by the label that skips the webhook, whatever its value': {
    pod: pod({ labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': '' }, containers: [container({})] }),
    wanted: { kind: 'exempt', why: 'its label eks.amazonaws.com/skip-pod-identity-webhook keeps the webhook away' },
  },
  'is exempt when every container is skipped': {
    pod: skipping('app', container({})),
    wanted: { kind: 'exempt', why: 'its annotation eks.amazonaws.com/skip-containers names every container' },
  },
  'is exempt with EKS Pod Identity': {
    pod: withContainers(container(podIdentity)),
    wanted: { kind: 'exempt', why: 'it gets credentials from EKS Pod Identity' },
  },
  'is not exempt when Pod Identity is in one of two containers': {
    pod: withContainers(container(podIdentity), container({}, { name: 'sidecar' })),
    wanted: missing(),
  },
  'is judged by its role where it has Pod Identity as well': {
    pod: withContainers(container({ ...podIdentity, ...right, AWS_ROLE_ARN: OTHER_ARN })),
    wanted: stale(
      'PodRoleArnStale',
      `pod shop/app-1, container "app": AWS_ROLE_ARN is "${OTHER_ARN}", as the annotation said when the pod was made; wanted "${ARN}"`,
    ),
  },
};
describe('a pod', () => {
  for (const [sentence, { pod: one, wanted }] of Object.entries(states))
    test(sentence, () => expect(podState(one, desired)).toEqual(wanted));

  test('that is stale and may not be restarted says why', () => {
    const one = podOf(job, 'app-1', { containers: [container({})] });
    const why = 'a Job controls it, so it may not come back; annotate it irsa-operator.dev/restart=evict, or restart it yourself';
    expect(podState(one, desired)).toEqual({ ...missing(), restartable: false, why });
  });
});

const advice = 'so it may not come back; annotate it irsa-operator.dev/restart=evict, or restart it yourself';
const NEVER = { 'irsa-operator.dev/restart': 'never' };
const EVICT = { 'irsa-operator.dev/restart': 'evict' };
const KARPENTER = { 'karpenter.sh/do-not-disrupt': 'true' };
const AUTOSCALER = { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' };

const reasons: Record<string, { owner: Owner | undefined; part?: Partial<Pod>; wanted: string | undefined }> = {
  'a pod of a ReplicaSet may be restarted': { owner: replicaSet, wanted: undefined },
  'a pod of a StatefulSet may be restarted': { owner: statefulSet, wanted: undefined },
  'a pod of a DaemonSet may be restarted': { owner: daemonSet, wanted: undefined },
  'a pod of a Job is left alone': { owner: job, wanted: `a Job controls it, ${advice}` },
  'a pod of a workflow engine is left alone': {
    owner: { kind: 'TaskRun', name: 'build', uid: 'task' },
    wanted: `a TaskRun controls it, ${advice}`,
  },
  'a bare pod is left alone': { owner: undefined, wanted: `nobody controls it, ${advice}` },
  'a pod of a Job that says evict may be restarted': { owner: job, part: { annotations: EVICT }, wanted: undefined },
  'a bare pod that says evict may be restarted': { owner: undefined, part: { annotations: EVICT }, wanted: undefined },
  'a pod that says never is left alone': {
    owner: replicaSet,
    part: { annotations: NEVER },
    wanted: 'its annotation irsa-operator.dev/restart is "never"',
  },
  'a pod that Karpenter must not disrupt is left alone, also when it says evict': {
    owner: job,
    part: { annotations: { ...EVICT, ...KARPENTER } },
    wanted: 'its annotation karpenter.sh/do-not-disrupt is "true"',
  },
  'a pod that is not safe to evict is left alone': {
    owner: statefulSet,
    part: { annotations: AUTOSCALER },
    wanted: 'its annotation cluster-autoscaler.kubernetes.io/safe-to-evict is "false"',
  },
  'a pod that says the contrary of both may be restarted': {
    owner: replicaSet,
    part: { annotations: { 'karpenter.sh/do-not-disrupt': 'false', 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' } },
    wanted: undefined,
  },
  'a static pod is left alone, also when it says evict': {
    owner: { kind: 'Node', name: 'node-1', uid: 'node' },
    part: { mirror: true, annotations: EVICT },
    wanted: 'it is a static pod, which the API cannot restart',
  },
};
for (const [sentence, { owner, part = {}, wanted }] of Object.entries(reasons))
  test(sentence, () => expect(reasonToLeaveAlone(podOf(owner, 'app-1', part))).toBe(wanted));

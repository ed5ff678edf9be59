import type { Container, Pod } from '../api/cluster.ts';
import { type Finding, finding } from '../api/finding.ts';
import { ANNOTATIONS, INJECTED } from '../api/names.ts';

/** What the webhook shall have injected into each container. */
export interface DesiredInjection {
  readonly roleArn: string;
  readonly audience: string;
}

export type PodState =
  | { readonly kind: 'current' }
  | { readonly kind: 'stale'; readonly finding: Finding; readonly restartable: boolean; readonly why: string | undefined }
  | { readonly kind: 'exempt'; readonly why: string };

/** What the webhook writes (webhook source): the path differs on Windows nodes only. */
const TOKEN_FILE = '/var/run/secrets/eks.amazonaws.com/serviceaccount/token';
const TOKEN_FILE_WINDOWS = 'C:\\var\\run\\secrets\\eks.amazonaws.com\\serviceaccount\\token';
const SKIP_LABEL = 'eks.amazonaws.com/skip-pod-identity-webhook';
const SKIP_CONTAINERS = 'eks.amazonaws.com/skip-containers';
/** EKS Pod Identity injects this one instead, and the pod is right without a role ARN. */
const POD_IDENTITY = 'AWS_CONTAINER_CREDENTIALS_FULL_URI';

/** Controllers that make another pod when one is taken away. Everything else may hold work that a restart would lose. */
const REPLACING_OWNERS = ['ReplicaSet', 'StatefulSet', 'DaemonSet'];
const DO_NOT_DISTURB: readonly (readonly [string, string])[] = [
  [ANNOTATIONS.restart, 'never'],
  ['karpenter.sh/do-not-disrupt', 'true'],
  ['cluster-autoscaler.kubernetes.io/safe-to-evict', 'false'],
];

/** The annotations that decide here; an adapter needs to keep no others. */
export const POD_ANNOTATIONS = [SKIP_CONTAINERS, ...DO_NOT_DISTURB.map(([key]) => key)];
export const POD_LABELS = [SKIP_LABEL];

/** Whether a running pod carries what its ServiceAccount's annotation promises it. */
export function podState(pod: Pod, desired: DesiredInjection): PodState {
  if (SKIP_LABEL in pod.labels) return { kind: 'exempt', why: `its label ${SKIP_LABEL} keeps the webhook away` };
  const touched = containersOfTheWebhook(pod);
  if (touched.length === 0) return { kind: 'exempt', why: `its annotation ${SKIP_CONTAINERS} names every container` };
  if (touched.every((container) => POD_IDENTITY in container.env && !(INJECTED.roleArn in container.env))) {
    return { kind: 'exempt', why: 'it gets credentials from EKS Pod Identity' };
  }
  const wrong = touched.flatMap((container) => whatIsWrong(pod, container, desired))[0];
  if (wrong === undefined) return { kind: 'current' };
  const why = reasonToLeaveAlone(pod);
  return { kind: 'stale', finding: wrong, restartable: why === undefined, why };
}

function containersOfTheWebhook(pod: Pod): readonly Container[] {
  const skipped = (pod.annotations[SKIP_CONTAINERS] ?? '').split(',').map((name) => name.trim());
  return pod.containers.filter((container) => !skipped.includes(container.name));
}

function whatIsWrong(pod: Pod, container: Container, desired: DesiredInjection): Finding[] {
  const where = `pod ${pod.namespace}/${pod.name}, container "${container.name}"`;
  const role = container.env[INJECTED.roleArn];
  if (!(INJECTED.roleArn in container.env) || !(INJECTED.tokenFile in container.env)) {
    return [
      finding('PodCredentialsMissing', `${where}: ${INJECTED.roleArn} was not injected when the pod was made; wanted "${desired.roleArn}"`),
    ];
  }
  if (role !== desired.roleArn) {
    return [
      finding(
        'PodRoleArnStale',
        `${where}: ${INJECTED.roleArn} is ${quoted(role)}, as the annotation said when the pod was made; wanted "${desired.roleArn}"`,
      ),
    ];
  }
  const file = container.env[INJECTED.tokenFile];
  if (file !== (pod.windows ? TOKEN_FILE_WINDOWS : TOKEN_FILE) || !container.mountsToken || pod.tokenAudience === undefined) {
    return [
      finding(
        'PodCredentialsMissing',
        `${where}: the token volume "${INJECTED.volume}" is not mounted where ${INJECTED.tokenFile} (${quoted(file)}) looks for it`,
      ),
    ];
  }
  if (pod.tokenAudience !== desired.audience) {
    return [finding('PodAudienceStale', `${where}: its token has the audience "${pod.tokenAudience}"; wanted "${desired.audience}"`)];
  }
  return [];
}

function quoted(value: string | undefined): string {
  return value === undefined ? 'set from elsewhere (valueFrom)' : `"${value}"`;
}

/** Why a pod is never restarted by us, or `undefined` where it may be. */
export function reasonToLeaveAlone(pod: Pod): string | undefined {
  if (pod.mirror) return 'it is a static pod, which the API cannot restart';
  const wish = DO_NOT_DISTURB.find(([key, value]) => pod.annotations[key] === value);
  if (wish) return `its annotation ${wish[0]} is "${wish[1]}"`;
  if (pod.owner !== undefined && REPLACING_OWNERS.includes(pod.owner.kind)) return undefined;
  if (pod.annotations[ANNOTATIONS.restart] === 'evict') return undefined;
  const who = pod.owner === undefined ? 'nobody controls it' : `a ${pod.owner.kind} controls it`;
  return `${who}, so it may not come back; annotate it ${ANNOTATIONS.restart}=evict, or restart it yourself`;
}

import type { Pod, Template } from '../../api/cluster.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { ANNOTATIONS, INJECTED } from '../../api/names.ts';
import { annotationKeys, EKS_WEBHOOK, type Webhook } from '../../api/webhook.ts';
import { containersOfTheWebhook, type DesiredInjection, isInVain, whatIsWrong } from './injection.ts';

export type PodState =
  | { readonly kind: 'current' }
  /** `leftAlone` tells why it is not restarted; it may be what is wrong itself. */
  | { readonly kind: 'stale'; readonly finding: Finding; readonly leftAlone: Finding | undefined }
  | { readonly kind: 'exempt'; readonly finding: Finding };

const SKIP_LABEL = 'eks.amazonaws.com/skip-pod-identity-webhook';
/** EKS Pod Identity injects this one instead, and the pod is right without a role ARN. */
const POD_IDENTITY = 'AWS_CONTAINER_CREDENTIALS_FULL_URI';
/** By it a ReplicaSet of a Deployment, whose name ends with it, is told from one that stands alone. */
export const TEMPLATE_HASH = 'pod-template-hash';

/** Controllers that make another pod when one is taken away. Everything else may hold work that a restart would lose. */
const REPLACING_OWNERS = ['ReplicaSet', 'StatefulSet', 'DaemonSet'];
/** Our own pods carry the first one: `config/manager` sets it. */
const DO_NOT_DISTURB: readonly (readonly [string, string])[] = [
  [ANNOTATIONS.restart, 'never'],
  ['karpenter.sh/do-not-disrupt', 'true'],
  ['cluster-autoscaler.kubernetes.io/safe-to-evict', 'false'],
];

/** The annotations that decide here; an adapter needs to keep no others. */
export function podAnnotations(webhook: Webhook): readonly string[] {
  const { skipContainers, tokenExpiration } = annotationKeys(webhook);
  return [skipContainers, tokenExpiration, ...DO_NOT_DISTURB.map(([key]) => key)];
}
export const POD_LABELS = [SKIP_LABEL, TEMPLATE_HASH];

/** Whether a running pod carries what its ServiceAccount's annotation promises it. `template` is what it was made from, where that is known. */
export function podState(pod: Pod, desired: DesiredInjection, template?: Template): PodState {
  const who = `pod ${pod.namespace}/${pod.name}`;
  if (SKIP_LABEL in pod.labels) {
    return { kind: 'exempt', finding: finding('WebhookSkipped', `${who}: the webhook skips it because of its label ${SKIP_LABEL}`) };
  }
  const touched = containersOfTheWebhook(pod, template, desired.webhook);
  if (touched.length === 0) {
    return {
      kind: 'exempt',
      finding: finding(
        'ContainerSkipped',
        `${who}: the webhook skips every container because of its annotation ${annotationKeys(desired.webhook ?? EKS_WEBHOOK).skipContainers}`,
      ),
    };
  }
  if (touched.every((container) => POD_IDENTITY in container.env && !(INJECTED.roleArn in container.env))) {
    const message = `${who} has credentials from EKS Pod Identity, so the webhook injects no role. Remove the association or the binding`;
    return { kind: 'exempt', finding: finding('PodIdentityShadowsIrsa', message) };
  }
  const wrong = touched.flatMap((container) => whatIsWrong(pod, container, desired, template) ?? []);
  // What stands in the template is told first: as long as it does, no restart mends the rest.
  const [found] = wrong.toSorted((a, b) => Number(isInVain(b)) - Number(isInVain(a)));
  if (found === undefined) return { kind: 'current' };
  if (isInVain(found)) return { kind: 'stale', finding: found, leftAlone: found };
  const why = reasonToLeaveAlone(pod);
  const leftAlone = why === undefined ? undefined : notRestarted(pod, why);
  return { kind: 'stale', finding: found, leftAlone };
}

export function notRestarted(pod: Pod, why: string): Finding {
  return finding('PodNotRestartable', `pod "${pod.name}" lacks the role and is not restarted: ${why}`);
}

/** Why a pod is never restarted by us, or `undefined` where it may be. */
export function reasonToLeaveAlone(pod: Pod): string | undefined {
  if (pod.mirror) return 'it is a static pod, which the API cannot restart';
  const annotation = DO_NOT_DISTURB.find(([key, value]) => pod.annotations[key] === value);
  if (annotation) return `its annotation ${annotation[0]} is "${annotation[1]}"`;
  if (pod.owner !== undefined && REPLACING_OWNERS.includes(pod.owner.kind)) return undefined;
  if (pod.annotations[ANNOTATIONS.restart] === 'evict') return undefined;
  const who = pod.owner === undefined ? 'no controller owns it' : `a ${pod.owner.kind} owns it`;
  return `${who}, so it may not be recreated. Annotate it ${ANNOTATIONS.restart}=evict, or restart it yourself`;
}

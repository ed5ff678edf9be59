import type { Namespace, Pod } from '../../api/cluster.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { INJECTED } from '../../api/names.ts';
import type { InjectingWebhook, LabelSelector } from '../../api/webhook.ts';
import { SKIP_LABEL } from '../pods/pod-state.ts';

/** Every API server sets it on each namespace. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

export function selects({ matchLabels, matchExpressions }: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const has = (key: string) => Object.hasOwn(labels, key);
  return (
    Object.entries(matchLabels).every(([key, value]) => has(key) && labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      switch (operator) {
        case 'In':
          return has(key) && values.includes(labels[key] ?? '');
        case 'NotIn':
          return !(has(key) && values.includes(labels[key] ?? ''));
        case 'Exists':
          return has(key);
        default:
          return !has(key); // DoesNotExist: the API server stores no other
      }
    })
  );
}

/** Whether one of these pods was injected: then there is a webhook, whatever may be read of it. */
export const wasInjected = (pods: readonly Pod[]): boolean =>
  pods.some(({ containers }) => containers.some(({ env, mountsToken }) => mountsToken && env[INJECTED.roleArn] !== undefined));

/** Whether a webhook injects a role into new pods of the namespace. */
export function webhookFinding(
  webhooks: readonly InjectingWebhook[],
  { name, labels }: Namespace,
  pods: readonly Pod[],
): Finding | undefined {
  if (webhooks.length === 0) {
    // A managed control plane may run one that no configuration shows.
    if (wasInjected(pods)) return undefined;
    return finding(
      'WebhookMissing',
      'the cluster has no MutatingWebhookConfiguration of the Amazon EKS pod identity webhook, so no pod gets a role. On EKS it is there by itself. On other clusters, install amazon-eks-pod-identity-webhook',
    );
  }
  const here = { [NAME_LABEL]: name, ...labels };
  const reaching = webhooks.filter(({ namespaceSelector }) => selects(namespaceSelector, here));
  const [first] = webhooks;
  if (reaching.length === 0)
    return finding(
      'WebhookNotSelecting',
      `the namespaceSelector of MutatingWebhookConfiguration "${first?.configuration}" does not select namespace "${name}", so its pods get no role. Change the labels of the namespace, or the selector`,
    );
  const left = pods.filter((pod) => !(SKIP_LABEL in pod.labels) && !wasInjected([pod]));
  const missed = left.find((pod) => !reaching.some(({ objectSelector }) => selects(objectSelector, pod.labels)));
  if (missed === undefined) return undefined;
  return finding(
    'WebhookNotSelecting',
    `the objectSelector of MutatingWebhookConfiguration "${reaching[0]?.configuration}" does not select pod "${missed.name}", so it gets no role. Change the labels in the template of the pods, or the selector`,
  );
}

/** Labels of pods by which they are selected. */
export const labelsSelectedBy = (webhooks: readonly InjectingWebhook[]): string[] =>
  webhooks.flatMap(({ objectSelector: { matchLabels, matchExpressions } }) => [
    ...Object.keys(matchLabels),
    ...matchExpressions.map(({ key }) => key),
  ]);

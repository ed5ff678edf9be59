import type { Container, Pod, Template, Workload } from '../../api/cluster.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { ANNOTATIONS, INJECTED } from '../../api/names.ts';
import { annotationKeys, EKS_WEBHOOK, type Webhook } from '../../api/webhook.ts';
import {
  type ContainerVerdict,
  containersOfTheWebhook,
  type DesiredInjection,
  type Fixed,
  judgeContainer,
  refusedLifetime,
} from './injection.ts';
import { adviceFor, REVISION_LABELS } from './restart/owner.ts';
import { staticCredentials } from './static-credentials.ts';

/** `told`: what else is said of its containers. It stops nothing. */
export type PodState = { readonly told?: readonly Finding[] } & (
  | { readonly kind: 'current' }
  /** `leftAlone` tells why it is not restarted. */
  | { readonly kind: 'stale'; readonly finding: Finding; readonly leftAlone: Finding | undefined }
  /** Each new pod would be as wrong, or be refused: its template has to change. `hasRole`: another container is right. */
  | { readonly kind: 'faulty'; readonly finding: Finding; readonly hasRole: boolean }
  | { readonly kind: 'exempt'; readonly finding: Finding }
);

/** What a pod was made from. */
export type MadeFrom = Pick<Workload, 'kind' | 'name' | 'template'>;

export const SKIP_LABEL = 'eks.amazonaws.com/skip-pod-identity-webhook';
/** EKS Pod Identity injects this one instead, and the pod is right without a role ARN. */
const POD_IDENTITY = 'AWS_CONTAINER_CREDENTIALS_FULL_URI';
/** So the webhook labels what it prepared for EKS Pod Identity. */
const POD_IDENTITY_LABEL = 'eks.amazonaws.com/pod-identity';
/** By it a ReplicaSet of a Deployment, whose name ends with it, is told from one that stands alone. */
export const TEMPLATE_HASH = 'pod-template-hash';

/** Controllers that make another pod when one is taken away. Everything else may hold work that a restart would lose. */
export const REPLACING_OWNERS = ['ReplicaSet', 'StatefulSet', 'DaemonSet'];
/** Our own pods carry the first one: `config/manager` sets it. */
const DO_NOT_DISTURB: readonly (readonly [string, string])[] = [
  [ANNOTATIONS.restart, 'never'],
  ['karpenter.sh/do-not-disrupt', 'true'],
  ['karpenter.sh/do-not-evict', 'true'], // Karpenter before v0.32
  ['cluster-autoscaler.kubernetes.io/safe-to-evict', 'false'],
];

/** The annotations that decide here; an adapter needs to keep no others. */
export function podAnnotations(webhook: Webhook): readonly string[] {
  const { skipContainers, tokenExpiration } = annotationKeys(webhook);
  return [skipContainers, tokenExpiration, ...DO_NOT_DISTURB.map(([key]) => key)];
}
export const POD_LABELS = [SKIP_LABEL, POD_IDENTITY_LABEL, TEMPLATE_HASH, ...Object.values(REVISION_LABELS)];

/**
 * Whether a running pod carries what its ServiceAccount's annotation promises it. `maker` is what it was made by, where that is known, `held` why
 * its owner restarts it by hand.
 */
export function podState(pod: Pod, desired: DesiredInjection, maker?: MadeFrom, held?: string): PodState {
  const who = `pod ${pod.namespace}/${pod.name}`;
  if (SKIP_LABEL in pod.labels) {
    return { kind: 'exempt', finding: finding('WebhookSkipped', `${who}: the webhook skips it because of its label ${SKIP_LABEL}`) };
  }
  // A template without any of its containers is a newer one.
  const isOfIt = pod.containers.some(({ name }) => maker?.template.containers.some((container) => container.name === name));
  const workload = isOfIt ? maker : undefined;
  const template = workload?.template;
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
  if (hasPodIdentity(pod, touched, template)) {
    const message = `${who} has credentials from EKS Pod Identity, so the webhook injects no role. Remove the association or the binding`;
    return { kind: 'exempt', finding: finding('PodIdentityShadowsIrsa', message) };
  }
  const barred = refusedLifetime(pod, template, madeBy(pod, workload), desired.webhook);
  if (barred !== undefined) return { kind: 'faulty', finding: barred, hasRole: false, told: [barred] };
  const verdicts = touched.map((container) => {
    const where = `${madeBy(pod, workload)}, container "${container.name}"`;
    const known = template?.containers.find(({ name }) => name === container.name)?.env;
    return { ...judgeContainer({ pod, container, desired, template, where }), credentials: staticCredentials(container, where, known) };
  });
  const fixed = verdicts.flatMap((verdict) => verdict.fixed ?? []);
  const told = [...fixed.map((each) => each.finding), ...verdicts.flatMap(({ credentials }) => credentials ?? [])];
  return { ...stateOf(pod, verdicts, fixed, held), ...(told.length === 0 ? {} : { told }) };
}

function stateOf(pod: Pod, verdicts: readonly ContainerVerdict[], fixed: readonly Fixed[], held: string | undefined): PodState {
  const barred = fixed.find(({ kind }) => kind === 'barred');
  if (barred !== undefined) return { kind: 'faulty', finding: barred.finding, hasRole: false };
  const stale = verdicts.flatMap((verdict) => verdict.stale ?? [])[0];
  if (stale !== undefined) {
    const why = reasonToLeaveAlone(pod, held);
    return { kind: 'stale', finding: stale, leftAlone: why === undefined ? undefined : notRestarted(pod, why) };
  }
  const fault = fixed.find(({ kind }) => kind === 'fault');
  if (fault !== undefined) return { kind: 'faulty', finding: fault.finding, hasRole: fixed.length < verdicts.length };
  const [own] = fixed;
  return own !== undefined && fixed.length === verdicts.length ? { kind: 'exempt', finding: own.finding } : { kind: 'current' };
}

/** A template may set the variable itself: then only the label tells. */
function hasPodIdentity({ labels }: Pod, touched: readonly Container[], template: Template | undefined): boolean {
  const set = (template?.containers ?? []).some(({ env }) => POD_IDENTITY in env);
  if (set && !(POD_IDENTITY_LABEL in labels)) return false;
  return touched.every(({ env }) => POD_IDENTITY in env && !(INJECTED.roleArn in env));
}

/** Whose template it is: there a person changes it. */
function madeBy({ namespace, name, owner }: Pod, workload: MadeFrom | undefined): string {
  const by = workload ?? owner;
  return by === undefined ? `pod ${namespace}/${name}` : `${by.kind} "${by.name}"`;
}

export function notRestarted(pod: Pod, why: string): Finding {
  return finding('PodNotRestartable', `pod "${pod.name}" lacks the role and is not restarted: ${why}`);
}

/** Why a pod is never restarted by us, and what to do, or `undefined` where it may be. `held`: why its owner restarts it by hand. */
export function reasonToLeaveAlone(pod: Pod, held?: string): string | undefined {
  if (pod.mirror) return 'it is a static pod, which the API cannot restart. Change its manifest on the node';
  const isReplaced = pod.owner !== undefined && REPLACING_OWNERS.includes(pod.owner.kind);
  const annotation = DO_NOT_DISTURB.find(([key, value]) => pod.annotations[key] === value);
  if (annotation) {
    const found = `its annotation ${annotation[0]} is "${annotation[1]}"`;
    return held === undefined ? `${found}. Remove it, or ${isReplaced ? 'delete' : 'recreate'} the pod yourself` : `${found}, and ${held}`;
  }
  if (isReplaced || pod.annotations[ANNOTATIONS.restart] === 'evict') return held;
  return adviceFor(pod.owner);
}

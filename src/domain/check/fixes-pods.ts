import type { Pod, Workload } from '../../api/cluster.ts';
import type { FindingCode } from '../../api/finding.ts';
import { annotationKeys, EKS_WEBHOOK } from '../../api/webhook.ts';
import { containersOfTheWebhook, type DesiredInjection, judgeContainer, KEYS } from '../pods/injection.ts';
import { podState, REPLACING_OWNERS, SKIP_LABEL, TEMPLATE_HASH } from '../pods/pod-state.ts';
import { waitsForOwner } from '../pods/restart/owner.ts';
import { ACCESS_KEYS, hasAccessKey } from '../pods/static-credentials.ts';
import { workloadOf } from '../pods/workload-of.ts';
import { valueIn } from './engine.ts';
import type { CheckSeen } from './seen.ts';
import { line } from './shell.ts';

interface PodFixes {
  /** What a new pod shall have. */
  readonly desired: DesiredInjection;
  /** What fails. */
  readonly codes: ReadonlySet<FindingCode>;
  /** Words for the command of that name. */
  readonly kubectl: readonly string[];
}

const named = ({ kind, name }: Pick<Workload, 'kind' | 'name'>): string => `${kind.toLowerCase()}/${name}`;
const living = ({ pods }: CheckSeen): readonly Pod[] => (valueIn(pods) ?? []).filter(({ finished, deleting }) => !finished && !deleting);

/** What keeps the webhook or the SDK from the role in the templates that pods are made from. Its controller then makes them again. */
export function templateFixes(seen: CheckSeen, fixes: PodFixes): string[] {
  const lines = living(seen).flatMap((pod) => {
    const workload = workloadOf(pod, valueIn(seen.workloads) ?? []);
    // Of one that is held the owner decides when pods get another template.
    const changes = workload === undefined || workload.held !== undefined ? [] : templateFix(pod, workload, fixes);
    return changes.length === 0 ? [] : [...changes, ...unstuck(pod, fixes)];
  });
  return [...new Set(lines)];
}

function templateFix(pod: Pod, workload: Workload, { desired, codes, kubectl }: PodFixes): string[] {
  const { webhook = EKS_WEBHOOK } = desired;
  const { template } = workload;
  const at = ['kubectl', ...kubectl, '-n', pod.namespace];
  const without = (member: 'labels' | 'annotations', key: string) => {
    const patch = JSON.stringify({ spec: { template: { metadata: { [member]: { [key]: null } } } } });
    return [line(...at, 'patch', named(workload), '-p', patch)];
  };
  if (SKIP_LABEL in pod.labels) return codes.has('WebhookSkipped') ? without('labels', SKIP_LABEL) : [];
  const touched = containersOfTheWebhook(pod, template, webhook);
  if (touched.length === 0) return codes.has('ContainerSkipped') ? without('annotations', annotationKeys(webhook).skipContainers) : [];
  return touched.flatMap((container) => {
    const own = template.containers.find(({ name }) => name === container.name)?.env ?? {};
    const { fixed } = judgeContainer({ pod, container, desired, template, where: '' });
    const overrides = fixed?.kind === 'fault' && ['PodPartialInjection', 'PodEnvOverridden'].includes(fixed.finding.code);
    const names = [...(overrides ? KEYS : []), ...(codes.has('PodStaticCredentials') && hasAccessKey(own) ? ACCESS_KEYS : [])];
    const found = names.filter((name) => name in own);
    return found.length === 0 ? [] : [line(...at, 'set', 'env', named(workload), '-c', container.name, ...found.map((name) => `${name}-`))];
  });
}

/** Of what makes the pods that lack what a new one would have. `templates`: commands that make them again already. */
export function restarts(seen: CheckSeen, fixes: PodFixes, templates: readonly string[]): string[] {
  const { desired, codes, kubectl } = fixes;
  const { namespace, name } = seen.of;
  const at = ['kubectl', ...kubectl, '-n', namespace];
  const rollout = (what: string) => line(...at, 'rollout', 'restart', what);
  // What had no ServiceAccount waits minutes until it tries again, and a pod of a former one has tokens that no longer count.
  const waiting = codes.has('ServiceAccountMissing')
    ? (valueIn(seen.workloads) ?? []).filter((one) => one.serviceAccountName === name && one.held === undefined && one.replicas !== 0)
    : [];
  const stale = living(seen).flatMap((pod) => {
    const workload = workloadOf(pod, valueIn(seen.workloads) ?? []);
    if (podState(pod, desired, workload).kind !== 'stale' || pod.mirror) return [];
    const what = rolledOut(pod, workload, seen);
    if (what !== undefined) return templates.some((one) => one.includes(` ${what} `)) ? [] : [rollout(what), ...unstuck(pod, fixes)];
    return isReplaced(pod, workload) ? [deleted(pod, fixes)] : [];
  });
  return [...new Set([...waiting.map((one) => rollout(named(one))), ...stale])];
}

const deleted = ({ namespace, name }: Pod, { kubectl }: PodFixes): string =>
  line('kubectl', ...kubectl, '-n', namespace, 'delete', 'pod', name);

/**
 * A StatefulSet waits for a pod that is not ready before it replaces it, for ever
 * (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback).
 */
const unstuck = (pod: Pod, fixes: PodFixes): string[] => (pod.owner?.kind === 'StatefulSet' && !pod.ready ? [deleted(pod, fixes)] : []);

/** What `kubectl rollout restart` takes, and replaces each pod of; undefined where there is no such object. */
function rolledOut({ owner, labels }: Pod, workload: Workload | undefined, { workloads }: CheckSeen): string | undefined {
  if (workload !== undefined) return workload.held === undefined ? named(workload) : undefined;
  if (owner === undefined || workloads.kind === 'read') return undefined;
  if (owner.kind === 'StatefulSet' || owner.kind === 'DaemonSet') return `${owner.kind.toLowerCase()}/${owner.name}`;
  // Workloads that may not be read: a Deployment calls its ReplicaSets so.
  const suffix = `-${labels[TEMPLATE_HASH]}`;
  return owner.kind === 'ReplicaSet' && owner.name.endsWith(suffix) ? `deployment/${owner.name.slice(0, -suffix.length)}` : undefined;
}

/** Whether deleting it brings the same pod again, and not one of a revision that its owner holds back. */
function isReplaced(pod: Pod, workload: Workload | undefined): boolean {
  return workload === undefined ? REPLACING_OWNERS.includes(pod.owner?.kind ?? '') : !waitsForOwner(pod, workload);
}

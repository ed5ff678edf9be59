import { type IrsaAccount, parseAccountSpec, parseAccountStatus } from '../api/account.ts';
import { misspeltRoleKeys } from '../api/annotation-key.ts';
import type { AccountId } from '../api/arn.ts';
import { type IrsaBinding, parseBindingSpec, parseBindingStatus } from '../api/binding.ts';
import type { BatchWorkload, Definition, Namespace, Owner, Pod, ServiceAccount, Workload, Writer } from '../api/cluster.ts';
import { cut } from '../api/cut.ts';
import { type IrsaGrant, parseGrantSpec } from '../api/grant.ts';
import { ANNOTATIONS, FIELD_MANAGER, FINALIZER } from '../api/names.ts';
import { annotationKeys, type Webhook } from '../api/webhook.ts';
import { containersOf, tokenOf, tokenVolumeOf } from './containers.ts';
import { keptValues, LONGEST_NAME, LONGEST_NAMES, MOST_WRITERS } from './kept.ts';
import type { Resource } from './list-watch.ts';
import { array, type Json, type JsonObject, metaOf, object, strings, text, timeOf } from './objects.ts';
import {
  CRON_JOB,
  CUSTOM_RESOURCE_DEFINITION,
  DAEMON_SET,
  DEPLOYMENT,
  IRSA_ACCOUNT,
  IRSA_BINDING,
  IRSA_GRANT,
  JOB,
  NAMESPACE,
  POD,
  SERVICE_ACCOUNT,
  STATEFUL_SET,
} from './resource-types.ts';

/** What a user says by annotations of a binding. */
const BINDING_KEYS = [ANNOTATIONS.forceDelete, ANNOTATIONS.reconcileRequestedAt];
/** Set by the kubelet on the API's image of a static pod. */
const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';
/** By these the webhook tells a Windows pod (webhook source). */
const OS_SELECTORS = ['kubernetes.io/os', 'beta.kubernetes.io/os'];

export const namespaces: Resource<Namespace> = {
  type: NAMESPACE,
  metadataOnly: true,
  decode(raw) {
    const { name, labels, annotations } = metaOf(raw);
    const revocationConfirmedAt = timeOf(annotations[ANNOTATIONS.revocationConfirmed]);
    return { name, labels: strings(labels), ...(revocationConfirmedAt === undefined ? {} : { revocationConfirmedAt }) };
  },
};

export const bindings: Resource<IrsaBinding> = {
  type: IRSA_BINDING,
  decode(raw) {
    const { namespace, name, uid, resourceVersion, generation, createdAt, deleting, annotations } = metaOf(raw);
    const finalizers = array(object(object(raw)['metadata'])['finalizers']).includes(FINALIZER) ? [FINALIZER] : [];
    const kept = keptValues(annotations, BINDING_KEYS);
    const metadata = { namespace, name, uid, resourceVersion, generation, createdAt, deleting, finalizers, annotations: kept };
    return { metadata, spec: parseBindingSpec(object(raw)['spec']), status: parseBindingStatus(object(raw)['status']) };
  },
};

export const grants: Resource<IrsaGrant> = {
  type: IRSA_GRANT,
  decode(raw) {
    const { name, uid, generation, annotations } = metaOf(raw);
    const revocationConfirmedAt = timeOf(annotations[ANNOTATIONS.revocationConfirmed]);
    return { name, uid, generation, spec: parseGrantSpec(object(raw)['spec']), revocationConfirmedAt };
  },
};

export const accounts: Resource<IrsaAccount> = {
  type: IRSA_ACCOUNT,
  optional: true,
  decode(raw) {
    const { name, uid, resourceVersion, generation } = metaOf(raw);
    const { spec, status } = object(raw);
    return {
      // Where it is none, its spec does not fit it.
      account: name as AccountId,
      uid,
      resourceVersion,
      generation,
      spec: parseAccountSpec(name, spec),
      status: parseAccountStatus(status),
    };
  },
};

/** Our CRDs: looked at for whether they are being deleted with everything in them, or were made again without it. */
export const BINDINGS_CRD = `${IRSA_BINDING.plural}.${IRSA_BINDING.group}`;
export const GRANTS_CRD = `${IRSA_GRANT.plural}.${IRSA_GRANT.group}`;

const definition = (name: string): Resource<Definition> => ({
  type: CUSTOM_RESOURCE_DEFINITION,
  metadataOnly: true,
  fieldSelector: `metadata.name=${name}`,
  decode(raw) {
    const { name, uid, createdAt, deleting } = metaOf(raw);
    return { name, uid, createdAt, deleting };
  },
});
export const bindingsCrd = definition(BINDINGS_CRD);
export const grantsCrd = definition(GRANTS_CRD);

/** With the annotations that the webhook reads. */
export function serviceAccounts(webhook: Webhook): Resource<ServiceAccount> {
  const { skipContainers: _, ...read } = annotationKeys(webhook);
  const keys = Object.values(read);
  return {
    type: SERVICE_ACCOUNT,
    metadataOnly: true,
    decode(raw) {
      const { namespace, name, uid, resourceVersion, annotations } = metaOf(raw);
      return {
        namespace,
        name,
        uid,
        resourceVersion,
        annotations: keptValues(annotations, keys),
        misspelt: misspeltRoleKeys(Object.keys(annotations), read.roleArn),
        writers: writersOf(object(object(raw)['metadata']), keys),
      };
    },
  };
}

/** Pods with those labels and annotations that somebody looks at. */
export function pods(keep: {
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
  readonly webhook: Webhook;
}): Resource<Pod> {
  return {
    type: POD,
    decode(raw) {
      const { namespace, name, uid, resourceVersion, createdAt, deleting, labels, annotations } = metaOf(raw);
      const spec = object(object(raw)['spec']);
      const status = object(object(raw)['status']);
      const phase = text(status['phase']);
      const selector = object(spec['nodeSelector']);
      return {
        namespace,
        name,
        uid,
        resourceVersion,
        serviceAccountName: text(spec['serviceAccountName']) ?? 'default',
        createdAt,
        deleting,
        ...(deleting && { deletingSince: deletingSince(object(object(raw)['metadata'])) }),
        finished: phase === 'Succeeded' || phase === 'Failed',
        ready: array(status['conditions']).some((entry) => object(entry)['type'] === 'Ready' && object(entry)['status'] === 'True'),
        mirror: MIRROR_ANNOTATION in annotations,
        owner: controllerOf(object(object(raw)['metadata'])),
        labels: keptValues(labels, keep.labels),
        annotations: keptValues(annotations, keep.annotations, LONGEST_NAMES),
        containers: containersOf(spec, keep.webhook),
        ...tokenOf(spec),
        windows: OS_SELECTORS.some((key) => selector[key] === 'windows'),
      };
    },
  };
}

/** `deletionTimestamp` is when the time to end is over. */
function deletingSince({ deletionTimestamp, deletionGracePeriodSeconds }: JsonObject): number {
  return (timeOf(deletionTimestamp) ?? 0) - numberOf(deletionGracePeriodSeconds) * 1000;
}

const workloads =
  (type: typeof DEPLOYMENT, kind: Workload['kind']) =>
  (webhook: Webhook): Resource<Workload> => ({
    type,
    decode(raw) {
      const { namespace, name, uid, labels } = metaOf(raw);
      const spec = object(object(raw)['spec']);
      const template = object(spec['template']);
      const podSpec = object(template['spec']);
      const held = heldBy(spec);
      return {
        kind,
        namespace,
        name,
        uid,
        serviceAccountName: text(podSpec['serviceAccountName']) ?? 'default',
        appName: text(labels['app.kubernetes.io/name']),
        template: { containers: containersOf(podSpec, webhook), hasTokenVolume: tokenVolumeOf(podSpec) !== undefined },
        held,
        revision: held === undefined ? undefined : revisionOf(kind, raw),
        outdated: held === 'paused' && isOutdated(object(object(raw)['status'])),
        replicas: replicasOf(kind, spec, raw),
        restartedAt: keptValues(metaOf(template).annotations, [ANNOTATIONS.restartedAt])[ANNOTATIONS.restartedAt],
      };
    },
  });

/** The API server sets `spec.replicas` where it is left out. A DaemonSet has as many pods as there are nodes for it. */
function replicasOf(kind: Workload['kind'], spec: JsonObject, raw: unknown): number | undefined {
  if (kind !== 'DaemonSet') return typeof spec['replicas'] === 'number' ? spec['replicas'] : 1;
  const { observedGeneration, desiredNumberScheduled } = object(object(raw)['status']);
  return typeof observedGeneration === 'number' && typeof desiredNumberScheduled === 'number' ? desiredNumberScheduled : undefined;
}

function heldBy(spec: JsonObject): Workload['held'] {
  const { type, rollingUpdate } = object(spec['updateStrategy']);
  if (spec['paused'] === true) return 'paused';
  if (type === 'OnDelete') return 'OnDelete';
  return numberOf(object(rollingUpdate)['partition']) > 0 ? 'partition' : undefined;
}

/** A DaemonSet has no name of a revision in its status. What it labels its pods with stands in an annotation. */
function revisionOf(kind: Workload['kind'], raw: unknown): string | undefined {
  if (kind === 'StatefulSet') return text(object(object(raw)['status'])['updateRevision']);
  const key = 'deprecated.daemonset.template.generation';
  return kind === 'DaemonSet' ? keptValues(metaOf(raw).annotations, [key], LONGEST_NAME)[key] : undefined;
}

/** A zero is left out. */
function isOutdated({ replicas, updatedReplicas }: JsonObject): boolean {
  return numberOf(updatedReplicas) < numberOf(replicas);
}

export const deployments = workloads(DEPLOYMENT, 'Deployment');
export const statefulSets = workloads(STATEFUL_SET, 'StatefulSet');
export const daemonSets = workloads(DAEMON_SET, 'DaemonSet');

const batchWorkloads = (type: typeof JOB, kind: BatchWorkload['kind'], jobIn: (raw: unknown) => unknown): Resource<BatchWorkload> => ({
  type,
  decode(raw) {
    const { namespace, name, labels } = metaOf(raw);
    const podSpec = object(object(object(object(jobIn(raw))['spec'])['template'])['spec']);
    const isOwned = controllerOf(object(object(raw)['metadata'])) !== undefined;
    return {
      kind,
      namespace,
      name,
      serviceAccountName: text(podSpec['serviceAccountName']) ?? 'default',
      appName: isOwned ? undefined : text(labels['app.kubernetes.io/name']),
    };
  },
});

export const jobs = batchWorkloads(JOB, 'Job', (raw) => raw);
export const cronJobs = batchWorkloads(CRON_JOB, 'CronJob', (raw) => object(object(raw)['spec'])['jobTemplate']);

function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}

/** Who wrote each of the webhook's annotations, and when: so that a wrong value can be traced to whoever must be asked. */
function writersOf(metadata: JsonObject, keys: readonly string[]): Record<string, Writer[]> {
  const writers: Record<string, Writer[]> = {};
  for (const entry of array(metadata['managedFields'])) {
    const { manager, operation, time, fieldsV1 } = object(entry);
    const annotations = object(object(object(fieldsV1)['f:metadata'])['f:annotations']);
    for (const key of keys.filter((one) => `f:${one}` in annotations)) {
      const known = writers[key] ?? [];
      const isOurs = manager === FIELD_MANAGER && operation === 'Apply';
      if (known.length < MOST_WRITERS || isOurs) known.push({ manager: nameOf(manager, isOurs), at: timeOf(time) ?? 0 });
      writers[key] = known;
    }
  }
  return writers;
}

/** Who signs with our name but does not apply: the API server keeps that apart, and an apply of ours would not take it away. */
function nameOf(manager: Json | undefined, isOurs: boolean): string {
  return manager === FIELD_MANAGER && !isOurs ? `${FIELD_MANAGER} (not applied)` : cut(text(manager) ?? '', LONGEST_NAME);
}

function controllerOf(metadata: JsonObject): Owner | undefined {
  const owner = array(metadata['ownerReferences'])
    .map(object)
    .find((reference) => reference['controller'] === true);
  if (owner === undefined) return undefined;
  const part = (field: string) => cut(text(owner[field]) ?? '', LONGEST_NAME);
  return { kind: part('kind'), name: part('name'), uid: part('uid') };
}

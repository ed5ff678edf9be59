import { misspeltRoleKeys } from '../api/annotation-key.ts';
import { type IrsaBinding, parseBindingSpec, parseBindingStatus } from '../api/binding.ts';
import type { Container, Definition, Namespace, Owner, Pod, ServiceAccount, Workload, Writer } from '../api/cluster.ts';
import { type IrsaGrant, parseGrantSpec } from '../api/grant.ts';
import { ANNOTATIONS, FIELD_MANAGER, INJECTED } from '../api/names.ts';
import { annotationKeys, type Webhook } from '../api/webhook.ts';
import type { Resource } from './list-watch.ts';
import { array, type Json, type JsonObject, metaOf, object, strings, text, timeOf } from './objects.ts';
import {
  CUSTOM_RESOURCE_DEFINITION,
  DAEMON_SET,
  DEPLOYMENT,
  IRSA_BINDING,
  IRSA_GRANT,
  NAMESPACE,
  POD,
  SERVICE_ACCOUNT,
  STATEFUL_SET,
} from './resource-types.ts';

const AWS_VARIABLE = /^AWS_/;
/** Set by the kubelet on the API's image of a static pod. */
const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';
/** By these the webhook tells a Windows pod (webhook source). */
const OS_SELECTORS = ['kubernetes.io/os', 'beta.kubernetes.io/os'];

export const namespaces: Resource<Namespace> = {
  type: NAMESPACE,
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
    const finalizers = array(object(object(raw)['metadata'])['finalizers']).filter((entry) => typeof entry === 'string');
    const metadata = { namespace, name, uid, resourceVersion, generation, createdAt, deleting, finalizers, annotations: kept(annotations) };
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

/** Our CRDs: looked at for whether they are being deleted with everything in them, or were made again without it. */
export const BINDINGS_CRD = `${IRSA_BINDING.plural}.${IRSA_BINDING.group}`;
export const GRANTS_CRD = `${IRSA_GRANT.plural}.${IRSA_GRANT.group}`;

const definition = (name: string): Resource<Definition> => ({
  type: CUSTOM_RESOURCE_DEFINITION,
  name,
  decode(raw) {
    const { name, uid, createdAt, deleting } = metaOf(raw);
    return { name, uid, createdAt, deleting };
  },
});
export const bindingsCrd = definition(BINDINGS_CRD);
export const grantsCrd = definition(GRANTS_CRD);

/** With the annotations that the webhook reads, and whatever it may come to read. */
export function serviceAccounts(webhook: Webhook): Resource<ServiceAccount> {
  const isRead = (key: string) => key.startsWith(`${webhook.annotationPrefix}/`);
  const { roleArn } = annotationKeys(webhook);
  return {
    type: SERVICE_ACCOUNT,
    decode(raw) {
      const { namespace, name, uid, resourceVersion, annotations } = metaOf(raw);
      return {
        namespace,
        name,
        uid,
        resourceVersion,
        annotations: strings(annotations, isRead),
        misspelt: misspeltRoleKeys(Object.keys(annotations), roleArn),
        writers: writersOf(object(object(raw)['metadata']), isRead),
      };
    },
  };
}

/** Pods with those labels and annotations that somebody looks at. */
export function pods(keep: { readonly labels: readonly string[]; readonly annotations: readonly string[] }): Resource<Pod> {
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
        finished: phase === 'Succeeded' || phase === 'Failed',
        ready: array(status['conditions']).some((entry) => object(entry)['type'] === 'Ready' && object(entry)['status'] === 'True'),
        mirror: MIRROR_ANNOTATION in annotations,
        owner: controllerOf(object(object(raw)['metadata'])),
        labels: strings(labels, (key) => keep.labels.includes(key)),
        annotations: strings(annotations, (key) => keep.annotations.includes(key)),
        containers: containersOf(spec),
        ...tokenOf(spec),
        windows: OS_SELECTORS.some((key) => selector[key] === 'windows'),
      };
    },
  };
}

const workloads = (type: typeof DEPLOYMENT, kind: Workload['kind']): Resource<Workload> => ({
  type,
  decode(raw) {
    const { namespace, name, uid, labels } = metaOf(raw);
    const spec = object(object(raw)['spec']);
    const template = object(spec['template']);
    const podSpec = object(template['spec']);
    const onDelete = object(spec['updateStrategy'])['type'] === 'OnDelete';
    return {
      kind,
      namespace,
      name,
      uid,
      serviceAccountName: text(podSpec['serviceAccountName']) ?? 'default',
      appName: text(labels['app.kubernetes.io/name']),
      template: { containers: containersOf(podSpec), hasTokenVolume: tokenVolumeOf(podSpec) !== undefined },
      held: spec['paused'] === true ? 'paused' : onDelete ? 'OnDelete' : undefined,
      restartedAt: text(metaOf(template).annotations[ANNOTATIONS.restartedAt]),
    };
  },
});

export const deployments = workloads(DEPLOYMENT, 'Deployment');
export const statefulSets = workloads(STATEFUL_SET, 'StatefulSet');
export const daemonSets = workloads(DAEMON_SET, 'DaemonSet');

/** kubectl's copy of the whole object is the largest annotation there is, and says nothing new. */
function kept(annotations: JsonObject): Record<string, string> {
  return strings(annotations, (key) => key !== 'kubectl.kubernetes.io/last-applied-configuration');
}

/** Who wrote each of the webhook's annotations, and when: so that a wrong value can be traced to whoever must be asked. */
function writersOf(metadata: JsonObject, isRead: (key: string) => boolean): Record<string, Writer[]> {
  const writers: Record<string, Writer[]> = {};
  for (const entry of array(metadata['managedFields'])) {
    const { manager, operation, time, fieldsV1 } = object(entry);
    // Who signs with our name but does not apply: the API server keeps that apart, and an apply of ours would not take it away.
    const name = manager === FIELD_MANAGER && operation !== 'Apply' ? `${FIELD_MANAGER} (not applied)` : (text(manager) ?? '');
    const annotations = object(object(object(fieldsV1)['f:metadata'])['f:annotations']);
    for (const field of Object.keys(annotations)) {
      const key = field.slice('f:'.length);
      if (isRead(key)) writers[key] = [...(writers[key] ?? []), { manager: name, at: timeOf(time) ?? 0 }];
    }
  }
  return writers;
}

function controllerOf(metadata: JsonObject): Owner | undefined {
  const owner = array(metadata['ownerReferences'])
    .map(object)
    .find((reference) => reference['controller'] === true);
  if (owner === undefined) return undefined;
  return { kind: text(owner['kind']) ?? '', name: text(owner['name']) ?? '', uid: text(owner['uid']) ?? '' };
}

function containersOf(podSpec: JsonObject): Container[] {
  return [...array(podSpec['initContainers']), ...array(podSpec['containers'])].map(containerOf);
}

function containerOf(raw: Json): Container {
  const container = object(raw);
  const env: Record<string, string | undefined> = {};
  for (const entry of array(container['env']).map(object)) {
    const name = text(entry['name']);
    if (name !== undefined && AWS_VARIABLE.test(name)) env[name] = 'valueFrom' in entry ? undefined : (text(entry['value']) ?? '');
  }
  const mountsToken = array(container['volumeMounts']).some((mount) => object(mount)['name'] === INJECTED.volume);
  return { name: text(container['name']) ?? '', env, mountsToken };
}

function tokenVolumeOf(podSpec: JsonObject): JsonObject | undefined {
  return array(podSpec['volumes'])
    .map(object)
    .find(({ name }) => name === INJECTED.volume);
}

function tokenOf(podSpec: JsonObject): Pick<Pod, 'tokenAudience' | 'tokenExpirationSeconds'> {
  for (const source of array(object(tokenVolumeOf(podSpec)?.['projected'])['sources'])) {
    const token = object(object(source)['serviceAccountToken']);
    const seconds = token['expirationSeconds'];
    // Without an audience the token is the API server's own.
    if ('path' in token)
      return { tokenAudience: text(token['audience']) ?? '', tokenExpirationSeconds: typeof seconds === 'number' ? seconds : undefined };
  }
  return { tokenAudience: undefined, tokenExpirationSeconds: undefined };
}

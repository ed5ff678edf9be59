import { EKS_WEBHOOK, type InjectingWebhook, isInjecting, type LabelSelector, type Webhook } from '../api/webhook.ts';
import type { ReadCluster, TargetKind } from '../ports/read-cluster.ts';
import { apiAudiences } from './audiences.ts';
import type { Connection } from './connection.ts';
import { readIssuer } from './issuer.ts';
import { listAll } from './list-all.ts';
import type { Resource } from './list-watch.ts';
import { unlessMissing } from './missing.ts';
import { array, type Json, type JsonObject, metaOf, object, strings, text } from './objects.ts';
import { objectPath, type ResourceType } from './paths.ts';
import { CRON_JOB, DAEMON_SET, DEPLOYMENT, JOB, MUTATING_WEBHOOK_CONFIGURATION, POD, REPLICA_SET, STATEFUL_SET } from './resource-types.ts';
import { cronJobs, daemonSets, deployments, jobs, namespaces, pods, serviceAccounts, statefulSets } from './resources.ts';
import type { Transport } from './transport.ts';

export const TARGET_TYPES: Readonly<Record<TargetKind, ResourceType>> = {
  deployments: DEPLOYMENT,
  statefulsets: STATEFUL_SET,
  daemonsets: DAEMON_SET,
  replicasets: REPLICA_SET,
  jobs: JOB,
  cronjobs: CRON_JOB,
  pods: POD,
};

/** AWS's sentences are near the end of what a failing container wrote. */
const LOG_LINES = 200;
const LOG_BYTES = 256 * 1024;

/** The labels and annotations of pods that decide. */
export interface Kept {
  readonly labels: readonly string[];
  readonly annotations: (webhook: Webhook) => readonly string[];
}

/** The cluster as a person may read it. */
export function readCluster(transport: Transport, connection: Connection, keep: Kept, webhook: Webhook = EKS_WEBHOOK): ReadCluster {
  const accounts = serviceAccounts(webhook);
  const get = (type: ResourceType, at: { readonly namespace?: string; readonly name: string }, signal: AbortSignal) =>
    unlessMissing(transport.request({ method: 'GET', path: objectPath(type, at) }, signal));
  const one = async <T>(resource: Resource<T>, of: { readonly namespace?: string; readonly name: string }, signal: AbortSignal) => {
    const raw = await get(resource.type, of, signal);
    return raw === undefined ? undefined : resource.decode(raw);
  };
  return {
    namespace: (name, signal) => one(namespaces, { name }, signal),
    serviceAccount: (of, signal) => one(accounts, of, signal),
    serviceAccounts: ({ namespace, selector }, signal) => listAll(transport, { ...accounts, labelSelector: selector }, signal, namespace),
    async serviceAccountNameOf(kind, of, signal) {
      const raw = await get(TARGET_TYPES[kind], of, signal);
      return raw === undefined ? undefined : accountNameIn(kind, raw);
    },
    pods: ({ namespace, name }, labels, signal) =>
      listAll(
        transport,
        {
          ...pods({ labels: [...keep.labels, ...labels], annotations: keep.annotations(webhook), webhook }),
          ...(name === undefined ? {} : { fieldSelector: `spec.serviceAccountName=${name}` }),
        },
        signal,
        namespace,
      ),
    async workloads(namespace, signal) {
      const all = [deployments, statefulSets, daemonSets].map((kind) => listAll(transport, kind(webhook), signal, namespace));
      return (await Promise.all(all)).flat();
    },
    async batchWorkloads(namespace, signal) {
      return (await Promise.all([cronJobs, jobs].map((kind) => listAll(transport, kind, signal, namespace)))).flat();
    },
    async webhooks(signal) {
      return (await listAll(transport, injectingWebhooks, signal)).flat();
    },
    issuer: (signal) => readIssuer(transport, signal),
    apiAudiences: (signal) => apiAudiences(connection, transport, signal),
    async lastWords(of, container, signal) {
      const said = terminationMessage(await get(POD, of, signal), container);
      if (said !== undefined) return said;
      const query = { container, tailLines: String(LOG_LINES), limitBytes: String(LOG_BYTES), timestamps: 'true' };
      return textIn(await transport.request({ method: 'GET', path: objectPath(POD, of, 'log'), query }, signal));
    },
  };
}

/** A log that is JSON by chance comes parsed. */
const textIn = (body: unknown): string => (typeof body === 'string' ? body : (JSON.stringify(body) ?? ''));

/** What the container wrote when it ended last, with the time as a log has it. */
function terminationMessage(pod: unknown, container: string): string | undefined {
  const states = array(object(object(pod)['status'])['containerStatuses']).map(object);
  const { message, finishedAt } = object(object(states.find(({ name }) => name === container)?.['lastState'])['terminated']);
  const said = text(message) ?? '';
  return said.trim() === ''
    ? undefined
    : said
        .split('\n')
        .map((line) => `${text(finishedAt) ?? ''} ${line}`)
        .join('\n');
}

/** What pods are made from; of a pod the pod itself. */
export function templateOf(kind: TargetKind, raw: unknown): JsonObject {
  if (kind === 'pods') return object(raw);
  const spec = object(object(raw)['spec']);
  return object((kind === 'cronjobs' ? object(object(spec['jobTemplate'])['spec']) : spec)['template']);
}

export const accountNameIn = (kind: TargetKind, raw: unknown): string =>
  text(object(templateOf(kind, raw)['spec'])['serviceAccountName']) ?? 'default';

export const injectingWebhooks: Resource<readonly InjectingWebhook[]> = {
  type: MUTATING_WEBHOOK_CONFIGURATION,
  decode(raw) {
    const { name: configuration } = metaOf(raw);
    return array(object(raw)['webhooks'])
      .map(object)
      .filter(({ name }) => isInjecting(text(name) ?? ''))
      .map(({ namespaceSelector, objectSelector }) => ({
        configuration,
        namespaceSelector: selectorOf(namespaceSelector),
        objectSelector: selectorOf(objectSelector),
      }));
  },
};

function selectorOf(raw: Json | undefined): LabelSelector {
  const { matchLabels, matchExpressions } = object(raw);
  return {
    matchLabels: strings(object(matchLabels)),
    matchExpressions: array(matchExpressions).map((each) => {
      const { key, operator, values } = object(each);
      return { key: text(key) ?? '', operator: text(operator) ?? '', values: array(values).flatMap((value) => text(value) ?? []) };
    }),
  };
}

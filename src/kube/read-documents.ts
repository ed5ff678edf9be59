import type { IrsaBinding } from '../api/binding.ts';
import type { Pod } from '../api/cluster.ts';
import { Fault, notInFiles } from '../api/fault.ts';
import type { IrsaGrant } from '../api/grant.ts';
import { EKS_WEBHOOK, type Webhook } from '../api/webhook.ts';
import type { ReadCluster, TargetKind } from '../ports/read-cluster.ts';
import type { Resource } from './list-watch.ts';
import { type JsonObject, metaOf, object, text } from './objects.ts';
import { apiVersionOf, type ResourceType } from './paths.ts';
import { accountNameIn, injectingWebhooks, type Kept, TARGET_TYPES, templateOf } from './read-cluster.ts';
import { bindings, cronJobs, daemonSets, deployments, grants, jobs, namespaces, pods, serviceAccounts, statefulSets } from './resources.ts';

/** What stands in files in place of a cluster. */
export interface InDocuments {
  /** Whatever no file says is a `Fault` with the code `NOT_IN_FILES`. Pods are those that would be made, before a webhook has seen them. */
  readonly cluster: ReadCluster;
  readonly bindings: readonly IrsaBinding[];
  readonly grants: readonly IrsaGrant[];
}

/** Objects as they would be created; of an object in a namespace the namespace is set. */
export function readDocuments(documents: readonly JsonObject[], keep: Kept, webhook: Webhook = EKS_WEBHOOK): InDocuments {
  const byType = Map.groupBy(documents, ({ apiVersion, kind }) => `${text(apiVersion)} ${text(kind)}`);
  const rawOf = (type: ResourceType) => byType.get(`${apiVersionOf(type)} ${type.kind}`) ?? [];
  const all = <T>(resource: Resource<T>): T[] => rawOf(resource.type).map((raw) => resource.decode(raw));
  const accounts = all(serviceAccounts(webhook));
  const allNamespaces = all(namespaces);
  const workloads = [deployments, statefulSets, daemonSets].flatMap((kind) => all(kind(webhook)));
  const batchWorkloads = [cronJobs, jobs].flatMap((kind) => all(kind));
  const configurations = all(injectingWebhooks).flat();
  const toCome = Object.entries(TARGET_TYPES).flatMap(([kind, type]) => rawOf(type).map((raw) => podOf(kind as TargetKind, raw)));
  const decodePod = pods({ ...keep, annotations: keep.annotations(webhook), webhook });
  const made = toCome.map((raw) => decodePod.decode(raw));
  const isIn = (namespace: string | undefined) => (one: { namespace: string }) => namespace === undefined || one.namespace === namespace;
  const found = <T>(one: T | undefined, what: string): T => {
    if (one === undefined) throw notInFiles(what);
    return one;
  };
  return {
    bindings: all(bindings),
    grants: all(grants),
    cluster: {
      namespace: async (name) =>
        found(
          allNamespaces.find((one) => one.name === name),
          `no file has namespace "${name}"`,
        ),
      serviceAccount: async (of) =>
        found(
          accounts.find((one) => one.namespace === of.namespace && one.name === of.name),
          `no file has ServiceAccount "${of.name}" of namespace "${of.namespace}"`,
        ),
      serviceAccounts: async ({ namespace }) => accounts.filter(isIn(namespace)),
      async serviceAccountNameOf(kind, of) {
        const raw = rawOf(TARGET_TYPES[kind]).find((one) => metaOf(one).namespace === of.namespace && metaOf(one).name === of.name);
        return raw === undefined ? undefined : accountNameIn(kind, raw);
      },
      pods: async ({ namespace, name }): Promise<readonly Pod[]> =>
        made.filter((pod) => pod.namespace === namespace && (name === undefined || pod.serviceAccountName === name)),
      workloads: async (namespace) => workloads.filter(isIn(namespace)),
      batchWorkloads: async (namespace) => batchWorkloads.filter(isIn(namespace)),
      async webhooks() {
        if (configurations.length === 0) throw notInFiles('files do not show the webhook of a cluster');
        return configurations;
      },
      issuer: () => Promise.reject(new Fault('invalid', 'files do not say the issuer of the cluster')),
      apiAudiences: async () => [],
      lastWords: () => Promise.reject(notInFiles('a file has no log')),
    },
  };
}

/** The pod that would be made: its controller is the object of the file itself, by whose UID they find each other. */
function podOf(kind: TargetKind, raw: JsonObject): JsonObject {
  if (kind === 'pods') return raw;
  const { namespace, name, uid } = metaOf(raw);
  const { metadata, spec } = templateOf(kind, raw);
  const { labels, annotations } = object(metadata);
  const ownerReferences = [{ controller: true, kind: text(raw['kind']) ?? '', name, uid }];
  return { metadata: { namespace, name, labels, annotations, ownerReferences }, spec };
}

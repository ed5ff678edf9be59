import type { BatchWorkload, Namespace, ObjectName, Pod, ServiceAccount, Workload } from '../api/cluster.ts';
import type { InjectingWebhook } from '../api/webhook.ts';
import type { Among } from './among.ts';

/** What a person may name on the command line, as the API server calls it. */
export const TARGET_KINDS = ['deployments', 'statefulsets', 'daemonsets', 'replicasets', 'jobs', 'cronjobs', 'pods'] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

/** The cluster, as a person reads it. Nothing is written. Every method throws `Fault`. */
export interface ReadCluster {
  namespace(name: string, signal: AbortSignal): Promise<Namespace | undefined>;
  serviceAccount(of: ObjectName, signal: AbortSignal): Promise<ServiceAccount | undefined>;
  serviceAccounts(among: Among, signal: AbortSignal): Promise<readonly ServiceAccount[]>;
  /** The ServiceAccount of what runs pods, or of a pod; undefined where there is no such object. */
  serviceAccountNameOf(kind: TargetKind, of: ObjectName, signal: AbortSignal): Promise<string | undefined>;
  /** Of one ServiceAccount, or without a name of all of the namespace; with these labels too. */
  pods(of: { readonly namespace: string; readonly name?: string }, labels: readonly string[], signal: AbortSignal): Promise<readonly Pod[]>;
  workloads(namespace: string, signal: AbortSignal): Promise<readonly Workload[]>;
  batchWorkloads(namespace: string, signal: AbortSignal): Promise<readonly BatchWorkload[]>;
  webhooks(signal: AbortSignal): Promise<readonly InjectingWebhook[]>;
  issuer(signal: AbortSignal): Promise<string>;
  apiAudiences(signal: AbortSignal): Promise<readonly string[]>;
  /** What a container said when it ended last, else the end of its log; each line with its time. */
  lastWords(of: ObjectName, container: string, signal: AbortSignal): Promise<string>;
}

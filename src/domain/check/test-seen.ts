import { EKS_ANNOTATIONS } from '../../api/names.ts';
import { EKS_WEBHOOK, type InjectingWebhook, type LabelSelector } from '../../api/webhook.ts';
import { namespace, podOf, replicaSet, template, workload } from '../test-cluster.ts';
import { ACCOUNT, ARN, ISSUER, NOW, own, policy, present, provider, SERVICE, SUBJECT, serviceAccount } from '../test-observed.ts';
import { type CheckSeen, read } from './seen.ts';

/** A selector that selects everything. */
export const EVERYTHING: LabelSelector = { matchLabels: {}, matchExpressions: [] };

export function webhook(part: Partial<InjectingWebhook> = {}): InjectingWebhook {
  return { configuration: 'pod-identity-webhook', namespaceSelector: EVERYTHING, objectSelector: EVERYTHING, ...part };
}

/** The statement as people write it, which allows `subject`. */
export function statement(subject: string = SUBJECT, part: object = {}): object {
  const { Sid: _, ...whole } = own([subject]) as { Sid: string };
  return { ...whole, ...part };
}

export const jane = { kind: 'known', account: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:user/jane`, ownRoles: [] } as const;

/** The pod of the Deployment "app". */
export const appPod = (part: Parameters<typeof podOf>[2] = {}, name = 'app-1') =>
  podOf(replicaSet, name, { labels: { 'pod-template-hash': '5d9c' }, ...part });

/** The Deployment that `appPod` is of. */
export const app = workload({ template: template({ name: 'app' }) });

/** Annotated, trusted by a statement that a person wrote, injected, and all of it read: a test says only what is wrong. */
export function checkSeen(part: Partial<CheckSeen> = {}): CheckSeen {
  return {
    now: NOW,
    of: { namespace: 'shop', name: 'app' },
    roleArn: undefined,
    serviceAccount: read(serviceAccount({ [EKS_ANNOTATIONS.roleArn]: ARN }, 'kubectl')),
    namespace: read(namespace()),
    webhooks: read([webhook()]),
    webhook: EKS_WEBHOOK,
    cluster: read({ kind: 'known', issuer: ISSUER }),
    issuerIsDerived: false,
    notPublic: undefined,
    apiAudiences: ['https://kubernetes.default.svc'],
    caller: read(jane),
    provider: read(provider),
    role: read(present({ policy: policy(SERVICE, statement()) })),
    quota: 2048,
    pods: read([appPod()]),
    podsAreToCome: false,
    bound: undefined,
    workloads: read([app]),
    batchWorkloads: read([]),
    serviceAccountExists: () => true,
    trusting: [],
    ...part,
  };
}

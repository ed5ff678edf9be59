import type { RoleArn } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import type { BatchWorkload, Namespace, ObjectName, Pod, ServiceAccount, Workload } from '../../api/cluster.ts';
import type { InjectingWebhook, Webhook } from '../../api/webhook.ts';
import type { GrantIndex } from '../authorization/grant-index.ts';
import type { CallerView, ClusterView } from '../state/identity.ts';
import type { ProviderView } from '../state/oidc-provider.ts';
import type { RoleRecord } from '../state/role-record.ts';

/** What was looked at, or why it could not be: one sentence for a person. `outside`: what is looked at can not say it, and need not. */
export type Looked<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'unread'; readonly why: string; readonly outside?: boolean };

export type Unread = Omit<Extract<Looked<unknown>, { kind: 'unread' }>, 'kind'>;

export const read = <T>(value: T): Looked<T> => ({ kind: 'read', value });
export const unread = (why: string, outside = false): Extract<Looked<never>, { kind: 'unread' }> => ({
  kind: 'unread',
  why,
  ...(outside && { outside }),
});

/** The binding of a ServiceAccount in files: an operator will do what it says. */
export interface Bound {
  readonly binding: IrsaBinding;
  /** Of the same ServiceAccount. */
  readonly others: readonly IrsaBinding[];
  /** Undefined: the files have no grant, so the grants are elsewhere. */
  readonly grants: GrantIndex | undefined;
}

/** Everything that the check of one ServiceAccount rests on, read once. */
export interface CheckSeen {
  readonly now: number;
  /** The ServiceAccount that is meant, whether it exists or not. */
  readonly of: ObjectName;
  /** What the user says in place of the annotation. */
  readonly roleArn: RoleArn | undefined;
  readonly serviceAccount: Looked<ServiceAccount | undefined>;
  readonly namespace: Looked<Namespace | undefined>;
  readonly webhooks: Looked<readonly InjectingWebhook[]>;
  /** How the webhook was started, as far as that is known. */
  readonly webhook: Webhook;
  readonly cluster: Looked<Extract<ClusterView, { kind: 'known' }>>;
  /** It was not read: the address of the API server has the ID of the issuer. */
  readonly issuerIsDerived: boolean;
  /** The issuer is one that AWS cannot reach: that is an answer, and nothing in AWS can help. */
  readonly notPublic: string | undefined;
  readonly apiAudiences: readonly string[];
  readonly caller: Looked<Extract<CallerView, { kind: 'known' }>>;
  readonly provider: Looked<ProviderView>;
  readonly role: Looked<RoleRecord>;
  readonly quota: number;
  /** Those of the ServiceAccount. */
  readonly pods: Looked<readonly Pod[]>;
  /** They are what workloads would make: no webhook has seen them yet. */
  readonly podsAreToCome: boolean;
  readonly bound: Bound | undefined;
  /** All of the namespace. */
  readonly workloads: Looked<readonly Workload[]>;
  /** Asked for only where nothing runs as the ServiceAccount. */
  readonly batchWorkloads: Looked<readonly BatchWorkload[]>;
  /** ServiceAccounts of the namespace that workloads without the right one name, and whether they exist. */
  readonly serviceAccountExists: (name: string) => boolean;
  /** Where no role is named: the roles whose trust policy lets this ServiceAccount in. */
  readonly trusting: readonly RoleArn[];
}

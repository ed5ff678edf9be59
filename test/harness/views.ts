/** What tests read of the objects of the API server and of IAM. Written by hand: a mistake in the types of src must not be shared. */

export const ACCOUNT = '111122223333';
export const ROLE_ARN = 'eks.amazonaws.com/role-arn';

export interface Meta {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly managedFields?: readonly {
    readonly manager: string;
    readonly operation: string;
    readonly fieldsV1: { readonly 'f:metadata'?: { readonly 'f:annotations'?: Readonly<Record<string, unknown>> } };
  }[];
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

export interface BindingSpec {
  readonly serviceAccountName: string;
  readonly roleArn: string;
  readonly mode: 'Enforce' | 'Observe';
  readonly audience: string;
  readonly trustPolicy: 'Managed' | 'External';
  readonly deletionPolicy: 'Revoke' | 'Retain';
  readonly suspend: boolean;
  readonly verification?: 'Never' | 'OnChange' | 'Periodic';
  readonly restart: { readonly strategy: 'Evict' | 'Rollout' | 'Never' };
}

export interface Binding {
  readonly metadata: Meta;
  readonly spec: BindingSpec;
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
    readonly findings?: readonly { readonly code: string; readonly message?: string }[];
    readonly roles?: readonly { readonly arn: string; readonly roleId: string; readonly audience: string; readonly sid: string }[];
    readonly trustPolicy?: { readonly managedBy: string; readonly characters: number; readonly quota: number; readonly summary: string };
    readonly pods?: {
      readonly total: number;
      readonly current: number;
      readonly stale: number;
      readonly exempt: number;
      readonly summary: string;
    };
    readonly restarts?: readonly { readonly kind: string; readonly phase: string; readonly attempts: number; readonly cause: string }[];
    readonly plan?: readonly string[];
    readonly lastHandledReconcileAt?: string;
    readonly revokedAt?: string;
  };
}

export interface Grant {
  readonly spec: {
    readonly roleArns: readonly string[];
    readonly namespaces: { readonly names?: readonly string[]; readonly selector?: { readonly matchLabels: Record<string, string> } };
    readonly serviceAccountNames: readonly string[];
    readonly audiences: readonly string[];
    readonly requiredRoleTags: Readonly<Record<string, string>>;
  };
}

export interface ServiceAccount {
  readonly metadata: Meta;
}

export interface Pod {
  readonly metadata: Meta;
  readonly spec: {
    readonly serviceAccountName: string;
    readonly containers: readonly { readonly env?: readonly { readonly name: string; readonly value?: string }[] }[];
    readonly volumes?: readonly object[];
  };
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly state?: { readonly waiting?: { readonly reason: string } };
      readonly lastState?: { readonly terminated?: { readonly message?: string } };
    }[];
  };
}

export interface Event {
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly kind: string; readonly name: string; readonly uid?: string };
  readonly series?: { readonly count: number };
}

export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal: { readonly Federated?: string; readonly Service?: string };
  readonly Action: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export const conditionOf = ({ status }: Pick<Binding, 'status'>, type: string): Condition | undefined =>
  status?.conditions?.find((condition) => condition.type === type);

/** Whether it is so, and of the spec as it is. */
export function says(binding: Binding, type: string, status: string): boolean {
  const { generation } = binding.metadata;
  return binding.status?.observedGeneration === generation && conditionOf(binding, type)?.status === status;
}

export const isReady = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined && (status.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True');

/** The role that the webhook gave each container; undefined: none. */
export const rolesOfPod = ({ spec }: Pick<Pod, 'spec'>): (string | undefined)[] =>
  spec.containers.map(({ env = [] }) => env.find(({ name }) => name === 'AWS_ROLE_ARN')?.value);

export const uidsOf = (pods: readonly Pod[]): string[] => pods.map(({ metadata }) => metadata.uid).toSorted();

/** Its role is of an account that the operator reaches by another role. A person's credentials reach one account. */
export const isElsewhere = ({ status }: Binding): boolean => (status?.roles ?? []).some(({ arn }) => !arn.includes(`:${ACCOUNT}:`));

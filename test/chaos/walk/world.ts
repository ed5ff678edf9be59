import { type Api, ApiError, type Testbed } from '@irsa-operator/testbed';
import { ACCOUNT } from '../../harness/scene.ts';
import type { Chance } from '../chance.ts';
import type { Histories } from './history.ts';

/** Small enough that everything meets everything: two bindings for each ServiceAccount, six of which share a role on average. */
export const NAMESPACES = ['walk-a', 'walk-b', 'walk-c', 'walk-d'] as const;
export const SERVICE_ACCOUNTS = ['api', 'app', 'job', 'web'] as const;
export const ROLES = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta'] as const;
export const GRANTS = ['by-name', 'by-label', 'by-path', 'by-tag'] as const;
/** The provider has the first two as client IDs. */
export const AUDIENCES = ['sts.amazonaws.com', 'sigstore', 'unregistered'] as const;
export const TEAM = { team: 'walk' };
/** What the grant `by-tag` asks of a role. */
export const CONSENT = { 'allow-irsa': 'yes' };
export const PAUSED = { 'irsa-operator.dev/paused': 'true' };
const BINDINGS_API = '/apis/irsa-operator.dev/v1alpha1';

export type RoleName = (typeof ROLES)[number];

/** Every second role has a path. */
export const pathOf = (role: RoleName): string => (ROLES.indexOf(role) % 2 === 0 ? '/' : '/walk/');
export const arnOf = (role: RoleName): string => `arn:aws:iam::${ACCOUNT}:role${pathOf(role)}${role}`;
export const subjectOf = (namespace: string, account: string): string => `system:serviceaccount:${namespace}:${account}`;

export const paths = {
  bindings: (namespace: string) => `${BINDINGS_API}/namespaces/${namespace}/irsabindings`,
  binding: (namespace: string, name: string) => `${BINDINGS_API}/namespaces/${namespace}/irsabindings/${name}`,
  everyBinding: `${BINDINGS_API}/irsabindings`,
  grants: `${BINDINGS_API}/irsagrants`,
  accounts: (namespace: string) => `/api/v1/namespaces/${namespace}/serviceaccounts`,
  deployments: (namespace: string) => `/apis/apps/v1/namespaces/${namespace}/deployments`,
  pods: (namespace: string) => `/api/v1/namespaces/${namespace}/pods`,
  namespace: (name: string) => `/api/v1/namespaces/${name}`,
};

export interface BindingSpec {
  readonly serviceAccountName: string;
  readonly roleArn: string;
  readonly mode: 'Enforce' | 'Observe';
  readonly audience: string;
  readonly trustPolicy: 'Managed' | 'External';
  readonly deletionPolicy: 'Revoke' | 'Retain';
  readonly suspend: boolean;
  readonly restart: { readonly strategy: 'Evict' | 'Rollout' | 'Never' };
}
export interface BindingObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec: BindingSpec;
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
      readonly observedGeneration: number;
    }[];
    readonly roles?: readonly { readonly arn: string; readonly audience: string; readonly sid: string }[];
    readonly pods?: { readonly total: number; readonly current: number; readonly stale: number; readonly exempt: number };
    readonly findings?: readonly { readonly code: string; readonly message: string }[];
  };
}

/** What the walk runs in, and what it remembers to judge the end by. */
export interface World {
  readonly testbed: Testbed;
  readonly api: Api;
  readonly chance: Chance;
  readonly histories: Histories;
  /** Whether STS lets this token assume the role. */
  readonly ask: (roleArn: string, token: string) => Promise<boolean>;
  /** Trust that stays by the will of a binding that is gone: `ROLE ARN|SUBJECT|AUDIENCE`. */
  readonly retained: Set<string>;
  /** ServiceAccounts whose annotation may stay, for the same reason: `NAMESPACE/NAME`. */
  readonly annotated: Set<string>;
  /** How often somebody undid what the operator wrote on a ServiceAccount, by its uid. */
  readonly undone: Map<string, number>;
}

export const trustKey = (arn: string, subject: string, audience: string): string => `${arn}|${subject}|${audience}`;

/** What the API server refuses because the walk stumbled over itself, or over the operator. */
const STUMBLES = new Set([404, 409]);

/** Undefined where the object is not there, is there already, or is being deleted. */
export async function attempt<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ApiError && STUMBLES.has(error.status)) return undefined;
    throw error;
  }
}

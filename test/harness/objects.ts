import { ApiError } from '@irsa-operator/testbed';

/** The kinds of objects that tests make and read, and the API of each. */
const APIS = {
  irsabindings: '/apis/irsa-operator.dev/v1alpha1',
  irsagrants: '/apis/irsa-operator.dev/v1alpha1',
  irsaaccounts: '/apis/irsa-operator.dev/v1alpha1',
  namespaces: '/api/v1',
  serviceaccounts: '/api/v1',
  configmaps: '/api/v1',
  limitranges: '/api/v1',
  pods: '/api/v1',
  deployments: '/apis/apps/v1',
  statefulsets: '/apis/apps/v1',
  daemonsets: '/apis/apps/v1',
  replicasets: '/apis/apps/v1',
  jobs: '/apis/batch/v1',
  cronjobs: '/apis/batch/v1',
  poddisruptionbudgets: '/apis/policy/v1',
  leases: '/apis/coordination.k8s.io/v1',
  events: '/apis/events.k8s.io/v1',
  clusterroles: '/apis/rbac.authorization.k8s.io/v1',
  clusterrolebindings: '/apis/rbac.authorization.k8s.io/v1',
} as const;
export type Kind = keyof typeof APIS;
export type WorkloadKind = 'deployments' | 'statefulsets' | 'daemonsets' | 'replicasets';

/** Where the objects of a kind are: all of them, those of a namespace, or one. */
export function pathOf(kind: Kind, { namespace, name }: { readonly namespace?: string; readonly name?: string } = {}): string {
  return [APIS[kind], namespace === undefined ? [] : ['namespaces', namespace], kind, name ?? []].flat(2).join('/');
}

export const OPERATOR_NAMESPACE = 'irsa-operator-system';
export const OPERATOR_USER = `system:serviceaccount:${OPERATOR_NAMESPACE}:irsa-operator`;
export const LEASE = pathOf('leases', { namespace: OPERATOR_NAMESPACE, name: 'irsa-operator' });

/** A body of this project's API; metadata comes from where it is put. */
export const binding = (spec: object): object => ({ apiVersion: 'irsa-operator.dev/v1alpha1', kind: 'IrsaBinding', spec });
export const grant = (spec: object): object => ({ apiVersion: 'irsa-operator.dev/v1alpha1', kind: 'IrsaGrant', spec });

/** Undefined where the API server says one of these. */
export async function unless<T>(codes: readonly number[], call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ApiError && codes.includes(error.status)) return undefined;
    throw error;
  }
}

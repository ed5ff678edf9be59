import { arnOf } from './arn.ts';
import type { Account, SessionTags } from './world.ts';

/** The pod that EKS Pod Identity gives credentials to. */
export interface PodIdentity {
  readonly cluster: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/**
 * The tags that EKS Pod Identity adds to a session: "All of the session tags that are added by EKS Pod Identity are transitive"
 * (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html).
 */
export function podIdentityTags(account: Account, { cluster, namespace, serviceAccount }: PodIdentity): SessionTags {
  const values = {
    'eks-cluster-arn': arnOf(account, 'eks', `cluster/${cluster}`),
    'eks-cluster-name': cluster,
    'kubernetes-namespace': namespace,
    'kubernetes-service-account': serviceAccount,
    'kubernetes-pod-name': `${serviceAccount}-0`,
    'kubernetes-pod-uid': '5c29e3f6-55a7-4a6f-9c1d-6ab3a2f0c7d1',
  };
  return new Map(Object.entries(values).map(([key, value]) => [key, { value, transitive: true }]));
}

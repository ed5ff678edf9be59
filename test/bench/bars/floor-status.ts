import type { Member } from './fleet.ts';

/** What the bare client writes: the intent, and the outcome, as large as those of the operator. */
export function status({ namespace, name, role, roleArn }: Member, ready: boolean): object {
  const condition = (type: string, reason: string, message: string, known = true) => ({
    type,
    status: known ? 'True' : 'Unknown',
    reason,
    message,
    observedGeneration: 1,
    lastTransitionTime: new Date().toISOString().replace(/\.\d+/, ''),
  });
  const subject = `system:serviceaccount:${namespace}:${name}`;
  return {
    observedGeneration: 1,
    conditions: [
      condition(
        'Ready',
        ready ? 'Ready' : 'AwaitingTrust',
        `role and ServiceAccount agree. No pod of namespace "${namespace}" runs as ServiceAccount "${name}"`,
        ready,
      ),
      condition('Authorized', 'Granted', `granted by IrsaGrant "${role}"`),
      condition('ProviderReady', 'Registered', "the account of the role has this cluster's OIDC provider, with the client ID of STS"),
      condition('Trusted', 'AllowedByOperator', `the statement of irsa-operator allows "${subject}" to assume the role`, ready),
      condition('Annotated', 'Annotated', `ServiceAccount "${name}" has the role "${roleArn}"`, ready),
      condition('PodsCurrent', 'NoPods', `no pod of namespace "${namespace}" runs as ServiceAccount "${name}"`, ready),
    ],
    roles: [{ arn: roleArn, roleId: 'AROASDJDIHUHOHCR7GZ7B', audience: 'sts.amazonaws.com', sid: 'Irsa4aga3wc6bvt2' }],
    pods: { total: 0, current: 0, stale: 0, exempt: 0, summary: '0/0' },
    ...(ready ? { trustPolicy: { managedBy: 'Operator', characters: 942, quota: 2048, summary: '942/2048' } } : {}),
  };
}

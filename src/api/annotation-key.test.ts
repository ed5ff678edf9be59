import { expect, test } from 'vitest';
import { isMisspeltRoleKey } from './annotation-key.ts';

const misspelt = [
  'eks.amazon.com/role-arn',
  'eks.amazonaws.com/role_arn',
  'eks.amazonaws.com/rolearn',
  'eks.amazonaws.com/role-Arn',
  'EKS.amazonaws.com/role-arn',
  'eks.amazonaws.com/iam-role-arn',
  'eks.amazonaws.com/role',
  'eks.amazonaws.com/role-arns',
  'eks.amazonaws.com.cn/role-arn',
  'eks.amazonaws.org/role-arn',
  'eks.amazonaw.com/role-anr',
  'eks-amazonaws.com/role.arn',
  'sts.amazonaws.com/role-arn',
  'amazonaws.com/role-arn',
];
for (const key of misspelt) test(`${key} is meant to be the webhook's`, () => expect(isMisspeltRoleKey(key)).toBe(true));

const others = [
  'eks.amazonaws.com/role-arn',
  'eks.amazonaws.com/audience',
  'eks.amazonaws.com/token-expiration',
  'eks.amazonaws.com/sts-regional-endpoints',
  'eks.amazonaws.com/skip-containers',
  'eks.amazonaws.com/compute-type',
  // kube2iam and kiam read this of a pod
  'iam.amazonaws.com/role',
  'iam.gke.io/gcp-service-account',
  'azure.workload.identity/client-id',
  'meta.helm.sh/release-name',
  'role-arn',
  '',
  'x'.repeat(300),
];
for (const key of others) test(`${key.slice(0, 40) || 'no key'} is not`, () => expect(isMisspeltRoleKey(key)).toBe(false));

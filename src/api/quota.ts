/** Characters of a role's trust policy that IAM allows an account by default (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html). */
export const DEFAULT_POLICY_QUOTA = 2048;

import member from '../../config/iam/accounts/member.json' with { type: 'json' };
import type { AccountId, Partition } from '../api/arn.ts';

/** As in the file. */
const EXAMPLE = { arn: /^arn:aws:iam::444455556666:/, roleName: 'irsa-operator-member' };

/**
 * The permissions of a member role once more, for AssumeRole: a session may do what the role and this policy both allow, whatever else was
 * attached to the role (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session). Without Sids: STS takes 2,048
 * characters at most.
 */
export function memberSessionPolicy({
  partition,
  account,
  roleName = EXAMPLE.roleName,
}: {
  readonly partition: Partition;
  readonly account: AccountId;
  readonly roleName?: string;
}): string {
  const filledIn = (text: string): string =>
    text.replace(EXAMPLE.arn, `arn:${partition}:iam::${account}:`).replace(new RegExp(`/${EXAMPLE.roleName}$`), `/${roleName}`);
  return JSON.stringify(member, (key, value) => {
    if (key === 'Sid') return undefined;
    return typeof value === 'string' ? filledIn(value) : value;
  });
}

import * as z from 'zod';
import { type AccountId, parseRoleArn, ROLE_ARN_MAX_LENGTH, type RoleArn, roleArnParts, roleArnRules } from './arn.ts';
import type { ConditionOf } from './condition.ts';
import { conditionSchema } from './condition-schema.ts';
import { isProblem, type Problem, problem } from './problem.ts';
import { LEAST_RATE, MOST_RATE } from './rate.ts';
import { type CelRule, limited, sentenceOf, text } from './schema.ts';

/** `Ready` sums up; `Reconciling` and `Stalled` are there only while true, as kstatus reads them. */
export const ACCOUNT_CONDITIONS = ['Ready', 'Reachable', 'Reconciling', 'Stalled'] as const;
export type AccountConditionType = (typeof ACCOUNT_CONDITIONS)[number];

/** STS: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html. */
const EXTERNAL_ID = {
  name: 'externalId',
  most: 1_224,
  by: 'IAM',
  pattern: /^[A-Za-z0-9+=,.@:/_-]{2,}$/,
  allowed: 'two or more letters, digits and "+=,.@:/_-"',
} as const;
const rate = (description: string) => z.number().min(LEAST_RATE).max(MOST_RATE).describe(description).optional();

export const accountSpec = z.object({
  roleArn: text({
    most: ROLE_ARN_MAX_LENGTH,
    description:
      'The role of that account that irsa-operator assumes. Its account is the name of this object. Example: arn:aws:iam::444455556666:role/irsa-operator-member.',
    rules: roleArnRules('roleArn is the ARN of one role, for example arn:aws:iam::444455556666:role/irsa-operator-member', ''),
  }),
  externalId: limited(
    EXTERNAL_ID,
    'The external ID that the trust policy of that role asks for. It is no secret. Default: none. Example: platform-7f3a.',
  ).optional(),
  writesPerSecond: rate('Writes to IAM in this account. Default: --iam-writes-per-second. Example: 2.'),
  readsPerSecond: rate('Reads of IAM in this account. Default: --iam-reads-per-second. Example: 5.'),
  suspend: z
    .boolean()
    .default(false)
    .describe('Whether irsa-operator leaves this account alone: it sends no call there, and nothing is revoked. Default: false.'),
});

const condition = conditionSchema(ACCOUNT_CONDITIONS, {
  of: 'account',
  type: 'Reachable: AWS accepts irsa-operator there. Ready is the sum. Reconciling and Stalled exist only while they are true.',
  state: 'Reached',
});

export const accountStatus = z.object({
  observedGeneration: z.int().describe('The generation of the account that this status is about.').optional(),
  callerArn: z.string().max(2_048).describe('The identity of irsa-operator in this account.').optional(),
  trustPolicyQuota: z.int().describe('How many characters the account allows for a trust policy.').optional(),
  conditions: z
    .array(condition)
    .max(8)
    .meta({
      description: 'Whether AWS accepts irsa-operator in the account. Ready is the sum.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    })
    .optional(),
});

/** Of the whole object: a schema of the spec alone does not see the name. */
export const ACCOUNT_RULES: readonly CelRule[] = [
  ['self.metadata.name.matches("^[0-9]{12}$")', 'the name of an IrsaAccount is the account: twelve digits'],
  ['self.spec.roleArn.split(":")[4] == self.metadata.name', 'spec.roleArn is a role of another account than the name of this object says'],
];

export type AccountSpec = Omit<z.output<typeof accountSpec>, 'roleArn'> & { readonly roleArn: RoleArn };
export interface AccountStatus extends Omit<z.output<typeof accountStatus>, 'conditions'> {
  readonly conditions: readonly ConditionOf<AccountConditionType>[];
}

export interface IrsaAccount {
  /** Its name. */
  readonly account: AccountId;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly spec: AccountSpec | Problem;
  readonly status: AccountStatus;
}

export function parseAccountSpec(name: string, input: unknown): AccountSpec | Problem {
  const parsed = accountSpec.safeParse(input);
  if (!parsed.success) return problem(sentenceOf(parsed.error));
  const { roleArn: given, ...rest } = parsed.data;
  const roleArn = parseRoleArn(given);
  if (isProblem(roleArn)) return problem(`spec.roleArn: ${roleArn.problem}`);
  const { account } = roleArnParts(roleArn);
  if (account !== name) return problem(`spec.roleArn: "${roleArn}" is a role of account ${account}. Wanted: one of account ${name}`);
  return { ...rest, roleArn };
}

/** A status is a hint: what does not parse is as if it were not there. */
export function parseAccountStatus(input: unknown): AccountStatus {
  const { data: { conditions = [], ...rest } = {} } = accountStatus.safeParse(input);
  return { ...rest, conditions };
}

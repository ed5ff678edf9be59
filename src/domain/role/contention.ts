import type { RoleArn } from '../../api/arn.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { quoteAll } from '../../trust/document/quote.ts';
import { type Advice, adviceFor, type Contention, contentionLevel } from '../state/contention.ts';

/**
 * Who may be writing a role's trust policy beside us, by the tags that tools leave on what they manage: CloudFormation's own (AWS reserves
 * `aws:`), ACK's and Crossplane's, and those by which people mark what Terraform or Pulumi made.
 */
export function managersOf(tags: ReadonlyMap<string, string>): string[] {
  const found = new Set<string>();
  for (const [key, value] of tags) for (const [name, marks] of MARKS) if (marks(key.toLowerCase(), value.toLowerCase())) found.add(name);
  return [...found];
}

type Marks = (key: string, value: string) => boolean;
/** `managed-by`, `ManagedBy`, `provisioner`, ... with the tool as the value; or the tool as the key. */
const marked =
  (tool: string): Marks =>
  (key, value) =>
    key === tool || key.startsWith(`${tool}:`) || (/manage|provision|creat|owner|tool/.test(key) && value.includes(tool));

const MARKS: readonly (readonly [string, Marks])[] = [
  ['Terraform', marked('terraform')],
  ['CloudFormation', (key) => key.startsWith('aws:cloudformation:')],
  ['ACK', (key) => key.startsWith('services.k8s.aws/')],
  ['Crossplane', (key, value) => key.startsWith('crossplane-') || marked('crossplane')(key, value)],
  ['Pulumi', marked('pulumi')],
];

const ADVICE: Advice = {
  Terraform: 'Terraform: lifecycle { ignore_changes = [assume_role_policy] } on the aws_iam_role',
  CloudFormation:
    'CloudFormation: do not change AssumeRolePolicyDocument in the stack, or put the statement there and set trustPolicy: External',
  ACK: 'ACK: remove assumeRolePolicyDocument from the Role resource, or put the statement there and set trustPolicy: External',
  Crossplane: 'Crossplane: managementPolicies without "Update" on the Role, or put the statement there and set trustPolicy: External',
  Pulumi: 'Pulumi: ignoreChanges ["assumeRolePolicy"] on the role',
};

/** Somebody takes our statement out again and again; undefined while that is not so. */
export function trustContended(role: RoleArn, contention: Contention, now: number): Finding | undefined {
  if (contentionLevel(contention, now) === 'none') return undefined;
  const by =
    contention.by.length === 0
      ? 'another writer (see UpdateAssumeRolePolicy in CloudTrail)'
      : `${quoteAll(contention.by)} (by the tags of the role)`;
  const advice = adviceFor(contention.by, ADVICE);
  const parts = [
    `${by} keeps removing the statement of irsa-operator from the trust policy of "${role}"`,
    'irsa-operator writes it at most once in 5 minutes',
    advice.length === 0
      ? 'Ask its owner to keep the statement, or set trustPolicy: External and write the statement there'
      : advice.join('. '),
  ];
  return finding('Contended', parts.join('. '));
}

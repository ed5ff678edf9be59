import { describe, expect, test } from 'vitest';
import { NO_CONTENTION, recordRevert } from '../state/contention.ts';
import { ARN, NOW } from '../test-observed.ts';
import { managersOf, trustContended } from './contention.ts';

const tags: Record<string, { tags: Record<string, string>; by: string[] }> = {
  'Terraform, by the value of ManagedBy': { tags: { ManagedBy: 'Terraform' }, by: ['Terraform'] },
  'Terraform, by a key of that name': { tags: { terraform: 'true' }, by: ['Terraform'] },
  'CloudFormation, by its own tags': { tags: { 'aws:cloudformation:stack-name': 'lbc' }, by: ['CloudFormation'] },
  'ACK, by its own tags': { tags: { 'services.k8s.aws/controller-version': 'iam-1.4.0' }, by: ['ACK'] },
  'Crossplane, by its own tags': { tags: { 'crossplane-kind': 'role.iam.aws.upbound.io' }, by: ['Crossplane'] },
  'Pulumi, by its project': { tags: { 'pulumi:project': 'infra' }, by: ['Pulumi'] },
  'two of them': { tags: { 'managed-by': 'terraform', 'aws:cloudformation:stack-id': 'x' }, by: ['Terraform', 'CloudFormation'] },
  'nobody, by a tag that only mentions one': { tags: { description: 'not terraform' }, by: [] },
  'nobody, without tags': { tags: {}, by: [] },
};
for (const [sentence, { tags: given, by }] of Object.entries(tags))
  test(`a role is managed by ${sentence}`, () => expect(managersOf(new Map(Object.entries(given)))).toEqual(by));

describe('contention over a trust policy', () => {
  const contention = (times: number, by: string[] = []) =>
    Array.from({ length: times }, (_, index) => NOW + index * 60_000).reduce((so, at) => recordRevert(so, at, by), NO_CONTENTION);
  test('is told from the third revert on', () => {
    expect(trustContended(ARN, contention(2), NOW + 180_000)).toBeUndefined();
    expect(trustContended(ARN, contention(3), NOW + 180_000)?.code).toBe('Contended');
  });
  test('with nobody to name says where to look and what to ask for', () =>
    expect(trustContended(ARN, contention(3), NOW + 180_000)?.message).toBe(
      `another writer (see UpdateAssumeRolePolicy in CloudTrail) keeps removing the statement of irsa-operator from the trust policy of "${ARN}". irsa-operator writes it at most once in 5 minutes. Ask its owner to keep the statement, or set trustPolicy: External and write the statement there`,
    ));
  test('names the tool and what to tell it', () =>
    expect(trustContended(ARN, contention(3, ['Pulumi']), NOW + 180_000)?.message).toContain(
      'Pulumi: ignoreChanges ["assumeRolePolicy"] on the role',
    ));
});

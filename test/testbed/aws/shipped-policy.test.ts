import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createAws } from './in-process.ts';

/** config/iam/policy.json and the ways that docs/iam.md tells to narrow it, evaluated as IAM would. */
const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
type Statement = Readonly<Record<string, unknown>> & { readonly Sid?: string };
const shipped = JSON.parse(read('config/iam/policy.json')) as { Version: string; Statement: Statement[] };
const [byPath, byTag] = [...read('docs/iam.md').matchAll(/```json\n(\{\n {2}"Sid"[\s\S]*?)```/g)].map(
  ([, json = '']) => JSON.parse(json) as Statement,
);

const narrowed = (write: Statement | undefined) => ({
  ...shipped,
  Statement: shipped.Statement.map((statement) => (statement.Sid === 'WriteTrustPolicies' && write !== undefined ? write : statement)),
});
const TRUST = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});

/** Codes of one call, as the operator's role under this policy. */
async function answer(policy: object, operation: string, params: Record<string, string> = {}): Promise<string> {
  const aws = createAws();
  const { role } = aws.account();
  role.put({ name: 'lbc', trustPolicy: TRUST });
  role.put({ name: 'below', path: '/irsa/team/', trustPolicy: TRUST });
  role.put({ name: 'agreed', trustPolicy: TRUST, tags: { 'irsa-operator.dev/managed': 'true' } });
  role.put({ name: 'irsa-operator', path: '/platform/', trustPolicy: TRUST, tags: { 'irsa-operator.dev/managed': 'true' } });
  const call = aws.as({ roleName: 'irsa-operator', identityPolicy: policy });
  await call('iam', operation, params, new AbortController().signal).catch(() => undefined);
  return aws.journal.at(-1)?.code ?? 'no call';
}
const write = (policy: object, RoleName: string) => answer(policy, 'UpdateAssumeRolePolicy', { RoleName, PolicyDocument: TRUST });

// Contract: api-own-role
describe('who may be written to', () => {
  const cases: Record<string, [object, Record<string, string>]> = {
    'as it ships: every role but the operator’s own, whatever its path': [
      shipped,
      { lbc: 'OK', below: 'OK', 'irsa-operator': 'AccessDenied', 'IRSA-Operator': 'AccessDenied' },
    ],
    'by path: what lies below it': [
      narrowed(byPath),
      { below: 'OK', lbc: 'AccessDenied', agreed: 'AccessDenied', 'irsa-operator': 'AccessDenied' },
    ],
    'by tag: whose owner agreed, and not the operator’s own': [
      narrowed(byTag),
      { agreed: 'OK', lbc: 'AccessDenied', below: 'AccessDenied', 'irsa-operator': 'AccessDenied' },
    ],
  };
  test.each(Object.entries(cases))('%s', async (_, [policy, expected]) => {
    const found: Record<string, string> = {};
    for (const name of Object.keys(expected)) found[name] = await write(policy, name);
    expect(found).toEqual(expected);
  });
});

const manages = JSON.parse(read('config/iam/manage-oidc-provider.json')) as object;
const HOST = 'oidc.eks.us-east-1.amazonaws.com/id';
describe('which provider may be created', () => {
  const cases: Record<string, { url: string; answer: string }> = {
    'the one of this cluster’s issuer': { url: `https://${HOST}/EXAMPLED539D4633E53DE1B71EXAMPLE`, answer: 'OK' },
    'not one of another cluster': { url: `https://${HOST}/0123456789ABCDEF0123456789ABCDEF`, answer: 'AccessDenied' },
    'not one whose ID begins like it': { url: `https://${HOST}/EXAMPLED539D4633E53DE1B71EXAMPLE0`, answer: 'AccessDenied' },
    'not one whose ID is in another case': { url: `https://${HOST}/exampled539d4633e53de1b71example`, answer: 'AccessDenied' },
    'not one of a path below it': { url: `https://${HOST}/EXAMPLED539D4633E53DE1B71EXAMPLE/x`, answer: 'AccessDenied' },
    'not one of another region': {
      url: 'https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE',
      answer: 'AccessDenied',
    },
    'not one of another host': {
      url: 'https://attacker.example/id/EXAMPLED539D4633E53DE1B71EXAMPLE',
      answer: 'AccessDenied',
    },
    'not one of GitHub Actions': { url: 'https://token.actions.githubusercontent.com', answer: 'AccessDenied' },
  };
  test.each(Object.entries(cases))('%s', async (_, { url, answer: wanted }) => {
    expect(await answer(manages, 'CreateOpenIDConnectProvider', { Url: url, 'ClientIDList.member.1': 'sts.amazonaws.com' })).toBe(wanted);
  });
});

test('what is not granted: making, tagging or deleting anything', async () => {
  const RoleName = 'lbc';
  const calls: Record<string, Record<string, string>> = {
    CreateRole: { RoleName: 'new', AssumeRolePolicyDocument: TRUST },
    TagRole: { RoleName, 'Tags.member.1.Key': 'irsa-operator.dev/managed', 'Tags.member.1.Value': 'true' },
    DeleteRole: { RoleName },
    CreateOpenIDConnectProvider: { Url: 'https://issuer.example' },
    DeleteOpenIDConnectProvider: { OpenIDConnectProviderArn: 'arn:aws:iam::111122223333:oidc-provider/issuer.example' },
  };
  for (const [operation, params] of Object.entries(calls))
    expect([operation, await answer(shipped, operation, params)]).toEqual([operation, 'AccessDenied']);
});

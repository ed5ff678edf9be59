import { expect, test } from 'vitest';
import type { ProviderArn, RoleArn } from '../../api/arn.ts';
import type { Issuer } from '../../api/issuer.ts';
import { isProblem } from '../../api/problem.ts';
import { subjectOf } from '../../api/subject.ts';
import { parseDocument } from '../document/document.ts';
import { diagnose } from './diagnose.ts';

const HOST = 'oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF';
const provider = `arn:aws:iam::111122223333:oidc-provider/${HOST}` as ProviderArn;

for (const [namespace, name] of [
  ['case-0', 'app'],
  ['team', 'app0'],
  ['0', '0'],
] as const) {
  test(`an exact statement for "${namespace}:${name}" is not too broad, though the name ends with 0`, () => {
    const subject = subjectOf(namespace, name);
    const Condition = { StringEquals: { [`${HOST}:sub`]: subject, [`${HOST}:aud`]: 'sts.amazonaws.com' } };
    const Statement = [{ Effect: 'Allow', Principal: { Federated: provider }, Action: 'sts:AssumeRoleWithWebIdentity', Condition }];
    const document = parseDocument(JSON.stringify({ Version: '2012-10-17', Statement }));
    const request = { provider, issuer: `https://${HOST}` as Issuer, subject, audience: 'sts.amazonaws.com' };
    expect(isProblem(document)).toBe(false);
    expect(diagnose(document, request, { role: 'arn:aws:iam::111122223333:role/app' as RoleArn })).toEqual([]);
  });
}

import { isDeepStrictEqual } from 'node:util';
import { hostOf, isOurs, providerOf, statementsIn } from '../../harness/policies.ts';
import type { Statement } from '../../harness/views.ts';

/** What stands in the statement of irsa-operators. */
export function standing(text: string, issuer: string): { subject: string; audience: string }[] {
  return statementsIn(text)
    .filter((statement) => isOurs(statement, issuer))
    .flatMap(({ Condition }) => {
      const keys = Condition?.['StringEquals'] ?? {};
      const [audience] = [keys[`${hostOf(issuer)}:aud`] ?? []].flat();
      return [keys[`${hostOf(issuer)}:sub`] ?? []].flat().map((subject) => ({ subject, audience: audience ?? '' }));
    });
}

/** Everything that is not ours, such that two that mean the same are equal: IAM reorders keys, and unwraps lists of one. */
export function foreign(text: string, issuer: string): unknown[] {
  return statementsIn(text)
    .filter((statement) => !isOurs(statement, issuer))
    .map(plain);
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 1 ? plain(value[0]) : value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, plain(inner)]));
}

export const sameForeign = (a: unknown[], b: unknown[]): boolean => isDeepStrictEqual(a, b);

/** What owners of roles write: `effect` on the subject is what the end is judged by. */
export type ForeignKind = (typeof FOREIGN_KINDS)[number];
export const FOREIGN_KINDS = ['lambda', 'otherCluster', 'allows', 'denies', 'restricts', 'typo'] as const;

export function foreignStatement(kind: ForeignKind, subject: string, audience: string, issuer: string): Statement {
  const mine = (sub: string, more: object = {}) => ({
    Principal: { Federated: providerOf(issuer) },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { [`${hostOf(issuer)}:aud`]: audience, [`${hostOf(issuer)}:sub`]: sub, ...more } },
  });
  const sid = `${kind}${subject.replace(/[^a-z]/g, '').slice('systemserviceaccount'.length)}`;
  switch (kind) {
    case 'lambda':
      return { Sid: 'Lambda', Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' };
    case 'otherCluster': {
      const other = 'oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF';
      return {
        Sid: 'Irsaaaaaaaaaaaaa',
        Effect: 'Allow',
        Principal: { Federated: providerOf(other) },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: { StringEquals: { [`${other}:aud`]: audience, [`${other}:sub`]: subject } },
      };
    }
    case 'allows':
      return { Sid: sid, Effect: 'Allow', ...mine(subject) };
    case 'denies':
      return { Sid: sid, Effect: 'Deny', ...mine(subject) };
    case 'restricts':
      return { Sid: sid, Effect: 'Allow', ...mine(subject, { 'aws:SourceVpc': 'vpc-0123456789abcdef0' }) };
    case 'typo':
      return { Sid: sid, Effect: 'Allow', ...mine(subject.replace('serviceaccount:', 'serviceaccount: ')) };
  }
}

import { expect, test } from 'vitest';
import { policy } from '../../harness/policies.ts';
import type { Statement } from '../../harness/views.ts';
import { foreignStatement } from './documents.ts';
import { foreignChanges, histories } from './history.ts';

const ISSUER = 'https://oidc.eks.us-east-1.amazonaws.com/id/TEST';
const lambda = foreignStatement('lambda', '', '', ISSUER);
const other = foreignStatement('otherCluster', 'system:serviceaccount:a:b', 'sts.amazonaws.com', ISSUER);
const text = (...statements: Statement[]) => JSON.stringify(policy(...statements));

/** The owner writes one statement at 0 s and two at 10 s; then the operator sends this. */
function sent(document: string, seconds: number) {
  const times = [0, 10_000];
  const all = histories(() => times.shift() ?? 0);
  all.owned('alpha', text(lambda));
  all.owned('alpha', text(lambda, other));
  const params = { RoleName: 'alpha', PolicyDocument: document };
  const journal = [{ at: new Date(seconds * 1_000), operation: 'UpdateAssumeRolePolicy', code: 'OK', params }];
  const { wrong, ...counts } = foreignChanges({ aws: { journal }, issuer: ISSUER }, all);
  return { ...counts, wrong: wrong.length };
}

const cases: Record<string, [document: string, seconds: number, found: { writes: number; races: number; wrong: number }]> = {
  'what stands is carried over': [text(lambda, other), 60, { writes: 1, races: 0, wrong: 0 }],
  'what stood a moment ago is a race': [text(lambda), 12, { writes: 1, races: 1, wrong: 0 }],
  'what stood long ago is a loss': [text(lambda), 60, { writes: 1, races: 0, wrong: 1 }],
  'what never stood is a change of somebody else': [text(other), 12, { writes: 1, races: 0, wrong: 1 }],
  'another order is a change': [text(other, lambda), 60, { writes: 1, races: 0, wrong: 1 }],
};
for (const [sentence, [document, seconds, found]] of Object.entries(cases))
  test(sentence, () => expect(sent(document, seconds)).toEqual(found));

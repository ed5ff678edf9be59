import { expect, test } from 'vitest';
import { nearest } from './nearest.ts';

const FLAGS = ['namespace', 'all-namespaces', 'service-account', 'role-arn', 'as', 'context', 'region'];
const rows: Record<string, string | undefined> = {
  namespace: 'namespace',
  namespce: 'namespace',
  namespaces: 'namespace',
  'role-anr': 'role-arn',
  rolearn: 'role-arn',
  contxet: 'context',
  regoins: undefined,
  at: 'as',
  x: undefined,
  '': undefined,
  unrelated: undefined,
};
for (const [word, meant] of Object.entries(rows))
  test(`"${word}" means ${meant ?? 'nothing'}`, () => expect(nearest(word, FLAGS)).toBe(meant));
test('of nothing nothing is meant', () => expect(nearest('namespace', [])).toBeUndefined());
test('of two that are as near it is the first', () => expect(nearest('rat', ['cat', 'bat'])).toBe('cat'));

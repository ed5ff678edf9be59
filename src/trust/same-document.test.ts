import { describe, expect, test } from 'vitest';
import { sameDocument } from './same-document.ts';

const SUB = 'oidc.example.org:sub';
const statement = (part: object = {}) => ({
  Effect: 'Allow',
  Principal: { Federated: ['a', 'b'], AWS: 'x' },
  Action: 'sts:AssumeRoleWithWebIdentity',
  Condition: { StringEquals: { [SUB]: ['system:serviceaccount:shop:app', 'system:serviceaccount:shop:web'], aud: 'y' } },
  ...part,
});
const other = { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };
const text = (...statements: object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });
const one = text(statement(), other);

describe('two documents are the same', () => {
  const same: Record<string, string> = {
    'with other white space': JSON.stringify(JSON.parse(one), undefined, 2),
    'with principals and values in another order': text(
      statement({
        Principal: { AWS: 'x', Federated: ['b', 'a'] },
        Condition: { StringEquals: { aud: 'y', [SUB]: ['system:serviceaccount:shop:web', 'system:serviceaccount:shop:app'] } },
      }),
      other,
    ),
    'with a list around one value': text(statement({ Action: ['sts:AssumeRoleWithWebIdentity'] }), other),
  };
  for (const [sentence, document] of Object.entries(same)) test(sentence, () => expect(sameDocument(one, document)).toBe(true));
});

describe('two documents are not the same', () => {
  const different: Record<string, string> = {
    'with statements in another order': text(other, statement()),
    'with one statement less': text(statement()),
    'with one value more': text(statement({ Principal: { Federated: ['a', 'b', 'c'], AWS: 'x' } }), other),
    'with a value in another case': text(statement({ Effect: 'ALLOW' }), other),
    'with a member more': text(statement({ Sid: '' }), other),
    'where one is no JSON': 'x',
  };
  for (const [sentence, document] of Object.entries(different)) test(sentence, () => expect(sameDocument(one, document)).toBe(false));
});

test('texts that are no JSON are the same where they are equal', () => {
  expect([sameDocument('x', 'x'), sameDocument('x', 'y')]).toEqual([true, false]);
});

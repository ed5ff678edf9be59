import { expect, test } from 'vitest';
import { parseIssuer } from '../../api/issuer.ts';
import { ARN, arn, ISSUER, own, parsed, policy, SERVICE, SUBJECT } from '../test-observed.ts';
import { statement } from './test-seen.ts';
import { trustsSubject } from './trusting.ts';

const app = { namespace: 'shop', name: 'app' };
const other = parsed(parseIssuer('https://oidc.eks.eu-west-1.amazonaws.com/id/OTHER'));
const onSubject = (operator: string, value: string) => ({
  Condition: { [operator]: { [`${ISSUER.slice('https://'.length)}:sub`]: value } },
});

const rows: Record<string, [text: string, trusts: boolean]> = {
  'a statement for it': [policy(SERVICE, statement()), true],
  'a statement of an operator for it': [policy(own(['system:serviceaccount:shop:b', SUBJECT])), true],
  'a wildcard for its namespace': [policy(statement(SUBJECT, onSubject('StringLike', 'system:serviceaccount:shop:*'))), true],
  'a statement for another ServiceAccount': [policy(statement('system:serviceaccount:shop:other')), false],
  'a wildcard in StringEquals, which is none': [
    policy(statement(SUBJECT, onSubject('StringEquals', 'system:serviceaccount:shop:*'))),
    false,
  ],
  'a Deny beside its Allow': [policy(statement(), statement(SUBJECT, { Effect: 'Deny' })), false],
  'a condition that is not known before the call': [
    policy(
      statement(SUBJECT, { Condition: { ...onSubject('StringEquals', SUBJECT).Condition, IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }),
    ),
    false,
  ],
  'no word of the issuer': [policy(SERVICE), false],
  'the issuer in what is no JSON': [`{"${ISSUER}`, false],
  nothing: ['', false],
};
for (const [sentence, [text, trusts]] of Object.entries(rows))
  test(`a trust policy with ${sentence} ${trusts ? 'is' : 'is not'} proposed`, () =>
    expect(trustsSubject(ARN, text, ISSUER, app)).toBe(trusts));

test('the issuer of another cluster is another one', () => expect(trustsSubject(ARN, policy(statement()), other, app)).toBe(false));
test('the provider of another account is another one', () =>
  expect(trustsSubject(arn('arn:aws:iam::444455556666:role/app'), policy(statement()), ISSUER, app)).toBe(false));

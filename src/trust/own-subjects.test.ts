import { describe, expect, test } from 'vitest';
import { parseRoleArn, providerArnFor } from '../api/arn.ts';
import { type Issuer, parseIssuer } from '../api/issuer.ts';
import { isProblem, type Problem } from '../api/problem.ts';
import { type PolicyDocument, parseDocument } from './document/document.ts';
import { writeOwn } from './document/own-statement.ts';
import { namesSubject, ownStatementTexts, ownSubjects, reverts, sameOwnSubjects } from './own-subjects.ts';

function sure<T>(value: T | Problem): T {
  if (isProblem(value)) throw new Error(value.problem);
  return value;
}

const issuer: Issuer = sure(parseIssuer('https://oidc.eks.eu-west-1.amazonaws.com/id/ABCD'));
const provider = providerArnFor(sure(parseRoleArn('arn:aws:iam::111122223333:role/app')), issuer);
const ours = { issuer, provider };
const [A, B] = ['system:serviceaccount:shop:a', 'system:serviceaccount:shop:b'];
const AUDIENCE = 'sts.amazonaws.com';
const own = (subjects: string[], audience = AUDIENCE) => JSON.parse(writeOwn({ issuer, provider }, audience, subjects));
const ec2 = { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };
const text = (...statements: object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });
const document = (...statements: object[]): PolicyDocument => sure(parseDocument(text(...statements)));
const trusted = (subject: string, audience = AUDIENCE) => ({ subject, audience });

describe('our statements are the same', () => {
  test('whatever else stands in the documents, and in whatever order', () =>
    expect(sameOwnSubjects(document(own([A, B])), document(ec2, { ...own([A, B]), Effect: 'Allow' }), ours)).toBe(true));
  test('where no subject stands in either', () => expect(sameOwnSubjects(document(ec2), document(ec2, own([])), ours)).toBe(true));
  test('not where a subject is missing, or came, or stands for another audience', () => {
    for (const other of [document(own([A])), document(own([A, B, `${A}-2`])), document(own([A]), own([B], 'sigstore'))])
      expect(sameOwnSubjects(document(own([A, B])), other, ours)).toBe(false);
  });
});

test('a document names a subject for its audience only, and only in a statement of ours', () => {
  expect(namesSubject(document(own([A])), trusted(A), ours)).toBe(true);
  expect(namesSubject(document(own([A])), trusted(A, 'sigstore'), ours)).toBe(false);
  expect(namesSubject(document({ ...own([A]), Sid: 'Theirs' }), trusted(A), ours)).toBe(false);
});

test('of our statements whom they name and how they are written is told, of others nothing', () => {
  const all = document(ec2, own([A, B]), own([]), { ...own([A], 'sigstore'), Sid: 'Theirs' }, own([B], 'vault'));
  expect(ownSubjects(document(ec2, own([A, B]), own([B], 'vault')), ours)).toEqual([trusted(A), trusted(B), trusted(B, 'vault')]);
  expect(ownStatementTexts(document(ec2, own([A, B]), own([], 'empty')), ours)).toEqual([JSON.stringify(own([A, B]))]);
  // Two statements with one Sid: neither can be told to be ours.
  expect(ownSubjects(all, ours)).toEqual([trusted(B, 'vault')]);
});

describe('a revert', () => {
  const reverted = (found: PolicyDocument, believed: string) => reverts(found, believed, { ...ours, wanted: [trusted(A)] });
  test('is that a wanted subject was believed to stand and does not', () =>
    expect(reverted(document(ec2), text(ec2, own([A])))).toBe(true));
  test('is not that a subject never stood', () => expect(reverted(document(ec2), text(ec2, own([B])))).toBe(false));
  test('is not that the subject stands', () => expect(reverted(document(own([A])), text(own([A])))).toBe(false));
  test('is not that a subject went which nobody wants', () => expect(reverted(document(own([A])), text(own([A, B])))).toBe(false));
  test("is not that another cluster's statement came in the same write: that one had read before ours", () =>
    expect(reverted(document({ ...ec2, Sid: 'Irsaabcdefgh2345' }), text(own([A])))).toBe(false));
  test('is also where another statement came that is not of an operator like us', () =>
    expect(reverted(document({ ...ec2, Sid: 'IrsaFriend' }), text(own([A])))).toBe(true));
  test('is not where what was believed cannot be read', () => expect(reverted(document(ec2), '{')).toBe(false));
});

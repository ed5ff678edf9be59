import { describe, expect, test } from 'vitest';
import { providerArnFor } from '../api/arn.ts';
import { issuerHostPath } from '../api/issuer.ts';
import { CHANGED, CONDITION, OUR_FORM } from '../domain/test-changed-statement.ts';
import { ARN, ISSUER, own, policy, SERVICE, SUBJECT } from '../domain/test-observed.ts';
import { admittedByChanged, changedSubjects } from './changed-statement.ts';
import { type PolicyDocument, parseDocument } from './document/document.ts';
import { isUnknown } from './evaluate/truth.ts';

const ours = { issuer: ISSUER, provider: providerArnFor(ARN, ISSUER) };
const audience = 'sts.amazonaws.com';
const host = issuerHostPath(ISSUER);
const read = (...statements: object[]) => parseDocument(policy(SERVICE, ...statements)) as PolicyDocument;

// Contract: trust-changed-statement
describe('a statement under our Sid that another writer changed', () => {
  for (const [sentence, { statements, admits }] of Object.entries(CHANGED))
    test(`${admits === 'no' ? 'certainly keeps the subject out' : 'lets the subject in, or may'} ${sentence}`, () => {
      const truth = admittedByChanged(read(...statements), { subject: SUBJECT, audience }, ours);
      expect(isUnknown(truth) ? 'may' : truth ? 'yes' : 'no').toBe(admits);
    });
  test('is none where it has our form', () => expect(admittedByChanged(read(OUR_FORM), { subject: SUBJECT, audience }, ours)).toBe(false));
});

describe('the subjects of a statement that another writer changed', () => {
  const cases: Record<string, { statement: object; subjects: string[] }> = {
    'are those that it names': {
      statement: { ...own([SUBJECT, 'system:serviceaccount:shop:other']), Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'] },
      subjects: [SUBJECT, 'system:serviceaccount:shop:other'],
    },
    'are its patterns': {
      statement: { ...OUR_FORM, Condition: { StringLike: { [`${host}:sub`]: 'system:serviceaccount:shop:*' } } },
      subjects: ['system:serviceaccount:shop:*'],
    },
    'are all where it leaves out some': {
      statement: { ...OUR_FORM, Condition: { StringNotEquals: { [`${host}:sub`]: SUBJECT } } },
      subjects: ['*'],
    },
    'are all where it names none': {
      statement: { ...OUR_FORM, Condition: { StringEquals: { [`${host}:aud`]: audience } } },
      subjects: ['*'],
    },
    'are none where it denies': { statement: { ...OUR_FORM, Effect: 'Deny' }, subjects: [] },
    'are none in our form': { statement: OUR_FORM, subjects: [] },
    'are none under another Sid': { statement: { ...OUR_FORM, Sid: 'Theirs' }, subjects: [] },
    'are found for an audience of its own': { statement: { ...own([SUBJECT], 'sigstore'), Action: 'sts:*' }, subjects: [SUBJECT] },
    'do not count who no token can be': { statement: { ...own([]), Action: 'sts:*' }, subjects: [] },
    'are found where the audience was taken out': {
      statement: { ...OUR_FORM, Condition: { StringEquals: { [`${host}:sub`]: SUBJECT } } },
      subjects: [SUBJECT],
    },
    'are those that are compared beside a network': {
      statement: { ...OUR_FORM, Condition: { ...CONDITION, StringNotEquals: { 'aws:SourceVpc': 'vpc-1' } } },
      subjects: [SUBJECT],
    },
  };
  for (const [sentence, { statement, subjects }] of Object.entries(cases))
    test(sentence, () => expect(changedSubjects(read(statement), ours).map(({ subject }) => subject)).toEqual(subjects));
});

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ALB, AUDIENCE, HOST, ISSUER, OTHER_ISSUER, PROVIDER, policy, read } from '../../../test/trust/cluster.ts';
import { allOwn, findOwn, NOBODY, sidFor, writeOwn } from './own-statement.ts';

const SID = sidFor(ISSUER, AUDIENCE);

/** Our statement as we write it, with something of it changed. */
function own(change: Readonly<Record<string, unknown>> = {}): object {
  return Object.fromEntries(
    Object.entries({ ...JSON.parse(writeOwn({ issuer: ISSUER, provider: PROVIDER }, AUDIENCE, [ALB])), ...change }).filter(
      ([, value]) => value !== undefined,
    ),
  );
}

const found = (...statements: readonly object[]) => findOwn(read(policy(...statements)), { issuer: ISSUER, provider: PROVIDER }, AUDIENCE);

const inShort = (one: ReturnType<typeof found>) =>
  typeof one === 'object' ? { audience: one.audience, subjects: one.subjects, index: one.statement.index } : one;

describe('the Sid', () => {
  // Contract: trust-own-statement
  test('is Irsa and the first sixty bits of the SHA-256 in base32', () => {
    const digest = createHash('sha256').update(`${ISSUER}\n${AUDIENCE}`).digest('hex');
    const bits = BigInt(`0x${digest}`).toString(2).padStart(256, '0');
    const letters = [...bits.slice(0, 60).matchAll(/.{5}/g)].map(([five]) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(five, 2)]);
    expect(SID).toBe(`Irsa${letters.join('')}`);
    expect(SID).toBe('Irsaulgzwwrowtnv');
  });

  test('is another for another issuer and for another audience', () => {
    expect(new Set([SID, sidFor(OTHER_ISSUER, AUDIENCE), sidFor(ISSUER, 'x')]).size).toBe(3);
  });
});

describe('the statement that we write', () => {
  // Contract: trust-own-statement
  test('compares subject and audience exactly, the subjects in order', () => {
    expect(JSON.parse(writeOwn({ issuer: ISSUER, provider: PROVIDER }, AUDIENCE, ['b', 'a', 'c']))).toEqual({
      Sid: SID,
      Effect: 'Allow',
      Principal: { Federated: PROVIDER },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: { StringEquals: { [`${HOST}:aud`]: AUDIENCE, [`${HOST}:sub`]: ['a', 'b', 'c'] } },
    });
  });

  test('without subjects names one that no token can carry', () => {
    expect(writeOwn({ issuer: ISSUER, provider: PROVIDER }, AUDIENCE, [])).toContain(`"${HOST}:sub":["system:serviceaccount:-:-"]`);
  });

  test('has no white space', () => expect(writeOwn({ issuer: ISSUER, provider: PROVIDER }, AUDIENCE, [ALB])).not.toMatch(/\s/));
});

describe('a statement is ours', () => {
  const shapes: Record<string, object> = {
    'as we write it': own(),
    'with its members in another order': Object.fromEntries(Object.entries(own()).reverse()),
    'with single values in lists': own({
      Action: ['sts:AssumeRoleWithWebIdentity'],
      Principal: { Federated: [PROVIDER] },
      Effect: 'Allow',
    }),
    'with a single subject as text': own({ Condition: { StringEquals: { [`${HOST}:sub`]: ALB, [`${HOST}:aud`]: [AUDIENCE] } } }),
  };
  for (const [sentence, statement] of Object.entries(shapes)) {
    test(sentence, () =>
      expect(found({ Effect: 'Deny' }, statement)).toMatchObject({
        audience: AUDIENCE,
        subjects: [ALB],
        statement: { index: 2, sid: SID },
      }),
    );
  }

  test('and its subjects are read without repetition and without the one that is nobody', () => {
    const condition = { StringEquals: { [`${HOST}:sub`]: ['x', NOBODY, 'x', 'y'], [`${HOST}:aud`]: AUDIENCE } };
    expect(inShort(found(own({ Condition: condition })))).toEqual({ audience: AUDIENCE, subjects: ['x', 'y'], index: 1 });
  });
});

// Contract: trust-sid-taken
describe('a statement is not ours, though it bears our Sid,', () => {
  const equals = (value: object) => own({ Condition: { StringEquals: value } });
  const both = { [`${HOST}:aud`]: AUDIENCE, [`${HOST}:sub`]: [ALB] };
  const variable = `\${aws:username}`;
  const shapes: Record<string, object> = {
    'when a member was added': own({ NotAction: 'x' }),
    'when a member is missing': own({ Effect: undefined }),
    'when it denies': own({ Effect: 'Deny' }),
    'when it allows more actions': own({ Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'] }),
    'when it allows another action': own({ Action: 'sts:AssumeRole' }),
    'when it trusts another provider': own({ Principal: { Federated: 'x' } }),
    'when it trusts somebody else too': own({ Principal: { Federated: PROVIDER, AWS: '*' } }),
    'when it trusts two providers': own({ Principal: { Federated: [PROVIDER, 'x'] } }),
    'when it trusts the provider as another kind': own({ Principal: { AWS: PROVIDER } }),
    'when it trusts everybody': own({ Principal: '*' }),
    'when it compares by another operator': own({ Condition: { StringLike: both } }),
    'when it compares by another operator too': own({ Condition: { StringEquals: both, Bool: { 'aws:SecureTransport': 'true' } } }),
    'when it compares another key too': equals({ ...both, 'aws:SourceVpc': 'vpc-1' }),
    'when it does not compare the audience': equals({ [`${HOST}:sub`]: [ALB] }),
    'when it does not compare the subject': equals({ [`${HOST}:aud`]: AUDIENCE }),
    'when it compares other keys': equals({ [`${HOST}:aud`]: AUDIENCE, 'x:sub': [ALB] }),
    'when it compares another audience': equals({ ...both, [`${HOST}:aud`]: 'x' }),
    'when it compares two audiences': equals({ ...both, [`${HOST}:aud`]: [AUDIENCE, 'x'] }),
    'when it has no subject': equals({ ...both, [`${HOST}:sub`]: [] }),
    'when a subject is no text': equals({ ...both, [`${HOST}:sub`]: [ALB, 5] }),
    'when a subject is a policy variable': equals({ ...both, [`${HOST}:sub`]: [variable] }),
    'when it compares nothing': own({ Condition: {} }),
    'when it compares a text': own({ Condition: { StringEquals: 'x' } }),
    'when its condition is a list': own({ Condition: [] }),
  };
  for (const [sentence, statement] of Object.entries(shapes)) {
    test(sentence, () => {
      expect(found(statement)).toBe('taken');
      expect(allOwn(read(policy(statement)), { issuer: ISSUER, provider: PROVIDER })).toEqual([]);
    });
  }

  test('when there are two of them', () => {
    expect(found(own(), own())).toBe('taken');
    expect(allOwn(read(policy(own(), own({ Effect: 'Deny' }))), { issuer: ISSUER, provider: PROVIDER })).toEqual([]);
  });
  test('when the Sid is that of another audience', () => {
    expect(allOwn(read(policy(own({ Sid: sidFor(ISSUER, 'x') }))), { issuer: ISSUER, provider: PROVIDER })).toEqual([]);
  });
});

test('without our Sid there is none of ours', () => {
  expect(found(own({ Sid: 'Mine' }), own({ Sid: undefined }))).toBeUndefined();
  expect(found()).toBeUndefined();
});

test('ours of every audience are found, those of other clusters are not', () => {
  const document = read(
    policy(
      own(),
      JSON.parse(writeOwn({ issuer: ISSUER, provider: PROVIDER }, 'x', [ALB])),
      JSON.parse(writeOwn({ issuer: OTHER_ISSUER, provider: PROVIDER }, AUDIENCE, [ALB])),
    ),
  );
  expect(allOwn(document, { issuer: ISSUER, provider: PROVIDER }).map(({ audience }) => audience)).toEqual([AUDIENCE, 'x']);
});

import fc from 'fast-check';
import { type Subject, subjectOf, type TokenSubject } from '../../src/api/subject.ts';
import { sidFor } from '../../src/trust/document/own-statement.ts';

import { ACTION, ALB, AUDIENCE, HOST, ISSUER, OTHER_HOST, OTHER_ISSUER, PROVIDER } from './cluster.ts';

/** Trust policies from the words that real ones are made of, right, nearly right and wrong, so that every rule meets every other. */

const OTHER_PROVIDER = PROVIDER.replace(HOST, OTHER_HOST);
const GITHUB = 'arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com';

export const SUBJECTS: readonly Subject[] = [
  ALB,
  subjectOf('kube-system', 'external-dns'),
  subjectOf('team-a', 'app'),
  subjectOf('team-b', 'app'),
];
export const AUDIENCES: readonly string[] = [AUDIENCE, 'vault.example.com'];

/** Mostly the first, so that whole statements come out right often enough. */
function mostly<T>(usual: T, ...others: readonly fc.Arbitrary<T>[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, ...others.map((arbitrary) => ({ weight: 1, arbitrary })));
}

function maybeList<T>(item: fc.Arbitrary<T>): fc.Arbitrary<T | T[]> {
  return fc.oneof({ weight: 3, arbitrary: item }, { weight: 1, arbitrary: fc.array(item, { maxLength: 3 }) });
}

const subjectValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<unknown>(...SUBJECTS) },
  {
    weight: 4,
    arbitrary: fc.constantFrom<unknown>(
      'system:serviceaccount: kube-system:aws-load-balancer-controller',
      'System:ServiceAccount:kube-system:aws-load-balancer-controller',
      'system:serviceaccount:kube-system:*',
      'system:serviceaccount:*:*',
      '*',
      'system:serviceaccount:team-?:app',
      'kube-system:external-dns',
      AUDIENCE,
      '',
      5,
      true,
      null,
      `\${${HOST}:sub}`,
      `system:serviceaccount:team-a:\${aws:username}`,
      `system:serviceaccount:team-a:\${aws:username, 'app'}`,
      `system:serviceaccount:team-a:\${*}`,
      '${',
      `\${}`,
      `\${aws:SourceIp}`,
    ),
  },
);

const KEYS: readonly string[] = [
  `${HOST}:sub`,
  `${HOST}:aud`,
  `${HOST}:SUB`,
  `${OTHER_HOST}:sub`,
  `${OTHER_HOST}:aud`,
  `https://${HOST}:sub`,
  `${PROVIDER}:sub`,
  `${HOST}:azp`,
  `${HOST}:jti`,
  `${HOST}:`,
  'sub',
  'aws:SourceIp',
  'aws:SourceVpc',
  'aws:PrincipalOrgID',
  'aws:CurrentTime',
  'aws:EpochTime',
  'aws:SecureTransport',
  'aws:ResourceTag/team',
  'sts:RoleSessionName',
  '__proto__',
  'constructor',
];

/** Every operator, each with every way to modify it, and some that are none. */
const BASES = [
  ...['StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', 'StringLike', 'StringNotLike'],
  ...['NumericEquals', 'NumericNotEquals', 'NumericLessThan', 'NumericLessThanEquals', 'NumericGreaterThan', 'NumericGreaterThanEquals'],
  ...['DateEquals', 'DateNotEquals', 'DateLessThan', 'DateLessThanEquals', 'DateGreaterThan', 'DateGreaterThanEquals'],
  ...[
    'Bool',
    'BinaryEquals',
    'IpAddress',
    'NotIpAddress',
    'ArnEquals',
    'ArnLike',
    'ArnNotEquals',
    'ArnNotLike',
    'Null',
    'stringequals',
    'StringMatches',
  ],
];
const operator = mostly(
  'StringEquals',
  fc
    .tuple(mostly('', fc.constantFrom('ForAllValues:', 'ForAnyValue:')), fc.constantFrom(...BASES), mostly('', fc.constant('IfExists')))
    .map((parts) => parts.join('')),
);

const otherValue: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
  ...[
    AUDIENCE,
    'vault.example.com',
    'true',
    'false',
    true,
    'vpc-0a1b2c3d',
    '203.0.113.0/24',
    '2020-04-01T00:00:00Z',
    '2030-04-01T00:00:00Z',
  ],
  ...['1700000000', '2020', 'network', 'o-a1b2c3d4e5', 'sts.*', 'x'],
);

const conditionEntry = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constantFrom('StringEquals', 'StringLike', 'StringEquals'), fc.constant(`${HOST}:sub`), maybeList(subjectValue)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constant('StringEquals'),
      fc.constant(`${HOST}:aud`),
      fc.constantFrom<unknown>(AUDIENCE, [AUDIENCE], 'vault.example.com'),
    ),
  },
  { weight: 2, arbitrary: fc.tuple(operator, fc.constantFrom(...KEYS), maybeList(fc.oneof(subjectValue, otherValue))) },
);

const condition: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 12, arbitrary: fc.array(conditionEntry, { maxLength: 4 }).map(nest) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>([], 'StringEquals', { StringEquals: [] }, { StringEquals: { [`${HOST}:sub`]: { a: 1 } } }),
  },
);

function nest(entries: readonly (readonly [string, string, unknown])[]): object {
  const block = new Map<string, Map<string, unknown>>();
  for (const [name, key, value] of entries) block.set(name, (block.get(name) ?? new Map()).set(key, value));
  // Object.fromEntries, because it defines `__proto__` like any other member.
  return Object.fromEntries([...block].map(([name, keys]) => [name, Object.fromEntries(keys)]));
}

const principal: fc.Arbitrary<unknown> = mostly<unknown>(
  { Federated: PROVIDER },
  maybeList(fc.constantFrom(PROVIDER, OTHER_PROVIDER, GITHUB, '*', HOST, `${PROVIDER}/`)).map((Federated) => ({ Federated })),
  fc.constantFrom<unknown>(
    '*',
    { AWS: '*' },
    { AWS: '111122223333' },
    { AWS: 'arn:aws:iam::444455556666:root' },
    { Service: 'ec2.amazonaws.com' },
  ),
  fc.constantFrom<unknown>(
    { AWS: 'AROAEXAMPLEEXAMPLE123' },
    { Service: 'ec2.amazonaws.com', Federated: PROVIDER },
    {},
    'x',
    { Federated: 5 },
    { Whoever: 'x' },
  ),
);

const action: fc.Arbitrary<unknown> = mostly<unknown>(
  ACTION,
  maybeList(
    fc.constantFrom<unknown>(
      'sts:AssumeRole',
      ACTION,
      'sts:TagSession',
      'STS:assumeRoleWithWebIdentity',
      'sts:*',
      '*',
      'sts:AssumeRoleWithWeb?dentity',
      5,
    ),
  ),
);

const foreign = fc
  .record({
    Sid: fc.option(fc.constantFrom('', 'Mine', sidFor(ISSUER, AUDIENCE), sidFor(OTHER_ISSUER, AUDIENCE)), { nil: undefined, freq: 3 }),
    Effect: mostly<unknown>('Allow', fc.constantFrom<unknown>('Allow', 'Deny', 'Deny', 'allow', 5)),
    Principal: principal,
    Action: action,
    Condition: fc.option(condition, { nil: undefined, freq: 6 }),
    twist: mostly<string | undefined>(undefined, fc.constantFrom('NotPrincipal', 'NotAction', 'Resource', '__proto__', undefined)),
  })
  .map(({ twist, ...members }) => {
    const entries = Object.entries(members).filter(([, value]) => value !== undefined);
    return Object.fromEntries(
      entries
        .map(([name, value]) => [twist === `Not${name}` ? twist : name, value])
        .concat(twist === 'Resource' || twist === '__proto__' ? [[twist, '*']] : []),
    );
  });

/** What we would have written ourselves, for this cluster or the other, as it stands or as IAM may give it back. */
const ours = fc
  .record({
    other: fc.boolean(),
    audience: fc.constantFrom(...AUDIENCES),
    subjects: fc.uniqueArray(fc.constantFrom<string>(...SUBJECTS, 'system:serviceaccount:gone:app', 'system:serviceaccount:-:-'), {
      minLength: 1,
    }),
    reordered: fc.boolean(),
    // What somebody may have made of it: then it is theirs.
    theirs: mostly<object>(
      {},
      fc.constantFrom<object>(
        { Resource: '*' },
        { NotAction: 'sts:TagSession' },
        { Effect: 'Deny' },
        { Action: [ACTION, 'sts:TagSession'] },
        { Principal: { AWS: '*' } },
        { Condition: { StringEquals: { 'aws:SourceVpc': 'vpc-0a1b2c3d' } } },
      ),
    ),
    limit: mostly<object>({}, fc.constantFrom<object>({ 'aws:SourceVpc': 'vpc-0a1b2c3d' }, { [`${HOST}:azp`]: 'x' })),
  })
  .map(({ other, audience, subjects, reordered, theirs, limit }) => {
    const host = other ? OTHER_HOST : HOST;
    const members = {
      Sid: sidFor(other ? OTHER_ISSUER : ISSUER, audience),
      Effect: 'Allow',
      Principal: { Federated: other ? OTHER_PROVIDER : PROVIDER },
      Action: ACTION,
      Condition: { StringEquals: { [`${host}:aud`]: audience, [`${host}:sub`]: subjects, ...limit } },
      ...theirs,
    };
    return reordered ? Object.fromEntries(Object.entries(members).reverse()) : members;
  });

const statement: fc.Arbitrary<object> = fc.oneof({ weight: 3, arbitrary: foreign }, { weight: 1, arbitrary: ours });

/** The text of a trust policy that can be read; often with white space, now and then a single object or no Version. */
export const policyText: fc.Arbitrary<string> = fc
  .record({
    Version: mostly<string | undefined>('2012-10-17', fc.constantFrom(undefined, '2008-10-17', '2020-01-01')),
    statements: fc.array(statement, { maxLength: 4 }),
    single: fc.boolean(),
    Id: fc.option(fc.constantFrom('keep-me', 'mit Umlaut \u00e4'), { nil: undefined, freq: 4 }),
    indent: fc.constantFrom(0, 0, 1, 2),
  })
  .map(({ Version, statements, single, Id, indent }) => {
    const [first] = statements;
    const policy = { Version, Id, Statement: single && statements.length === 1 ? first : statements };
    return JSON.stringify(policy, undefined, indent);
  });

export const trusted: fc.Arbitrary<TokenSubject> = fc.record({
  subject: fc.constantFrom(...SUBJECTS),
  audience: fc.constantFrom(AUDIENCE, AUDIENCE, ...AUDIENCES),
});

/** Who is wanted and who is released; nobody is both, as the callers promise. */
export const change = fc
  .record({ wanted: fc.array(trusted, { maxLength: 4 }), released: fc.array(trusted, { maxLength: 2 }) })
  .map(({ wanted, released }) => ({
    wanted,
    released: released.filter((one) => !wanted.some((other) => one.subject === other.subject && one.audience === other.audience)),
  }));

/** A text with a few characters changed, as no tool writes it and anybody may send it. */
export const mutatedText: fc.Arbitrary<string> = fc
  .record({
    text: policyText,
    edits: fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        cut: fc.nat(8),
        insert: fc.constantFrom(
          '',
          '"',
          '{',
          '}',
          '[',
          ']',
          ',',
          ':',
          '\\',
          '\\u00',
          '\\ud800',
          '\u0000',
          '\ud800',
          'null',
          '1e9',
          ' ',
          '__proto__',
          '$',
          '*',
        ),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  })
  .map(({ text, edits }) =>
    edits.reduce((edited, { at, cut, insert }) => {
      const from = Math.floor(at * edited.length);
      return edited.slice(0, from) + insert + edited.slice(from + cut);
    }, text),
  );

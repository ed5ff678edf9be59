import { describe, expect, test } from 'vitest';
import { ALB, AUDIENCE, allow, desired, HOST, OTHER_HOST, PROVIDER, policy, ROLE, read } from '../../../test/trust/cluster.ts';
import { planTrust } from '../plan.ts';

/** What an owner limits, and what is only a mistake: a slip is judged as if it were mended. */
const SUB = `${HOST}:sub`;
const AUD = `${HOST}:aud`;
const VPC = { StringEquals: { 'aws:SourceVpc': 'vpc-1' } };
const SHOP = 'system:serviceaccount:shop:app';

/** Conditions of several operators, as one block. */
type Block = Readonly<Record<string, object>>;
function all(...conditions: readonly Block[]): Block {
  const block: Record<string, object> = {};
  for (const condition of conditions)
    for (const [operator, keys] of Object.entries(condition)) block[operator] = { ...block[operator], ...keys };
  return block;
}
const on = (key: string, value: unknown, operator = 'StringEquals') => ({ [operator]: { [key]: value } });

function outcome(condition: object, change: Readonly<Record<string, unknown>> = {}): string {
  const statement = allow(condition, change);
  const plan = planTrust(read(policy(statement)), desired());
  const codes = (plan.verdicts[0]?.findings ?? []).map(({ code }) => code);
  if (plan.document !== undefined) return 'writes';
  return codes[0] === 'TrustRestrictedByOwner' ? 'restricted' : `nothing: ${codes.join()}`;
}

// Contract: trust-restricted, trust-slips
describe('a slip', () => {
  const slips: Record<string, Block> = {
    'https:// before the issuer of a key': on(`https://${SUB}`, ALB),
    'http:// before the issuer of a key': on(`http://${SUB}`, ALB),
    'a blank behind a key': on(`${SUB} `, ALB),
    'a blank before a key': on(` ${SUB}`, ALB),
    'a blank in a key': on(`${HOST}: sub`, ALB),
    'a slash behind the issuer': on(`${HOST}/:sub`, ALB),
    "the provider's ARN as a key": on(`${PROVIDER}:sub`, ALB),
    'a key without its issuer': on('sub', ALB),
    'a key that begins with a colon': on(':sub', ALB),
    'a prefix without a dot': on('oidc:sub', ALB),
    'another prefix without a dot': on('eks:aud', AUDIENCE),
    'a prefix without a dot, in another case': on('OIDC:Sub', ALB),
    'a key of the audience without its issuer': on('aud', AUDIENCE),
    'an issuer that is cut off': on(`${HOST.slice(0, -3)}:sub`, ALB),
    'a key without a claim': on(HOST, ALB),
    'a key that ends with its colon': on(`${HOST}:`, ALB),
    'a blank in a subject': on(SUB, ALB.replace(':kube', ': kube')),
    'a blank at the end of a subject': on(SUB, `${ALB} `),
    'a line break in a subject': on(SUB, `${ALB}\n`),
    'another case of a subject': on(SUB, ALB.toUpperCase()),
    'a subject without its prefix': on(SUB, 'kube-system:aws-load-balancer-controller'),
    'a subject as a path': on(SUB, ALB.replaceAll(':', '/')),
    'a subject with another prefix': on(SUB, ALB.replace('serviceaccount', 'serviceaccounts')),
    'a list in the text of a subject': on(SUB, JSON.stringify([ALB])),
    'a wildcard under StringEquals': on(SUB, 'system:serviceaccount:kube-system:*'),
    'a placeholder in braces': on(SUB, 'system:serviceaccount:{namespace}:{name}'),
    'a placeholder like a variable': on(SUB, `system:serviceaccount:kube-system:\${name}`),
    'a placeholder for the name': on(SUB, 'system:serviceaccount:kube-system:<name>'),
    'the audience under the key of the subject': on(SUB, AUDIENCE),
    'the subject under the key of the audience': on(AUD, ALB),
    'a blank behind the audience': on(AUD, `${AUDIENCE} `),
    'another case of the audience': on(AUD, 'STS.amazonaws.com'),
    'https:// before the audience': on(AUD, `https://${AUDIENCE}//`),
    'http:// before the audience': on(AUD, `http://${AUDIENCE}`),
    'another claim of another issuer': on(`${OTHER_HOST}:azp`, 'x'),
    'the key and the value': on(`https://${SUB}`, `${ALB} `),
    'one subject of several': on(SUB, [SHOP, `${ALB} `]),
    'a pattern with a blank': on(SUB, 'system:serviceaccount: kube-system:*', 'StringLike'),
    'the claim of another issuer beside that of this one': all(on(SUB, ALB), on(`${OTHER_HOST}:sub`, SHOP)),
    'the key of another issuer for this subject': on(`${OTHER_HOST}:sub`, ALB),
    'the subject and the audience': all(on(SUB, ALB.toUpperCase()), on('aud', AUDIENCE)),
  };
  for (const [what, condition] of Object.entries(slips)) {
    test(`alone is a mistake, and no obstacle: ${what}`, () => expect(outcome(condition)).toBe('writes'));
    test(`beside a limit is no way past it: ${what}`, () => expect(outcome(all(condition, VPC))).toBe('restricted'));
    test(`beside a claim for another subject is for that one: ${what}`, () =>
      expect(outcome(all(condition, VPC, on(SUB, SHOP, 'StringLike')))).toBe('writes'));
  }

  const principals: Record<string, string> = {
    'https:// before the issuer': PROVIDER.replace('/oidc.', '/https://oidc.'),
    'http:// before the issuer': PROVIDER.replace('/oidc.', '/http://oidc.'),
    'slashes at its end': `${PROVIDER}//`,
    'another case': PROVIDER.replace('EXAMPLE', 'example'),
    'a slash at its end': `${PROVIDER}/`,
    'a blank at its end': `${PROVIDER} `,
  };
  for (const [what, Federated] of Object.entries(principals)) {
    test(`in the provider alone is a mistake, and no obstacle: ${what}`, () =>
      expect(outcome(on(SUB, ALB), { Principal: { Federated } })).toBe('writes'));
    test(`in the provider beside a limit is no way past it: ${what}`, () =>
      expect(outcome(all(on(SUB, ALB), VPC), { Principal: { Federated } })).toBe('restricted'));
  }
  test('in the key of a statement for "*" is about this issuer all the same', () => {
    expect(outcome(all(on(`https://${SUB}`, ALB), VPC), { Principal: '*' })).toBe('restricted');
    expect(outcome(all(on(`${OTHER_HOST}:sub`, ALB), VPC), { Principal: '*' })).toBe('writes');
  });
  test('is named beside the restriction, so that its owner finds both', () => {
    const statement = allow(all(on(SUB, `${ALB} `), VPC));
    const found = planTrust(read(policy(statement)), desired()).verdicts[0]?.findings.map(({ message }) => message);
    expect(found).toEqual([
      `trust policy of ${ROLE}: statement 1 may cover this ServiceAccount and limits it with StringEquals on "aws:SourceVpc" (not known before the call). This is the decision of its owner. irsa-operator does not add a statement that would bypass this restriction. Ask the owner to remove the restriction, or to allow this ServiceAccount without it`,
      `trust policy of ${ROLE}: statement 1 names "${ALB} " (a blank at its end). Wanted: "${ALB}"`,
    ]);
  });
});

// Contract: trust-restricted, trust-slips
describe('a key in good form that this call does not carry is will', () => {
  const limits: Record<string, Block> = {
    'an organisation': on('aws:PrincipalOrgID', 'o-1'),
    'a claim that ends so': on(`${HOST}:my-sub`, ALB),
    'a tag that ends so': on('aws:ResourceTag/sub', ALB),
    'a key of three parts': on('oidc:x:aud', AUDIENCE),
    'a claim of this issuer': on(`${HOST}:azp`, 'x'),
    'a claim of SAML': on('saml:sub', ALB),
    'the audience of SAML': on('saml:aud', AUDIENCE),
    'a key of AWS that ends so': on('aws:sub', ALB),
    'a key of STS that ends so': on('sts:aud', AUDIENCE),
    'a key with another name': on('oidc:subject', ALB),
    'a date that is over': on('aws:CurrentTime', '2020-01-01T00:00:00Z', 'DateLessThan'),
  };
  for (const [what, limit] of Object.entries(limits)) {
    test(`${what}, alone`, () => expect(outcome(limit)).toBe('restricted'));
    test(`${what}, beside the subject`, () => expect(outcome(all(on(SUB, ALB), limit))).toBe('restricted'));
    test(`${what}, but for another subject`, () => expect(outcome(all(on(SUB, SHOP, 'StringLike'), limit))).toBe('writes'));
  }
});

// Contract: trust-restricted, trust-slips
describe('is for others, and no obstacle beside a limit:', () => {
  const others: Record<string, Block> = {
    'another subject': on(SUB, SHOP),
    'another subject under a key with a slip': on(`https://${SUB}`, SHOP),
    'another subject under a prefix without a dot': on('oidc:sub', SHOP),
    'another subject under the key of another issuer': on(`${OTHER_HOST}:sub`, SHOP),
    'another subject with a blank': on(SUB, `${SHOP} `),
    'the namespace alone': on(SUB, 'system:serviceaccount:kube-system'),
    'another audience': on(AUD, 'vault'),
    'another audience under a key with a slip': on('aud', 'vault'),
    'a wildcard that is another namespace’s': on(SUB, 'system:serviceaccount:shop:*'),
    'another subject under an issuer that is cut off, beside this one': all(on(SUB, ALB), on(`${HOST.slice(0, -3)}:sub`, SHOP)),
    'a name with a placeholder that does not fit': on(SUB, 'system:serviceaccount:shop:<name>'),
    'no subject at all': on(SUB, []),
    'this subject, excluded': on(SUB, ALB, 'StringNotEquals'),
  };
  for (const [what, condition] of Object.entries(others)) test(what, () => expect(outcome(all(condition, VPC))).toBe('writes'));
  test('another action', () => expect(outcome(all(on(SUB, `${ALB} `), VPC), { Action: 'sts:AssumeRole' })).toBe('writes'));
});

test('a claim of this issuer is enough to say that a statement for "*" is about its tokens', () => {
  expect(outcome(all(on(`${HOST}:azp`, 'x')), { Principal: '*' })).toBe('restricted');
  expect(outcome(VPC, { Principal: '*' })).toBe('writes');
});

test('a claim of which it is not known how it is compared stays so', () => {
  for (const [key, value] of [
    [SUB, ALB],
    [AUD, AUDIENCE],
  ] as const)
    expect(outcome(all(on(key, value), on(key.toUpperCase().replace(HOST.toUpperCase(), HOST), 'x'), VPC))).toBe('restricted');
});

test('what holds is not asked what it meant: STS lets the token in but for the limit', () => {
  expect(outcome(all(on(`https://${SUB}`, SHOP, 'StringNotEquals'), VPC))).toBe('restricted');
  expect(outcome(all(on(`https://${SUB}`, SHOP, 'StringEqualsIfExists'), VPC))).toBe('restricted');
});

test('what is not known to fail for another issuer is not made to by what it meant', () => {
  const other = (claim: string, value: string) => on(`${OTHER_HOST}:${claim}`, value, 'ForAnyValue:StringEqualsIfExists');
  expect(outcome(all(other('aud', 'vault'), VPC))).toBe('restricted');
  expect(outcome(all(other('sub', SHOP), VPC))).toBe('restricted');
  expect(outcome(other('aud', 'vault'))).toBe('writes');
  expect(outcome(all(other('sub', SHOP), on(AUD, 'vault'), VPC))).toBe('writes');
});

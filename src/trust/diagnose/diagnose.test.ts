import { describe, expect, test } from 'vitest';
import { ACTION, ALB, AUDIENCE, allow, HOST, OTHER_HOST, PROVIDER, policy, REQUEST, ROLE, read } from '../../../test/trust/cluster.ts';
import { problem } from '../../api/problem.ts';
import { subjectOf } from '../../api/subject.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import { diagnose } from './diagnose.ts';

/** The corpus has whole messages; here are the rules by which the words are chosen. Each finding as its code and what it says after the role. */
function found(statements: readonly object[], request = REQUEST): string[] {
  return diagnose(read(policy(...statements)), request, { role: ROLE }).map(({ code, message }) => {
    expect(message.startsWith(`trust policy of ${ROLE}: `)).toBe(true);
    return `${code}: ${message.slice(`trust policy of ${ROLE}: `.length)}`;
  });
}

const naming = (value: unknown, operator = 'StringEquals') => found([allow({ [operator]: { [`${HOST}:sub`]: value } })]);
const wanted = `Wanted: "${ALB}"`;

describe('a subject that nearly is this one', () => {
  const name = 'aws-load-balancer-controller';
  const mistakes: Record<string, readonly [value: string, code: string, what: string]> = {
    'a blank at the beginning': [` ${ALB}`, 'TrustSubjectWhitespace', 'a blank at its beginning'],
    'a tab at the end': [`${ALB}\t`, 'TrustSubjectWhitespace', 'a tab at its end'],
    'a carriage return': [`${ALB}\r\n`, 'TrustSubjectWhitespace', 'a line break at its end'],
    'a blank before a colon': [`system:serviceaccount:kube-system :${name}`, 'TrustSubjectWhitespace', 'a blank before a colon'],
    'a blank within the name': [
      'system:serviceaccount:kube-system:aws-load- balancer-controller',
      'TrustSubjectWhitespace',
      'a blank before "balancer-controller"',
    ],
    'two blanks, of which the first speaks': [
      `system: serviceaccount:kube-system: ${name}`,
      'TrustSubjectWhitespace',
      'a blank before "serviceaccount"',
    ],
    'a character of no width': [
      `system:serviceaccount:\u200bkube-system:${name}`,
      'TrustSubjectWhitespace',
      'an invisible character before "kube-system"',
    ],
    'a word joiner at the end': [`${ALB}\u2060`, 'TrustSubjectWhitespace', 'an invisible character at its end'],
    'a blank and another case': [` ${ALB.toUpperCase()}`, 'TrustSubjectWhitespace', 'a blank at its beginning'],
    'another case': [ALB.toUpperCase(), 'TrustSubjectCase', 'the case differs, and subjects are case-sensitive'],
    'a question mark': [
      ALB.replace('-', '?'),
      'TrustWildcardInStringEquals',
      '"*" and "?" are plain characters here, because only StringLike supports wildcards',
    ],
    'the audience': [AUDIENCE, 'TrustConditionKeySwapped', 'an audience under the key of the subject'],
    'no prefix': [`kube-system:${name}`, 'TrustSubjectMalformed', 'it does not begin with "system:serviceaccount:"'],
    'another prefix': [`system:node:kube-system:${name}`, 'TrustSubjectMalformed', 'it does not begin with "system:serviceaccount:"'],
    'a placeholder': ['system:serviceaccount:kube-system:<name>', 'TrustSubjectMalformed', 'it still contains a placeholder'],
    'an ARN': [`arn:aws:x:kube-system/${name}`, 'TrustSubjectMalformed', 'an ARN, not a subject'],
    'the namespace alone': [
      'system:serviceaccount:kube-system',
      'TrustSubjectMalformed',
      '3 parts separated by colons, but a subject has 4',
    ],
    'something behind': [`${ALB}:x`, 'TrustSubjectMalformed', '5 parts separated by colons, but a subject has 4'],
  };
  for (const [sentence, [value, code, what]] of Object.entries(mistakes)) {
    test(sentence, () => expect(naming(value)).toEqual([`${code}: statement 1 names ${quoted(value)} (${what}). ${wanted}`]));
  }

  test('of several values the plainest slip speaks', () => {
    expect(naming(['kube-system:aws-load-balancer-controller', ALB.toUpperCase(), `${ALB} `])).toEqual([
      `TrustSubjectWhitespace: statement 1 names "${ALB} " (a blank at its end). ${wanted}`,
    ]);
  });

  test('the audience of STS is one, also where another is used', () => {
    const request = { ...REQUEST, audience: 'vault' };
    const [first] = found([allow({ StringEquals: { [`${HOST}:sub`]: AUDIENCE } })], request);
    expect(first).toBe(`TrustConditionKeySwapped: statement 1 names "${AUDIENCE}" (an audience under the key of the subject). ${wanted}`);
    expect(found([allow({ StringEquals: { [`${HOST}:sub`]: 'vault' } })], request)[0]).toContain('names "vault" (an audience');
  });
});

describe('a subject that is another', () => {
  const cases: Record<string, readonly [value: unknown, namesSubject: string]> = {
    'is quoted in the same namespace': ['system:serviceaccount:kube-system:other', '"system:serviceaccount:kube-system:other"'],
    'is quoted with the same name in a namespace that every cluster has': [
      'system:serviceaccount:default:aws-load-balancer-controller',
      '"system:serviceaccount:default:aws-load-balancer-controller"',
    ],
    // Contract: unbound-quotes
    'is not quoted when it is of another tenant': ['system:serviceaccount:team-a:app', 'another subject, not similar to the wanted one'],
    // Contract: unbound-quotes
    'is not quoted with the same name in the namespace of another tenant': [
      'system:serviceaccount:team-a:aws-load-balancer-controller',
      'another subject, not similar to the wanted one',
    ],
    'is counted when there are more': [
      ['system:serviceaccount:team-a:app', 'x', 5],
      '3 other subjects, none of them similar to the wanted one',
    ],
    'is left out beside one that is near': [
      ['system:serviceaccount:team-a:app', 'system:serviceaccount:kube-system:other'],
      '"system:serviceaccount:kube-system:other"',
    ],
    'is quoted with a policy variable in this namespace': [
      `system:serviceaccount:kube-system:\${aws:username}`,
      `"system:serviceaccount:kube-system:\${aws:username}"`,
    ],
  };
  for (const [sentence, [value, namesSubject]] of Object.entries(cases)) {
    test(sentence, () => expect(naming(value)).toEqual([`TrustSubjectMismatch: statement 1 names ${namesSubject}. ${wanted}`]));
  }

  test('is not near because the words of the prefix are also names', () => {
    const request = { ...REQUEST, subject: subjectOf('system', 'serviceaccount') };
    expect(found([allow({ StringEquals: { [`${HOST}:sub`]: 'system:serviceaccount:team-a:app' } })], request)).toEqual([
      'TrustSubjectMismatch: statement 1 names another subject, not similar to the wanted one. Wanted: "system:serviceaccount:system:serviceaccount"',
    ]);
  });

  test('is named with the other operators on its key: all of them must hold', () => {
    const both = { StringEquals: { [`${HOST}:sub`]: ALB }, StringLike: { [`${HOST}:sub`]: 'system:serviceaccount:kube-system:x*' } };
    expect(found([allow(both)])).toEqual([
      `TrustSubjectMismatch: statement 1 names "system:serviceaccount:kube-system:x*". ${wanted} (this is its StringLike. Its StringEquals on the same key must hold too)`,
    ]);
    const none = { ...both, StringEquals: { [`${HOST}:sub`]: `${ALB} ` } };
    expect(found([allow(none)]).map((text) => /this is its (.*)\)/.exec(text)?.[1])).toEqual([
      'StringEquals. Its StringLike on the same key must hold too',
      'StringLike. Its StringEquals on the same key must hold too',
    ]);
  });

  test('is no slip under StringLike, where it is a pattern', () => {
    expect(naming('kube-system:*', 'StringLike')).toEqual([`TrustSubjectMismatch: statement 1 names "kube-system:*". ${wanted}`]);
    expect(naming('kube-system:x', 'StringLike')).toEqual([
      `TrustSubjectMalformed: statement 1 names "kube-system:x" (it does not begin with "system:serviceaccount:"). ${wanted}`,
    ]);
  });
});

describe('keys', () => {
  const cases: Record<string, readonly [key: string, finding: string]> = {
    'with https': [`https://${HOST}:sub`, 'keys have no "https://"'],
    'with http': [`http://${HOST}:sub`, 'keys have no "https://"'],
    'with an ARN': [`${PROVIDER}:sub`, 'an ARN, not the name of the issuer'],
    'with white space': [` ${HOST}:sub`, 'white space around it'],
    'of a bare claim': ['sub', 'it has no issuer'],
    'without a claim': [HOST, 'it does not end with ":sub" or ":aud"'],
    'with a slash too many': [`${HOST}/:sub`, 'a slash before the colon'],
    'with an empty claim': [`${HOST}:`, 'no claim after the colon'],
    'with a word for the issuer': ['oidc-provider:sub', '"oidc-provider" is not an issuer'],
    'with the ID of a cluster alone': ['EXAMPLED539D4633E53DE1B71EXAMPLE:sub', '"EXAMPLED539D4633E53DE1B71EXAMPLE" is not an issuer'],
    'with a placeholder': ['<OIDC_PROVIDER>:sub', 'not in the form "<issuer>:<claim>"'],
    'with a part of the ARN': [`oidc-provider/${HOST}:sub`, 'not in the form "<issuer>:<claim>"'],
  };
  for (const [sentence, [key, what]] of Object.entries(cases)) {
    test(`${sentence} are malformed`, () =>
      expect(found([allow({ StringEquals: { [key]: 'x' } })])).toEqual([
        `TrustConditionKeyMalformed: statement 1 has the condition key ${quoted(key)} (${what}). No request has this key. Wanted: "${HOST}:sub"`,
      ]));
  }

  test('that end in aud were meant for the audience', () => {
    for (const key of ['aud', `https://${HOST}:aud`, `${HOST}:aud `, `${HOST}/:AUD`]) {
      expect(found([allow({ StringEquals: { [key]: 'x' } })])[0]).toContain(`Wanted: "${HOST}:aud"`);
    }
  });

  test('that are wrong do not hide a slip in their value, and make none of another subject', () => {
    const codes = (key: string, value: unknown) => found([allow({ StringEquals: { [key]: value } })]).map((text) => text.split(':')[0]);
    for (const key of [`${HOST.slice(0, -3)}:sub`, `${OTHER_HOST}:sub`]) {
      expect(codes(key, ` ${ALB}`)).toEqual(['TrustConditionKeyIssuerMismatch', 'TrustSubjectWhitespace']);
      expect(codes(key, [` ${ALB}`, ALB])).toEqual(['TrustConditionKeyIssuerMismatch']);
      expect(codes(key, 'system:serviceaccount:kube-system:other')).toEqual(['TrustConditionKeyIssuerMismatch']);
    }
    expect(codes(`https://${HOST}:sub `, ` ${ALB}`)).toEqual(['TrustConditionKeyMalformed', 'TrustSubjectWhitespace']);
    expect(codes(`${OTHER_HOST}:subject`, ` ${ALB}`)).toEqual(['TrustConditionKeyIssuerMismatch']);
    expect(codes(`${OTHER_HOST}:aud`, ` ${ALB}`)).toEqual(['TrustConditionKeyIssuerMismatch']);
  });

  test('of another issuer are unknown where the condition is', () => {
    expect(found([allow({ StringEquals: { [`${HOST}:sub`]: ALB }, StringMatches: { [`${OTHER_HOST}:sub`]: ALB } })])).toEqual([
      `TrustConditionKeyUnknown: statement 1 has the condition StringMatches on another issuer's key: "StringMatches" is not a condition operator`,
    ]);
  });

  test("that are this issuer's with its end cut off are called so", () => {
    const key = `${HOST.slice(0, -3)}:sub`;
    expect(found([allow({ StringEquals: { [key]: ALB } })])).toEqual([
      `TrustConditionKeyIssuerMismatch: statement 1 trusts this cluster's provider, but its condition is on the key "${key}" (this cluster's issuer, truncated). Tokens of this cluster do not have this key. Wanted: "${HOST}:sub"`,
    ]);
  });

  test("of another issuer beside this one's are an impossible pair, and alone a mix-up", () => {
    const both = found([allow({ StringEquals: { [`${HOST}:sub`]: ALB, [`${OTHER_HOST}:sub`]: ALB, [`${OTHER_HOST}:aud`]: AUDIENCE } })]);
    expect(both.map((text) => text.split(':')[0])).toEqual(['TrustMultiIssuerAnd']);
    const alone = found([allow({ StringEquals: { [`${OTHER_HOST}:sub`]: ALB, [`${OTHER_HOST}:aud`]: AUDIENCE } })]);
    expect(alone).toEqual([
      `TrustConditionKeyIssuerMismatch: statement 1 trusts this cluster's provider, but its condition is on another issuer's key. Tokens of this cluster do not have this key. Wanted: "${HOST}:sub"`,
    ]);
  });
});

describe('what is too broad', () => {
  const cases: Record<string, readonly [pattern: string, who: string | undefined]> = {
    everybody: ['*', 'every ServiceAccount of the cluster'],
    'every namespace': [
      'system:serviceaccount:*:aws-load-balancer-controller',
      'ServiceAccounts named "aws-load-balancer-controller" in every namespace',
    ],
    'namespaces with this beginning': [
      'system:serviceaccount:kube-system*:aws-load-balancer-controller',
      'ServiceAccounts of other namespaces',
    ],
    'namespaces with this end': ['system:serviceaccount:*kube-system:aws-load-balancer-controller', 'ServiceAccounts of other namespaces'],
    'namespaces that differ in the last character': [
      'system:serviceaccount:kube-syste?:aws-load-balancer-controller',
      'ServiceAccounts of other namespaces',
    ],
    'every name': ['system:serviceaccount:kube-system:*', 'every ServiceAccount of the namespace "kube-system"'],
    'names with this beginning': [
      'system:serviceaccount:kube-system:aws-load-balancer-controller*',
      'other ServiceAccounts of the namespace "kube-system"',
    ],
    'names with this end': [
      'system:serviceaccount:kube-system:*aws-load-balancer-controller',
      'other ServiceAccounts of the namespace "kube-system"',
    ],
    'names that differ in the last character': [
      'system:serviceaccount:kube-system:aws-load-balancer-controlle?',
      'other ServiceAccounts of the namespace "kube-system"',
    ],
    'nobody else': [ALB, undefined],
  };
  for (const [sentence, [pattern, who]] of Object.entries(cases)) {
    test(`lets in ${sentence}`, () =>
      expect(naming(pattern, 'StringLike')).toEqual(
        who === undefined
          ? []
          : [
              `TrustOverPermissive: statement 1 also allows ${who}: its condition on ":sub" is StringLike "${pattern}". Name each subject with StringEquals`,
            ],
      ));
  }

  test('names the values that match, and not those of others', () => {
    expect(found([allow({ StringLike: { [`${HOST}:sub`]: ['system:serviceaccount:team-a:*', '*'] } })])[0]).toContain(
      'is StringLike "*". Name',
    );
  });

  test('is said of every foreign statement that lets the token in, and of no other', () => {
    const codes = found([allow(undefined), allow(undefined, { Action: 'sts:AssumeRole' }), allow(undefined)]);
    expect(codes.map((text) => text.slice(0, 35))).toEqual(['TrustOverPermissive: statement 1 al', 'TrustOverPermissive: statement 3 al']);
  });

  test('is a misused set operator on a claim, not on another key', () => {
    const on = (key: string, value: string) =>
      found([allow({ StringEquals: { [`${HOST}:sub`]: ALB }, 'ForAllValues:StringEquals': { [key]: value } })]);
    expect(on(`${HOST}:aud`, AUDIENCE)).toEqual([
      `TrustSetOperatorMisuse: statement 1 compares "${HOST}:aud" with ForAllValues:StringEquals, which also holds when the key is absent. A claim has one value. Compare it with StringEquals`,
    ]);
    expect(on('aws:TagKeys', 'x')).toEqual([]);
  });
});

describe('which statement speaks', () => {
  const ec2 = { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };
  const otherProvider = { Federated: PROVIDER.replace(HOST, OTHER_HOST) };
  const numbers = (statements: readonly object[]) => found(statements).map((text) => text.replace(/^(\w+): statement (\d).*/, '$1 $2'));

  test('the nearest first, those for other clusters last, those for others not at all', () => {
    const github = { Federated: 'arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com' };
    expect(
      numbers([
        ec2,
        allow({ StringEquals: { [`${OTHER_HOST}:sub`]: ALB } }, { Principal: otherProvider }),
        allow({ StringEquals: { [`${HOST}:sub`]: `${ALB} `, [`${HOST}:aud`]: 'x' } }),
        allow({ StringEquals: { [`${HOST}:sub`]: 'system:serviceaccount:kube-system:other' } }),
        allow({ StringLike: { 'token.actions.githubusercontent.com:sub': 'repo:x' } }, { Principal: github }),
      ]),
    ).toEqual(['TrustSubjectMismatch 4', 'TrustSubjectWhitespace 3', 'TrustAudienceMismatch 3', 'TrustPrincipalProviderMismatch 2']);
  });

  test('a wrong action of another cluster is said, its conditions are not', () => {
    expect(
      numbers([allow({ StringEquals: { [`${OTHER_HOST}:sub`]: 'x' } }, { Principal: otherProvider, Action: 'sts:AssumeRole' })]),
    ).toEqual(['TrustPrincipalProviderMismatch 1', 'TrustWrongAction 1']);
  });

  test('a statement that names ServiceAccounts was meant for tokens, whatever else it says', () => {
    const saml = { Federated: 'arn:aws:iam::111122223333:saml-provider/x' };
    const notMeant = [
      'TrustNoWebIdentityStatement: no statement allows "sts:AssumeRoleWithWebIdentity" for the OIDC provider of a cluster. The policy trusts another identity provider',
    ];
    expect(numbers([allow({ StringEquals: { 'x.y:sub': 'System:ServiceAccount:a:b' } }, { Principal: saml })])[0]).toBe(
      'TrustPrincipalMalformed 1',
    );
    expect(numbers([allow({ StringEquals: { [`${HOST}:aud`]: 'x' } }, { Principal: saml })])[0]).toBe('TrustPrincipalMalformed 1');
    expect(numbers([allow({ StringEquals: { [`${HOST}:sub`]: 'x' } }, { Principal: saml })])[0]).toBe('TrustPrincipalMalformed 1');
    expect(found([allow({ StringEquals: { 'x.y:sub': 'b' } }, { Principal: saml })])).toEqual(notMeant);
  });

  test('at most eight findings, each once', () => {
    const many = Array.from({ length: 12 }, (_, at) =>
      allow({ StringEquals: { [`${HOST}:sub`]: `system:serviceaccount:kube-system:x${at}` } }),
    );
    expect(found(many)).toHaveLength(8);
    const conditions = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`k${at}`, 'x']));
    expect(found([allow({ StringEquals: conditions })])).toHaveLength(8);
  });

  test('a document that cannot be read has one finding', () => {
    expect(diagnose(problem('it is odd'), REQUEST, { role: ROLE })).toEqual([
      {
        code: 'TrustPolicyUnparseable',
        severity: 'Error',
        message: `trust policy of ${ROLE}: the document cannot be parsed, so irsa-operator does not evaluate or change it: it is odd`,
      },
    ]);
  });
});

describe('a Deny', () => {
  const deny = (condition?: object, change = {}) => allow(condition, { Effect: 'Deny', Principal: '*', ...change });
  const lets = allow({ StringEquals: { [`${HOST}:sub`]: ALB } });

  test('that matches comes before one that may', () => {
    expect(
      found([
        lets,
        deny({ StringEquals: { 'aws:SourceVpc': 'x' } }),
        deny({ StringLike: { [`${HOST}:sub`]: '*', [`${HOST}:aud`]: '*' } }),
        deny(),
      ]),
    ).toEqual([
      `TrustExplicitDeny: statement 3 denies this token, because StringLike on "${HOST}:sub" and StringLike on "${HOST}:aud" hold. A Deny overrides every Allow, so only the owner of the statement can fix this`,
      'TrustExplicitDeny: statement 4 denies this token without a condition. A Deny overrides every Allow, so only the owner of the statement can fix this',
      'TrustConditionKeyUnknown: statement 2 may deny this token: "aws:SourceVpc" is not known before the call',
    ]);
  });

  const perimeter = {
    BoolIfExists: { 'aws:PrincipalIsAWSService': 'false' },
    StringNotEqualsIfExists: { 'aws:PrincipalOrgID': 'o-example' },
  };
  const denies = [
    'TrustExplicitDeny: statement 2 denies this token, because BoolIfExists on "aws:PrincipalIsAWSService" and StringNotEqualsIfExists on "aws:PrincipalOrgID" hold. A Deny overrides every Allow, so only the owner of the statement can fix this',
  ];
  // Contract: trust-deny
  test('for all but the services and users of an organisation hits every token: its keys are not in the request', () =>
    expect(found([lets, deny(perimeter, { Principal: { AWS: '*' } })])).toEqual(denies));

  const hits: Record<string, [condition: object, isHit: boolean]> = {
    'calls that a service makes': [{ Bool: { 'aws:ViaAWSService': 'true' } }, false],
    'calls that no service makes': [{ BoolIfExists: { 'aws:ViaAWSService': 'false' } }, true],
    'calls of other services': [{ StringNotEqualsIfExists: { 'aws:CalledViaFirst': 'athena.amazonaws.com' } }, true],
    'roles of other accounts': [{ StringNotEquals: { 'aws:ResourceAccount': '111122223333' } }, false],
    'roles of this account': [{ StringEquals: { 'aws:ResourceAccount': '111122223333' } }, true],
    'credentials of an instance': [{ Null: { 'ec2:SourceInstanceArn': 'false' } }, false],
    'calls without an external ID': [{ Null: { 'sts:ExternalId': 'true' } }, true],
    'principals of another organisation': [{ StringNotEquals: { 'aws:PrincipalOrgID': 'o-example' } }, true],
    'principals of this organisation': [{ StringEquals: { 'aws:PrincipalOrgID': 'o-example' } }, false],
    'a key that was to be a claim': [{ StringEquals: { 'oidc-provider:sub': ALB } }, false],
  };
  // Contract: trust-deny
  for (const [sentence, [condition, isHit]] of Object.entries(hits))
    test(`against ${sentence} ${isHit ? 'hits' : 'does not hit'} the token`, () =>
      expect(found([lets, deny(condition)]).map((text) => text.split(':')[0])).toEqual(isHit ? ['TrustExplicitDeny'] : []));

  test('names four conditions at most', () => {
    const keys = Object.fromEntries(['azp', 'amr', 'email', 'oaud', 'id'].map((claim) => [`${HOST}:${claim}`, 'x']));
    expect(found([lets, deny({ StringNotEquals: keys })])[0]?.match(/StringNotEquals on/g)).toHaveLength(4);
  });
});

describe('principals', () => {
  const trusting = (Principal: unknown) => found([allow(undefined, { Principal })]);
  const needed = `Wanted: the federated principal "${PROVIDER}"`;
  const kinds: Record<string, readonly [principal: unknown, trusts: string]> = {
    'services are named': [
      { Service: ['ec2.amazonaws.com', 'ecs.amazonaws.com'] },
      'the service "ec2.amazonaws.com" and the service "ecs.amazonaws.com"',
    ],
    'others are not': [{ AWS: ['arn:aws:iam::444455556666:root', 'arn:aws:iam::444455556666:role/x'] }, 'an AWS account, role or user'],
    'everybody is': [{ AWS: '*' }, '{"AWS": "*"}'],
    'a bare star is': ['*', '"*"'],
    'a kind that does not exist is': [{ OIDC: 'x' }, 'a principal of the kind "OIDC"'],
    'nobody is': [{}, 'no principal'],
  };
  for (const [sentence, [principal, trusts]] of Object.entries(kinds)) {
    test(sentence, () => expect(trusting(principal)).toEqual([`TrustPrincipalNotFederated: statement 1 trusts ${trusts}. ${needed}`]));
  }

  test('each federated one speaks for itself', () => {
    const both = trusting({ Federated: [`${PROVIDER}//`, 'arn:aws:iam::12:oidc-provider/x', 'arn:aws:iam::111122223333:user/<x>'] });
    expect(both).toEqual([
      `TrustPrincipalProviderMismatch: statement 1 trusts "${PROVIDER}//" (an extra slash at its end). Wanted: "${PROVIDER}"`,
      `TrustPrincipalMalformed: statement 1 trusts another provider (its account does not have twelve digits). Wanted: "${PROVIDER}"`,
      `TrustPrincipalMalformed: statement 1 trusts another provider (it still contains a placeholder). Wanted: "${PROVIDER}"`,
    ]);
  });

  describe('that are a provider are told apart from this one:', () => {
    const arn = (host: string, account = '111122223333') => `arn:aws:iam::${account}:oidc-provider/${host}`;
    const eks = 'oidc.eks.eu-west-1.amazonaws.com/id/ABC';
    const differences: Record<string, readonly [code: string, what: string]> = {
      [`x${PROVIDER}`]: ['TrustPrincipalMalformed', 'not the ARN of an OIDC provider'],
      [PROVIDER.replace('iam', 'sts')]: ['TrustPrincipalMalformed', 'not the ARN of an OIDC provider'],
      [PROVIDER.replace('arn:aws:', 'arn:azure:')]: ['TrustPrincipalMalformed', 'not the ARN of an OIDC provider'],
      [`${PROVIDER.slice(0, PROVIDER.indexOf('/'))}//${HOST}`]: ['TrustPrincipalMalformed', 'not the ARN of an OIDC provider'],
      [arn(HOST, '1111222233334')]: ['TrustPrincipalMalformed', 'its account does not have twelve digits'],
      [arn(HOST, '11112222333a')]: ['TrustPrincipalMalformed', 'its account does not have twelve digits'],
      [arn(`${HOST}/x`)]: ['TrustPrincipalProviderMismatch', 'another issuer'],
    };
    const others: Record<string, string> = {
      [arn(eks)]: 'another cluster',
      [arn('oidc-eks.eu-west-1.api.aws/id/ABC')]: 'another cluster',
      [arn('oidc.eks.cn-north-1.amazonaws.com.cn/id/ABC')]: 'another cluster',
      [arn(`x.${eks}`)]: 'another issuer',
      [arn(`${eks}/x`)]: 'another issuer',
      [eks]: "the name of another issuer, not the ARN of this cluster's provider",
    };
    // Contract: unbound-quotes
    for (const [value, what] of Object.entries(others))
      test(`${value}, which is not quoted`, () =>
        expect(trusting({ Federated: value })).toEqual([
          `TrustPrincipalProviderMismatch: statement 1 trusts another provider (${what}). Wanted: "${PROVIDER}"`,
        ]));
    for (const [value, [code, what]] of Object.entries(differences))
      test(value, () =>
        expect(trusting({ Federated: value })).toEqual([`${code}: statement 1 trusts "${value}" (${what}). Wanted: "${PROVIDER}"`]),
      );
  });

  test('a host name with the region first is called so', () => {
    const odd = PROVIDER.replace('oidc.eks.us-east-1', 'oidc.us-east-1.eks');
    expect(trusting({ Federated: odd })).toEqual([
      `TrustPrincipalProviderMismatch: statement 1 trusts "${odd}" ("eks" is after the region, but belongs before it). Wanted: "${PROVIDER}"`,
    ]);
  });

  test('a statement without an action is one too', () => {
    expect(found([allow(undefined, { Action: undefined })])).toEqual([`TrustWrongAction: statement 1 has no action. Wanted: "${ACTION}"`]);
    expect(found([allow(undefined, { Action: [{}, 5] })])).toEqual([
      `TrustWrongAction: statement 1 allows no action of STS. Wanted: "${ACTION}"`,
    ]);
  });
});

function quoted(value: string): string {
  return JSON.stringify(value).replace(/[\u0080-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
}

describe('what belongs to other tenants is in no message', () => {
  const OTHER = PROVIDER.replace(HOST, OTHER_HOST);
  const THEIRS = 'system:serviceaccount:team-b:payments';
  const SECRETS = [
    OTHER_HOST,
    '0123456789abcdef',
    'team-b',
    'payments',
    'PaymentsProd',
    'vpc-0b',
    '2020-04-01',
    'vault',
    'k8s.example',
    'corp',
  ];
  const mine = { [`${HOST}:sub`]: ALB };

  const statements: Record<string, object> = {
    "another cluster's provider": allow({ StringEquals: { [`${OTHER_HOST}:sub`]: THEIRS } }, { Principal: { Federated: OTHER } }),
    'a provider of an issuer that is no EKS cluster': allow(undefined, {
      Principal: { Federated: 'arn:aws:iam::111122223333:oidc-provider/k8s.example.com/prod' },
    }),
    'a SAML provider': allow(undefined, { Principal: { Federated: 'arn:aws:iam::111122223333:saml-provider/corp' } }),
    'a provider with a wildcard': allow(undefined, { Principal: { Federated: `${OTHER.slice(0, -2)}*` } }),
    'a provider with a placeholder': allow(undefined, { Principal: { Federated: `${OTHER}<X>` } }),
    'a provider with https': allow(undefined, { Principal: { Federated: OTHER.replace('/', '/https://') } }),
    'a provider without account': allow(undefined, { Principal: { Federated: OTHER.replace('111122223333', '') } }),
    'the name of a provider': allow(undefined, { Principal: { Federated: OTHER_HOST } }),
    'two providers': allow(mine, { Principal: { Federated: [OTHER, 'arn:aws:iam::111122223333:saml-provider/corp'] } }),
    'a role': allow(undefined, { Principal: { AWS: 'arn:aws:iam::111122223333:role/payments' } }),
    NotPrincipal: allow(
      { StringEquals: { ...mine, 'aws:SourceVpc': 'vpc-0b' } },
      { Principal: undefined, NotPrincipal: { Federated: OTHER } },
    ),
    'another subject': allow({ StringEquals: { [`${HOST}:sub`]: THEIRS } }),
    'other subjects as a pattern': allow({ StringLike: { [`${HOST}:sub`]: ['system:serviceaccount:team-b:*', '*payments*'] } }),
    'an excluded subject': allow({ StringNotEquals: { [`${HOST}:sub`]: [ALB, THEIRS] } }),
    'another audience': allow({ StringEquals: { ...mine, [`${HOST}:aud`]: 'vault.payments' } }),
    'an excluded audience': allow({ StringEquals: mine, StringNotEquals: { [`${HOST}:aud`]: [AUDIENCE, 'vault'] } }),
    'a VPC': allow({ StringEquals: { ...mine, 'aws:SourceVpc': 'vpc-0b' } }),
    'a date': allow({ StringEquals: mine, DateLessThan: { 'aws:CurrentTime': '2020-04-01T00:00:00Z' } }),
    'an organisation': allow({ StringEquals: { ...mine, 'aws:PrincipalOrgID': 'payments' } }),
    "another issuer's key": allow({ StringEquals: { [`${OTHER_HOST}:sub`]: THEIRS } }),
    "another issuer's key beside this one's": allow({ StringEquals: { ...mine, [`${OTHER_HOST}:sub`]: THEIRS } }),
    "another issuer's key with https": allow({ StringEquals: { [`https://${OTHER_HOST}:sub`]: THEIRS } }),
    "another issuer's key as an ARN": allow({ StringEquals: { [`${OTHER}:sub`]: THEIRS } }),
    "another issuer's key without a claim": allow({ StringEquals: { [OTHER_HOST]: THEIRS, 'k8s.example.com': THEIRS } }),
    "another issuer's key twice": allow({
      StringEquals: { ...mine, [`${OTHER_HOST}:sub`]: THEIRS, [`${OTHER_HOST}:SUB`]: '*' },
      StringNotEquals: { [`${OTHER_HOST}:sub`]: 'x', [`${OTHER_HOST}:SUB`]: '${' },
    }),
    "another issuer's key under no operator": allow({ StringMatches: { [`${OTHER_HOST}:sub`]: THEIRS } }),
    'a Deny that matches': allow({ StringNotEquals: { [`${OTHER_HOST}:sub`]: THEIRS } }, { Effect: 'Deny' }),
    'a Deny that may match': allow({ StringNotEquals: { 'aws:SourceVpc': 'vpc-0b', [`${OTHER_HOST}:sub`]: THEIRS } }, { Effect: 'Deny' }),
    'a misspelt effect': allow({ StringEquals: { [`${HOST}:sub`]: THEIRS } }, { Effect: 'allow' }),
    'a broad pattern beside others': allow({ StringLike: { [`${HOST}:sub`]: ['*', THEIRS] } }),
    'a wrong action': allow({ StringEquals: { [`${HOST}:sub`]: THEIRS } }, { Action: 'sts:AssumeRole' }),
    'a member that trust policies do not have': allow({ StringEquals: { [`${HOST}:sub`]: THEIRS } }, { Resource: 'arn:aws:s3:::payments' }),
  };
  // Contract: unbound-quotes
  for (const [what, statement] of Object.entries(statements)) {
    test(`of ${what}`, () => {
      const document = read(policy({ Sid: 'PaymentsProd', ...statement }));
      const verdict = evaluate(document, REQUEST);
      const said = [
        ...diagnose(document, REQUEST, { role: ROLE }).map(({ message }) => message),
        verdict.kind === 'unknown' ? verdict.reason : '',
      ];
      expect(said.join('').length).toBeGreaterThan(0);
      expect(SECRETS.filter((secret) => said.some((text) => text.toLowerCase().includes(secret.toLowerCase())))).toEqual([]);
    });
  }
});

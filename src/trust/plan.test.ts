import { describe, expect, test } from 'vitest';
import {
  ALB,
  AUDIENCE,
  allow,
  desired,
  HOST,
  ISSUER,
  OTHER_HOST,
  PROVIDER,
  policy,
  REQUEST,
  ROLE,
  read,
} from '../../test/trust/cluster.ts';
import type { FindingCode } from '../api/finding.ts';
import { problem } from '../api/problem.ts';
import { type Subject, subjectOf, type TokenSubject } from '../api/subject.ts';
import { NOBODY, writeOwn } from './document/own-statement.ts';
import { type DesiredStatement, planTrust, type WantedSubject } from './plan.ts';

const DNS = subjectOf('kube-system', 'external-dns');
const APP = subjectOf('team-a', 'app');
const GONE = subjectOf('gone', 'app');
const VAULT = 'vault.example.com';

const SERVICE = { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };
const DENY = { Effect: 'Deny', Principal: '*', Action: '*' };

const who = (subject: Subject, audience = AUDIENCE): TokenSubject => ({ subject, audience });
const absent = (subject: Subject): WantedSubject => ({ ...who(subject), absent: true });
const limited = (subject: Subject, namespaceLimit: number): WantedSubject => ({ ...who(subject), namespaceLimit });
/** So that with these in our statement three quarters of it are used. */
const quotaFor = (...subjects: Subject[]) => (policy(SERVICE, ours(subjects)).length * 4) / 3;
const ours = (subjects: readonly string[], audience = AUDIENCE): object =>
  JSON.parse(writeOwn({ issuer: ISSUER, provider: PROVIDER }, audience, subjects));
const allows = (subject: string, more: object = {}): object =>
  allow({ StringEquals: { [`${HOST}:sub`]: subject, [`${HOST}:aud`]: AUDIENCE, ...more } });
const listing = (...statements: readonly object[]): string => policy(...statements);

interface Case {
  readonly policy: string;
  readonly desired?: Partial<DesiredStatement>;
  /** The document to send, as statements; undefined when nothing is to be written. */
  readonly writes?: readonly object[];
  readonly states: readonly string[];
  readonly findings?: readonly FindingCode[];
  /** Of the document as a whole. */
  readonly general?: readonly FindingCode[];
  readonly orphans?: readonly TokenSubject[];
}

const cases: Record<string, Case> = {
  'adds our statement behind the others': { policy: listing(SERVICE), writes: [SERVICE, ours([ALB])], states: ['allowed (Operator)'] },
  // Contract: trust-one-write
  'adds all wanted subjects in one statement, sorted': {
    policy: listing(SERVICE),
    desired: { wanted: [who(DNS), who(ALB), who(APP)] },
    writes: [SERVICE, ours([ALB, DNS, APP])],
    states: ['allowed (Operator)', 'allowed (Operator)', 'allowed (Operator)'],
  },
  'adds to what stands, in its place': {
    policy: listing(ours([DNS]), SERVICE),
    desired: { wanted: [who(DNS), who(ALB)] },
    writes: [ours([ALB, DNS]), SERVICE],
    states: ['allowed (Operator)', 'allowed (Operator)'],
  },
  'adds a statement for each audience': {
    policy: listing(SERVICE),
    desired: { wanted: [who(ALB), who(ALB, VAULT)] },
    writes: [SERVICE, ours([ALB]), ours([ALB], VAULT)],
    states: ['allowed (Operator)', 'allowed (Operator)'],
  },
  'adds once what two bindings want': {
    policy: listing(SERVICE),
    desired: { wanted: [who(ALB), who(ALB)] },
    writes: [SERVICE, ours([ALB])],
    states: ['allowed (Operator)', 'allowed (Operator)'],
  },
  'writes nothing when our statement allows': { policy: listing(ours([ALB])), states: ['allowed (Operator)'] },
  // Contract: trust-allowed
  'writes nothing when a foreign statement allows': { policy: listing(allows(ALB)), states: ['allowed (Others)'] },
  'writes nothing when nothing is wanted': { policy: listing(SERVICE), desired: { wanted: [] }, states: [] },
  'says what is too broad about a foreign statement that allows': {
    policy: listing(allow(undefined)),
    states: ['allowed (Others)'],
    findings: ['TrustOverPermissive'],
  },
  // Contract: trust-stays
  'keeps our subject where a foreign statement has come to allow it too': {
    policy: listing(allows(ALB), ours([ALB])),
    states: ['allowed (Operator)'],
  },
  'keeps the order of the subjects where the meaning would not change': {
    policy: listing(allow({ StringEquals: { [`${HOST}:sub`]: [DNS, ALB], [`${HOST}:aud`]: AUDIENCE } }, { Sid: 'Irsaulgzwwrowtnv' })),
    desired: { wanted: [who(ALB), who(DNS)] },
    states: ['allowed (Operator)', 'allowed (Operator)'],
  },
  'adds only what foreign statements do not allow': {
    policy: listing(allows(DNS)),
    desired: { wanted: [who(DNS), who(ALB)] },
    writes: [allows(DNS), ours([ALB])],
    states: ['allowed (Others)', 'allowed (Operator)'],
  },

  'takes a released subject away': {
    policy: listing(ours([ALB, DNS])),
    desired: { released: [who(DNS)] },
    writes: [ours([ALB])],
    states: ['allowed (Operator)'],
  },
  'takes away and adds in one write': {
    policy: listing(ours([DNS])),
    desired: { released: [who(DNS)] },
    writes: [ours([ALB])],
    states: ['allowed (Operator)'],
  },
  'takes the statement away with its last subject': {
    policy: listing(SERVICE, ours([ALB])),
    desired: { wanted: [], released: [who(ALB)] },
    writes: [SERVICE],
    states: [],
  },
  // Contract: trust-last-statement
  'keeps the last statement of a document, for nobody': {
    policy: listing(ours([ALB])),
    desired: { wanted: [], released: [who(ALB)] },
    writes: [ours([])],
    states: [],
  },
  'leaves the statement for nobody alone when there is nothing to do': {
    policy: listing(ours([NOBODY]), SERVICE),
    desired: { wanted: [], released: [who(ALB)] },
    states: [],
  },
  'takes the statement for nobody along with the next write': {
    policy: listing(ours([], VAULT), SERVICE),
    writes: [SERVICE, ours([ALB])],
    states: ['allowed (Operator)'],
  },
  'uses the statement for nobody again': { policy: listing(ours([])), writes: [ours([ALB])], states: ['allowed (Operator)'] },
  'takes two statements away, and keeps one for nobody': {
    policy: listing(ours([ALB]), ours([ALB], VAULT)),
    desired: { wanted: [], released: [who(ALB), who(ALB, VAULT)] },
    writes: [ours([])],
    states: [],
  },
  'releases what does not stand without a write': { policy: listing(SERVICE), desired: { wanted: [], released: [who(ALB)] }, states: [] },
  'releases for one audience only': {
    policy: listing(ours([ALB]), ours([ALB], VAULT)),
    desired: { wanted: [who(ALB)], released: [who(ALB, VAULT)] },
    writes: [ours([ALB])],
    states: ['allowed (Operator)'],
  },
  'leaves a foreign statement that names the released alone': {
    policy: listing(allows(ALB)),
    desired: { wanted: [], released: [who(ALB)] },
    states: [],
  },
  'releases what is wanted and released at once': {
    policy: listing(SERVICE, ours([ALB])),
    desired: { released: [who(ALB)] },
    writes: [SERVICE],
    states: ['refused'],
    findings: ['TrustNoWebIdentityStatement'],
  },

  // Contract: rule-orphan
  'keeps and reports what nobody wants': {
    policy: listing(ours([ALB, GONE])),
    states: ['allowed (Operator)'],
    general: ['TrustOrphaned'],
    orphans: [who(GONE)],
  },
  'keeps what nobody wants also under another audience': {
    policy: listing(ours([GONE], VAULT)),
    writes: [ours([GONE], VAULT), ours([ALB])],
    states: ['allowed (Operator)'],
    general: ['TrustOrphaned'],
    orphans: [who(GONE, VAULT)],
  },

  // Contract: trust-deny
  'writes nothing where a Deny matches': {
    policy: listing(SERVICE, DENY),
    states: ['refused'],
    findings: ['TrustExplicitDeny', 'TrustNoWebIdentityStatement'],
  },
  'keeps what stands where a Deny has come to match': {
    policy: listing(ours([ALB]), DENY),
    states: ['refused'],
    findings: ['TrustExplicitDeny'],
  },
  'releases also where a Deny matches': {
    policy: listing(ours([ALB]), DENY),
    desired: { wanted: [], released: [who(ALB)] },
    writes: [DENY],
    states: [],
  },
  // Contract: trust-may-deny
  'writes where a Deny may match, and the outcome is unknown': {
    policy: listing({ ...DENY, Condition: { StringNotEquals: { 'aws:SourceVpc': 'vpc-1' } } }),
    writes: [{ ...DENY, Condition: { StringNotEquals: { 'aws:SourceVpc': 'vpc-1' } } }, ours([ALB])],
    states: ['unknown: statement 1: "aws:SourceVpc" is not known before the call'],
    findings: ['TrustConditionKeyUnknown'],
  },
  'writes nothing where a Deny may match and a foreign statement allows': {
    policy: listing(allows(ALB), { ...DENY, Condition: { StringNotEquals: { 'aws:SourceVpc': 'vpc-1' } } }),
    states: ['unknown: statement 2: "aws:SourceVpc" is not known before the call'],
    findings: ['TrustConditionKeyUnknown'],
  },

  // Contract: trust-restricted
  'writes nothing beside a statement that its owner restricts': {
    policy: listing(allows(ALB, { 'aws:SourceVpc': 'vpc-1' })),
    states: ['unknown: statement 1: "aws:SourceVpc" is not known before the call'],
    findings: ['TrustRestrictedByOwner'],
  },
  'writes nothing beside a statement whose restriction is known to fail': {
    policy: listing(allows(ALB, { 'aws:PrincipalOrgID': 'o-1' })),
    states: ['refused'],
    findings: ['TrustRestrictedByOwner', 'TrustConditionKeyUnknown'],
  },
  'writes nothing beside a restriction on every ServiceAccount': {
    policy: listing(allow({ StringEquals: { 'aws:SourceVpc': 'vpc-1' } })),
    states: ['unknown: statement 1: "aws:SourceVpc" is not known before the call'],
    findings: ['TrustRestrictedByOwner'],
  },
  'writes beside a restriction on another subject': {
    policy: listing(allows(DNS, { 'aws:SourceVpc': 'vpc-1' })),
    writes: [allows(DNS, { 'aws:SourceVpc': 'vpc-1' }), ours([ALB])],
    states: ['allowed (Operator)'],
  },
  // Contract: trust-slips
  'writes nothing beside a statement with a slip and a restriction': {
    policy: listing(allows(`${ALB} `, { 'aws:SourceVpc': 'vpc-1' })),
    states: ['refused'],
    findings: ['TrustRestrictedByOwner', 'TrustSubjectWhitespace'],
  },
  "writes beside a statement that also wants another cluster's key": {
    policy: listing(allows(ALB, { 'oidc.example.com/id/X:sub': ALB })),
    writes: [allows(ALB, { 'oidc.example.com/id/X:sub': ALB }), ours([ALB])],
    states: ['allowed (Operator)'],
  },
  'writes nothing beside a restriction where another foreign statement allows': {
    policy: listing(allows(ALB, { 'aws:SourceVpc': 'vpc-1' }), allows(ALB)),
    states: ['allowed (Others)'],
  },
  'keeps what stands beside a restriction': {
    policy: listing(allows(ALB, { 'aws:SourceVpc': 'vpc-1' }), ours([ALB])),
    states: ['allowed (Operator)'],
  },
  'does not take a restricted Deny for a restriction': {
    policy: listing({ ...allows(ALB, { 'aws:PrincipalOrgID': 'o-1' }), Effect: 'Deny' }),
    writes: [{ ...allows(ALB, { 'aws:PrincipalOrgID': 'o-1' }), Effect: 'Deny' }, ours([ALB])],
    states: ['allowed (Operator)'],
  },
  'does not take a restriction of another action for one of ours': {
    policy: listing({ ...allows(ALB, { 'aws:SourceVpc': 'vpc-1' }), Action: 'sts:AssumeRole' }),
    writes: [{ ...allows(ALB, { 'aws:SourceVpc': 'vpc-1' }), Action: 'sts:AssumeRole' }, ours([ALB])],
    states: ['allowed (Operator)'],
  },

  'writes nothing beside a restriction for everybody where another statement names the provider for others': {
    policy: listing({ ...allows(ALB, { 'aws:SourceVpc': 'vpc-1' }), Principal: '*' }, allows(DNS)),
    states: ['unknown: statement 1: AWS does not document whether an Allow for "*" covers web identities'],
    findings: ['TrustRestrictedByOwner', 'TrustSubjectMismatch', 'TrustPrincipalNotFederated'],
  },

  // Contract: trust-sid-taken
  'writes nothing where our Sid is taken': {
    policy: listing(allow(undefined, { Sid: 'Irsaulgzwwrowtnv', Action: 'sts:AssumeRole' })),
    states: ['refused'],
    findings: ['TrustSidTaken', 'TrustWrongAction'],
  },
  'says so where our Sid is taken and something is to be released': {
    policy: listing(allow({ StringLike: { [`${HOST}:sub`]: ALB } }, { Sid: 'Irsaulgzwwrowtnv' })),
    desired: { wanted: [], released: [who(ALB)] },
    states: [],
    general: ['TrustSidTaken'],
  },
  'leaves two statements under one Sid of ours alone, also the one for nobody': {
    policy: listing(ours([]), ours([DNS])),
    desired: { wanted: [who(ALB, VAULT), who(ALB)] },
    writes: [ours([]), ours([DNS]), ours([ALB], VAULT)],
    states: ['allowed (Operator)', 'refused'],
    findings: ['TrustSidTaken', 'TrustSubjectMismatch', 'TrustSubjectMismatch', 'TrustAudienceMismatch'],
  },
  'serves another audience where one Sid is taken': {
    policy: listing(allow(undefined, { Sid: 'Irsaulgzwwrowtnv', Action: 'sts:AssumeRole' })),
    desired: { wanted: [who(ALB), who(ALB, VAULT)] },
    writes: [allow(undefined, { Sid: 'Irsaulgzwwrowtnv', Action: 'sts:AssumeRole' }), ours([ALB], VAULT)],
    states: ['refused', 'allowed (Operator)'],
    findings: ['TrustSidTaken', 'TrustWrongAction', 'TrustAudienceMismatch'],
  },

  'keeps the older binding when only one more fits': {
    policy: listing(SERVICE),
    desired: { wanted: [who(DNS), who(ALB)], quota: policy(SERVICE, ours([DNS])).length },
    writes: [SERVICE, ours([DNS])],
    states: ['allowed (Operator)', 'refused'],
    findings: ['TrustPolicyTooLarge', 'TrustSubjectMismatch'],
  },
  // Contract: trust-newcomer
  'never evicts for an older binding that comes later': {
    policy: listing(SERVICE, ours([DNS])),
    desired: { wanted: [who(ALB), who(DNS)], quota: policy(SERVICE, ours([DNS])).length },
    states: ['refused', 'allowed (Operator)'],
    findings: ['TrustPolicyTooLarge', 'TrustSubjectMismatch'],
  },
  'fits exactly': {
    policy: listing(SERVICE),
    desired: { quota: policy(SERVICE, ours([ALB])).length },
    writes: [SERVICE, ours([ALB])],
    states: ['allowed (Operator)'],
  },
  // Contract: trust-quota
  'does not fit by one character': {
    policy: listing(SERVICE),
    desired: { quota: policy(SERVICE, ours([ALB])).length - 1 },
    states: ['refused'],
    findings: ['TrustPolicyTooLarge', 'TrustNoWebIdentityStatement'],
  },
  'uses the room that a release makes': {
    policy: listing(SERVICE, ours([DNS])),
    desired: { wanted: [who(APP)], released: [who(DNS)], quota: policy(SERVICE, ours([DNS])).length },
    writes: [SERVICE, ours([APP])],
    states: ['allowed (Operator)'],
  },
  'releases also from a document that is too large': {
    policy: listing(SERVICE, ours([ALB, DNS])),
    desired: { released: [who(DNS)], quota: 10 },
    writes: [SERVICE, ours([ALB])],
    states: ['allowed (Operator)'],
  },
  // Contract: trust-absent
  'adds a ServiceAccount that does not exist where a quarter of the quota stays free': {
    policy: listing(SERVICE),
    desired: { wanted: [absent(ALB)], quota: quotaFor(ALB) },
    writes: [SERVICE, ours([ALB])],
    states: ['allowed (Operator)'],
  },
  // Contract: trust-absent
  'does not add one that does not exist where less than that would stay free': {
    policy: listing(SERVICE),
    desired: { wanted: [absent(ALB)], quota: quotaFor(ALB) - 2 },
    states: ['refused'],
    findings: ['ServiceAccountMissing', 'TrustNoWebIdentityStatement'],
  },
  // Contract: trust-absent
  'adds those that exist before older ones that do not': {
    policy: listing(SERVICE),
    desired: { wanted: [absent(ALB), who(DNS)], quota: quotaFor(DNS) },
    writes: [SERVICE, ours([DNS])],
    states: ['refused', 'allowed (Operator)'],
    findings: ['ServiceAccountMissing', 'TrustSubjectMismatch'],
  },
  // Contract: trust-absent
  'keeps what stands though its ServiceAccount is gone, however short space is': {
    policy: listing(SERVICE, ours([ALB])),
    desired: { wanted: [absent(ALB)], quota: 10 },
    states: ['allowed (Operator)'],
  },
  'says too large of one that does not exist and would not fit either if it did': {
    policy: listing(SERVICE),
    desired: { wanted: [absent(ALB)], quota: policy(SERVICE, ours([ALB])).length - 1 },
    states: ['refused'],
    findings: ['TrustPolicyTooLarge', 'TrustNoWebIdentityStatement'],
  },

  // Contract: grant-limit-subjects
  'adds no more subjects of a namespace than the grant allows, the oldest first': {
    policy: listing(SERVICE),
    desired: { wanted: [limited(ALB, 1), limited(DNS, 1), limited(APP, 1)] },
    writes: [SERVICE, ours([ALB, APP])],
    states: ['allowed (Operator)', 'refused', 'allowed (Operator)'],
    findings: ['GrantLimitReached', 'TrustSubjectMismatch'],
  },
  // Contract: grant-limit-subjects
  'counts orphans of the namespace, and of every audience': {
    policy: listing(ours([DNS]), ours([subjectOf('team-a', 'old')], VAULT)),
    desired: { wanted: [limited(ALB, 1), limited(APP, 1)] },
    states: ['refused', 'refused'],
    findings: [
      ...['GrantLimitReached', 'TrustSubjectMismatch', 'TrustAudienceMismatch', 'TrustSubjectMismatch'],
      ...['GrantLimitReached', 'TrustSubjectMismatch', 'TrustAudienceMismatch', 'TrustSubjectMismatch'],
    ] as FindingCode[],
    general: ['TrustOrphaned'],
    orphans: [who(DNS), who(subjectOf('team-a', 'old'), VAULT)],
  },
  // Contract: grant-limit-subjects
  'keeps what stands above the limit': {
    policy: listing(SERVICE, ours([ALB, DNS])),
    desired: { wanted: [limited(ALB, 1), limited(DNS, 1)] },
    states: ['allowed (Operator)', 'allowed (Operator)'],
  },
  'does not count one that a foreign statement allows': {
    policy: listing(allows(ALB)),
    desired: { wanted: [limited(ALB, 1), limited(DNS, 1)] },
    writes: [allows(ALB), ours([DNS])],
    states: ['allowed (Others)', 'allowed (Operator)'],
  },
  'has a place for a newcomer when one is released': {
    policy: listing(ours([ALB])),
    desired: { wanted: [limited(DNS, 1)], released: [who(ALB)] },
    writes: [ours([DNS])],
    states: ['allowed (Operator)'],
  },

  // Contract: trust-quota
  'does not count white space': {
    policy: JSON.stringify(JSON.parse(policy(SERVICE)), undefined, 8),
    desired: { quota: policy(SERVICE, ours([ALB])).length },
    writes: [SERVICE, ours([ALB])],
    states: ['allowed (Operator)'],
  },

  'warns of a deleted principal when it writes': {
    policy: listing({ ...SERVICE, Principal: { AWS: 'AROAEXAMPLEEXAMPLE123' } }),
    writes: [{ ...SERVICE, Principal: { AWS: 'AROAEXAMPLEEXAMPLE123' } }, ours([ALB])],
    states: ['allowed (Operator)'],
    general: ['TrustOrphanedPrincipal'],
  },
  'does not warn of a deleted principal when it writes nothing': {
    policy: listing({ ...SERVICE, Principal: { AWS: 'AIDAEXAMPLEEXAMPLE123' } }, allows(ALB)),
    states: ['allowed (Others)'],
  },

  // Contract: trust-no-wildcard
  'refuses a subject with a wildcard': {
    policy: listing(SERVICE),
    desired: { wanted: [who('system:serviceaccount:kube-system:*' as Subject)] },
    states: ['refused'],
    findings: ['TrustSubjectMalformed', 'TrustNoWebIdentityStatement'],
  },
  ...Object.fromEntries(
    [
      ...['system:serviceaccount:kube-system', `${ALB}:x`, `x${ALB}`, `x:${ALB}`, `system:node:kube-system:x`, `System:serviceaccount:a:b`],
      ...['system:serviceaccount::x', 'system:serviceaccount:a:', 'system:serviceaccount:a:B', 'system:serviceaccount:a:b ', NOBODY],
      ...['system:serviceaccount:a:b-', 'system:serviceaccount:-a:b', 'system:serviceaccount:a:b\n', `system:serviceaccount:a:\${*}`],
    ].map((subject): [string, Case] => [
      `refuses the subject ${JSON.stringify(subject)}`,
      {
        policy: listing(SERVICE),
        desired: { wanted: [who(subject as Subject)] },
        states: ['refused'],
        findings: ['TrustSubjectMalformed', 'TrustNoWebIdentityStatement'],
      },
    ]),
  ),
  'takes names of one character, with dots and dashes within': {
    policy: listing(SERVICE),
    desired: { wanted: [who(subjectOf('0', 'a.b--c')), who(subjectOf('a', '9'))] },
    writes: [SERVICE, ours([subjectOf('0', 'a.b--c'), subjectOf('a', '9')])],
    states: ['allowed (Operator)', 'allowed (Operator)'],
  },
  'refuses a subject that is no ServiceAccount': {
    policy: listing(SERVICE),
    desired: { wanted: [who('system:node:x' as Subject)] },
    states: ['refused'],
    findings: ['TrustSubjectMalformed', 'TrustNoWebIdentityStatement'],
  },
  'refuses an audience that is a policy variable': {
    policy: listing(SERVICE),
    desired: { wanted: [who(ALB, `\${aws:username}`)] },
    states: ['refused'],
    findings: ['TrustSubjectMalformed', 'TrustNoWebIdentityStatement'],
  },
  'refuses an empty audience': {
    policy: listing(SERVICE),
    desired: { wanted: [who(ALB, '')] },
    states: ['refused'],
    findings: ['TrustSubjectMalformed', 'TrustNoWebIdentityStatement'],
  },
};

describe('the plan', () => {
  for (const [sentence, { policy: text, writes, states, findings = [], general = [], orphans = [], desired: asked }] of Object.entries(
    cases,
  )) {
    test(sentence, () => {
      const wanted = desired(asked);
      const plan = planTrust(read(text), wanted);
      const sent = writes && policy(...writes);
      expect({
        document: plan.document,
        states: plan.verdicts.map((verdict) =>
          verdict.state === 'allowed'
            ? `allowed (${verdict.managedBy})`
            : verdict.state === 'unknown'
              ? `unknown: ${verdict.reason}`
              : verdict.state,
        ),
        asked: plan.verdicts.map(({ subject, audience }) => ({ subject, audience })),
        findings: plan.verdicts.flatMap((verdict) => verdict.findings.map(({ code }) => code)),
        general: plan.findings.map(({ code }) => code),
        orphans: plan.orphans,
        size: plan.size,
      }).toEqual({
        document: sent,
        states,
        asked: wanted.wanted.map(({ subject, audience }) => ({ subject, audience })),
        findings,
        general,
        orphans,
        size: { characters: (sent ?? JSON.stringify(JSON.parse(text))).length, quota: wanted.quota },
      });
    });
  }

  test('keeps everything around the statements', () => {
    const text = `{"Id":"x","Statement":${JSON.stringify(SERVICE)},"Version":"2012-10-17"}`;
    expect(planTrust(read(text), desired()).document).toBe(
      `{"Id":"x","Statement":[${JSON.stringify(SERVICE)},${JSON.stringify(ours([ALB]))}],"Version":"2012-10-17"}`,
    );
  });

  // Contract: trust-byte-for-byte
  test('keeps a foreign statement as it was written, but for the white space between tokens', () => {
    const text = '{"Statement":[ {"Effect":"Allow", "X":1.50, "Y":"\\u0041 b", "Action":["a" , "b"]} ]}';
    expect(planTrust(read(text), desired()).document).toBe(
      `{"Statement":[{"Effect":"Allow","X":1.50,"Y":"\\u0041 b","Action":["a","b"]},${JSON.stringify(ours([ALB]))}]}`,
    );
  });

  // Contract: bad-document
  test('of a document that cannot be read is to leave it alone', () => {
    const message = `trust policy of ${ROLE}: the document cannot be parsed, so irsa-operator does not evaluate or change it: it is odd`;
    const finding = { code: 'TrustPolicyUnparseable', severity: 'Error', message };
    expect(planTrust(problem('it is odd'), desired())).toEqual({
      document: undefined,
      verdicts: [{ subject: ALB, audience: AUDIENCE, state: 'unknown', reason: 'it is odd', findings: [finding] }],
      findings: [finding],
      size: { characters: 0, quota: 2048 },
      orphans: [],
    });
  });

  test('judges by the time and the tags that it is given', () => {
    const text = policy(allows(ALB, { 'aws:ResourceTag/team': 'network' }));
    expect(planTrust(read(text), desired({ roleTags: new Map([['team', 'network']]) })).verdicts[0]?.state).toBe('allowed');
    expect(planTrust(read(text), desired({ roleTags: new Map() })).verdicts[0]?.state).toBe('refused');
    const dated = policy(allow({ StringEquals: { [`${HOST}:sub`]: ALB }, DateLessThan: { 'aws:CurrentTime': '2020-01-01' } }));
    expect(planTrust(read(dated), desired({ now: Date.UTC(2019, 0) })).verdicts[0]?.state).toBe('allowed');
    const { now: _, ...timeless } = desired();
    expect(planTrust(read(dated), timeless).verdicts[0]?.state).toBe('unknown');
  });

  test('counts the orphans, and says what cannot be written', () => {
    const say = (text: string) => `trust policy of ${ROLE}: ${text}`;
    const one =
      'a subject that no binding of this cluster names. It is kept while a grant covers it. Another cluster with this issuer may need it: give each cluster a --cluster-id. If there is no other, and it is no longer needed, run: irsa-operator prune --sole-cluster --confirm';
    const two =
      '2 subjects that no binding of this cluster names. They are kept while a grant covers them. Another cluster with this issuer may need them: give each cluster a --cluster-id. If there is no other, and they are no longer needed, run: irsa-operator prune --sole-cluster --confirm';
    const about = (...subjects: string[]) =>
      planTrust(read(policy(ours([ALB, ...subjects]))), desired()).findings.map(({ message }) => message);
    expect(about(GONE)).toEqual([say(`the statement of irsa-operator trusts ${one}`)]);
    expect(about(GONE, APP)).toEqual([say(`the statement of irsa-operator trusts ${two}`)]);
    const ofBlue = { clusterId: 'blue' };
    const blue = JSON.parse(writeOwn({ issuer: ISSUER, provider: PROVIDER, ...ofBlue }, REQUEST.audience, [ALB, GONE]));
    expect(planTrust(read(policy(blue)), desired(ofBlue)).findings.map(({ message }) => message)).toEqual([
      say(
        'the statement of irsa-operator trusts a subject that no binding of this cluster names. It is kept while a grant covers it. If it is no longer needed, run: irsa-operator prune --cluster-id blue --confirm',
      ),
    ]);
    const [refused] = planTrust(read(policy(SERVICE)), desired({ wanted: [who(ALB, '')] })).verdicts;
    expect(refused?.findings[0]?.message).toBe(say(`irsa-operator does not write "${ALB}" with the audience "". Wanted: exact names`));
  });

  test('says by how much a newcomer is too large, as it will stand then', () => {
    const quota = policy(SERVICE, ours([DNS])).length;
    const [, newcomer] = planTrust(read(policy(SERVICE)), desired({ wanted: [who(DNS), who(ALB)], quota })).verdicts;
    expect(newcomer?.findings[0]?.message).toBe(
      `trust policy of ${ROLE}: with "${REQUEST.subject}" it would have ${policy(SERVICE, ours([ALB, DNS])).length} characters, but the account's quota is ${quota}. Ask AWS for a higher quota (IAM, "Role trust policy length"), or use another role`,
    );
  });
});

describe('a foreign Allow that may be for this subject, which its owner limits,', () => {
  const OTHER = { Federated: PROVIDER.replace(HOST, OTHER_HOST) };
  const VPC = { 'aws:SourceVpc': 'vpc-1' };
  const plan = (statement: object) => planTrust(read(policy(statement)), desired());
  const limited = (change: object, limit: object = VPC) => ({ ...allows(ALB, limit), ...change });
  const notPrincipal = (excluded: unknown, limit: object = VPC) => {
    const { Principal: _, ...rest } = limited({}, limit) as { Principal?: unknown };
    return { ...rest, NotPrincipal: excluded };
  };
  const notAction = (): object => {
    const { Action: _, ...rest } = limited({}) as { Action?: unknown };
    return rest;
  };

  const restricts: Record<string, object> = {
    'the principal "*"': limited({ Principal: '*' }),
    'the principal {"AWS": "*"}': limited({ Principal: { AWS: '*' } }),
    'the principal {"AWS": ["*"]}': limited({ Principal: { AWS: ['*'] } }),
    'the principal {"Federated": "*"}': limited({ Principal: { Federated: '*' } }),
    'a federated list of "*" and another provider': limited({ Principal: { Federated: ['*', OTHER.Federated] } }),
    'a service beside "*"': limited({ Principal: { Service: 'ec2.amazonaws.com', AWS: '*' } }),
    'NotPrincipal, another provider': notPrincipal(OTHER),
    'NotPrincipal, a role': notPrincipal({ AWS: 'arn:aws:iam::111122223333:role/other' }),
    "NotPrincipal, the role's account": notPrincipal({ AWS: 'arn:aws:iam::111122223333:root' }),
    'Principal and NotPrincipal': limited({ NotPrincipal: OTHER }),
    'no principal': limited({ Principal: undefined }),
    'a principal of a kind that IAM does not have': limited({ Principal: { Whoever: 'x' } }),
    'a principal that is text': limited({ Principal: 'x' }),
    '"*", limited by an organisation, which is known to fail': limited({ Principal: '*' }, { 'aws:PrincipalOrgID': 'o-1' }),
    '"*", limited by a claim that is not known before the call': limited({ Principal: '*' }, { [`${HOST}:jti`]: 'x' }),
    '"*", limited by a member that trust policies do not have': limited({ Principal: '*', Resource: '*' }, {}),
    '"*", on the audience alone': {
      ...allow({ StringEquals: { [`${HOST}:aud`]: AUDIENCE, ...VPC } }),
      Principal: '*',
    },
    '"*", for all ServiceAccounts of the namespace': {
      ...allow({ StringLike: { [`${HOST}:sub`]: 'system:serviceaccount:kube-system:*' }, StringEquals: VPC }),
      Principal: '*',
    },
    'an action that cannot be read': limited({ Action: 5 }),
    'no action': notAction(),
    'Action and NotAction': limited({ NotAction: 'sts:TagSession' }),
    'an effect that IAM does not have': limited({ Effect: 'allow' }),
    'conditions that cannot be read': allow([{ StringEquals: { [`${HOST}:sub`]: ALB, ...VPC } }]),
    'a condition operator without keys': allow({ StringEquals: VPC, StringLike: 'x' }),
    'a subject that is compared by an operator that IAM does not have': allow({
      StringMatches: { [`${HOST}:sub`]: ALB },
      StringEquals: VPC,
    }),
    'a subject of which it is not known how it is compared': allow({
      StringEquals: { [`${HOST}:sub`]: ALB, [`${HOST}:SUB`]: DNS, ...VPC },
    }),
    'a subject with a variable that is not known before the call': allow({
      StringEquals: { [`${HOST}:sub`]: `\${aws:SourceIdentity2}`, ...VPC },
    }),
  };
  // Contract: trust-restricted, trust-restricted-principal
  for (const [what, statement] of Object.entries(restricts)) {
    test(`with ${what}: writes nothing and says that the owner restricts it`, () => {
      const { document, verdicts } = plan(statement);
      expect(document).toBeUndefined();
      expect(verdicts[0]?.state).not.toBe('allowed');
      expect(verdicts[0]?.findings[0]?.code).toBe('TrustRestrictedByOwner');
    });
  }

  const isNone: Record<string, object> = {
    'for "*" without a condition on this issuer': { ...allow({ StringEquals: { 'aws:PrincipalOrgID': 'o-1' } }), Principal: '*' },
    'for {"AWS": "*"} without a condition on this issuer': { ...allow({ StringEquals: VPC }), Principal: { AWS: '*' } },
    'for "*" with a condition on another issuer': {
      ...allow({ StringEquals: { [`${OTHER_HOST}:sub`]: ALB, ...VPC } }),
      Principal: '*',
    },
    'with NotPrincipal and no condition on this issuer': (() => {
      const { Principal: _, ...rest } = allow({ StringEquals: VPC }) as { Principal?: unknown };
      return { ...rest, NotPrincipal: OTHER };
    })(),
    'with NotPrincipal, this provider': notPrincipal({ Federated: PROVIDER }),
    'with NotPrincipal, everybody': notPrincipal('*', {}),
    'for "*", but another subject': { ...allows(DNS, VPC), Principal: '*' },
    'for "*", but another audience': {
      ...allow({ StringEquals: { [`${HOST}:sub`]: ALB, [`${HOST}:aud`]: VAULT, ...VPC } }),
      Principal: '*',
    },
    'for "*", but another action': limited({ Principal: '*', Action: 'sts:AssumeRole' }),
    'for "*" without a limit': limited({ Principal: '*' }, {}),
    'for "*" in a Deny of another subject': { ...allows(DNS, VPC), Principal: '*', Effect: 'Deny' },
    'for an account of AWS': limited({ Principal: { AWS: 'arn:aws:iam::111122223333:root' } }),
    'for another provider': limited({ Principal: OTHER }),
    'for a service': limited({ Principal: { Service: 'ec2.amazonaws.com' } }),
  };
  for (const [what, statement] of Object.entries(isNone)) {
    test(`${what} is none: writes beside it`, () => {
      expect(plan(statement).document).toBe(policy(statement, ours([ALB])));
    });
  }

  test('is said to be possibly for this ServiceAccount where its principal leaves that open', () => {
    expect(plan(limited({ Principal: '*' })).verdicts[0]?.findings[0]?.message).toContain(
      'statement 1 may cover this ServiceAccount and limits it with StringEquals on "aws:SourceVpc" (not known before the call). This is',
    );
    expect(plan(limited({})).verdicts[0]?.findings[0]?.message).toContain('statement 1 covers this ServiceAccount and limits it with');
  });
});

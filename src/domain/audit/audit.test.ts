import { expect, test } from 'vitest';
import { EKS_ANNOTATIONS } from '../../api/names.ts';
import { type AuthorizationInput, authorize } from '../authorization/authorize.ts';
import { GrantIndex } from '../authorization/grant-index.ts';
import type { RoleRecord } from '../state/role-record.ts';
import {
  ARN,
  cluster,
  grant,
  NOW,
  OTHER_ARN,
  OWN_ROLES,
  own,
  policy,
  present,
  provider,
  reachWith,
  SERVICE,
  SUBJECT,
  serviceAccount,
} from '../test-observed.ts';
import { type Audit, type AuditObserved, audit, declaredBy } from './audit.ts';

const NONE: Audit & { pending: boolean } = { role: undefined, trusted: undefined, findings: [], pending: false };
const input: AuthorizationInput = {
  grants: new GrantIndex([grant()]),
  namespace: { name: 'shop', labels: {} },
  contenders: [],
  ownRoles: OWN_ROLES,
  apiAudiences: [],
};
const carrying = (role: string, more: Record<string, string> = {}) => serviceAccount({ [EKS_ANNOTATIONS.roleArn]: role, ...more }, 'helm');

interface Case {
  readonly seen?: Partial<AuditObserved>;
  readonly input?: Partial<AuthorizationInput>;
  /** Codes stand for findings. */
  readonly found: Partial<Omit<Audit, 'findings'>> & { readonly findings?: readonly string[]; readonly pending?: boolean };
}

const ungranted = { grants: new GrantIndex([]) };
const elsewhere: RoleRecord = {
  arn: ARN,
  asOf: NOW,
  state: { kind: 'missing', since: NOW, foundAs: { arn: OTHER_ARN, tags: new Map() } },
};
const mistake = { ...serviceAccount({}), misspelt: ['eks.amazon.com/role-arn'] };
const cases: Record<string, Case> = {
  'trusted is whom the trust policy lets in': { found: { role: ARN, trusted: true } },
  'not trusted is whom it does not name, with the diagnosis of a binding': {
    seen: { role: present({ policy: policy(SERVICE) }) },
    found: { role: ARN, trusted: false, findings: ['TrustNoWebIdentityStatement'] },
  },
  'a blank in the subject is found': {
    seen: { role: present({ policy: policy(own([SUBJECT.replace('shop', ' shop')])) }) },
    found: { role: ARN, trusted: false, findings: ['TrustSubjectWhitespace'] },
  },
  'subjects of others in the statement of irsa-operator are not its orphans': {
    seen: { role: present({ policy: policy(own([SUBJECT, 'system:serviceaccount:shop:other'])) }) },
    found: { role: ARN, trusted: true },
  },
  'a role that IAM does not have trusts nobody': {
    seen: { role: { arn: ARN, asOf: NOW, state: { kind: 'missing', since: NOW, foundAs: undefined } } },
    found: { role: ARN, trusted: false, findings: ['RoleNotFound'] },
  },
  'a role that IAM knows under a path that no grant covers is one that it does not have': {
    seen: { role: elsewhere },
    found: { role: ARN, trusted: false, findings: ['RoleNotFound'] },
  },
  'a role that IAM knows under a path that a grant covers is told with it': {
    seen: { role: elsewhere, knownAs: OTHER_ARN },
    found: { role: ARN, trusted: false, findings: ['RoleArnMismatch'] },
  },
  'what IAM does not let us read says nothing': {
    seen: { role: { arn: ARN, asOf: NOW, state: { kind: 'unreadable', since: NOW, why: 'not authorized: iam:GetRole' } } },
    found: { role: ARN, findings: ['RoleAccessDenied'] },
  },
  'without the provider nobody is trusted': {
    seen: { provider: { kind: 'missing', similar: [] } },
    found: { role: ARN, trusted: false, findings: ['OidcProviderMissing'] },
  },
  'its own audience is judged': {
    seen: { serviceAccount: carrying(ARN, { [EKS_ANNOTATIONS.audience]: 'vault' }) },
    input: { grants: new GrantIndex([grant({ audiences: ['vault'] })]) },
    found: { role: ARN, trusted: false, findings: ['OidcProviderAudienceMissing'] },
  },
  'a role of an account that is out of reach is told, and not judged': {
    seen: {
      reachOf: reachWith({
        kind: 'known',
        account: '999900001111' as never,
        arn: 'arn:aws:sts::999900001111:assumed-role/x/y',
        ownRoles: [],
      }),
    },
    found: { role: ARN, findings: ['RoleInOtherAccount'] },
  },
  'a role that was not read yet is pending': { seen: { role: undefined }, found: { role: ARN, pending: true } },
  'a provider that was not asked for yet is pending': { seen: { provider: undefined }, found: { role: ARN, pending: true } },
  'an unknown issuer is pending': { seen: { cluster: { kind: 'unknown', why: 'x' } }, found: { role: ARN, pending: true } },
  'without a grant nothing is said, though the policy is known to refuse': {
    seen: { role: present({ policy: policy(SERVICE) }) },
    input: ungranted,
    found: {},
  },
  'without a grant nothing is said, though the policy is known to allow': { input: ungranted, found: {} },
  'a grant for another audience is none': {
    seen: { serviceAccount: carrying(ARN, { [EKS_ANNOTATIONS.audience]: 'vault' }) },
    found: {},
  },
  'an audience that no binding could have is covered by none': {
    seen: { serviceAccount: carrying(ARN, { [EKS_ANNOTATIONS.audience]: 'x'.repeat(5_000) }) },
    found: {},
  },
  'the role of the operator itself is not judged': {
    seen: { serviceAccount: carrying('arn:aws:iam::111122223333:role/team/irsa-operator') },
    found: {},
  },
  'a grant that asks for role tags covers nobody while they are not known': {
    input: { grants: new GrantIndex([grant({ requiredRoleTags: { owner: 'shop' } })]) },
    found: {},
  },
  'a grant that asks for role tags covers whom a role with them names': {
    seen: { role: present({ tags: { values: new Map([['owner', 'shop']]), asOf: NOW, since: NOW } }) },
    input: { grants: new GrantIndex([grant({ requiredRoleTags: { owner: 'shop' } })]) },
    found: { role: ARN, trusted: true },
  },
  'a malformed ARN is told without a grant': {
    seen: { serviceAccount: carrying('lbc') },
    input: ungranted,
    found: { trusted: false, findings: ['AnnotationMalformed'] },
  },
  'an empty annotation is none': { seen: { serviceAccount: carrying('') }, found: {} },
  'a misspelt key is told without a grant': {
    seen: { serviceAccount: mistake },
    input: ungranted,
    found: { trusted: false, findings: ['AnnotationKeyMisspelt'] },
  },
  'a misspelt key beside the right one is told, and does not count': {
    seen: { serviceAccount: { ...carrying(ARN), misspelt: mistake.misspelt } },
    found: { role: ARN, trusted: true, findings: ['AnnotationKeyMisspelt'] },
  },
};
for (const [sentence, { seen, input: part, found }] of Object.entries(cases))
  test(sentence, () => {
    const { findings, ...rest } = audit(observed(seen, part));
    expect({ ...rest, findings: findings.map(({ code }) => code) }).toEqual({ ...NONE, ...found });
  });

function observed(part: Partial<AuditObserved> = {}, inputPart: Partial<AuthorizationInput> = {}): AuditObserved {
  const account = part.serviceAccount ?? carrying(ARN);
  const declared = declaredBy(account);
  return {
    now: NOW,
    serviceAccount: account,
    binding: declared,
    authorization: declared && authorize(declared, { ...input, ...inputPart }),
    knownAs: undefined,
    cluster,
    reachOf: reachWith(),
    role: present({ policy: policy(own()) }),
    provider,
    ...part,
  };
}

test('a message says what the webhook reads, and what to do', () => {
  const told = (seen: Partial<AuditObserved>) => audit(observed(seen)).findings.map(({ message }) => message);
  expect(told({ serviceAccount: mistake })).toEqual([
    'the webhook does not read the annotation "eks.amazon.com/role-arn". Wanted: "eks.amazonaws.com/role-arn". Rename it, and restart the pods',
  ]);
  expect(told({ serviceAccount: { ...carrying(ARN), misspelt: mistake.misspelt } })).toEqual([
    'the webhook does not read the annotation "eks.amazon.com/role-arn". Wanted: "eks.amazonaws.com/role-arn". Remove it',
  ]);
  expect(told({ serviceAccount: carrying('lbc ') })).toEqual([
    'annotation eks.amazonaws.com/role-arn: "lbc " is not the ARN of a role: there is white space around it. Wanted: "arn:aws:iam::<12 digits>:role/<path and name>"',
  ]);
});

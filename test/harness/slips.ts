import type { SeenByCheck } from '../../src/api/seen-by.ts';

/** Whom a trust policy is to let in. */
export interface Meant {
  readonly account: string;
  /** A URL. */
  readonly issuer: string;
  readonly namespace: string;
}

type TrustCode = Extract<SeenByCheck, `Trust${string}`>;

const OTHER_HOST = 'oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF';
const OTHER_ACCOUNT = '999988887777';

/** A trust policy with the slip of each code, for the ServiceAccount `app`; undefined where the slip is not in the policy. */
export const SLIPS: Readonly<Record<TrustCode, ((of: Meant) => readonly object[] | string) | undefined>> = {
  TrustPolicyUnparseable: () => '{"Version":"2012-10-17",',
  TrustNoWebIdentityStatement: () => [EC2],
  TrustWrongAction: (of) => [EC2, allow(of, { Action: 'sts:AssumeRole' })],
  TrustPrincipalNotFederated: (of) => [allow(of, { Principal: { Service: 'eks.amazonaws.com' } })],
  TrustPrincipalProviderMismatch: (of) => [federated(of, `arn:aws:iam::${of.account}:oidc-provider/${OTHER_HOST}`)],
  TrustPrincipalOtherAccount: (of) => [federated(of, `arn:aws:iam::${OTHER_ACCOUNT}:oidc-provider/${host(of)}`)],
  TrustPrincipalPartition: (of) => [federated(of, `arn:aws-cn:iam::${of.account}:oidc-provider/${host(of)}`)],
  TrustPrincipalMalformed: (of) => [federated(of, 'oidc-provider.example.com')],
  TrustPrincipalWildcard: (of) => [federated(of, `arn:aws:iam::${of.account}:oidc-provider/*`)],
  TrustOrphanedPrincipal: () => [{ ...EC2, Principal: { AWS: 'AROAEXAMPLEEXAMPLE123' } }],
  TrustThirdPartyGuard: (of) => [
    { Effect: 'Allow', Principal: { Federated: `arn:aws:iam::${of.account}:oidc-provider/gitlab.com` }, Action },
  ],
  TrustConditionKeyIssuerMismatch: (of) => [compared({ [`${OTHER_HOST}:sub`]: subject(of) }, of)],
  TrustConditionKeyMalformed: (of) => [compared({ [`https://${host(of)}:sub`]: subject(of) }, of)],
  TrustConditionKeySwapped: (of) => [compared({ [`${host(of)}:sub`]: 'sts.amazonaws.com', [`${host(of)}:aud`]: subject(of) }, of)],
  TrustConditionKeyUnknown: (of) => [allow(of), { ...EVERYBODY, Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } } }],
  TrustSubjectMismatch: (of) => [named(of, `system:serviceaccount:${of.namespace}:ap`)],
  TrustSubjectWhitespace: (of) => [named(of, `system:serviceaccount: ${of.namespace}:app`)],
  TrustSubjectCase: (of) => [named(of, `system:serviceaccount:${of.namespace}:App`)],
  TrustSubjectMalformed: (of) => [named(of, `serviceaccount:${of.namespace}:app`)],
  TrustWildcardInStringEquals: (of) => [EC2, named(of, `system:serviceaccount:${of.namespace}:*`)],
  TrustAudienceMismatch: (of) => [compared({ [`${host(of)}:sub`]: subject(of), [`${host(of)}:aud`]: 'sts.amazonaws.com.cn' }, of)],
  TrustMultiIssuerAnd: (of) => [compared({ [`${host(of)}:sub`]: subject(of), [`${OTHER_HOST}:sub`]: subject(of) }, of)],
  TrustSetOperatorMisuse: (of) => [allow(of, { Condition: { 'ForAnyValue:StringEquals': { [`${host(of)}:sub`]: [subject(of)] } } })],
  TrustExplicitDeny: (of) => [allow(of), { ...EVERYBODY, Condition: { StringEquals: { [`${host(of)}:sub`]: subject(of) } } }],
  TrustNullCondition: (of) => [allow(of, { Condition: { Null: { [`${host(of)}:sub`]: 'true' } } })],
  TrustConditionUnsatisfiable: (of) => [named(of, [])],
  TrustOverPermissive: (of) => [allow(of, { Condition: { StringEquals: { [`${host(of)}:aud`]: 'sts.amazonaws.com' } } })],
  // Of the account, and of a statement that is ours.
  TrustPolicyTooLarge: undefined,
  TrustSidTaken: undefined,
  TrustPodIdentityOnly: () => [
    { Effect: 'Allow', Principal: { Service: 'pods.eks.amazonaws.com' }, Action: ['sts:AssumeRole', 'sts:TagSession'] },
  ],
  TrustRestrictedByOwner: (of) => [allow(of, { Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } } })],
};

const Action = 'sts:AssumeRoleWithWebIdentity';
const EC2 = { Sid: 'Ec2', Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };
const EVERYBODY = { Sid: 'Owner', Effect: 'Deny', Principal: { AWS: '*' }, Action };

const host = ({ issuer }: Meant): string => issuer.replace('https://', '');
const subject = ({ namespace }: Meant): string => `system:serviceaccount:${namespace}:app`;

/** The right statement, or one with other members. */
function allow(of: Meant, part: object = {}): object {
  return {
    Effect: 'Allow',
    Principal: { Federated: `arn:aws:iam::${of.account}:oidc-provider/${host(of)}` },
    Action,
    Condition: { StringEquals: { [`${host(of)}:aud`]: 'sts.amazonaws.com', [`${host(of)}:sub`]: subject(of) } },
    ...part,
  };
}
const federated = (of: Meant, Federated: string) => allow(of, { Principal: { Federated } });
const compared = (keys: object, of: Meant) => allow(of, { Condition: { StringEquals: keys } });
const named = (of: Meant, sub: unknown) => compared({ [`${host(of)}:aud`]: 'sts.amazonaws.com', [`${host(of)}:sub`]: sub }, of);

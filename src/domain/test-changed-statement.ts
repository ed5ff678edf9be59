import { issuerHostPath } from '../api/issuer.ts';
import { ISSUER, own, SUBJECT } from './test-observed.ts';

/** What another writer made of our statement, and whether it lets the subject in. */
interface Changed {
  readonly statements: readonly object[];
  readonly admits: 'yes' | 'may' | 'no';
}

const host = issuerHostPath(ISSUER);
const sub = `${host}:sub`;
const aud = `${host}:aud`;
const OTHER = 'system:serviceaccount:shop:other';
const WEB = 'sts:AssumeRoleWithWebIdentity';

export const OUR_FORM: { [member: string]: unknown } = { ...own() };
const { Federated } = OUR_FORM['Principal'] as { Federated: string };
export const CONDITION = OUR_FORM['Condition'] as { StringEquals: Record<string, unknown> };
const { StringEquals } = CONDITION;
const changed = (part: object): object[] => [{ ...OUR_FORM, ...part }];
const without = (...names: string[]): object[] => [Object.fromEntries(Object.entries(OUR_FORM).filter(([name]) => !names.includes(name)))];
const conditioned = (Condition: object): object[] => changed({ Condition });

export const CHANGED: Record<string, Changed> = {
  'with a network added to the same operator': {
    statements: conditioned({ StringEquals: { ...StringEquals, 'aws:SourceVpc': 'vpc-1' } }),
    admits: 'may',
  },
  'with an address added': { statements: conditioned({ ...CONDITION, IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }), admits: 'may' },
  'with a date that is to come': {
    statements: conditioned({ ...CONDITION, DateGreaterThan: { 'aws:CurrentTime': '2099-01-01T00:00:00Z' } }),
    admits: 'may',
  },
  'with a tag of the role that may come': {
    statements: conditioned({ ...CONDITION, StringEqualsIfExists: { 'aws:ResourceTag/team': 'a' } }),
    admits: 'may',
  },
  'with a condition that always holds': {
    statements: conditioned({ ...CONDITION, Bool: { 'aws:SecureTransport': 'true' } }),
    admits: 'yes',
  },
  'with an organisation, which no token has': {
    statements: conditioned({ ...CONDITION, StringEquals: { ...StringEquals, 'aws:PrincipalOrgID': 'o-1' } }),
    admits: 'no',
  },
  'compared by StringLike': { statements: conditioned({ StringLike: StringEquals }), admits: 'yes' },
  'compared by a pattern that covers it': {
    statements: conditioned({ StringEquals: { [aud]: StringEquals[aud] }, StringLike: { [sub]: 'system:serviceaccount:shop:*' } }),
    admits: 'yes',
  },
  'compared by a pattern that does not cover it': {
    statements: conditioned({ StringEquals: { [aud]: StringEquals[aud] }, StringLike: { [sub]: 'system:serviceaccount:x:*' } }),
    admits: 'no',
  },
  'compared by ForAnyValue': { statements: conditioned({ 'ForAnyValue:StringEquals': StringEquals }), admits: 'yes' },
  'compared without regard to case': { statements: conditioned({ StringEqualsIgnoreCase: StringEquals }), admits: 'yes' },
  'compared under a key in another case': {
    statements: conditioned({ StringEquals: { [aud]: StringEquals[aud], [sub.toUpperCase()]: SUBJECT } }),
    admits: 'yes',
  },
  'compared by an operator that IAM does not have': { statements: conditioned({ StringResembles: StringEquals }), admits: 'may' },
  'with everybody else named': { statements: conditioned({ StringNotEquals: { [sub]: OTHER } }), admits: 'yes' },
  'with a policy variable for the subject': {
    statements: conditioned({ StringEquals: { ...StringEquals, [sub]: `\${${sub}}` } }),
    admits: 'yes',
  },
  'with no condition': { statements: without('Condition'), admits: 'yes' },
  'with a condition that cannot be read': { statements: changed({ Condition: 'x' }), admits: 'may' },
  'without the audience': { statements: conditioned({ StringEquals: { [sub]: SUBJECT } }), admits: 'yes' },
  'for another audience, which any pod can ask for': {
    statements: conditioned({ StringEquals: { ...StringEquals, [aud]: 'sigstore' } }),
    admits: 'yes',
  },
  'with a second action': { statements: changed({ Action: [WEB, 'sts:TagSession'] }), admits: 'yes' },
  'with every action of STS': { statements: changed({ Action: 'sts:*' }), admits: 'yes' },
  'with another action in place of it': { statements: changed({ Action: 'sts:TagSession' }), admits: 'no' },
  'with NotAction': { statements: [{ ...(without('Action')[0] as object), NotAction: 'sts:TagSession' }], admits: 'yes' },
  'with NotAction that names the action': { statements: [{ ...(without('Action')[0] as object), NotAction: WEB }], admits: 'no' },
  'with our principal among others': {
    statements: changed({ Principal: { Federated: [Federated, Federated.replace('ABCD', 'EFGH')] } }),
    admits: 'yes',
  },
  'with a service beside our principal': { statements: changed({ Principal: { Federated, Service: 'ec2.amazonaws.com' } }), admits: 'yes' },
  'with another provider': { statements: changed({ Principal: { Federated: Federated.replace('ABCD', 'EFGH') } }), admits: 'no' },
  'with a service in place of our principal': { statements: changed({ Principal: { Service: 'ec2.amazonaws.com' } }), admits: 'no' },
  'with the effect Deny': { statements: changed({ Effect: 'Deny' }), admits: 'no' },
  'with an effect that IAM does not have': { statements: changed({ Effect: 'allow' }), admits: 'may' },
  'with a member that IAM does not have': { statements: changed({ Resource: '*' }), admits: 'may' },
  'with another subject, and a second action': { statements: [{ ...own([OTHER]), Action: [WEB, 'sts:TagSession'] }], admits: 'no' },
  'for an unrelated service': {
    statements: [{ Sid: OUR_FORM['Sid'], Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    admits: 'no',
  },
  'that stands twice': { statements: [OUR_FORM, OUR_FORM], admits: 'yes' },
  'that stands twice, once for another subject': { statements: [own([OTHER]), OUR_FORM], admits: 'yes' },
  'that stands twice, both times for another subject': { statements: [own([OTHER]), own([OTHER])], admits: 'no' },
  'under another Sid: the decision of its owner': { statements: changed({ Sid: 'Theirs', Action: 'sts:*' }), admits: 'no' },
  'without a Sid: the decision of its owner': { statements: without('Sid'), admits: 'no' },
};

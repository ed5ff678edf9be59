import { issuerHostPath, parseIssuer } from '../api/issuer.ts';
import { STS_AUDIENCE } from '../api/names.ts';
import { arn, ISSUER, parsed, SUBJECT } from '../domain/test-observed.ts';
import { providerOf } from './test-tenants.ts';

const HOST = issuerHostPath(ISSUER);
export const CANARY_ISSUER = parsed(parseIssuer('https://oidc.eks.eu-north-1.amazonaws.com/id/CANARYCANARYCANARY'));
export const CANARY_ARN = arn('arn:aws:iam::111122223333:role/canary/admin');

/** A statement for the tokens of this cluster, with these conditions beside or in place of the audience. */
const allow = (conditions: object, part: object = {}) => ({
  Effect: 'Allow',
  Principal: { Federated: providerOf(ISSUER) },
  Action: 'sts:AssumeRoleWithWebIdentity',
  Condition: conditions,
  ...part,
});
export const onSubject = (value: unknown, operator = 'StringEquals', part: object = {}) =>
  allow({ [operator]: { [`${HOST}:sub`]: value, [`${HOST}:aud`]: STS_AUDIENCE } }, part);
const limitedBy = (operator: string, key: string, value: unknown) =>
  allow({ StringEquals: { [`${HOST}:sub`]: SUBJECT }, [operator]: { [key]: value } });
const trusting = (principal: object, part: object = {}) => ({ ...onSubject(SUBJECT), Principal: principal, ...part });

/**
 * What others have in a trust policy: each is put before a tenant who is refused by it, let in beside it, or denied. Words of the grammar are not
 * among them (members, operators, kinds of principals): IAM stores none but its own, so nobody owns one.
 */
export const CANARIES: Record<string, Record<string, object>> = {
  'of another namespace': {
    subject: onSubject('system:serviceaccount:canary:account'),
    'subject with the same name': onSubject('system:serviceaccount:canary:app'),
    'subject called like this namespace': onSubject('system:serviceaccount:canary:shop'),
    'name with this namespace as its name': onSubject('system:serviceaccount:canary-namespace:shop'),
    'subject with a blank': onSubject('system:serviceaccount: canary:app'),
    'subject in another case': onSubject('System:ServiceAccount:canary:app'),
    'subject without its prefix': onSubject('canary:app'),
    'subject with too many parts': onSubject('system:serviceaccount:canary:app:x'),
    'subject as a path': onSubject('system/serviceaccount/canary/app'),
    'subject with a placeholder': onSubject('system:serviceaccount:canary:<app>'),
    'pattern for its subjects': onSubject('system:serviceaccount:canary-*:app', 'StringLike'),
    'pattern that is none': onSubject('system:serviceaccount:canary-*:app'),
    'subject that is excluded': onSubject(['system:serviceaccount:canary:app', SUBJECT], 'StringNotEquals'),
    'subject under the key of the audience': allow({ StringEquals: { [`${HOST}:aud`]: 'system:serviceaccount:canary:app' } }),
    'subject under a wrong key': allow({ StringEquals: { sub: 'system:serviceaccount:canary:app' } }),
    audience: allow({ StringEquals: { [`${HOST}:sub`]: SUBJECT, [`${HOST}:aud`]: 'canary' } }),
    'pattern that lets both in': onSubject(['system:serviceaccount:canary:*', 'system:serviceaccount:shop:*'], 'StringLike'),
  },
  'of another role': {
    'ARN as the principal': trusting({ AWS: CANARY_ARN }),
    'ARN beside the provider': trusting({ AWS: CANARY_ARN, Federated: providerOf(ISSUER) }),
    'ARN that is excluded': { ...onSubject(SUBJECT), Principal: undefined, NotPrincipal: { AWS: CANARY_ARN } },
    'ARN in a condition': limitedBy('ArnLike', 'aws:PrincipalArn', CANARY_ARN),
    'ARN in place of a subject': onSubject(CANARY_ARN),
    'ARN in place of a key': limitedBy('StringEquals', CANARY_ARN, 'x'),
    'ARN in the action': onSubject(SUBJECT, 'StringEquals', { Action: CANARY_ARN }),
    'ARN in a resource': onSubject(SUBJECT, 'StringEquals', { Resource: CANARY_ARN }),
  },
  'of another statement': {
    Sid: onSubject('x', 'StringEquals', { Sid: 'CanarySid' }),
    'Sid that lets in': onSubject('system:serviceaccount:shop:*', 'StringLike', { Sid: 'CanarySid' }),
    'Sid of a limit': { ...limitedBy('StringEquals', 'aws:SourceVpc', 'vpc-canary'), Sid: 'CanarySid' },
    'action of another service': onSubject(SUBJECT, 'StringEquals', { Action: 'canary:Assume' }),
    'actions beside the right one': onSubject('x', 'StringEquals', { NotAction: ['canary:Assume'] }),
    service: trusting({ Service: 'canary.example.com' }),
  },
  'of a tag': {
    'key of the role': limitedBy('StringEquals', 'aws:ResourceTag/canary', 'x'),
    'value of the role': limitedBy('StringEquals', 'aws:ResourceTag/team', 'canary'),
    'key of a principal': limitedBy('StringEquals', 'aws:PrincipalTag/canary', 'x'),
    'key of a request': limitedBy('StringLike', 'aws:RequestTag/canary', 'x'),
    'key of a list of keys': limitedBy('ForAllValues:StringEquals', 'aws:TagKeys', ['canary']),
    'key in a variable': limitedBy('StringEquals', 'aws:SourceVpc', `\${aws:ResourceTag/canary}`),
  },
  'of another cluster': {
    provider: trusting({ Federated: providerOf(CANARY_ISSUER) }),
    'provider beside this one': trusting({ Federated: [providerOf(CANARY_ISSUER), providerOf(ISSUER)] }),
    'issuer without its ARN': trusting({ Federated: issuerHostPath(CANARY_ISSUER) }),
    'issuer as a URL': trusting({ Federated: CANARY_ISSUER }),
    'placeholder in its provider': trusting({ Federated: `${providerOf(CANARY_ISSUER)}<x>` }),
    'key of its claim': limitedBy('StringEquals', `${issuerHostPath(CANARY_ISSUER)}:sub`, SUBJECT),
    'key of its claim, excluded': limitedBy('StringNotEquals', `${issuerHostPath(CANARY_ISSUER)}:sub`, SUBJECT),
    'key of its claim with a slip': limitedBy('StringEquals', `https://${issuerHostPath(CANARY_ISSUER)}:sub`, SUBJECT),
    'wildcard in its provider': trusting({ Federated: `${providerOf(CANARY_ISSUER)}*` }),
    'issuer of its own': trusting({ Federated: 'arn:aws:iam::111122223333:oidc-provider/canary.example.com' }),
    'key of its own issuer': limitedBy('StringEquals', 'canary.example.com:sub', SUBJECT),
  },
};

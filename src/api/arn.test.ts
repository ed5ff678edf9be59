import { expect, test } from 'vitest';
import {
  arnOwner,
  PARTITIONS,
  parseRoleArn,
  providerArnFor,
  ROLE_ARN_MAX_LENGTH,
  type RoleArn,
  roleArnParts,
  sharesAccount,
} from './arn.ts';
import { cut } from './cut.ts';
import type { Issuer } from './issuer.ts';
import { isProblem } from './problem.ts';

for (const partition of PARTITIONS) {
  // Contract: api-arn
  test(`a role of the partition ${partition} is taken apart, with its path`, () => {
    const arn = parseRoleArn(`arn:${partition}:iam::111122223333:role/team/app/lbc`);
    expect(isProblem(arn) ? arn : roleArnParts(arn)).toEqual({ partition, account: '111122223333', path: '/team/app/', name: 'lbc' });
  });
}

const accepted: Record<string, string> = {
  'without a path': 'arn:aws:iam::111122223333:role/lbc',
  'with every character that a name may have': 'arn:aws:iam::111122223333:role/aZ09+=,.@_-',
  'with an odd but legal path': 'arn:aws:iam::111122223333:role/a!b/c:d/lbc',
  'as long as IAM allows': `arn:aws-us-gov:iam::111122223333:role/${'p'.repeat(510)}/${'n'.repeat(64)}`,
};
// Contract: api-arn
for (const [sentence, text] of Object.entries(accepted))
  test(`an ARN is accepted ${sentence}`, () => expect(parseRoleArn(text)).toBe(text));

test('the longest ARN has the length that the CRD allows', () => {
  expect(accepted['as long as IAM allows']).toHaveLength(ROLE_ARN_MAX_LENGTH);
});

const wanted = 'Wanted: "arn:aws:iam::<12 digits>:role/<path and name>"';
const refused: Record<string, [string, string]> = {
  'of a policy': ['arn:aws:iam::111122223333:policy/x', `it names a resource of the kind "policy". ${wanted}`],
  'of a user': ['arn:aws:iam::111122223333:user/x', `it names a resource of the kind "user". ${wanted}`],
  'of an instance profile': [
    'arn:aws:iam::111122223333:instance-profile/x',
    `it names a resource of the kind "instance-profile". ${wanted}`,
  ],
  'of a session': ['arn:aws:sts::111122223333:assumed-role/x/y', `it names a resource of the kind "assumed-role". ${wanted}`],
  'with a blank before it': [' arn:aws:iam::111122223333:role/x', `there is white space around it. ${wanted}`],
  'with a line end': ['arn:aws:iam::111122223333:role/x\n', `there is white space around it. ${wanted}`],
  'with a wildcard': ['arn:aws:iam::111122223333:role/x*', `wildcards are for an IrsaGrant, a binding names one role. ${wanted}`],
  'with a wildcard in its path': [
    'arn:aws:iam::111122223333:role/*/x',
    `wildcards are for an IrsaGrant, a binding names one role. ${wanted}`,
  ],
  'with an account of eleven digits': ['arn:aws:iam::11112222333:role/x', `the account "11112222333" has not twelve digits. ${wanted}`],
  'of no partition of AWS': ['arn:aws-mars:iam::111122223333:role/x', `AWS has no partition "aws-mars". ${wanted}`],
  'that is a bare name': ['lbc', `it does not have the form of one. ${wanted}`],
  'that is empty': ['', `it does not have the form of one. ${wanted}`],
  'with a region': ['arn:aws:iam:us-east-1:111122223333:role/x', `it does not have the form of one. ${wanted}`],
  'with an empty part in its path': ['arn:aws:iam::111122223333:role//x', `it does not have the form of one. ${wanted}`],
  'with a letter that only looks right': ['arn:aws:iam::111122223333:role/lbс', `IAM does not allow the character "с" in it. ${wanted}`],
  'with a blank in its name': ['arn:aws:iam::111122223333:role/my role', `IAM does not allow a blank in it. ${wanted}`],
  'with a blank in its path': ['arn:aws:iam::111122223333:role/my team/x', `IAM does not allow a blank in it. ${wanted}`],
  'with a character of no width': ['arn:aws:iam::111122223333:role/x\u200b', `IAM does not allow an invisible character in it. ${wanted}`],
  'with a colon in its name': ['arn:aws:iam::111122223333:role/shop:app', `IAM does not allow the character ":" in it. ${wanted}`],
  'with a placeholder in its name': ['arn:aws:iam::111122223333:role/<name>', `IAM does not allow the character "<" in it. ${wanted}`],
  'without a name': ['arn:aws:iam::111122223333:role/team/', `it has a path and no name. ${wanted}`],
};
for (const [sentence, [text, why]] of Object.entries(refused)) {
  // Contract: bad-arn
  test(`an ARN is refused ${sentence}, and the text is quoted`, () => {
    expect(parseRoleArn(text)).toEqual({ problem: `"${text}" is not the ARN of a role: ${why}` });
  });
}

const lengths: Record<string, [pathAndName: string, what: string | undefined]> = {
  'a name of 64 characters fits': ['n'.repeat(64), undefined],
  'a name of 79 characters is too long': ['n'.repeat(79), 'the name of the role has 79 characters, and IAM allows 64. Shorten it'],
  'a name behind a path is too long by itself': [
    `team/${'n'.repeat(65)}`,
    'the name of the role has 65 characters, and IAM allows 64. Shorten it',
  ],
  'a path of 512 characters fits': [`${'p'.repeat(510)}/x`, undefined],
  'a path of 513 characters is too long': [
    `${'p'.repeat(511)}/x`,
    'the path of the role has 513 characters, and IAM allows 512. Shorten it',
  ],
};
for (const [sentence, [rest, what]] of Object.entries(lengths)) {
  // Contract: bad-names
  test(`of an ARN ${sentence}`, () => {
    const text = `arn:aws:iam::111122223333:role/${rest}`;
    expect(parseRoleArn(text)).toEqual(what === undefined ? text : { problem: `"${cut(text, 160)}": ${what}` });
  });
}

test("the provider is in the role's account and partition, and has no scheme", () => {
  const role = 'arn:aws-cn:iam::111122223333:role/team/x' as RoleArn;
  const issuer = 'https://oidc.eks.cn-north-1.amazonaws.com.cn/id/AB' as Issuer;
  expect(providerArnFor(role, issuer)).toBe('arn:aws-cn:iam::111122223333:oidc-provider/oidc.eks.cn-north-1.amazonaws.com.cn/id/AB');
});

test('the account of a session is read from its ARN', () => {
  expect(arnOwner('arn:aws:sts::111122223333:assumed-role/irsa-operator/x')).toEqual({ partition: 'aws', account: '111122223333' });
  expect(arnOwner('not an arn')).toBeUndefined();
});

const accounts: Record<string, [arn: string, same: boolean]> = {
  'of its account': ['arn:aws:sts::111122223333:assumed-role/irsa-operator/x', true],
  'of another account': ['arn:aws:sts::999922223333:assumed-role/irsa-operator/x', false],
  'of the same digits in another partition': ['arn:aws-cn:sts::111122223333:assumed-role/irsa-operator/x', false],
  'that is none': ['nobody', false],
};
for (const [sentence, [arn, same]] of Object.entries(accounts))
  test(`a role and an ARN ${sentence} share ${same ? 'an' : 'no'} account`, () =>
    expect(sharesAccount('arn:aws:iam::111122223333:role/team/x' as RoleArn, arn)).toBe(same));

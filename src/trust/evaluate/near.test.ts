import { describe, expect, test } from 'vitest';
import { HOST, ISSUER, OTHER_HOST, PROVIDER, valid } from '../../../test/trust/cluster.ts';
import { parseIssuer } from '../../api/issuer.ts';
import { keyInWords, nearlyNames, nearlyNamesAction, nearlyNamesAudience, nearlyNamesSubject } from './near.ts';

const SELF_MANAGED = valid(parseIssuer('https://k8s.example.com/prod'));

// Contract: unbound-quotes
describe('a name is nearly the name of this issuer', () => {
  const near = {
    itself: HOST,
    'in another case': HOST.toUpperCase(),
    'cut off': HOST.slice(0, -3),
    'with https': `https://${HOST}`,
    'as the ARN of its provider': PROVIDER,
    'in another account': PROVIDER.replace('111122223333', '444455556666'),
    'with a part of the ARN': `oidc-provider/${HOST}`,
    'with a slash at its end': `${HOST}/`,
    'with blanks': ` ${HOST} `,
    'with the ID under another host': HOST.replace('us-east-1', 'eu-west-1'),
    'with placeholders': 'arn:aws:iam::<ACCOUNT>:oidc-provider/oidc.eks.<REGION>.amazonaws.com/id/{ID}',
    'with a wildcard': 'arn:aws:iam::111122223333:oidc-provider/*',
  };
  for (const [how, name] of Object.entries(near)) test(how, () => expect(nearlyNames(name, ISSUER)).toBe(true));

  const others = {
    'another cluster': OTHER_HOST,
    'another cluster of the same region': HOST.replace(/[^/]*$/, '0123456789ABCDEF0123456789ABCDEF'),
    'with a wildcard behind another name': `${OTHER_HOST.slice(0, -3)}*`,
    'with a placeholder in another name': OTHER_HOST.replace('eu-central-1', '<REGION>'),
    'another domain': 'k8s.example.com/prod',
    'a role': 'arn:aws:iam::111122223333:role/other',
  };
  for (const [how, name] of Object.entries(others)) test(`not: ${how}`, () => expect(nearlyNames(name, ISSUER)).toBe(false));

  test('and not because the name of another begins with it, or ends as it does', () => {
    expect(
      ['k8s.example.com/prod', 'https://k8s.example.com/prod/', 'k8s.example.com'].map((name) => nearlyNames(name, SELF_MANAGED)),
    ).toEqual([true, true, true]);
    expect(
      ['k8s.example.com/prod-b', 'k8s.example.com/prod/b', 'k8s.example.org/prod', 'prod'].map((name) => nearlyNames(name, SELF_MANAGED)),
    ).toEqual([false, false, false, false]);
  });
});

describe('a condition key in a message', () => {
  for (const key of [
    `${HOST}:sub`,
    `${HOST}:azp`,
    'aws:SourceVpc',
    'sub',
    `https://${HOST}:sub`,
    `${HOST.slice(0, -3)}:aud`,
    `${HOST}:sub `,
    HOST,
  ])
    test(`is quoted: ${key}`, () => expect(keyInWords(key, ISSUER)).toBe(`"${key}"`));
  for (const key of [`${OTHER_HOST}:sub`, `https://${OTHER_HOST}:sub`, OTHER_HOST, 'k8s.example.com:aud', 'k8s.example.com/prod'])
    test(`is not quoted: ${key}`, () => {
      expect(keyInWords(key, ISSUER)).toBe("another issuer's key");
      expect(keyInWords(key, ISSUER, 'of another issuer')).toBe('of another issuer');
    });
});

// Contract: unbound-quotes
describe('a text is nearly the name of a subject', () => {
  const subject = 'system:serviceaccount:shop:app';
  const near = [
    subject,
    subject.toUpperCase(),
    'system:serviceaccount: shop:app',
    'system:serviceaccount:shop:other',
    'system:serviceaccount:shop',
    'system:serviceaccount:shop:app:x',
    'system:serviceaccount:shop:*',
    'system:serviceaccounts:shop:app',
    'system/serviceaccount/shop/app',
    'system:shop:app',
    'shop:app',
    'shop/app',
    'app',
    'system:node:shop:app',
    'arn:aws:eks:eu-west-1:111122223333:serviceaccount/shop/app',
    'system:serviceaccount:<namespace>:app',
    'system:serviceaccount:{ns}:app',
    `system:serviceaccount:\${namespace}:app`,
    'system:serviceaccount::app',
    ...['default', 'kube-system', 'kube-public', 'kube-node-lease'].map((everywhere) => `system:serviceaccount:${everywhere}:app`),
  ];
  for (const text of near) test(`yes: ${text}`, () => expect(nearlyNamesSubject(text, subject)).toBe(true));

  const others = [
    'system:serviceaccount:bank:app',
    'system:serviceaccount:bank:shop',
    'system:serviceaccount:app:shop',
    'system:serviceaccount:shop-b:app',
    'system:serviceaccount:bank-<x>:app',
    'system:serviceaccount:bank-*:app',
    'system:serviceaccount:*:other',
    'system:serviceaccount:default:other',
    'bank:app',
    'bank:app:shop',
    'system:bank:app',
    'other',
    'arn:aws:iam::111122223333:role/app',
    '',
  ];
  for (const text of others) test(`no: ${text}`, () => expect(nearlyNamesSubject(text, subject)).toBe(false));
});

// Contract: unbound-quotes
test('an audience is near where it holds the wanted one, is a part of it, or is the default', () => {
  const near = (text: string, wanted: string) => nearlyNamesAudience(text, wanted);
  expect(
    ['vault', 'VAULT ', 'https://vault', 'vau', 'sts.amazonaws.com', 'sts.amazonaws.com.cn'].map((text) => near(text, 'vault')),
  ).toEqual(Array(6).fill(true));
  expect(['bank', '', ' ', 'my-sts.amazonaws.com'].map((text) => near(text, 'vault'))).toEqual(Array(4).fill(false));
  expect(near('vault', 'VAULT')).toBe(true);
});

// Contract: unbound-quotes
test('an action is near where it is one of STS, or would be', () => {
  expect(['*', 'sts:*', 'STS:TagSession', 'AssumeRole', 'sts:AssumeRoleWithWebIdentity', 'ec2:AssumeRole'].map(nearlyNamesAction)).toEqual(
    Array(6).fill(true),
  );
  expect(['s3:GetObject', 's3:*', '', 'tests:x'].map(nearlyNamesAction)).toEqual(Array(4).fill(false));
});

// Contract: unbound-quotes
test('of a key with a tag only the part before the slash is in a message', () => {
  const keys = ['aws:ResourceTag/team', 'aws:PrincipalTag/a/b', 'iam:ResourceTag/x', 'AWS:requesttag/x', 'aws:TagKeys', 'aws:SourceVpc'];
  expect(keys.map((key) => keyInWords(key, ISSUER))).toEqual([
    '"aws:ResourceTag/..."',
    '"aws:PrincipalTag/..."',
    '"iam:ResourceTag/..."',
    '"AWS:requesttag/..."',
    '"aws:TagKeys"',
    '"aws:SourceVpc"',
  ]);
});

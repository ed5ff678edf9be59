import { describe, expect, test } from 'vitest';
import { HOST, ISSUER, OTHER_HOST, PROVIDER, valid } from '../../../test/trust/cluster.ts';
import { parseIssuer } from '../../api/issuer.ts';
import { keyInWords, nearlyNames } from './near.ts';

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

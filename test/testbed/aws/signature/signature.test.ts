import { expect, test } from 'vitest';
import { type SignableRequest, signatureOf } from './signature.ts';

/** The published example key of AWS, as in its Signature Version 4 test suite and in the guide. */
const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const TIME = '20150830T123600Z';
const SUITE = { date: '20150830', region: 'us-east-1', service: 'service' };
const HOST: [string, string] = ['host', 'example.amazonaws.com'];

interface Vector extends Partial<Omit<SignableRequest, 'headers'>> {
  readonly headers?: readonly [string, string][];
  readonly service?: string;
  readonly signature: string;
}

/** Names and signatures of the suite, but for the last one: that is the request that the IAM user guide signs step by step. */
const vectors: Record<string, Vector> = {
  'get-vanilla': { signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31' },
  'get-vanilla-query-order-key-case': {
    url: '/?Param2=value2&Param1=value1',
    signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  },
  'get-vanilla-utf8-query': { url: '/?ሴ=bar', signature: '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04' },
  'get-utf8': { url: '/ሴ', signature: '8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85' },
  'get-unreserved': {
    url: '/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
    signature: '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
  },
  'get-header-value-trim': {
    headers: [
      ['my-header1', ' value1'],
      ['my-header2', ' "a   b   c"'],
    ],
    signature: 'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
  },
  'post-vanilla': { method: 'POST', signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b' },
  'post-x-www-form-urlencoded': {
    method: 'POST',
    headers: [['content-type', 'application/x-www-form-urlencoded']],
    body: 'Param1=value1',
    signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  },
  'iam:ListUsers of the guide': {
    url: '/?Action=ListUsers&Version=2010-05-08',
    headers: [
      ['content-type', 'application/x-www-form-urlencoded; charset=utf-8'],
      ['host', 'iam.amazonaws.com'],
    ],
    service: 'iam',
    signature: '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
  },
};

test.each(Object.entries(vectors))('%s', (_, { headers = [], service = 'service', signature, ...rest }) => {
  const all = new Map([HOST, ...headers, ['x-amz-date', TIME] as const]);
  const request: SignableRequest = { method: 'GET', url: '/', body: '', ...rest, headers: all };
  expect(signatureOf(request, [...all.keys()].sort(), TIME, { ...SUITE, service }, SECRET)).toBe(signature);
});

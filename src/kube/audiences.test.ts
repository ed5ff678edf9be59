import { expect, test } from 'vitest';
import { Fault } from '../api/fault.ts';
import { apiAudiences } from './audiences.ts';
import type { Connection } from './connection.ts';
import type { KubeRequest, Requests } from './transport.ts';

const USUAL = 'https://kubernetes.default.svc';
const { signal } = new AbortController();
const tokenWith = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
const bearer = (aud: unknown) => `Bearer ${tokenWith({ aud })}`;
const review = (status: object) => async () => ({ kind: 'TokenReview', status });
const denied = async () => {
  throw new Fault('denied', 'tokenreviews is forbidden');
};

function asking(authorization: string | undefined, answer: () => Promise<unknown>) {
  const headers: Record<string, string> = authorization === undefined ? {} : { Authorization: authorization };
  const connection: Connection = { endpoint: async () => ({ url: 'https://x', headers, tls: {} }), refresh: () => {} };
  const asked: KubeRequest[] = [];
  const requests: Pick<Requests, 'request'> = {
    request: (request) => {
      asked.push(request);
      return answer();
    },
  };
  return { asked, found: apiAudiences(connection, requests, signal) };
}

interface Case {
  readonly authorization?: string;
  readonly answer?: () => Promise<unknown>;
  readonly wanted: readonly string[];
  readonly asks: number;
}
const cases: Record<string, Case> = {
  'the usual one, with a certificate': { wanted: [USUAL], asks: 0 },
  'the usual one, with a token for it alone, of which there is nothing to ask': {
    authorization: bearer([USUAL]),
    wanted: [USUAL],
    asks: 0,
  },
  'those of our own token where it may not be reviewed': {
    authorization: bearer(['https://api.example', 'other']),
    wanted: [USUAL, 'https://api.example', 'other'],
    asks: 1,
  },
  'the one of a token with a single one': { authorization: bearer('https://api.example'), wanted: [USUAL, 'https://api.example'], asks: 1 },
  // Contract: api-audience-reread
  'those of our own token that the API server takes today': {
    authorization: bearer([USUAL, 'sts.amazonaws.com']),
    answer: review({ authenticated: true, audiences: [USUAL] }),
    wanted: [USUAL],
    asks: 1,
  },
  'all of our own token while the API server takes all': {
    authorization: bearer(['sts.amazonaws.com']),
    answer: review({ authenticated: true, audiences: ['sts.amazonaws.com'] }),
    wanted: [USUAL, 'sts.amazonaws.com'],
    asks: 1,
  },
  'those of our own token where its review says nothing of audiences': {
    authorization: bearer(['sts.amazonaws.com']),
    answer: review({ authenticated: true }),
    wanted: [USUAL, 'sts.amazonaws.com'],
    asks: 1,
  },
  'those of our own token where its review does not know it': {
    authorization: bearer(['sts.amazonaws.com']),
    answer: review({ error: 'expired', audiences: [USUAL] }),
    wanted: [USUAL, 'sts.amazonaws.com'],
    asks: 1,
  },
  'those of our own token where its review is nonsense': {
    authorization: bearer(['sts.amazonaws.com']),
    answer: async () => 'nonsense',
    wanted: [USUAL, 'sts.amazonaws.com'],
    asks: 1,
  },
  'the usual one, with a token that is no JWT': { authorization: 'Bearer abc', wanted: [USUAL], asks: 0 },
  'the usual one, with a token without audience': { authorization: bearer(undefined), wanted: [USUAL], asks: 0 },
  'the usual one, with a password': { authorization: 'Basic YTpi', wanted: [USUAL], asks: 0 },
};
for (const [sentence, { authorization, answer = denied, wanted, asks }] of Object.entries(cases))
  test(`the API server's audiences are ${sentence}`, async () => {
    const { asked, found } = asking(authorization, answer);
    expect([await found, asked.length]).toEqual([wanted, asks]);
  });

test('our own token is reviewed, and no other', async () => {
  const { asked, found } = asking(bearer(['other']), denied);
  await found;
  expect(asked).toEqual([
    {
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: tokenWith({ aud: ['other'] }) } },
    },
  ]);
});

test('credentials that cannot be read leave the usual one', async () => {
  const connection: Connection = { endpoint: () => Promise.reject(new Error('no such file')), refresh: () => {} };
  expect(await apiAudiences(connection, { request: denied }, signal)).toEqual([USUAL]);
});

import { expect, test } from 'vitest';
import { apiAudiences } from './audiences.ts';
import type { Connection } from './connection.ts';

const USUAL = 'https://kubernetes.default.svc';
const tokenWith = (bindings: object) => `e30.${Buffer.from(JSON.stringify(bindings)).toString('base64url')}.c2ln`;

const cases: Record<string, { authorization?: string; wanted: readonly string[] }> = {
  'the usual one, with a certificate': { wanted: [USUAL] },
  'those of our own token': {
    authorization: `Bearer ${tokenWith({ aud: ['https://api.example', 'other'] })}`,
    wanted: [USUAL, 'https://api.example', 'other'],
  },
  'the one of a token with a single one': {
    authorization: `Bearer ${tokenWith({ aud: 'https://api.example' })}`,
    wanted: [USUAL, 'https://api.example'],
  },
  'the usual one, with a token that is no JWT': { authorization: 'Bearer abc', wanted: [USUAL] },
  'the usual one, with a token without audience': { authorization: `Bearer ${tokenWith({})}`, wanted: [USUAL] },
  'the usual one, with a password': { authorization: 'Basic YTpi', wanted: [USUAL] },
};
for (const [sentence, { authorization, wanted }] of Object.entries(cases))
  test(`the API server's audiences are ${sentence}`, async () => {
    const headers: Record<string, string> = authorization === undefined ? {} : { Authorization: authorization };
    const connection: Connection = { endpoint: async () => ({ url: 'https://x', headers, tls: {} }), refresh: () => {} };
    expect(await apiAudiences(connection)).toEqual(wanted);
  });

test('credentials that cannot be read leave the usual one', async () => {
  const connection: Connection = { endpoint: () => Promise.reject(new Error('no such file')), refresh: () => {} };
  expect(await apiAudiences(connection)).toEqual([USUAL]);
});

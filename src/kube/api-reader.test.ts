import { afterEach, describe, expect, test } from 'vitest';
import { apiReader } from './api-reader.ts';
import { reply, status, testServer, transportTo } from './test-server.ts';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});
const never = new AbortController().signal;
const GRANTS = '/apis/irsa-operator.dev/v1alpha1/irsagrants';
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/irsabindings.irsa-operator.dev';

/** An API server that answers by URL; everything else is not found. */
async function against(answers: Readonly<Record<string, object>>) {
  const server = await testServer((request, response) => {
    const answer = answers[request.url];
    if (answer === undefined) reply(response, 404, status(404, 'NotFound', 'not found'));
    else reply(response, 'code' in answer ? Number(answer.code) : 200, answer);
  });
  const transport = transportTo(server.url);
  open.push(server, transport);
  return apiReader(transport);
}

const grantNamed = (name: string) => ({ metadata: { name, uid: name, resourceVersion: '1' }, spec: {} });
const page = (names: readonly string[], token?: string) => ({
  kind: 'IrsaGrantList',
  metadata: { resourceVersion: '9', ...(token === undefined ? {} : { continue: token }) },
  items: names.map(grantNamed),
});

describe('the grants', () => {
  test('are read to the last page, without a resource version', async () => {
    const from = await against({
      [`${GRANTS}?limit=500`]: page(['a', 'b'], 'more'),
      [`${GRANTS}?limit=500&continue=more`]: page(['c']),
    });
    expect((await from.grants(never)).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });
  // Contract: rule-positive-evidence
  test('are no evidence where the list expired before its end', async () => {
    const from = await against({
      [`${GRANTS}?limit=500`]: page(['a'], 'old'),
      [`${GRANTS}?limit=500&continue=old`]: status(410, 'Expired', 'too old'),
    });
    await expect(from.grants(never)).rejects.toMatchObject({ kind: 'transient' });
  });
  test('are no evidence where they may not be read', async () => {
    const from = await against({ [`${GRANTS}?limit=500`]: status(403, 'Forbidden', 'no') });
    await expect(from.grants(never)).rejects.toMatchObject({ kind: 'denied' });
  });
});

describe('a namespace', () => {
  test('is read with its labels', async () => {
    const from = await against({ '/api/v1/namespaces/shop': { metadata: { name: 'shop', labels: { team: 'a' } } } });
    expect(await from.namespace('shop', never)).toEqual({ name: 'shop', labels: { team: 'a' } });
  });
  test('that is gone is none', async () => expect(await (await against({})).namespace('shop', never)).toBeUndefined());
});

describe('the CRD of the bindings', () => {
  test('that is being deleted takes its bindings with it', async () => {
    const from = await against({ [CRD]: { metadata: { name: 'x', deletionTimestamp: '2026-01-01T00:00:00Z' } } });
    expect(await from.definition('bindings', never)).toBeUndefined();
  });
  test('that is there does not', async () =>
    expect(await (await against({ [CRD]: { metadata: { name: 'x', uid: 'made-first' } } })).definition('bindings', never)).toBe(
      'made-first',
    ));
  test('that is gone has taken them', async () => expect(await (await against({})).definition('bindings', never)).toBeUndefined());
  test('that may not be read is no evidence', async () => {
    const from = await against({ [CRD]: status(403, 'Forbidden', 'no') });
    await expect(from.definition('bindings', never)).rejects.toMatchObject({ kind: 'denied' });
  });
});

import { afterEach, expect, test } from 'vitest';
import { listAll } from './list-all.ts';
import { bindings } from './resources.ts';
import { reply, status, testServer, transportTo } from './test-server.ts';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});
const never = new AbortController().signal;
const ALL = '/apis/irsa-operator.dev/v1alpha1/irsabindings';
const ONE = '/apis/irsa-operator.dev/v1alpha1/namespaces/shop/irsabindings';

async function against(answers: Readonly<Record<string, object>>) {
  const server = await testServer((request, response) => {
    const answer = answers[request.url];
    if (answer === undefined) reply(response, 404, status(404, 'NotFound', 'not found'));
    else reply(response, 'code' in answer ? Number(answer.code) : 200, answer);
  });
  const transport = transportTo(server.url);
  open.push(server, transport);
  return transport;
}

const page = (names: readonly string[], token?: string) => ({
  kind: 'IrsaBindingList',
  metadata: { resourceVersion: '9', ...(token === undefined ? {} : { continue: token }) },
  items: names.map((name) => ({ metadata: { namespace: 'shop', name, uid: name, resourceVersion: '1' }, spec: {} })),
});

test('all of a kind are read to the last page, without a resource version: past every cache', async () => {
  const transport = await against({ [`${ALL}?limit=500`]: page(['a'], 'more'), [`${ALL}?limit=500&continue=more`]: page(['b']) });
  expect((await listAll(transport, bindings, never)).map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
});

test('or those of one namespace', async () => {
  const transport = await against({ [`${ONE}?limit=500`]: page(['a']) });
  expect((await listAll(transport, bindings, never, 'shop')).map(({ metadata }) => metadata.name)).toEqual(['a']);
});

// Contract: rule-positive-evidence
test('half a list is none', async () => {
  const transport = await against({
    [`${ALL}?limit=500`]: page(['a'], 'old'),
    [`${ALL}?limit=500&continue=old`]: status(410, 'Expired', 'too old'),
  });
  await expect(listAll(transport, bindings, never)).rejects.toThrow('the list of IrsaBindings expired before its end');
});

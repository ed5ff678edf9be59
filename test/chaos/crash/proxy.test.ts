import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '@irsa-operator/testbed';
import { afterEach, expect, test } from 'vitest';
import { type Moment, observeEffects, type Point } from './crash.ts';
import { startHttpProxy, type Watcher } from './proxy.ts';

/** A call of the kind that counts, through the proxy, with a client that ends when it is killed. */
const EVICTION = '/api/v1/namespaces/c0001/pods/app-1/eviction';
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A proxy before a server that does what `respond` does. Returns where it listens. */
async function proxied(respond: RequestListener, watcher: Watcher): Promise<string> {
  const server = createServer(respond);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startHttpProxy({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }, watcher);
  closing.push(
    proxy.stop,
    async () => server.closeAllConnections(),
    async () => server.close(),
  );
  return `http://127.0.0.1:${proxy.port}${EVICTION}`;
}

async function crashAt(moment: Moment | undefined) {
  const arrived: string[] = [];
  const client = new AbortController();
  const point: Point | undefined = moment && { effect: 'evict a pod', nth: 2, moment };
  const observer = observeEffects(point, async () => client.abort());
  const url = await proxied((request, response) => {
    arrived.push(`${request.method} ${request.url}`);
    response.end('done');
  }, observer);
  observer.begin();
  const call = async () => {
    const answer = await fetch(url, { method: 'POST', body: '{}', signal: client.signal });
    return answer.text();
  };
  const answers = [await call(), await call().catch(() => 'killed')];
  if (point !== undefined) await until('the client is killed', () => observer.dead, { timeoutMs: 10_000 });
  return {
    answers,
    arrived: arrived.length,
    sent: observer.sent.length,
    unanswered: observer.unanswered.length,
    dead: observer.dead,
    givenUp: observer.givenUp,
  };
}

test('killed before the second is sent, the server sees one', async () => {
  expect(await crashAt('before it is sent')).toEqual({
    answers: ['done', 'killed'],
    arrived: 1,
    sent: 1,
    unanswered: 0,
    dead: true,
    givenUp: 0,
  });
});

test('killed before its answer, the server has done it and the client does not know', async () => {
  expect(await crashAt('before its answer')).toEqual({
    answers: ['done', 'killed'],
    arrived: 2,
    sent: 2,
    unanswered: 1,
    dead: true,
    givenUp: 0,
  });
});

test('killed after its answer, the client knows', async () => {
  expect(await crashAt('after its answer')).toEqual({
    answers: ['done', 'done'],
    arrived: 2,
    sent: 2,
    unanswered: 1,
    dead: true,
    givenUp: 0,
  });
});

test('a client that gives a call up by itself is noticed', async () => {
  const arrived = Promise.withResolvers<void>();
  const observer = observeEffects(undefined, async () => {});
  const url = await proxied(() => arrived.resolve(), observer);
  observer.begin();
  const client = new AbortController();
  const call = fetch(url, { method: 'POST', body: '{}', signal: client.signal }).catch(() => 'given up');
  await arrived.promise;
  client.abort();
  await until('the proxy sees it go', () => observer.givenUp === 1, { timeoutMs: 10_000 });
  expect([await call, observer.sent, observer.dead]).toEqual(['given up', [{ name: 'evict a pod' }], false]);
});

test('without a point nobody is killed', async () => {
  expect(await crashAt(undefined)).toEqual({ answers: ['done', 'done'], arrived: 2, sent: 2, unanswered: 0, dead: false, givenUp: 0 });
});

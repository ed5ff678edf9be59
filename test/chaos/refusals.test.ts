import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type ControlPlane, tokenFileOf, until } from '@irsa-operator/testbed';
import { decodeJwt, decodeProtectedHeader, type JWTHeaderParameters, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { pathOf } from '../harness/objects.ts';
import { integrationSuite } from '../harness/suite.ts';
import { ROLE_ARN } from '../harness/views.ts';
import { churn } from './churn.ts';
import { HEAP_SLACK_BYTES, usedHeap } from './heap.ts';
import { expectPaced, startMirror } from './mirror.ts';
import { SEED } from './random.ts';
import { makeReader } from './reader.ts';

/**
 * An API server that says no, or that knows only the past. Measured: the store against an uncached list of the first API server, no list but
 * the first, the pace of what was asked again.
 */
const PATIENCE = { timeoutMs: 45_000 };
const never = new AbortController().signal;

const suite = integrationSuite({ operator: false });
let plane: ControlPlane;
let heapBefore: number;

beforeAll(() => {
  const { controlPlane } = suite.testbed;
  if (controlPlane === undefined) throw new Error('a second API server needs a control plane of our own: unset TESTBED_KUBECONFIG');
  plane = controlPlane;
  heapBefore = usedHeap();
});

const WHO_AM_I = { method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews', body: {} } as const;
const accounts = (namespace: string) => pathOf('serviceaccounts', { namespace });

describe.concurrent('without a restart', () => {
  test('a token that expired in its file is replaced by the next one in it', async () => {
    const namespace = 'chaos-token';
    const proxy = await suite.testbed.proxy();
    const kubeconfig = await makeReader(suite.testbed, suite.api, namespace, proxy);
    const file = tokenFileOf(kubeconfig);
    const good = readFileSync(file, 'utf8');
    writeFileSync(file, await shortLived(good, 5));
    const mirror = startMirror(kubeconfig);
    await until('it watches', () => mirror.opened() > 0, PATIENCE);
    const changing = churn(suite.api, namespace, SEED);
    const refused = async () => (await mirror.transport.exchange(WHO_AM_I, never)).code === 401;
    await until('the API server, which remembers an answer for ten seconds, takes the token no more', refused, PATIENCE);
    proxy.cut();
    await until('the watch is refused', () => mirror.reflector.problem?.includes('answered 401'), PATIENCE);
    writeFileSync(file, good);
    await changing.stop();
    await mirror.equals(suite.api, namespace);
    await mirror.stop();
    expect(mirror.lists).toEqual(['start']);
    expectPaced(mirror.watchedAt);
  });

  test('429 with Retry-After is waited out, for reads as for watches', async () => {
    const namespace = 'chaos-throttled';
    const proxy = await suite.testbed.proxy();
    const mirror = startMirror(await makeReader(suite.testbed, suite.api, namespace, proxy));
    await until('it watches', () => mirror.opened() > 0, PATIENCE);
    const busy = await busyServer();
    proxy.redirect(busy.port);
    const changing = churn(suite.api, namespace, SEED);
    const read = mirror.transport.request(WHO_AM_I, never);
    const asked = (watch: boolean) => busy.asked.filter(({ url }) => url.includes('watch=true') === watch).map(({ at }) => at);
    await until('read and watch are throttled twice', () => asked(true).length >= 2 && asked(false).length >= 2, PATIENCE);
    expect(mirror.reflector.problem).toContain('answered 429');
    proxy.redirect(plane.port);
    await read; // was asked for once, and answered when there was room again
    await changing.stop();
    await mirror.equals(suite.api, namespace);
    await mirror.stop();
    busy.stop();
    const [first = 0, second = 0] = asked(false);
    expect(second - first).toBeGreaterThanOrEqual(RETRY_AFTER_SECONDS * 1_000);
    expect(mirror.lists).toEqual(['start']);
    expectPaced(mirror.watchedAt);
  });

  test('an API server that serves an older view takes nothing back, and is not believed by whoever starts on it', async () => {
    const namespace = 'chaos-older';
    const proxy = await suite.testbed.proxy();
    const kubeconfig = await makeReader(suite.testbed, suite.api, namespace, proxy);
    const create = (name: string) =>
      suite.api.call('POST', accounts(namespace), { body: { metadata: { name, annotations: { [ROLE_ARN]: name } } } });
    for (const name of ['stays', 'goes', 'again']) await create(name);
    const second = await plane.secondApiServer();
    const mirror = startMirror(kubeconfig);
    await mirror.equals(suite.api, namespace);

    second.wayToEtcd.freeze();
    await create('new');
    await suite.api.call('DELETE', `${accounts(namespace)}/goes`);
    await suite.api.call('DELETE', `${accounts(namespace)}/again`);
    await create('again');
    await mirror.equals(suite.api, namespace);
    const [seen, opened] = [mirror.changesIn(namespace).length, mirror.opened()];
    proxy.redirect(second.port); // from here on everything is asked of the second one
    await until('it watches the second API server', () => mirror.opened() > opened, PATIENCE);
    const late = startMirror(kubeconfig);
    // As long as a list is waited for, and it gets no answer: whatever the second one has to say was said by then.
    await until('the list of the late one is given up', () => late.reflector.problem?.includes('no answer'), PATIENCE);
    expect(mirror.changesIn(namespace).slice(seen)).toEqual([]);
    expect(late.store.hasSynced).toBe(false);

    await suite.api.call('DELETE', `${accounts(namespace)}/new`);
    second.wayToEtcd.thaw();
    await mirror.equals(suite.api, namespace);
    await late.equals(suite.api, namespace);
    expect(mirror.changesIn(namespace).slice(seen)).toEqual([expect.stringMatching(/^new: \S+ > undefined$/)]);
    expect(mirror.lists).toEqual(['start']);
    await Promise.all([mirror.stop(), late.stop()]);
  });
});

test('the heap is back to where it was', () => {
  expect(usedHeap() - heapBefore).toBeLessThan(HEAP_SLACK_BYTES);
});

/** The API server takes a token for a minute after its end, for clocks that differ. */
const LEEWAY_SECONDS = 60;

/** The same token, refused some seconds from now: the API server itself makes none for less than ten minutes. */
async function shortLived(token: string, seconds: number): Promise<string> {
  const end = Math.floor(Date.now() / 1_000) + seconds - LEEWAY_SECONDS;
  const claims = { ...decodeJwt(token), iat: end - LEEWAY_SECONDS, nbf: end - LEEWAY_SECONDS, exp: end };
  const header = decodeProtectedHeader(token) as JWTHeaderParameters;
  return await new SignJWT(claims).setProtectedHeader(header).sign(createPrivateKey(readFileSync(plane.pki.serviceAccountKey)));
}

/** The API server itself says 1; more shows that it is heeded. */
const RETRY_AFTER_SECONDS = 2;

/** Answers everything as an API server does that has no room: in its place, as fair queueing cannot be told to refuse one client for sure. */
async function busyServer(): Promise<{ port: number; asked: readonly { at: number; url: string }[]; stop(): void }> {
  const asked: { at: number; url: string }[] = [];
  const identity = { cert: readFileSync(plane.pki.apiServer.certificate), key: readFileSync(plane.pki.apiServer.key) };
  const server = createServer(identity, ({ url = '' }, response) => {
    asked.push({ at: performance.now(), url });
    const headers = { 'retry-after': `${RETRY_AFTER_SECONDS}`, 'content-type': 'text/plain; charset=utf-8' };
    response.writeHead(429, headers).end('Too many requests, please try again later.\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, asked, stop: () => server.close() };
}

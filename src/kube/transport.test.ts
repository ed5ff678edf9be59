import { createServer } from 'node:https';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { type Authority, makeAuthority, makeServerIdentity } from '@irsa-operator/testbed';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Fault } from '../api/fault.ts';
import { connectionTo, hastyClock, reply, status, type TestServer, testServer, transportTo } from './test-server.ts';
import type { KubeRequest, Transport, TransportOptions } from './transport.ts';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});
const never = new AbortController().signal;

async function server(...[answer]: Parameters<typeof testServer>): Promise<TestServer> {
  const made = await testServer(answer);
  open.push(made);
  return made;
}

function transport(url: string, options?: Partial<TransportOptions>): Transport {
  const made = transportTo(url, options);
  open.push(made);
  return made;
}

const get = (path: string, more: Partial<KubeRequest> = {}): KubeRequest => ({ method: 'GET', path, ...more });

describe('a request', () => {
  test('carries credentials, user agent, query and body, and its answer comes back untouched', async () => {
    const body = { aFieldOfTomorrow: { deep: [1, 2.5, null] }, creationTimestamp: '2026-01-01T00:00:00Z' };
    const { url, seen } = await server((_request, response) => reply(response, 200, body));
    const connection = connectionTo(() => ({ url: `${url}/prefix`, headers: { authorization: 'Bearer secret' }, tls: {} }));
    const request: KubeRequest = {
      method: 'PATCH',
      path: '/api/v1/things/a%20b',
      query: { fieldManager: 'me & you', left: undefined },
      contentType: 'application/apply-patch+yaml',
      body: { x: 'ü' },
    };
    expect(await transport(url, { connection }).request(request, never)).toEqual(body);
    expect(seen.map(({ method, url, body }) => ({ method, url, body }))).toEqual([
      { method: 'PATCH', url: '/prefix/api/v1/things/a%20b?fieldManager=me+%26+you', body: { x: 'ü' } },
    ]);
    const { authorization, accept, 'user-agent': agent, 'content-type': type } = seen[0]?.headers ?? {};
    expect({ authorization, accept, agent, type }).toEqual({
      authorization: 'Bearer secret',
      accept: 'application/json',
      agent: 'irsa-operator/test',
      type: 'application/apply-patch+yaml',
    });
  });

  test('does not open a connection of its own', async () => {
    const { url, seen, connections } = await server((_request, response) => reply(response, 200, {}));
    const one = transport(url);
    for (let n = 0; n < 20; n += 1) await one.request(get('/'), never);
    expect(connections()).toBeLessThanOrEqual(2);
    await Promise.all(Array.from({ length: 100 }, () => one.request(get('/'), never)));
    expect(connections()).toBeLessThanOrEqual(8);
    expect(seen.length).toBe(120);
  });

  test('that waited for a connection during a freeze is not sent after it', async () => {
    let now = 0;
    const held: (() => void)[] = [];
    const { url, seen } = await server((_request, response) => {
      held.push(() => reply(response, 200, {}));
    });
    const one = transport(url, { clock: { ...hastyClock(), monotonic: () => now } });
    const busy = Array.from({ length: 8 }, () => one.request(get('/busy', { deadlineMs: 60_000 }), never));
    await vi.waitUntil(() => held.length === 8);
    const write = one.request({ method: 'PATCH', path: '/late', body: {} }, never).catch((error: unknown) => error);
    now = 20_000; // the process stands still here, and its timers with it
    for (const release of held) release();
    await Promise.all(busy);
    expect(await write).toMatchObject({
      kind: 'transient',
      message: 'no answer from the API server to PATCH /late: its time was over before it was sent',
    });
    expect(seen.map(({ method }) => method)).toEqual(busy.map(() => 'GET'));
  });

  test('has the deadline of the transport where it has none of its own', async () => {
    const { url } = await server(() => {});
    await expect(transport(url, { deadlineMs: 20 }).request(get('/slow'), never)).rejects.toThrow('GET /slow: not within 0.02 s');
  });

  test('that is not answered in time ends as a transient fault that says so', async () => {
    const { url } = await server(() => {});
    const fault = await transport(url)
      .request(get('/slow', { deadlineMs: 20 }), never)
      .catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(Fault);
    expect([(fault as Fault).kind, (fault as Fault).message]).toEqual([
      'transient',
      'no answer from the API server to GET /slow: not within 0.02 s',
    ]);
  });

  test('ends in time also when the credentials do not come', async () => {
    const connection = { endpoint: () => new Promise<never>(() => {}), refresh: () => {} };
    const asking = transport('http://unused', { connection }).request(get('/x', { deadlineMs: 20 }), never);
    await expect(asking).rejects.toMatchObject({
      kind: 'transient',
      message: 'no answer from the API server to GET /x: not within 0.02 s',
    });
  });

  test('ends with the reason of its signal', async () => {
    const { url } = await server(() => {});
    const stop = new AbortController();
    const asking = transport(url).request(get('/slow'), stop.signal);
    setImmediate(() => stop.abort(new Error('stops')));
    await expect(asking).rejects.toThrow('stops');
  });

  test('to nobody is a transient fault that names the call', async () => {
    const { url, close } = await testServer(() => {});
    await close();
    const fault = await transport(url)
      .request(get('/x', { query: { token: 'hidden' } }), never)
      .catch((error: unknown) => error);
    expect((fault as Fault).kind).toBe('transient');
    expect((fault as Fault).message).toMatch(/^no answer from the API server to GET \/x: .*ECONNREFUSED/);
    expect((fault as Fault).message).not.toContain('hidden');
  });
});

describe('an answer of', () => {
  const cases: Record<string, { code: number; body: unknown; fault: { kind: string; code: string | undefined; message: string } }> = {
    '403 is denied, in the words of the API server': {
      code: 403,
      body: status(403, 'Forbidden', 'pods is forbidden: User "x" cannot list'),
      fault: {
        kind: 'denied',
        code: 'Forbidden',
        message: 'the API server answered 403 to GET /x: pods is forbidden: User "x" cannot list',
      },
    },
    '404 is notFound': {
      code: 404,
      body: status(404, 'NotFound', 'pods "a" not found'),
      fault: { kind: 'notFound', code: 'NotFound', message: 'the API server answered 404 to GET /x: pods "a" not found' },
    },
    '404 without a Status (no such API) is notFound too': {
      code: 404,
      body: '404 page not found\n',
      fault: { kind: 'notFound', code: undefined, message: 'the API server answered 404 to GET /x: 404 page not found' },
    },
    '409 is a conflict': {
      code: 409,
      body: status(409, 'Conflict', 'the object has been modified'),
      fault: { kind: 'conflict', code: 'Conflict', message: 'the API server answered 409 to GET /x: the object has been modified' },
    },
    '410 is transient: the next question is without the old version': {
      code: 410,
      body: status(410, 'Expired', 'too old resource version'),
      fault: { kind: 'transient', code: 'Expired', message: 'the API server answered 410 to GET /x: too old resource version' },
    },
    '422 is invalid': {
      code: 422,
      body: status(422, 'Invalid', 'spec.x: Required value'),
      fault: { kind: 'invalid', code: 'Invalid', message: 'the API server answered 422 to GET /x: spec.x: Required value' },
    },
    '429 without Retry-After is throttled': {
      code: 429,
      body: status(429, 'TooManyRequests', 'later'),
      fault: { kind: 'throttled', code: 'TooManyRequests', message: 'the API server answered 429 to GET /x: later' },
    },
    '500 is transient': {
      code: 500,
      body: status(500, 'InternalError', 'etcd'),
      fault: { kind: 'transient', code: 'InternalError', message: 'the API server answered 500 to GET /x: etcd' },
    },
    '502 with a page of a proxy is transient, and the page is cut': {
      code: 502,
      body: `<html>${'x'.repeat(1_000)}`,
      fault: { kind: 'transient', code: undefined, message: `the API server answered 502 to GET /x: <html>${'x'.repeat(194)}` },
    },
  };
  for (const [sentence, { code, body, fault }] of Object.entries(cases)) {
    test(sentence, async () => {
      const { url } = await server((_request, response) => reply(response, code, body));
      const thrown = (await transport(url)
        .request(get('/x'), never)
        .catch((error: unknown) => error)) as Fault;
      expect({ kind: thrown.kind, code: thrown.code, message: thrown.message }).toEqual(fault);
      expect(thrown.cause).toEqual(body);
    });
  }
});

describe('Retry-After', () => {
  test('is waited for, with some spread, and the call tried again', async () => {
    const answers = [429, 503, 200];
    const { url, seen } = await server((_request, response) => {
      const code = answers.shift() ?? 500;
      reply(response, code, {}, code === 200 ? {} : { 'retry-after': code === 429 ? '2' : '0' });
    });
    const clock = hastyClock();
    const retried: string[] = [];
    const { host } = new URL(url);
    const metrics = { requested: () => {}, retried: (...labels: string[]) => retried.push(labels.join(' ')) };
    await transport(url, { clock, random: () => 0.5, metrics }).request(get('/x'), never);
    expect([seen.length, clock.slept, retried]).toEqual([3, [2_500, 700], [`429 GET ${host}`, `503 GET ${host}`]]);
  });

  test('is not waited for beyond the deadline: the fault says how long', async () => {
    const { url, seen } = await server((_request, response) => reply(response, 429, {}, { 'retry-after': '30' }));
    const clock = hastyClock();
    const fault = (await transport(url, { clock })
      .request(get('/x'), never)
      .catch((error: unknown) => error)) as Fault;
    expect([fault.kind, fault.retryAfterMs, seen.length, clock.slept]).toEqual(['throttled', 30_000, 1, []]);
  });

  test('is bounded by the deadline however often it is asked for', async () => {
    const { url, seen } = await server((_request, response) => reply(response, 429, {}, { 'retry-after': '1' }));
    const fault = (await transport(url)
      .request(get('/x'), never)
      .catch((error: unknown) => error)) as Fault;
    expect([fault.kind, fault.retryAfterMs, seen.length]).toEqual(['throttled', 1_000, 10]);
  });

  test('that is waited for while the process is frozen sends nothing any more: another may lead by now', async () => {
    const { url, seen } = await server((_request, response) => reply(response, 429, {}, { 'retry-after': '1' }));
    const clock = hastyClock();
    const freezing = { ...clock, sleep: (_ms: number, signal: AbortSignal) => clock.sleep(20_000, signal) };
    const fault = (await transport(url, { clock: freezing })
      .request({ method: 'PATCH', path: '/x', body: {} }, never)
      .catch((error: unknown) => error)) as Fault;
    expect([fault.kind, fault.message, seen.length]).toEqual([
      'transient',
      'no answer from the API server to PATCH /x: its time was over before it was sent',
      1,
    ]);
  });

  test('of another code, or where the caller asked not to, is left to the caller', async () => {
    const { url, seen } = await server(({ url }, response) => reply(response, url === '/500' ? 500 : 429, {}, { 'retry-after': '1' }));
    const one = transport(url);
    expect(await one.exchange(get('/500'), never)).toEqual({ code: 500, body: {}, retryAfterMs: 1_000 });
    expect(await one.exchange(get('/429', { noRetry: [429] }), never)).toEqual({ code: 429, body: {}, retryAfterMs: 1_000 });
    expect(seen.length).toBe(2);
  });
});

describe('credentials', () => {
  test('that are refused are read anew and tried once more', async () => {
    let token = 'old';
    const { url, seen } = await server(({ headers }, response) =>
      headers.authorization === 'Bearer new'
        ? reply(response, 200, { ok: true })
        : reply(response, 401, status(401, 'Unauthorized', 'Unauthorized')),
    );
    const connection = connectionTo(
      () => ({ url, headers: { authorization: `Bearer ${token}` }, tls: {} }),
      () => {
        token = 'new';
      },
    );
    expect(await transport(url, { connection }).request({ method: 'POST', path: '/x', body: {} }, never)).toEqual({ ok: true });
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
  });

  test('that are refused again are denied', async () => {
    const { url, seen } = await server((_request, response) => reply(response, 401, status(401, 'Unauthorized', 'Unauthorized')));
    const fault = (await transport(url)
      .request(get('/x'), never)
      .catch((error: unknown) => error)) as Fault;
    expect([fault.kind, seen.length]).toEqual(['denied', 2]);
  });

  test('that change open new connections, and what is under way on the old ones ends well', async () => {
    const slowIsThere = Promise.withResolvers<() => void>();
    const { url, connections } = await server(({ url }, response) => {
      if (url === '/slow') slowIsThere.resolve(() => reply(response, 200, url));
      else reply(response, 200, url);
    });
    let servername = 'a';
    const one = transport(url, { connection: connectionTo(() => ({ url, headers: {}, tls: { servername } })) });
    const slow = one.request(get('/slow'), never);
    await one.request(get('/before'), never);
    servername = 'b';
    expect(await one.request(get('/after'), never)).toBe('/after');
    (await slowIsThere.promise)();
    expect(await slow).toBe('/slow');
    expect(connections()).toBe(3);
  });
});

test('a CA that is replaced is read anew as soon as the old one does not fit any more', async () => {
  const [before, after] = [await makeAuthority('before'), await makeAuthority('after')];
  const identityOf = async (authority: Authority) => {
    const { certificate: cert, key } = await makeServerIdentity(authority, 'api', ['127.0.0.1']);
    return { cert, key };
  };
  const secure = createServer(await identityOf(before), (_request, response) => reply(response, 200, { ok: true }));
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => new Promise<unknown>((resolve) => secure.close(resolve)) });
  const url = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
  let ca = before.certificate;
  const connection = connectionTo(
    () => ({ url, headers: {}, tls: { ca } }),
    () => {
      ca = after.certificate;
    },
  );
  const one = transport(url, { connection });
  expect(await one.request(get('/x'), never)).toEqual({ ok: true });
  secure.setSecureContext(await identityOf(after));
  secure.closeAllConnections();
  const answers = [];
  for (let tries = 0; tries < 3; tries += 1) answers.push(await one.request(get('/x'), never).catch(({ code }: Fault) => code));
  expect(answers).toEqual(['UNABLE_TO_VERIFY_LEAF_SIGNATURE', { ok: true }, { ok: true }]);
});

describe('a connection that breaks', () => {
  test('is replaced for a call that only reads', async () => {
    let broken = 0;
    const { url, seen } = await server((_request, response) => {
      broken += 1;
      if (broken === 1) response.destroy();
      else reply(response, 200, { ok: true });
    });
    expect(await transport(url).request(get('/x'), never)).toEqual({ ok: true });
    expect(seen.length).toBe(2);
  });

  test('is a transient fault for a call that writes: it may have been heard', async () => {
    const { url, seen } = await server((_request, response) => response.destroy());
    const fault = (await transport(url)
      .request({ method: 'POST', path: '/x', body: {} }, never)
      .catch((error: unknown) => error)) as Fault;
    expect([fault.kind, seen.length]).toEqual(['transient', 1]);
  });
});

describe('a stream', () => {
  test('gives its chunks as they come and ends with its signal', async () => {
    let sendNext: () => void = () => {};
    const { url } = await server((_request, response) => {
      response.writeHead(200).write('one');
      sendNext = () => response.write('two');
    });
    const stop = new AbortController();
    const got: string[] = [];
    const reading = (async () => {
      for await (const chunk of await transport(url).open(get('/watch'), stop.signal)) {
        got.push(Buffer.from(chunk).toString());
        if (got.length === 1) sendNext();
        if (got.length === 2) stop.abort(new Error('enough'));
      }
    })();
    await expect(reading).rejects.toThrow('enough');
    expect(got).toEqual(['one', 'two']);
  });

  test('that is refused throws the fault, and a cut one a transient fault', async () => {
    const { url } = await server(({ url }, response) => {
      if (url === '/refused') return reply(response, 403, status(403, 'Forbidden', 'no'));
      response.writeHead(200).write('half a l', () => response.destroy());
    });
    const drain = async (path: string) => {
      for await (const _chunk of await transport(url).open(get(path), never));
    };
    const [refused, cut] = await Promise.all(
      [drain('/refused'), drain('/cut')].map((one) => one.catch((error: unknown) => error as Fault)),
    );
    expect([refused?.kind, cut?.kind]).toEqual(['denied', 'transient']);
  });

  test('does not hold up requests, however many there are', async () => {
    const { url } = await server(({ url }, response) => {
      if (url === '/watch') response.writeHead(200).write('{}\n');
      else reply(response, 200, {});
    });
    const one = transport(url);
    const stop = new AbortController();
    const watches = Array.from({ length: 20 }, async () => {
      for await (const _chunk of await one.open(get('/watch'), stop.signal)) await one.request(get('/x'), never);
    });
    const settled = Promise.allSettled(watches);
    await one.request(get('/x'), never);
    stop.abort();
    expect((await settled).length).toBe(20);
  });
});

test('every request is counted by code, method and host', async () => {
  const { url } = await server(({ url }, response) => (url === '/broken' ? response.destroy() : reply(response, Number(url.slice(1)), {})));
  const counted: string[] = [];
  const metrics = {
    requested: (code: string, method: string, host: string) => counted.push(`${code} ${method} ${host}`),
    retried: () => {},
  };
  const one = transport(url, { metrics });
  for (const path of ['/200', '/404']) await one.exchange(get(path), never);
  await one.exchange({ method: 'POST', path: '/broken', body: {} }, never).catch(() => {});
  const { host } = new URL(url);
  expect(counted).toEqual([`200 GET ${host}`, `404 GET ${host}`, `<error> POST ${host}`]);
});

test('there is one copy of undici, so that the agents of one fit the requests of the other', () => {
  const require = createRequire(import.meta.url);
  const theirs = createRequire(require.resolve('@kubernetes/client-node'));
  expect(theirs.resolve('undici')).toBe(require.resolve('undici'));
});

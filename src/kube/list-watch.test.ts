import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Fault } from '../api/fault.ts';
import { systemClock } from '../runtime/clock.ts';
import { silentLog } from '../runtime/log.ts';
import { noMetrics } from '../runtime/metrics.ts';
import { REFLECTOR_LIMITS, Reflector, type WatchEvent } from '../runtime/reflector.ts';
import { Store } from '../runtime/store.ts';
import { listWatch } from './list-watch.ts';
import { metaOf } from './objects.ts';
import { NAMESPACE } from './resource-types.ts';
import { reply, type Seen, status, testServer, transportTo } from './test-server.ts';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});
const never = new AbortController().signal;

const raw = (name: string, resourceVersion: string, uid = `uid-${name}`) => ({ metadata: { name, uid, resourceVersion } });
const item = (name: string, resourceVersion: string, uid = `uid-${name}`) => ({ object: name, uid, resourceVersion });
const line = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`;

async function against(answer: (request: Seen, response: ServerResponse) => void, part: { optional?: true } = {}) {
  const server = await testServer(answer);
  const transport = transportTo(server.url, { clock: systemClock });
  open.push(server, transport);
  return { server, source: listWatch(transport, { type: NAMESPACE, decode: (object) => metaOf(object).name, ...part }) };
}

async function events(source: { watch: ReturnType<typeof listWatch<string>>['watch'] }): Promise<WatchEvent<string>[]> {
  const all: WatchEvent<string>[] = [];
  for await (const some of source.watch({ resourceVersion: '7', timeoutSeconds: 300 }, never)) all.push(...some);
  return all.filter(({ type }) => type !== 'OPEN');
}

describe('a kind that the API server does not have', () => {
  const missing = (_request: Seen, response: ServerResponse) =>
    reply(response, 404, status(404, 'NotFound', 'the server could not find the requested resource'));
  test('is an error, where it must be there', async () => {
    const { source } = await against(missing);
    await expect(source.list({ limit: 500 }, never)).rejects.toMatchObject({ kind: 'notFound' });
    await expect(events(source)).rejects.toMatchObject({ kind: 'notFound' });
  });
  test('has no objects, where its CRD may come later; the watch is a word from the server, and waits for its end', async () => {
    const { source } = await against(missing, { optional: true });
    expect(await source.list({ limit: 500 }, never)).toEqual({ kind: 'page', items: [], resourceVersion: '0' });
    const end = new AbortController();
    const heard: number[] = [];
    for await (const some of source.watch({ resourceVersion: '0', timeoutSeconds: 300 }, end.signal)) {
      heard.push([...some].length);
      end.abort();
    }
    expect(heard).toEqual([0]);
  });
});

describe('a list', () => {
  test('asks for a page and gives its items, its version and the way to the next', async () => {
    const { server, source } = await against((_request, response) =>
      reply(response, 200, {
        kind: 'NamespaceList',
        metadata: { resourceVersion: '9', continue: 'more' },
        items: [raw('a', '1'), raw('b', '2')],
      }),
    );
    expect(await source.list({ limit: 500, continue: 'token' }, never)).toEqual({
      kind: 'page',
      items: [item('a', '1'), item('b', '2')],
      resourceVersion: '9',
      continue: 'more',
    });
    expect(server.seen.map(({ url }) => url)).toEqual(['/api/v1/namespaces?limit=500&continue=token']);
  });

  test('of a small or empty collection is one page (Go writes null for no items)', async () => {
    const { source } = await against((_request, response) =>
      reply(response, 200, { kind: 'NamespaceList', metadata: { resourceVersion: '9', continue: '' }, items: null }),
    );
    expect(await source.list({ limit: 500 }, never)).toEqual({ kind: 'page', items: [], resourceVersion: '9' });
  });

  test('whose page token is too old has expired', async () => {
    const { source } = await against((_request, response) => reply(response, 410, status(410, 'Expired', 'continue token is too old')));
    expect(await source.list({ limit: 500, continue: 'old' }, never)).toEqual({ kind: 'expired' });
  });

  const foreign: Record<string, unknown> = {
    'an empty object': {},
    'a page of a proxy': '<html>welcome</html>',
    'a list of something else': { kind: 'PodList', metadata: { resourceVersion: '9' }, items: [] },
    'a list without a version': { kind: 'NamespaceList', metadata: {}, items: [] },
  };
  for (const [sentence, body] of Object.entries(foreign)) {
    test(`is not believed when the answer is ${sentence}: everything would seem to be deleted`, async () => {
      const { source } = await against((_request, response) => reply(response, 200, body));
      await expect(source.list({ limit: 500 }, never)).rejects.toMatchObject({
        kind: 'transient',
        message: 'the answer to GET /api/v1/namespaces is not a NamespaceList with a resource version',
      });
    });
  }

  test('whose items take long to decode leaves the event loop free in between', async () => {
    const items = Array.from({ length: 5 }, (_, at) => raw(`n${at}`, '1'));
    const server = await testServer((_request, response) =>
      reply(response, 200, { kind: 'NamespaceList', metadata: { resourceVersion: '9' }, items }),
    );
    const transport = transportTo(server.url);
    open.push(server, transport);
    let turn = 0;
    let ticking = true;
    const tick = () => {
      turn += 1;
      if (ticking) setImmediate(tick);
    };
    tick();
    const rateLimiter = new Set<number>();
    let now = 0;
    const time = vi.spyOn(performance, 'now').mockImplementation(() => now);
    try {
      const decode = () => {
        rateLimiter.add(turn);
        now += 3; // ms: two of them are more than a slice
        return '';
      };
      await listWatch(transport, { type: NAMESPACE, decode }).list({ limit: 500 }, never);
    } finally {
      time.mockRestore();
      ticking = false;
    }
    expect(rateLimiter.size).toBe(3);
  });

  test('that is not allowed is a fault', async () => {
    const { source } = await against((_request, response) => reply(response, 403, status(403, 'Forbidden', 'no')));
    await expect(source.list({ limit: 500 }, never)).rejects.toMatchObject({ kind: 'denied' });
  });
});

const KIB = 1024;
/** An API server with a namespace for each of these sizes in bytes, and what was listed of it to the end, in pages of at most 200. */
async function listed(sizes: readonly number[]) {
  const names = sizes.map((_, index) => `n${index}`);
  const { server, source } = await against(({ url }, response) => {
    const { searchParams } = new URL(url, 'http://x');
    const from = Number(searchParams.get('continue') ?? 0);
    const to = from + Number(searchParams.get('limit'));
    const items = names.slice(from, to).map((name, at) => ({ ...raw(name, '1'), filler: 'x'.repeat(sizes[from + at] ?? 0) }));
    const metadata = { resourceVersion: '9', ...(to < names.length ? { continue: String(to) } : {}) };
    reply(response, 200, { kind: 'NamespaceList', metadata, items });
  });
  const found: string[] = [];
  for (let token: string | undefined = ''; token !== undefined; ) {
    const page = await source.list({ limit: 200, ...(token === '' ? {} : { continue: token }) }, never);
    if (page.kind === 'expired') throw new Error('expired');
    found.push(...page.items.map(({ object }) => object));
    token = page.continue;
  }
  const limits = server.seen.map(({ url }) => Number(new URL(url, 'http://x').searchParams.get('limit')));
  return { limits, whole: found.join() === names.join() };
}
const times = (count: number, bytes: number) => Array.from({ length: count }, () => bytes);

// Contract: bad-size
describe('a list is bounded by bytes:', () => {
  const cases: Record<string, { sizes: number[]; limits: number[] }> = {
    'small objects come as many at once as were asked for': { sizes: times(500, KIB), limits: [200, 200, 200] },
    'none are one page': { sizes: [], limits: [200] },
    'a page that is too large is asked for again, with fewer': {
      sizes: times(40, 200 * KIB),
      limits: [200, 50, 12, 3, 5, 5, 5, 5, 5, 5, 5, 5],
    },
    'after large ones the next pages grow again': {
      sizes: [...times(3, 1_000 * KIB), ...times(100, KIB)],
      limits: [200, 50, 12, 3, 1, 1, 1, 1, 2, 4, 8, 16, 32, 64],
    },
    'among small ones a large one is no reason for small pages': {
      sizes: [...times(100, KIB), 1_000 * KIB, ...times(299, KIB)],
      limits: [200, 168, 200],
    },
    'the largest object that there can be comes alone': { sizes: [9 * KIB * KIB, KIB], limits: [200, 50, 12, 3, 1, 1] },
  };
  for (const [sentence, { sizes, limits }] of Object.entries(cases))
    test(sentence, async () => expect(await listed(sizes)).toEqual({ limits, whole: true }));

  test('what is larger than any object is no list', async () => {
    await expect(listed([17 * KIB * KIB])).rejects.toMatchObject({
      kind: 'transient',
      message: 'the answer to GET /api/v1/namespaces has more than 16777216 bytes',
    });
  });

  test('only one page at a time is parsed and worked through, of whatever kind', async () => {
    const server = await testServer((_request, response) =>
      reply(response, 200, { kind: 'NamespaceList', metadata: { resourceVersion: '9' }, items: times(200, 1).map(() => raw('a', '1')) }),
    );
    const transport = transportTo(server.url);
    open.push(server, transport);
    let now = 0;
    const time = vi.spyOn(performance, 'now').mockImplementation(() => now);
    const order: number[] = [];
    const decode = (list: number) => () => {
      order.push(list);
      now += 10; // ms: more than a slice, so that others come between
      return '';
    };
    try {
      await Promise.all(
        [1, 2, 3].map((list) => listWatch(transport, { type: NAMESPACE, decode: decode(list) }).list({ limit: 200 }, never)),
      );
    } finally {
      time.mockRestore();
    }
    expect(order).toHaveLength(600);
    expect(order.filter((list, at) => list !== order[at - 1])).toHaveLength(3);
  });

  test('a page that cannot be worked through holds up no other', async () => {
    const { source } = await against((_request, response) => reply(response, 200, {}));
    await expect(source.list({ limit: 1 }, never)).rejects.toThrow('is not a NamespaceList');
    await expect(source.list({ limit: 1 }, never)).rejects.toThrow('is not a NamespaceList');
  });
});

describe('of a kind of which only the metadata is read', () => {
  const kinds = { list: 'PartialObjectMetadataList', watch: 'PartialObjectMetadata' };
  async function metadataOf(answer: (request: Seen, response: ServerResponse) => void) {
    const server = await testServer(answer);
    const transport = transportTo(server.url, { clock: systemClock });
    open.push(server, transport);
    return { server, source: listWatch(transport, { type: NAMESPACE, metadataOnly: true, decode: (object) => metaOf(object).name }) };
  }
  const asked = (kind: string) => `application/json;as=${kind};g=meta.k8s.io;v=v1`;

  for (const kind of [kinds.list, 'NamespaceList'])
    test(`a list asks for nothing else, and takes a ${kind}`, async () => {
      const { server, source } = await metadataOf((_request, response) =>
        reply(response, 200, { kind, metadata: { resourceVersion: '9' }, items: [raw('a', '1')] }),
      );
      expect(await source.list({ limit: 5 }, never)).toMatchObject({ items: [item('a', '1')] });
      expect(server.seen[0]?.headers.accept).toBe(`${asked(kinds.list)},application/json`);
    });

  test('a watch asks for nothing else', async () => {
    const { server, source } = await metadataOf((_request, response) => response.end(line('ADDED', raw('a', '8'))));
    expect(await events(source)).toEqual([{ type: 'ADDED', ...item('a', '8') }]);
    expect(server.seen[0]?.headers.accept).toBe(`${asked(kinds.watch)},application/json`);
  });

  test('an answer to something else is not believed', async () => {
    const { source } = await against((_request, response) =>
      reply(response, 200, { kind: kinds.list, metadata: { resourceVersion: '9' }, items: [] }),
    );
    await expect(source.list({ limit: 5 }, never)).rejects.toThrow('is not a NamespaceList');
  });
});

describe('a watch', () => {
  test('asks for bookmarks and a limit, and gives events wherever the stream is cut', async () => {
    const stream = [
      line('ADDED', raw('ä', '8')),
      line('MODIFIED', raw('ä', '9')),
      line('BOOKMARK', { metadata: { resourceVersion: '10' } }),
      line('DELETED', raw('ä', '11')),
    ].join('');
    for (const size of [1, 7, 64, 10_000]) {
      const { server, source } = await against((_request, response) => {
        const bytes = Buffer.from(stream);
        for (let at = 0; at < bytes.length; at += size) response.write(bytes.subarray(at, at + size));
        response.end();
      });
      expect(await events(source)).toEqual([
        { type: 'ADDED', ...item('ä', '8') },
        { type: 'MODIFIED', ...item('ä', '9') },
        { type: 'BOOKMARK', resourceVersion: '10' },
        { type: 'DELETED', ...item('ä', '11') },
      ]);
      expect(server.seen[0]?.url).toBe('/api/v1/namespaces?watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=300');
    }
  });

  const gone = status(410, 'Expired', 'too old resource version: 7 (1000)');
  const expiring: Record<string, (response: ServerResponse) => void> = {
    'answered with 410': (response) => reply(response, 410, gone),
    'sent an ERROR event with 410': (response) => response.end(line('ERROR', gone)),
    'sent an ERROR event with 410 after others': (response) => response.end(line('ADDED', raw('a', '8')) + line('ERROR', gone)),
  };
  for (const [sentence, answer] of Object.entries(expiring)) {
    test(`that is ${sentence} has expired`, async () => {
      const { source } = await against((_request, response) => answer(response));
      expect((await events(source)).at(-1)).toEqual({ type: 'EXPIRED' });
    });
  }

  const failing: Record<string, { answer: (response: ServerResponse) => void; message: RegExp }> = {
    'is refused': {
      answer: (response) => reply(response, 500, status(500, 'InternalError', 'etcd is gone')),
      message: /answered 500 .* etcd is gone/,
    },
    'sends an ERROR event that is not 410': {
      answer: (response) => response.end(line('ERROR', status(500, 'InternalError', 'etcd is gone'))),
      message: /answered 500 .*\(watch\): etcd is gone/,
    },
    'sends a line that is no JSON': {
      answer: (response) => response.end('{"type":"ADDED"\n'),
      message: /a line of 15 characters that is not JSON/,
    },
    'sends an event that does not exist': { answer: (response) => response.end(line('MOVED', {})), message: /an event of type "MOVED"/ },
    'breaks within a line': {
      answer: (response) => {
        response.write('{"type":"AD', () => response.destroy());
      },
      message: /no answer from the API server/,
    },
  };
  for (const [sentence, { answer, message }] of Object.entries(failing)) {
    test(`that ${sentence} is a transient fault`, async () => {
      const { source } = await against((_request, response) => answer(response));
      const fault = await events(source).catch((error: unknown) => error as Fault);
      expect(fault).toMatchObject({ kind: 'transient', message: expect.stringMatching(message) });
    });
  }

  test('says that it was accepted before anything has happened', async () => {
    const { source } = await against((_request, response) => response.writeHead(200).flushHeaders());
    const stop = new AbortController();
    const events = source.watch({ resourceVersion: '7', timeoutSeconds: 300 }, stop.signal)[Symbol.asyncIterator]();
    expect(await events.next()).toEqual({ done: false, value: [{ type: 'OPEN' }] });
    const next = events.next();
    stop.abort(new Error('stops'));
    await expect(next).rejects.toThrow('stops');
  });

  test('whose last line was cut off ends without it', async () => {
    const { source } = await against((_request, response) => response.end(`${line('ADDED', raw('a', '8'))}{"type":"DELE`));
    expect(await events(source)).toEqual([{ type: 'ADDED', ...item('a', '8') }]);
  });
});

test('a reflector over a real connection: a watch cut in the middle of a line and a silent one lose nothing', async () => {
  const watches: string[] = [];
  const { source } = await against(({ url }, response) => {
    if (!url.includes('watch=true'))
      return reply(response, 200, { kind: 'NamespaceList', metadata: { resourceVersion: '5' }, items: [raw('a', '1'), raw('b', '2')] });
    watches.push(new URL(url, 'http://x').searchParams.get('resourceVersion') ?? '');
    response.writeHead(200);
    if (watches.length === 1) response.end(`${line('MODIFIED', raw('a', '6'))}{"type":"ADDED","object":{"meta`);
    else if (watches.length === 2)
      response.write(line('ADDED', raw('c', '7'))); // and then nothing, for ever
    else response.write(line('DELETED', raw('b', '8')));
  });
  const store = new Store<string>({ kind: 'Namespace', keyOf: (name) => name, log: silentLog });
  const changes: string[] = [];
  const done = Promise.withResolvers<void>();
  store.onChange((previous, next) => {
    changes.push(`${previous ?? ''}>${next ?? ''}`);
    if (next === undefined) done.resolve();
  });
  const stop = new AbortController();
  // Backing off takes a second at least; here it takes none.
  const clock = { ...systemClock, sleep: (ms: number, signal: AbortSignal) => systemClock.sleep(ms >= 1_000 ? 0 : ms, signal) };
  const limits = { ...REFLECTOR_LIMITS, silenceMs: 30 };
  const running = new Reflector({ source, store, clock, random: () => 0, log: silentLog, metrics: noMetrics, limits }).run(stop.signal);
  await done.promise;
  stop.abort();
  await running;
  expect([watches, changes, store.list()]).toEqual([
    ['5', '6', '7'],
    ['>a', '>b', 'a>a', '>c', 'b>'],
    ['a', 'c'],
  ]);
});

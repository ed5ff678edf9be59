import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import type { Clock } from '../runtime/clock.ts';
import { systemClock } from '../runtime/clock.ts';
import { ManualClock, settle } from '../runtime/manual-clock.ts';
import { type Answer, type BoundedServer, type Bounds, serveBounded, textAnswer } from './bounded-server.ts';

const BOUNDS: Bounds = { connections: 8, gapMs: 0, requestMs: 60_000, answerMs: 60_000 };
const HAS_IPV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

let server: BoundedServer | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server?.close();
  server = undefined;
});

async function serve(
  bounds: Partial<Bounds> = {},
  answer: (path: string) => Answer | Promise<Answer> = () => textAnswer(200, 'ok'),
  clock: Pick<Clock, 'sleep'> = systemClock,
) {
  server = await serveBounded({ host: HAS_IPV6 ? '::' : '127.0.0.1', port: 0 }, { ...BOUNDS, ...bounds }, answer, clock);
  return server.port;
}

/** A connection on which this was sent. */
async function sent(port: number, text = '', host = '127.0.0.1'): Promise<Socket> {
  const socket = connect(port, host);
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  if (text !== '') socket.write(text);
  return socket;
}
/** All that comes until the server closes it. */
async function received(socket: Socket): Promise<string> {
  const parts: Buffer[] = [];
  socket.on('data', (part) => parts.push(Buffer.from(part)));
  await once(socket, 'close');
  return Buffer.concat(parts).toString();
}
async function asked(port: number, host = '127.0.0.1', agent = new Agent()): Promise<{ text: string; reused: boolean }> {
  const request = get({ host, port, path: '/page', agent });
  const [response] = (await once(request, 'response')) as [AsyncIterable<Buffer>];
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return { text: Buffer.concat(parts).toString(), reused: request.reusedSocket };
}

const HALF = 'GET /page HTTP/1.1\r\nhost: a\r\nx: ';
const WHOLE = 'GET /page HTTP/1.1\r\nhost: a\r\n\r\n';

describe('it answers', () => {
  const cases: Record<string, { request: string; status: number }> = {
    GET: { request: 'GET /page HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', status: 200 },
    HEAD: { request: 'HEAD /page HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', status: 200 },
    'GET with a body of no bytes': {
      request: 'GET /page HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
      status: 200,
    },
    'no POST': { request: 'POST /page HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx', status: 405 },
    'no DELETE': { request: 'DELETE /page HTTP/1.1\r\nhost: a\r\n\r\n', status: 405 },
    'no body, before it has come': { request: 'GET /page HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n', status: 413 },
    'no body of unknown length': { request: 'GET /page HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n', status: 413 },
    'no headers of more than 8 KiB': { request: `${HALF}${'x'.repeat(8_500)}`, status: 431 },
    'nothing that is not HTTP': { request: 'hello\r\n\r\n', status: 400 },
  };
  for (const [sentence, { request, status }] of Object.entries(cases))
    test(sentence, async () => {
      const port = await serve();
      expect((await received(await sent(port, request))).slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    });

  test('the next request on the same connection', async () => {
    const port = await serve();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const all = [];
    for (let each = 0; each < 20; each += 1) all.push(await asked(port, '127.0.0.1', agent));
    agent.destroy();
    expect(all.map(({ reused }) => reused)).toEqual(all.map((_, at) => at > 0));
  });

  test('what went wrong', async () => {
    const port = await serve({}, () => expect.fail('no page'));
    expect(await received(await sent(port, WHOLE))).toMatch(/^HTTP\/1.1 500 .*no page/s);
  });
});

// Contract: metrics-connections
describe('of connections', () => {
  test('there are no more than it says: one more closes the oldest', async () => {
    const port = await serve({ connections: 3 });
    const all: Socket[] = [];
    for (let each = 0; each < 3; each += 1) all.push(await sent(port, HALF));
    for (let each = 0; each < 50; each += 1) {
      const [oldest] = all;
      const closed = once(oldest as Socket, 'close');
      all.push(await sent(port, HALF));
      await closed;
      all.shift();
    }
    expect(all.map(({ readyState }) => readyState)).toEqual(['open', 'open', 'open']);
  });

  test('there are no more than it says, also of those that come all at once', async () => {
    const port = await serve({ connections: 3 });
    let closed = 0;
    const all = Promise.withResolvers<void>();
    for (let each = 0; each < 200; each += 1) {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => {});
      socket.write(HALF);
      socket.once('close', () => {
        closed += 1;
        if (closed === 197) all.resolve();
      });
    }
    await all.promise;
    await turns();
    expect(closed).toBe(197);
  });

  test.skipIf(!HAS_IPV6)('that one client leaves half-sent, none keeps another client out, and that of the other stays', async () => {
    const port = await serve({ connections: 3 });
    const other = await sent(port, HALF, '::1');
    for (let each = 0; each < 20; each += 1) await sent(port, HALF);
    other.write('\r\nconnection: close\r\n\r\n');
    expect(await received(other)).toMatch(/^HTTP\/1.1 200 .*ok\n$/s);
  });

  test('none may take longer than it says for its request', async () => {
    const port = await serve({ requestMs: 50 });
    expect((await received(await sent(port, HALF))).slice(0, 12)).toBe('HTTP/1.1 408');
  });

  test('none is kept that nothing is asked on', async () => {
    const port = await serve({ requestMs: 50 });
    const silent = await sent(port);
    silent.resume();
    await once(silent, 'close');
  });

  test('none has more than one request under way: what sends the next too early is closed', async () => {
    const hold = Promise.withResolvers<Answer>();
    let begun = 0;
    const port = await serve({}, () => {
      begun += 1;
      return hold.promise;
    });
    expect(await received(await sent(port, WHOLE.repeat(1_000)))).toBe('');
    expect(begun).toBe(1);
    hold.resolve(textAnswer(200, 'late'));
    expect((await asked(port)).text).toBe('late\n');
  });

  test('none may take longer than it says to read its answer', async () => {
    const clock = new ManualClock();
    const body = [Buffer.alloc(64 * 2 ** 20)];
    const port = await serve({ answerMs: 10_000 }, () => ({ status: 200, type: 'text/plain', body }), clock);
    const slow = await sent(port, WHOLE);
    await once(slow, 'readable'); // it has begun, and reads no more
    await clock.advance(9_999);
    expect(clock.sleeping).toBe(1);
    await clock.advance(1);
    expect((await received(slow)).length).toBeLessThan(64 * 2 ** 20);
  });
});

// Contract: metrics-one-scrape
describe('answers come one after the other', () => {
  test('and no sooner than it says', async () => {
    const clock = new ManualClock();
    let answers = 0;
    const port = await serve({ gapMs: 50 }, () => textAnswer(200, String(++answers)), clock);
    const all = [asked(port), asked(port), asked(port)];
    await Promise.race(all);
    await turns();
    expect(answers).toBe(1);
    await Promise.all([...all, advanceUntil(clock, 50, () => answers === 3)]);
    expect(clock.monotonic()).toBe(100);
  });

  test('and those who are gone take no turn', async () => {
    const clock = new ManualClock();
    let answers = 0;
    const hold = Promise.withResolvers<void>();
    const port = await serve(
      { gapMs: 50 },
      async () => {
        answers += 1;
        await hold.promise;
        return textAnswer(200, String(answers));
      },
      clock,
    );
    const first = asked(port);
    const gone = await Promise.all([sent(port, WHOLE), sent(port, WHOLE), sent(port, WHOLE)]);
    await turns();
    for (const socket of gone) socket.resetAndDestroy();
    await turns();
    const last = asked(port);
    hold.resolve();
    await first;
    await Promise.all([last, advanceUntil(clock, 50, () => answers === 2)]);
    expect([(await last).text, clock.monotonic()]).toEqual(['2\n', 50]);
  });
});

/** Enough for what was sent on this machine to arrive. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) await settle();
}

/** The clock moves once all that was to be done at its time is done. */
async function advanceUntil(clock: ManualClock, ms: number, done: () => boolean): Promise<void> {
  while (!done()) {
    if (clock.sleeping > 0) await clock.advance(ms);
    await settle();
  }
}

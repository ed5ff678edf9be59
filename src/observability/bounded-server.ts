import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { crowdedOut } from './connections.ts';
import { type Address, listen } from './listen.ts';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: readonly Buffer[];
}

/** What anybody who reaches the port can take of the process, at most. */
export interface Bounds {
  /** Open at once. One more closes the oldest one of the address that has the most. */
  readonly connections: number;
  /** From one answer to the next: whoever asks in a loop waits. */
  readonly gapMs: number;
  /** For a request to arrive, from the first byte to the last. */
  readonly requestMs: number;
  /** For an answer to be read. */
  readonly answerMs: number;
}

export interface BoundedServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Of `Clock` of src/runtime. */
interface ServerClock {
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** For a request line, and headers with a token. Node's default is 16 KiB. */
const HEADER_BYTES = 8_192;
/** How often Node looks for requests that take too long; its default is 30 s. */
const LOOK_MS = 1_000;
/** A connection that nothing is asked on. */
const IDLE_MS = 5_000;

export const textAnswer = (status: number, text: string): Answer => ({ status, type: 'text/plain', body: [Buffer.from(`${text}\n`)] });

/**
 * Answers GET and HEAD, one request after the other, and bounds what a client that means harm can take: memory by the number of connections
 * and the time that they have, CPU by the time between two answers.
 */
export async function serveBounded(
  address: Address,
  { connections, gapMs, requestMs, answerMs }: Bounds,
  answer: (path: string) => Answer | Promise<Answer>,
  clock: ServerClock,
): Promise<BoundedServer> {
  /** In the order in which they came; one a connection. */
  const waiting = new Map<Socket, { request: IncomingMessage; response: ServerResponse }>();
  const asking = new WeakSet<Socket>();
  const open = new Set<Socket>();
  const closing = new AbortController();
  let answering = false;

  async function answerAll(): Promise<void> {
    if (answering) return;
    answering = true;
    for (let next = first(waiting); next !== undefined; next = first(waiting)) {
      waiting.delete(next.request.socket);
      send(next.response, refusal(next.request) ?? (await answered(next.request)));
      await clock.sleep(gapMs, closing.signal).catch(() => {});
    }
    answering = false;
  }

  async function answered({ url = '' }: IncomingMessage): Promise<Answer> {
    try {
      return await answer(url.split('?')[0] ?? '');
    } catch (error) {
      return textAnswer(500, error instanceof Error ? error.message : 'unknown error');
    }
  }

  function send(response: ServerResponse, { status, type, body }: Answer): void {
    if (response.destroyed) return;
    const over = new AbortController();
    response.once('close', () => over.abort());
    clock.sleep(answerMs, over.signal).then(
      () => response.destroy(),
      () => {}, // it was read in time
    );
    const length = body.reduce((sum, part) => sum + part.length, 0);
    response.writeHead(status, { 'content-type': type, 'content-length': length, ...(status < 400 ? {} : { connection: 'close' }) });
    // The parts are shared by all who read them: nothing is copied for a reader that is slow.
    for (const part of body) response.write(part);
    response.end();
  }

  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: requestMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(LOOK_MS, requestMs),
      keepAliveTimeout: IDLE_MS,
    },
    (request, response) => {
      const { socket } = request;
      // Whoever sends the next request before it has read the last answer wants us to hold them.
      if (asking.has(socket)) return void socket.destroy();
      asking.add(socket);
      response.once('close', () => {
        asking.delete(socket);
        waiting.delete(socket);
      });
      waiting.set(socket, { request, response });
      void answerAll();
    },
  );
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    const out = open.size > connections ? crowdedOut(open) : undefined;
    if (out === undefined) return;
    // At once: that it has closed is told in a later turn, and by then more have come.
    open.delete(out);
    out.destroy();
  });
  await listen(server, address);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      closing.abort();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function first<T>(of: ReadonlyMap<unknown, T>): T | undefined {
  return of.values().next().value;
}

function refusal({ method, headers }: IncomingMessage): Answer | undefined {
  if (method !== 'GET' && method !== 'HEAD') return textAnswer(405, 'only GET and HEAD');
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
  return hasBody ? textAnswer(413, 'no body') : undefined;
}

import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../runtime/clock.ts';
import type { Connection, Endpoint } from './connection.ts';
import { noKubeMetrics } from './metrics.ts';
import { Transport, type TransportOptions } from './transport.ts';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export interface TestServer {
  readonly url: string;
  readonly seen: Seen[];
  /** Connections that were ever made. */
  connections(): number;
  close(): Promise<void>;
}

/** For tests: a real HTTP server that notes what it is asked. */
export async function testServer(answer: (request: Seen, response: ServerResponse) => void): Promise<TestServer> {
  const seen: Seen[] = [];
  let connections = 0;
  const listener: RequestListener = async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const one = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
    seen.push(one);
    answer(one, response);
  };
  const server = createServer(listener);
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    connections: () => connections,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

export function reply(response: ServerResponse, code: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** A `Status` as the API server sends it. */
export function status(code: number, reason: string, message: string, details?: object): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    code,
    reason,
    message,
    ...(details === undefined ? {} : { details }),
  };
}

/** A clock on which every sleep is over at once; what was slept is noted. */
export function hastyClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = [];
  let elapsed = 0;
  return {
    slept,
    now: () => Date.UTC(2026, 0, 1) + elapsed,
    wall: () => Date.UTC(2026, 0, 1) + elapsed,
    monotonic: () => elapsed,
    giveWay: async () => {},
    async sleep(ms, signal) {
      signal.throwIfAborted();
      slept.push(ms);
      elapsed += ms;
    },
  };
}

export function connectionTo(endpoint: () => Endpoint, refresh: () => void = () => {}): Connection {
  return { endpoint: async () => endpoint(), refresh };
}

export function transportTo(url: string, options: Partial<TransportOptions> = {}): Transport {
  return new Transport({
    connection: connectionTo(() => ({ url, headers: {}, tls: {} })),
    userAgent: 'irsa-operator/test',
    clock: hastyClock(),
    random: () => 0,
    metrics: noKubeMetrics,
    ...options,
  });
}

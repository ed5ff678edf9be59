import { once } from 'node:events';
import {
  Agent as HttpAgent,
  createServer as httpServer,
  type IncomingMessage,
  request as requestHttp,
  type ServerResponse,
} from 'node:http';
import { Agent as HttpsAgent, createServer as httpsServer, request as requestHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Identity } from '@irsa-operator/testbed';

/** A request as its server will see it. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** Told of each call before it is sent, and what comes of it; what it waits for, the call waits for. */
export interface Watcher {
  /** False: the call is not sent, and its client is left without an answer. */
  before(call: Call): boolean | Promise<boolean>;
  /** The server has answered. False: the client is not told. */
  answered(call: Call, status: number): boolean | Promise<boolean>;
  /** The client has gone before it was told. */
  gaveUp(call: Call): void;
  /** The client has been told. */
  told(call: Call): void;
}

interface Target {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  /** PEM of the authority of an https target; the proxy then shows `identity`. */
  readonly tls?: { readonly authority: string; readonly identity: Identity };
  /** Where a path of the client leads. */
  readonly path?: (path: string) => string;
}

export interface HttpProxy {
  readonly port: number;
  stop(): Promise<void>;
}

/** A way to one HTTP server that sees every request whole. Only GET streams: all other calls are passed on when they are complete. */
export async function startHttpProxy({ url, tls, path = (same) => same }: Target, watcher: Watcher): Promise<HttpProxy> {
  const agent = tls === undefined ? new HttpAgent({ keepAlive: true }) : new HttpsAgent({ keepAlive: true, ca: tls.authority });
  const dial = tls === undefined ? requestHttp : requestHttps;

  /** The server's answer. A connection that was closed while idle is as if it had never been: the call is sent on another one. */
  async function ask(incoming: IncomingMessage, to: string, body: Buffer | undefined, signal?: AbortSignal): Promise<IncomingMessage> {
    const sent = dial(url + to, { agent, method: incoming.method, headers: incoming.headers, ...(signal === undefined ? {} : { signal }) });
    sent.end(body);
    try {
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      return answer;
    } catch (error) {
      if (!sent.reusedSocket || signal?.aborted) throw error;
      return ask(incoming, to, body, signal);
    }
  }

  async function stream(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const gone = new AbortController();
    outgoing.once('close', () => gone.abort());
    const answer = await ask(incoming, path(incoming.url ?? ''), undefined, gone.signal);
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    outgoing.flushHeaders(); // a watch begins before anything happens
    answer.on('error', () => outgoing.destroy());
    answer.pipe(outgoing);
  }

  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    const call = { method: incoming.method ?? '', path: incoming.url ?? '', body: body.toString() };
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) watcher.gaveUp(call);
    });
    if (!(await watcher.before(call))) return;
    // The client's end is no reason to take back what it had sent.
    const answer = await ask(incoming, path(call.path), body);
    const content = await buffer(answer);
    if (!(await watcher.answered(call, answer.statusCode ?? 0))) return;
    outgoing.once('finish', () => watcher.told(call));
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers).end(content);
  }

  const respond = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    outgoing.on('error', () => {});
    (incoming.method === 'GET' ? stream : pass)(incoming, outgoing).catch(() => outgoing.destroy());
  };
  const server = tls === undefined ? httpServer(respond) : httpsServer({ cert: tls.identity.certificate, key: tls.identity.key }, respond);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await once(server, 'close');
    },
  };
}

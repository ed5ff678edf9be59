import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';

/** A healthy API server answers in milliseconds; one that shares two cores with a build, in seconds. */
const REQUEST_DEADLINE_MS = 15_000;

/** The server ends a watch after this; the client gives it a little longer, and then knows that the connection is dead. */
export const WATCH_SECONDS = 60;
const WATCH_DEADLINE_MS = (WATCH_SECONDS + 15) * 1000;

/** Requests in flight at once; the rest waits. Watches have connections of their own, so that none of them can use these up. */
const MAX_CONNECTIONS = 16;

/** Keys come as `application/jwk-set+json`. */
const JSON_TYPE = /^application\/([\w-]+\+)?json\b/;

export type PatchType = 'strategic-merge' | 'merge';

export interface CallOptions {
  body?: unknown;
  /** Of a PATCH; without it the body is a whole object. */
  patch?: PatchType;
  signal?: AbortSignal;
}

export interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: T;
}

/** The API server said no. `status` is the HTTP status, the message the server's own. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;

  constructor(what: string, status: number, answer: string) {
    super(`${what}: ${status} ${messageOf(answer)}`);
    this.status = status;
  }
}

/** The testbed's own way to an API server: a deadline on everything, and none of the operator's code, whose mistakes it must not share. */
export interface Api {
  readonly server: string;
  /** PEM of the authority in the kubeconfig. */
  readonly authority: string | undefined;
  /** The answer parsed if it is JSON, else its text. Throws `ApiError`, or the network's error. */
  call<T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, options?: CallOptions): Promise<T>;
  /** Ends when the server ends it (after `WATCH_SECONDS` if the path says so); throws when it breaks. */
  watch<T>(path: string, signal: AbortSignal): AsyncGenerator<WatchEvent<T>>;
  close(): void;
}

export function connect(kubeconfig: string): Api {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`${kubeconfig} has no current context that names a cluster`);
  const server = cluster.server.replace(/\/$/, '');
  const requests = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS });
  const watches = new Agent({ keepAlive: false });

  async function send(method: string, path: string, options: CallOptions, agent: Agent, deadlineMs: number): Promise<IncomingMessage> {
    const credentials: RequestOptions = {};
    await config.applyToHTTPSOptions(credentials); // each time: a token in a file may have been replaced
    const body = options.body === undefined ? undefined : JSON.stringify(options.body);
    const timeout = AbortSignal.timeout(deadlineMs);
    const call = request(server + path, {
      ...credentials,
      agent,
      method,
      headers: {
        ...credentials.headers,
        'user-agent': 'irsa-operator-testbed',
        ...(body === undefined ? {} : { 'content-type': contentType(options.patch), 'content-length': Buffer.byteLength(body) }),
      },
      signal: options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]),
    }).end(body);
    const [response]: IncomingMessage[] = await once(call, 'response');
    if (response === undefined) throw new Error(`${method} ${path}: no response`);
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299) throw new ApiError(`${method} ${server}${path}`, status, await text(response));
    return response;
  }

  return {
    server,
    authority: cluster.caData === undefined ? undefined : Buffer.from(cluster.caData, 'base64').toString(),

    async call<T>(method: string, path: string, options: CallOptions = {}) {
      const response = await send(method, path, options, requests, REQUEST_DEADLINE_MS);
      const answer = await text(response);
      return (JSON_TYPE.test(response.headers['content-type'] ?? '') ? JSON.parse(answer) : answer) as T;
    },

    async *watch<T>(path: string, signal: AbortSignal) {
      const response = await send('GET', path, { signal }, watches, WATCH_DEADLINE_MS);
      for await (const line of linesOf(response)) yield JSON.parse(line) as WatchEvent<T>;
    },

    close() {
      requests.destroy();
      watches.destroy();
    },
  };
}

/** Throws when the connection breaks; what follows the last line end is lost with it. */
async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of response.setEncoding('utf8')) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

function contentType(patch: PatchType | undefined): string {
  return patch === undefined ? 'application/json' : `application/${patch}-patch+json`;
}

/** The server answers with a `Status` object; something between us and it, with anything. */
function messageOf(answer: string): string {
  try {
    const { message } = JSON.parse(answer);
    return typeof message === 'string' ? message : answer;
  } catch {
    return answer;
  }
}

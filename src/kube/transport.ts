import { createHash } from 'node:crypto';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { Fault, isFault } from '../api/fault.ts';
import type { Clock, Random } from '../runtime/clock.ts';
import type { Connection, Endpoint } from './connection.ts';
import { type Answer, faultOf, unreachable } from './faults.ts';
import type { KubeMetrics } from './metrics.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface KubeRequest {
  readonly method: Method;
  /** Begins with a slash; names in it are escaped. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly deadlineMs?: number;
  /** What the answer is asked for as; JSON without it. */
  readonly accept?: string;
  /** An answer with more bytes is not read to its end. */
  readonly maxBytes?: number;
  /** Status codes whose `Retry-After` is the caller's business. */
  readonly noRetry?: readonly number[];
}

export interface TransportOptions {
  readonly connection: Connection;
  /** `irsa-operator/<version>`. */
  readonly userAgent: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: KubeMetrics;
  /** Of each call that has none of its own; `CALL_DEADLINE_MS` without it. */
  readonly deadlineMs?: number;
}

/** Every read and write ends within this time, waits for `Retry-After` included: long for the API server, short for a worker. */
export const CALL_DEADLINE_MS = 10_000;
/** etcd takes objects of 1.5 MiB, and JSON may have six bytes for one of them. */
export const MAX_ANSWER_BYTES = 16 * 2 ** 20;
/** The code of a fault: the answer has more bytes than the request allows. */
export const ANSWER_TOO_LARGE = 'AnswerTooLarge';
/** A watch is answered at once, or when the server's watch cache is warm. */
const WATCH_HEADERS_MS = 30_000;
/** A connection is made within this time, or the machine is not there. */
const CONNECT_MS = 5_000;
/** One busy worker each, and some. More connections would only queue in the API server's fair queueing instead of here. */
const CONNECTIONS = 8;
/** Well under the API server's 90 s, so that a connection is not closed there while we send on it. */
const IDLE_MS = 30_000;
/** Shorter than what load balancers cut silently (AWS: 60 s); client-go's value. */
const TCP_KEEPALIVE_MS = 30_000;
/** `Retry-After` counts whole seconds; all who were told the same must not come back at once. */
const RETRY_SPREAD_MS = 1_000;
/** A server that says "0" still wants a moment. */
const RETRY_MIN_MS = 200;

/** Calls that end. Whoever only reads and writes needs no more of the transport. */
export interface Requests {
  /** The body of a successful answer; throws `Fault` for any other, and the signal's reason when it is aborted. */
  request(request: KubeRequest, signal: AbortSignal): Promise<unknown>;
  /** The answer, also when it is a refusal; throws only when there is none. */
  exchange(request: KubeRequest, signal: AbortSignal): Promise<Answer>;
}

/** With its body as it was sent. */
interface TextAnswer extends Omit<Answer, 'body'> {
  readonly text: string;
  readonly bytes: number;
}

interface Agents {
  /** The last one that they were seen to be right for. */
  endpoint: Endpoint;
  readonly hash: string;
  readonly requests: Dispatcher;
  /** Apart from requests: a watch holds its connection for minutes. */
  readonly watches: Dispatcher;
  /** `requests`, where what is overdue when its turn comes is not sent. */
  readonly inTime: Dispatcher;
}

/** When its turn has come: why a request is not sent any more. */
interface InTime {
  readonly overdue?: () => Error | undefined;
}

/**
 * The one way to the API server. JSON passes through as it is (typed clients drop fields they do not know). Each call has a deadline, takes
 * a signal and throws `Fault`, or the signal's reason. Nothing is logged here, so that no body and no token can be.
 */
export class Transport implements Requests {
  readonly #o: TransportOptions;
  #agents: Agents | undefined;
  #lastTurn: Promise<unknown> = Promise.resolve();

  constructor(options: TransportOptions) {
    this.#o = options;
  }

  async request(request: KubeRequest, signal: AbortSignal): Promise<unknown> {
    const answer = await this.exchange(request, signal);
    if (answer.code >= 300) throw faultOf(`${request.method} ${request.path}`, answer);
    return answer.body;
  }

  async exchange(request: KubeRequest, signal: AbortSignal): Promise<Answer> {
    const { code, retryAfterMs, text } = await this.#exchange(request, signal);
    return { code, retryAfterMs, body: parsed(text) };
  }

  /**
   * For an answer that may be large: one at a time is parsed and worked through. As text many may wait, but parsed each takes ten times as much,
   * and side by side they would be done no sooner.
   */
  async exchangeInTurn<T>(request: KubeRequest, take: (answer: Answer, bytes: number) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { code, retryAfterMs, text, bytes } = await this.#exchange(request, signal);
    const turn = this.#lastTurn.then(() => take({ code, retryAfterMs, body: parsed(text) }, bytes));
    const over = () => {};
    this.#lastTurn = turn.then(over, over);
    return turn;
  }

  /** Waits as `Retry-After` asks, while the deadline allows it. */
  async #exchange(request: KubeRequest, signal: AbortSignal): Promise<TextAnswer> {
    const deadlineMs = request.deadlineMs ?? this.#o.deadlineMs ?? CALL_DEADLINE_MS;
    const end = this.#o.clock.monotonic() + deadlineMs;
    const bound = boundBy(signal, deadlineMs);
    const bounded = bound.signal;
    const what = `${request.method} ${request.path}`;
    let refreshed = false;
    let broken = false;
    try {
      for (;;) {
        let answer: TextAnswer;
        try {
          answer = await this.#once(request, bounded, end);
        } catch (error) {
          // A connection that was closed while idle is found out only by sending. What merely reads is sent once more.
          if (bounded.aborted || broken || request.method !== 'GET' || !isReset(error)) throw error;
          broken = true;
          continue;
        }
        if (answer.code === 401 && !refreshed) {
          refreshed = true;
          this.#o.connection.refresh();
          continue;
        }
        const wait = this.#retryDelay(request, answer);
        if (wait === undefined || this.#o.clock.monotonic() + wait >= end) return answer;
        const { url } = await this.#o.connection.endpoint();
        this.#o.metrics.retried(String(answer.code), request.method, new URL(url).host);
        await this.#o.clock.sleep(wait, bounded);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (isFault(error)) throw error;
      throw unreachable(what, bounded.aborted ? new Error(`not within ${deadlineMs / 1_000} s`) : error);
    } finally {
      bound.release();
    }
  }

  /** Resolves when the server has accepted the watch, with its chunks, which come for as long as it lasts. They must be read. */
  async open(request: KubeRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const what = `${request.method} ${request.path}`;
    const answer = await this.#send(request, signal, 'watches').catch((error: unknown) => {
      signal.throwIfAborted();
      throw unreachable(what, error);
    });
    if (answer.statusCode < 300) return chunksOf(what, answer, signal);
    const { text } = await textOf(what, answer, MAX_ANSWER_BYTES).catch(() => ({ text: '' }));
    if (answer.statusCode === 401) this.#o.connection.refresh();
    throw faultOf(what, { ...answerOf(answer), body: parsed(text) });
  }

  /** Ends every connection. What is under way fails. */
  async close(): Promise<void> {
    await Promise.all([this.#agents?.requests.destroy(), this.#agents?.watches.destroy()]);
  }

  async #once(request: KubeRequest, signal: AbortSignal, end: number): Promise<TextAnswer> {
    const answer = await this.#send(request, signal, 'inTime', end);
    return { ...answerOf(answer), ...(await textOf(`${request.method} ${request.path}`, answer, request.maxBytes ?? MAX_ANSWER_BYTES)) };
  }

  async #send(
    request: KubeRequest,
    signal: AbortSignal,
    lane: 'inTime' | 'watches',
    end = Number.POSITIVE_INFINITY,
  ): Promise<Dispatcher.ResponseData> {
    const { connection, clock, metrics, userAgent } = this.#o;
    const endpoint = await abortable(connection.endpoint(), signal); // an exec plugin may hang
    // A process that was frozen and wakes looks at sockets and at each timer in turn: an answer, a free connection or the end of a wait for
    // `Retry-After` may come before the deadline is noticed.
    const overdue = () => (clock.monotonic() >= end ? new Error('its time was over before it was sent') : undefined);
    const url = new URL(endpoint.url + request.path);
    for (const [name, value] of Object.entries(request.query ?? {})) if (value !== undefined) url.searchParams.set(name, value);
    const began = clock.monotonic();
    const count = (code: string) => metrics.requested(code, request.method, url.host, (clock.monotonic() - began) / 1_000);
    const agents = this.#agentsFor(endpoint);
    const options: Dispatcher.RequestOptions & InTime = {
      origin: url.origin,
      path: url.pathname + url.search,
      method: request.method,
      headers: {
        ...endpoint.headers,
        accept: request.accept ?? 'application/json',
        'user-agent': userAgent,
        ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
      },
      body: request.body === undefined ? null : JSON.stringify(request.body),
      signal,
      headersTimeout: lane === 'watches' ? WATCH_HEADERS_MS : 0, // requests have their deadline
      bodyTimeout: 0, // and watches their watchdog
      overdue,
    };
    try {
      const answer = await agents[lane].request(options);
      count(String(answer.statusCode));
      return answer;
    } catch (error) {
      count('<error>'); // client-go's word
      // A new CA, or a new certificate of ours, may lie in the files already.
      if (isCertificate(error)) connection.refresh();
      throw error;
    }
  }

  /** New credentials or a new CA get new connections; what is under way on the old ones ends there. */
  #agentsFor(endpoint: Endpoint): Agents {
    const old = this.#agents;
    if (old?.endpoint === endpoint) return old;
    const { tls, proxy } = endpoint;
    const hash = createHash('sha256')
      .update(JSON.stringify([tls, proxy]))
      .digest('base64');
    if (old?.hash === hash) {
      old.endpoint = endpoint;
      return old;
    }
    const requests = newAgent(endpoint, CONNECTIONS);
    this.#agents = { endpoint, hash, requests, watches: newAgent(endpoint, null), inTime: requests.compose(unlessOverdue) };
    void old?.requests.close();
    void old?.watches.close();
    return this.#agents;
  }

  #retryDelay(request: KubeRequest, answer: TextAnswer): number | undefined {
    if (answer.retryAfterMs === undefined || (answer.code !== 429 && answer.code !== 503)) return undefined;
    if (request.noRetry?.includes(answer.code)) return undefined;
    return Math.max(answer.retryAfterMs, RETRY_MIN_MS) + this.#o.random() * RETRY_SPREAD_MS;
  }
}

/** A request waits in undici until a connection is free; whether it may still be sent is asked when its turn has come. */
const unlessOverdue: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options: Dispatcher.DispatchOptions & InTime, handler) => {
  const start = handler.onRequestStart?.bind(handler);
  handler.onRequestStart = (controller, context) => {
    start?.(controller, context);
    const error = options.overdue?.();
    if (error !== undefined) controller.abort(error);
  };
  return dispatch(options, handler);
};

/** `AbortSignal.any` with a time-out, for a call that says when it is over: the runtime has nothing to keep for it then. */
function boundBy(signal: AbortSignal, deadlineMs: number): { readonly signal: AbortSignal; release(): void } {
  const bound = new AbortController();
  const abort = () => bound.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(() => bound.abort(new DOMException(`not within ${deadlineMs / 1_000} s`, 'TimeoutError')), deadlineMs);
  return {
    signal: bound.signal,
    release() {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    },
  };
}

/** `signal` is of this call alone: nothing is left on it that outlives the call. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([promise, aborted]);
}

async function* chunksOf(what: string, answer: Dispatcher.ResponseData, signal: AbortSignal): AsyncIterable<Uint8Array> {
  try {
    for await (const chunk of answer.body) yield chunk as Uint8Array;
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(what, error);
  } finally {
    answer.body.destroy();
  }
}

function newAgent({ tls, proxy }: Endpoint, connections: number | null): Dispatcher {
  const options = {
    // undici speaks HTTP/2 unless told otherwise; there one slow stream can hold up the others of its session.
    allowH2: false,
    connections,
    keepAliveTimeout: IDLE_MS,
  };
  const connect = { timeout: CONNECT_MS, keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS };
  if (proxy === undefined) return new Agent({ ...options, connect: { ...tls, ...connect } });
  if (!/^https?:/.test(proxy)) throw new Error(`proxy-url "${proxy}" of the kubeconfig: only http and https proxies can be used`);
  return new ProxyAgent({ ...options, uri: proxy, requestTls: { ...tls, ...connect } });
}

/** The body, if it is not too large. */
async function textOf(what: string, answer: Dispatcher.ResponseData, maxBytes: number): Promise<Pick<TextAnswer, 'text' | 'bytes'>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Fault('transient', `the answer to ${what} has more than ${maxBytes} bytes`, { code: ANSWER_TOO_LARGE });
  }
  return { text: Buffer.concat(chunks).toString('utf8'), bytes };
}

function answerOf(answer: Dispatcher.ResponseData): Omit<Answer, 'body'> {
  const seconds = Number(answer.headers['retry-after'] ?? Number.NaN); // the API server never sends a date
  return {
    code: answer.statusCode,
    retryAfterMs: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined,
  };
}

/** JSON, or the text itself (a proxy's page, `404 page not found`). */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const RESETS: readonly (string | undefined)[] = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'];

function isReset(error: unknown): boolean {
  return error instanceof Error && RESETS.includes((error as Error & { code?: string }).code);
}

/** What TLS found wrong with a certificate: OpenSSL's verification errors (`CERT_HAS_EXPIRED`, `SELF_SIGNED_CERT_IN_CHAIN`, ...) and alerts. */
function isCertificate(error: unknown): boolean {
  const { code } = error instanceof Error ? (error as Error & { code?: unknown }) : { code: undefined };
  return typeof code === 'string' && /CERT|SIGNATURE|^ERR_SSL_/.test(code);
}

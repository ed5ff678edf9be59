import { type ClientRequest, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/** `HTTPS_PROXY`, `NO_PROXY` and the like, as the environment has them. Node reads them (https://nodejs.org/api/http.html#built-in-proxy-support). */
export type ProxyVariables = Readonly<Partial<Record<(typeof PROXY_VARIABLES)[number], string>>>;
export const PROXY_VARIABLES = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'] as const;

interface Agents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

/** Connections for one client, through the proxy that the environment names. No request waits for another's connection: that is the limiter's work. */
export function agents(proxy: ProxyVariables): Agents {
  const options = { keepAlive: true, proxyEnv: proxy };
  return { httpAgent: new HttpAgent(options), httpsAgent: new HttpsAgent(options) };
}

/**
 * The same, on which nothing is sent without leave, asked when the connection is there: credentials, DNS, a proxy, TCP and TLS may take long, and a
 * process that was frozen meanwhile sees its socket before its timers.
 */
export function fencedAgents(mayStillSend: () => void, proxy: ProxyVariables): Agents {
  const { httpAgent, httpsAgent } = agents(proxy);
  return { httpAgent: fenced(httpAgent, 'connect', mayStillSend), httpsAgent: fenced(httpsAgent, 'secureConnect', mayStillSend) };
}

type Done = (error: Error | null, socket?: Duplex) => void;
/** The step of Node's agents that also knows of tunnels: it is done when the one through a proxy stands, and else when the connection begins. */
interface Connecting {
  createSocket(request: ClientRequest, options: object, done: Done): void;
}

function fenced<Kind extends HttpAgent>(agent: Kind, connected: 'connect' | 'secureConnect', mayStillSend: () => void): Kind {
  const connecting = agent as Kind & Connecting;
  const connect = connecting.createSocket.bind(agent);
  const reuse = agent.reuseSocket.bind(agent);
  connecting.createSocket = (request, options, done) =>
    connect(request, options, (error, socket) => {
      if (error !== null || socket === undefined) return done(error, socket);
      const failed = (why: Error) => {
        socket.destroy();
        done(why);
      };
      const stands = () => {
        socket.off('error', failed);
        const refusal = refusalOf(mayStillSend);
        if (refusal === undefined) done(null, socket);
        else failed(refusal);
      };
      socket.once('error', failed);
      if (isConnected(socket)) stands();
      else socket.once(connected, stands);
    });
  agent.reuseSocket = (socket, request: ClientRequest) => {
    reuse(socket, request);
    const refusal = refusalOf(mayStillSend);
    if (refusal !== undefined) request.destroy(refusal);
  };
  return agent;
}

/** A tunnel comes when its TLS handshake is over: then our last message of it was sent. */
function isConnected(socket: Duplex): boolean {
  return socket instanceof TLSSocket && socket.getFinished() !== undefined;
}

function refusalOf(mayStillSend: () => void): Error | undefined {
  try {
    mayStillSend();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

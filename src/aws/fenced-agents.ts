import { type Agent, type ClientRequest, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';

/**
 * Connections on which nothing is sent without leave, asked when the connection is there: credentials, DNS, TCP and TLS may take long, and a
 * process that was frozen meanwhile sees its socket before its timers. No request waits for another's connection: that is the limiter's work.
 */
export function fencedAgents(mayStillSend: () => void): { readonly httpAgent: HttpAgent; readonly httpsAgent: HttpsAgent } {
  return {
    httpAgent: fenced(new HttpAgent({ keepAlive: true }), 'connect', mayStillSend),
    httpsAgent: fenced(new HttpsAgent({ keepAlive: true }), 'secureConnect', mayStillSend),
  };
}

function fenced<Kind extends Agent>(agent: Kind, connected: 'connect' | 'secureConnect', mayStillSend: () => void): Kind {
  const connect = agent.createConnection.bind(agent);
  const reuse = agent.reuseSocket.bind(agent);
  agent.createConnection = (options, done) => {
    const socket = connect(options) as Duplex;
    const failed = (error: Error) => {
      socket.destroy();
      done?.(error, socket);
    };
    socket.once('error', failed);
    socket.once(connected, () => {
      socket.off('error', failed);
      const refusal = refusalOf(mayStillSend);
      if (refusal === undefined) done?.(null, socket);
      else failed(refusal);
    });
    return undefined; // the socket comes by `done`, as Node's documentation allows
  };
  agent.reuseSocket = (socket, request: ClientRequest) => {
    reuse(socket, request);
    const refusal = refusalOf(mayStillSend);
    if (refusal !== undefined) request.destroy(refusal);
  };
  return agent;
}

function refusalOf(mayStillSend: () => void): Error | undefined {
  try {
    mayStillSend();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

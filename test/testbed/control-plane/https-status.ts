import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';

/** A server that has just bound its port may take the connection and not answer yet: the next probe asks again. */
const PROBE_DEADLINE_MS = 5_000;

/** The status of a GET, after the server proved by its certificate that it is ours, and not another testbed's on a port that we lost. */
export async function httpsStatus(url: string, authority: string, signal: AbortSignal): Promise<number | undefined> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(PROBE_DEADLINE_MS)]);
  const call = request(url, { ca: authority, agent: false, signal: deadline }).end();
  const [response]: IncomingMessage[] = await once(call, 'response');
  response?.resume();
  return response?.statusCode;
}

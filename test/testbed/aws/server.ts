import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { AwsError } from './aws-error.ts';
import { ConnectionReset, perform } from './cloud.ts';
import { accountOfKey, identify } from './credentials.ts';
import type { JournalEntry } from './journal.ts';
import { ANONYMOUS } from './operation.ts';
import type { SignableRequest } from './signature/signature.ts';
import { accessKeyIdIn } from './signature/verify.ts';
import { UNSIGNED } from './sts/index.ts';
import { type Request, readRequest } from './wire.ts';
import type { World } from './world.ts';

/** Above the largest policy document that the API model admits (131,072 characters), form-encoded. */
const MAX_BODY_BYTES = 1_000_000;

export function createAwsServer(world: World, journal: JournalEntry[]): Server {
  return createServer((incoming, outgoing) => {
    respond(world, journal, incoming, outgoing).catch((error: unknown) => {
      if (error instanceof ConnectionReset) {
        incoming.socket.resetAndDestroy();
        return;
      }
      if (outgoing.destroyed) return; // the caller no longer waits: nobody is there to answer
      // Nothing of the caller's doing: the double itself is broken, and a test must not mistake that for an answer of AWS.
      console.error('the AWS double failed', error);
      outgoing.writeHead(500).end();
    });
  });
}

async function respond(world: World, journal: JournalEntry[], incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const body = await readBody(incoming);
  const request = readRequest(incoming, body);
  if (request === undefined) {
    outgoing.writeHead(404, { 'content-type': 'text/plain' }).end(`the AWS double has no ${incoming.method} ${incoming.url}`);
    return;
  }
  const { service, operation, params } = request;
  const requestId = randomUUID();
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort(new Error('the caller no longer waits')));
  const reply = await answer(request, requestId, () =>
    perform(world, journal, {
      account: accountOfKey(world, accessKeyIdIn(incoming.headers.authorization)),
      service,
      operation,
      params,
      identify: (at) => (UNSIGNED.has(operation) ? ANONYMOUS : identify(world, signable(incoming, body), service, at)),
      requestId,
      sourceIp: (incoming.socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
      userAgent: incoming.headers['user-agent'] ?? '',
      signal: gone.signal,
    }),
  );
  outgoing
    .writeHead(reply.status, { 'content-type': request.contentType, 'x-amzn-requestid': requestId, ...reply.headers })
    .end(reply.body);
}

type Reply = { status: number; headers: Record<string, string>; body: string };

async function answer(request: Request, requestId: string, run: () => ReturnType<typeof perform>): Promise<Reply> {
  try {
    return { status: 200, headers: {}, body: request.succeed(await run(), requestId) };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return { status: error.status, headers: request.failureHeaders?.(error) ?? {}, body: request.fail(error, requestId) };
  }
}

/** A header that came twice is one with both values, in their order. */
function signable(incoming: IncomingMessage, body: string): SignableRequest {
  const headers = new Map(Object.entries(incoming.headersDistinct).map(([name, values = []]) => [name, values.join(',')]));
  return { method: incoming.method ?? '', url: incoming.url ?? '', headers, body };
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error(`a request of more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

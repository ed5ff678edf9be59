import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { authorize } from './authorize.ts';
import { AwsError } from './aws-error.ts';
import { identify } from './credentials.ts';
import { type JournalEntry, journalParams } from './journal.ts';
import { ANONYMOUS } from './operation.ts';
import { UNSIGNED } from './sts/index.ts';
import { readRequest } from './wire.ts';
import type { World } from './world.ts';

/** Above the largest policy document that the API model admits (131,072 characters), form-encoded. */
const MAX_BODY_BYTES = 1_000_000;

export function createAwsServer(world: World, record: (entry: JournalEntry) => void): Server {
  return createServer((incoming, outgoing) => {
    respond(world, record, incoming, outgoing).catch((error: unknown) => {
      // Nothing of the caller's doing: the double itself is broken, and a test must not mistake that for an answer of AWS.
      console.error('the AWS double failed', error);
      outgoing.writeHead(500).end();
    });
  });
}

async function respond(
  world: World,
  record: (entry: JournalEntry) => void,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const requestId = randomUUID();
  const request = readRequest(incoming, await readBody(incoming));
  if (request === undefined) {
    outgoing.writeHead(404, { 'content-type': 'text/plain' }).end(`the AWS double has no ${incoming.method} ${incoming.url}`);
    return;
  }
  const at = world.now();
  const userAgent = incoming.headers['user-agent'] ?? '';
  let caller = ANONYMOUS;
  let reply: { status: number; code: string; body: string };
  try {
    if (!UNSIGNED.has(request.operation)) caller = identify(world, incoming.headers);
    authorize({ caller, service: request.service, operation: request.operation });
    const sourceIp = (incoming.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
    const answer = await request.run({ world, params: request.params, caller, at, sourceIp, userAgent });
    reply = { status: 200, code: 'OK', body: request.succeed(answer, requestId) };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    reply = { status: error.status, code: error.code, body: request.fail(error, requestId) };
    // REST JSON has the code in a header, the query protocol in the body.
    if (request.service === 'eks') outgoing.setHeader('x-amzn-errortype', error.code);
  }
  const { service, operation, params } = request;
  const account = caller.accountId || (/^arn:[^:]*:iam::(\d{12}):/.exec(params.get('RoleArn') ?? '')?.[1] ?? '');
  record({ at, account, caller: caller.arn, service, operation, params: journalParams(params), code: reply.code, requestId, userAgent });
  outgoing.writeHead(reply.status, { 'content-type': request.contentType, 'x-amzn-requestid': requestId }).end(reply.body);
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

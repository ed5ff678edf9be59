import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { authorize } from './authorize.ts';
import { AwsError } from './aws-error.ts';
import { identify } from './credentials.ts';
import { describeCluster } from './eks.ts';
import { IAM_OPERATIONS } from './iam/index.ts';
import { type JournalEntry, journalParams } from './journal.ts';
import { ANONYMOUS, type Answer, type Operation } from './operation.ts';
import { STS_OPERATIONS, UNSIGNED } from './sts/index.ts';
import type { World } from './world.ts';
import { answerXml, errorXml } from './xml.ts';

/** Above the largest policy document that the API model admits (131,072 characters), form-encoded. */
const MAX_BODY_BYTES = 1_000_000;

/** The services of the query protocol, by the `Version` that their clients send. */
const QUERY_SERVICES = {
  '2010-05-08': { service: 'iam', namespace: 'https://iam.amazonaws.com/doc/2010-05-08/', operations: IAM_OPERATIONS },
  '2011-06-15': { service: 'sts', namespace: 'https://sts.amazonaws.com/doc/2011-06-15/', operations: STS_OPERATIONS },
} as const;

/** A request taken off the wire, and how its answer goes back on. */
interface Request {
  readonly service: JournalEntry['service'];
  readonly operation: string;
  readonly params: ReadonlyMap<string, string>;
  readonly run: Operation;
  readonly succeed: (answer: Answer | undefined, requestId: string) => string;
  readonly fail: (error: AwsError, requestId: string) => string;
  readonly contentType: string;
}

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
  const request = read(incoming, await readBody(incoming));
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

function read(incoming: IncomingMessage, body: string): Request | undefined {
  return incoming.method === 'POST' ? readQuery(body) : readEks(incoming);
}

function readQuery(body: string): Request | undefined {
  const params = new Map(new URLSearchParams(body));
  const operation = params.get('Action') ?? '';
  const version = params.get('Version') ?? '';
  if (!isQueryVersion(version)) return undefined;
  params.delete('Action');
  params.delete('Version');
  const { service, namespace, operations } = QUERY_SERVICES[version];
  return {
    service,
    operation,
    params,
    run: operations.get(operation) ?? noSuchOperation(operation, version),
    succeed: (answer, requestId) => answerXml({ namespace, operation, requestId }, answer),
    fail: (error, requestId) => errorXml(namespace, requestId, error),
    contentType: 'text/xml',
  };
}

function isQueryVersion(version: string): version is keyof typeof QUERY_SERVICES {
  return Object.hasOwn(QUERY_SERVICES, version);
}

const noSuchOperation =
  (operation: string, version: string): Operation =>
  () => {
    throw new AwsError('InvalidAction', 400, `Could not find operation ${operation} for version ${version}`);
  };

/** EKS speaks REST and JSON: `GET /clusters/NAME`. */
function readEks(incoming: IncomingMessage): Request | undefined {
  const name = /^\/clusters\/([^/?]+)$/.exec(incoming.url ?? '')?.[1];
  if (incoming.method !== 'GET' || name === undefined) return undefined;
  return {
    service: 'eks',
    operation: 'DescribeCluster',
    params: new Map([['name', decodeURIComponent(name)]]),
    run: describeCluster,
    succeed: (answer) => JSON.stringify(answer),
    fail: (error) => JSON.stringify({ message: error.message }),
    contentType: 'application/json',
  };
}

import type { IncomingMessage } from 'node:http';
import { AwsError } from './aws-error.ts';
import { describeCluster } from './eks.ts';
import { IAM_OPERATIONS } from './iam/index.ts';
import type { JournalEntry } from './journal.ts';
import type { Answer, Operation } from './operation.ts';
import { STS_OPERATIONS } from './sts/index.ts';
import { answerXml, errorXml } from './xml.ts';

/** The services of the query protocol, by the `Version` that their clients send. */
const QUERY_SERVICES = {
  '2010-05-08': { service: 'iam', namespace: 'https://iam.amazonaws.com/doc/2010-05-08/', operations: IAM_OPERATIONS },
  '2011-06-15': { service: 'sts', namespace: 'https://sts.amazonaws.com/doc/2011-06-15/', operations: STS_OPERATIONS },
} as const;

/** A request taken off the wire, and how its answer goes back on. */
export interface Request {
  readonly service: JournalEntry['service'];
  readonly operation: string;
  readonly params: ReadonlyMap<string, string>;
  readonly run: Operation;
  readonly succeed: (answer: Answer | undefined, requestId: string) => string;
  readonly fail: (error: AwsError, requestId: string) => string;
  readonly contentType: string;
}

/** Undefined for what is no call of AWS. */
export function readRequest(incoming: IncomingMessage, body: string): Request | undefined {
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

import type { IncomingMessage } from 'node:http';
import type { AwsError } from './aws-error.ts';
import type { JournalEntry } from './journal.ts';
import type { Answer } from './operation.ts';
import { answerXml, errorXml } from './xml.ts';

/** The services of the query protocol, by the `Version` that their clients send. */
const QUERY_SERVICES = {
  '2010-05-08': { service: 'iam', namespace: 'https://iam.amazonaws.com/doc/2010-05-08/' },
  '2011-06-15': { service: 'sts', namespace: 'https://sts.amazonaws.com/doc/2011-06-15/' },
} as const;

/** A request taken off the wire, and how its answer goes back on. */
export interface Request {
  readonly service: JournalEntry['service'];
  readonly operation: string;
  readonly params: ReadonlyMap<string, string>;
  readonly succeed: (answer: Answer | undefined, requestId: string) => string;
  readonly fail: (error: AwsError, requestId: string) => string;
  readonly contentType: string;
  /** Besides the content type. */
  readonly failureHeaders?: (error: AwsError) => Record<string, string>;
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
  const { service, namespace } = QUERY_SERVICES[version];
  return {
    service,
    operation,
    params,
    succeed: (answer, requestId) => answerXml({ namespace, operation, requestId }, answer),
    fail: (error, requestId) => errorXml(namespace, requestId, error),
    contentType: 'text/xml',
  };
}

function isQueryVersion(version: string): version is keyof typeof QUERY_SERVICES {
  return Object.hasOwn(QUERY_SERVICES, version);
}

/** EKS speaks REST and JSON: `GET /clusters/NAME`. */
function readEks(incoming: IncomingMessage): Request | undefined {
  const name = /^\/clusters\/([^/?]+)$/.exec(incoming.url ?? '')?.[1];
  if (incoming.method !== 'GET' || name === undefined) return undefined;
  return {
    service: 'eks',
    operation: 'DescribeCluster',
    params: new Map([['name', decodeURIComponent(name)]]),
    succeed: (answer) => JSON.stringify(answer),
    fail: (error) => JSON.stringify({ message: error.message }),
    contentType: 'application/json',
    failureHeaders: (error) => ({ 'x-amzn-errortype': restCode(error.code) }),
  };
}

/** The errors that all services share have other names in REST JSON than in the query protocol (EKS API reference, "Common Errors"). */
const REST_CODES: Readonly<Record<string, string>> = {
  AccessDenied: 'AccessDeniedException',
  ExpiredToken: 'ExpiredTokenException',
  IncompleteSignature: 'IncompleteSignatureException',
  InvalidClientTokenId: 'UnrecognizedClientException',
  MissingAuthenticationToken: 'MissingAuthenticationTokenException',
  ServiceFailure: 'ServerException',
  ServiceUnavailable: 'ServiceUnavailableException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
  Throttling: 'ThrottlingException',
};

function restCode(code: string): string {
  return REST_CODES[code] ?? code;
}

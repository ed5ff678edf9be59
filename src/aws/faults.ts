import { Fault, type FaultKind } from '../api/fault.ts';

/**
 * Codes of IAM, STS and EKS as they come on the wire; the SDK's classes carry some of them with the suffix `Exception` (modelled errors of
 * client-iam). What is not here is transient, and retried: 5xx, the network, and all that is about our own credentials or clock
 * (ExpiredToken, InvalidClientTokenId, SignatureDoesNotMatch, CredentialsProviderError, ...), which says nothing about what was asked for.
 */
const KINDS: Readonly<Record<string, FaultKind>> = {
  NoSuchEntity: 'notFound',
  ResourceNotFound: 'notFound',
  AccessDenied: 'denied',
  RegionDisabled: 'denied',
  Throttling: 'throttled',
  Throttled: 'throttled',
  RequestThrottled: 'throttled',
  TooManyRequests: 'throttled',
  RequestLimitExceeded: 'throttled',
  PriorRequestNotComplete: 'throttled',
  SlowDown: 'throttled',
  ConcurrentModification: 'conflict',
  EntityAlreadyExists: 'conflict',
  EntityTemporarilyUnmodifiable: 'conflict',
  MalformedPolicyDocument: 'invalid',
  LimitExceeded: 'invalid',
  UnmodifiableEntity: 'invalid',
  InvalidInput: 'invalid',
  InvalidParameter: 'invalid',
  ValidationError: 'invalid',
};
const TOO_MANY_REQUESTS = 429;

/** The codes of AWS that are of this kind, as the metrics have them. */
export function codesOf(kind: FaultKind): string[] {
  return Object.keys(KINDS).filter((code) => KINDS[code] === kind);
}

/** Classifies what the SDK threw, once. `what` says what was asked, for example `iam:GetRole of "arn:..."`. */
export function faultOf(error: unknown, what: string): Fault {
  if (error instanceof Fault) return error;
  const { name, message } = error instanceof Error ? nameAndMessage(error) : { name: 'Error', message: String(error) };
  const code = name.replace(/Exception$/, '');
  // Our own credentials were refused on the way to the call: the SDK throws what STS said about them.
  if (code === 'AccessDenied' && !what.startsWith('sts:') && message.includes('sts:AssumeRole')) {
    const told = withoutWords(`${what}: no credentials: ${code}`);
    return new Fault('transient', `${what}: no credentials: ${code}: ${message}`, { code: 'OwnCredentials', cause: error, told });
  }
  const kind = KINDS[code] ?? (statusOf(error) === TOO_MANY_REQUESTS ? 'throttled' : 'transient');
  const told = kind === 'denied' ? { told: withoutWords(`${what}: ${code}`) } : {};
  return new Fault(kind, `${what}: ${code}: ${withoutPassword(message)}`, { code, cause: error, ...told });
}

/** AWS's own words on what is denied name the caller, and what was asked for by its real ARN, path included. Tenants need neither. */
function withoutWords(asked: string): string {
  return `${asked}, see the log of irsa-operator`;
}

/** A URL of a proxy may hold one, and a fault is told in logs and statuses. */
function withoutPassword(message: string): string {
  return message.replace(/(https?:\/\/)[^/@\s]+@/g, '$1');
}

/** What Node's network throws is an `Error` with the cause in `code` (ECONNREFUSED, ENOTFOUND, ...), or one of several, for each address. */
function nameAndMessage(error: Error): { name: string; message: string } {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return nameAndMessage(error.errors[0]);
  const { name, message } = error;
  return { name: name === 'Error' && 'code' in error ? String(error.code) : name, message };
}

function statusOf(error: unknown): number | undefined {
  const { $metadata } = Object(error) as { $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}

import { Fault, type FaultKind } from '../api/fault.ts';

/** Codes of IAM, STS and EKS as they come on the wire; the SDK's classes carry some of them with the suffix `Exception` (modelled errors of client-iam). */
const KINDS: Readonly<Record<string, FaultKind>> = {
  NoSuchEntity: 'notFound',
  ResourceNotFound: 'notFound',
  AccessDenied: 'denied',
  InvalidClientTokenId: 'denied',
  UnrecognizedClient: 'denied',
  MissingAuthenticationToken: 'denied',
  SignatureDoesNotMatch: 'denied',
  CredentialsProviderError: 'denied',
  Throttling: 'throttled',
  TooManyRequests: 'throttled',
  RequestLimitExceeded: 'throttled',
  ConcurrentModification: 'conflict',
  MalformedPolicyDocument: 'invalid',
  LimitExceeded: 'invalid',
  UnmodifiableEntity: 'invalid',
  InvalidInput: 'invalid',
  ValidationError: 'invalid',
};

/** Classifies what the SDK threw, once. `what` says what was asked, for example `iam:GetRole of "arn:..."`. */
export function faultOf(error: unknown, what: string): Fault {
  if (error instanceof Fault) return error;
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  // What Node's network throws is an `Error` with the cause in `code`: ECONNREFUSED, ENOTFOUND, ...
  const cause = name === 'Error' && error instanceof Error && 'code' in error ? String(error.code) : name;
  const code = cause.replace(/Exception$/, '');
  const kind = KINDS[code] ?? 'transient';
  return new Fault(kind, `${what}: ${code}: ${message}`, { code, cause: error });
}

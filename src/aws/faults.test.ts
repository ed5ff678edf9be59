import { NoSuchEntityException } from '@aws-sdk/client-iam';
import { describe, expect, test } from 'vitest';
import { Fault, type FaultKind } from '../api/fault.ts';
import { faultOf } from './faults.ts';

/** What AWS says, in every form in which it comes: codes of the wire, and of the SDK's classes. */
const kinds: Record<string, FaultKind> = {
  // GetRole, UpdateAssumeRolePolicy, providers: modelled
  NoSuchEntity: 'notFound',
  MalformedPolicyDocument: 'invalid',
  LimitExceeded: 'invalid',
  UnmodifiableEntity: 'invalid',
  InvalidInput: 'invalid',
  ServiceFailure: 'transient',
  ConcurrentModification: 'conflict',
  EntityAlreadyExists: 'conflict',
  OpenIdIdpCommunicationError: 'transient',
  // Everywhere, modelled nowhere
  AccessDenied: 'denied',
  Throttling: 'throttled',
  ServiceUnavailable: 'transient',
  InternalFailure: 'transient',
  ValidationError: 'invalid',
  // Of our own credentials and clock: says nothing about what was asked for
  InvalidClientTokenId: 'transient',
  UnrecognizedClient: 'transient',
  ExpiredToken: 'transient',
  RequestExpired: 'transient',
  SignatureDoesNotMatch: 'transient',
  CredentialsProviderError: 'transient',
  // EKS
  ResourceNotFound: 'notFound',
  InvalidParameter: 'invalid',
  TooManyRequests: 'throttled',
  Server: 'transient',
  // STS
  RegionDisabled: 'denied',
  // Ours and the SDK's
  TimeoutError: 'transient',
  AbortError: 'transient',
  SomethingNew: 'transient',
};
describe('the kind of', () => {
  for (const [code, kind] of Object.entries(kinds)) {
    for (const name of [code, `${code}Exception`]) {
      test(`${name} is ${kind}`, () => {
        const fault = faultOf(Object.assign(new Error('told'), { name }), 'iam:GetRole of role "x"');
        expect({ ...fault, message: fault.message, cause: undefined }).toEqual({
          name: 'Fault',
          kind,
          code,
          retryAfterMs: undefined,
          message: `iam:GetRole of role "x": ${code}: told`,
          told: `iam:GetRole of role "x": ${code}${kind === 'denied' ? ', see the log of irsa-operator' : ': told'}`,
          cause: undefined,
        });
      });
    }
  }
});

test('an error of the SDK’s own class is known by its name', () => {
  const error = new NoSuchEntityException({ message: 'no such role', $metadata: {} });
  expect(faultOf(error, 'x')).toMatchObject({ kind: 'notFound', code: 'NoSuchEntity', cause: error });
});

test('a status of 429 is throttling, whatever the code', () => {
  expect(faultOf(Object.assign(new Error('slow'), { name: 'Odd', $metadata: { httpStatusCode: 429 } }), 'x').kind).toBe('throttled');
});

test('of the network the reason is told, and of several addresses the first one’s', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED ::1:443'), { code: 'ECONNREFUSED' });
  expect(faultOf(refused, 'x')).toMatchObject({ kind: 'transient', code: 'ECONNREFUSED' });
  const all = faultOf(new AggregateError([refused], ''), 'x');
  expect([all.code, all.message]).toEqual(['ECONNREFUSED', 'x: ECONNREFUSED: connect ECONNREFUSED ::1:443']);
});

test('what is a fault already stays as it is, and what is no error is told all the same', () => {
  const fault = new Fault('conflict', 'told');
  expect(faultOf(fault, 'x')).toBe(fault);
  expect(faultOf('odd', 'x').message).toBe('x: Error: odd');
});

test('that our own role may not be assumed says nothing about the role that was asked for', () => {
  const refused = Object.assign(new Error('Not authorized to perform sts:AssumeRoleWithWebIdentity'), { name: 'AccessDenied' });
  expect(faultOf(refused, 'iam:GetRole of role "x"')).toMatchObject({
    kind: 'transient',
    message: 'iam:GetRole of role "x": no credentials: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity',
  });
  expect(faultOf(refused, 'sts:AssumeRoleWithWebIdentity of role "x"').kind).toBe('denied');
});

const OPERATOR = 'arn:aws:sts::111122223333:assumed-role/irsa-operator/session';
const deniedTo = (action: string) =>
  Object.assign(new Error(`User: ${OPERATOR} is not authorized to perform: ${action} on resource: ${REAL_ARN}`), { name: 'AccessDenied' });
const REAL_ARN = 'arn:aws:iam::111122223333:role/security/breakglass/x';
const WITHOUT_ARNS: Record<string, readonly [action: string, told: string]> = {
  'a denied call': ['iam:GetRole', 'iam:GetRole of role "x": AccessDenied, see the log of irsa-operator'],
  'a role that may not be assumed on the way': [
    'sts:AssumeRole',
    'iam:GetRole of role "x": no credentials: AccessDenied, see the log of irsa-operator',
  ],
};
for (const [what, [action, told]] of Object.entries(WITHOUT_ARNS))
  test(`of ${what} the log has AWS's words, which name the caller and the real ARN, and a status does not`, () => {
    const fault = faultOf(deniedTo(action), 'iam:GetRole of role "x"');
    for (const text of [OPERATOR, REAL_ARN]) expect(fault.message).toContain(text);
    expect(fault.told).toBe(told);
  });
test('of every other fault a status has the words of AWS', () => {
  const fault = faultOf(Object.assign(new Error('Rate exceeded'), { name: 'Throttling' }), 'iam:GetRole of role "x"');
  expect(fault.told).toBe(fault.message);
});

test('the password of a proxy is told to nobody', () => {
  const error = new Error('Failed to establish tunnel via http://me:s3cret@proxy.example:3128/ and https://token@other: 407');
  expect(faultOf(error, 'iam:ListRoles').message).toBe(
    'iam:ListRoles: Error: Failed to establish tunnel via http://proxy.example:3128/ and https://other: 407',
  );
});

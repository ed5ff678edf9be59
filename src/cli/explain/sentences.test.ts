import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FINDINGS, type FindingCode } from '../../api/finding.ts';
import { sentenceIn } from './scan.ts';
import { SENTENCES } from './sentences.ts';

const CANARY = 'token=CANARY';
const NOT_AUTHORIZED = 'Not authorized to perform sts:AssumeRoleWithWebIdentity';
const ISSUER = 'https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF';
const NO_PROVIDER = `No OpenIDConnect provider found in your account for ${ISSUER}`;
const NO_KEY =
  "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";
const codesOf = (line: string): FindingCode[] => sentenceIn(line)?.sentence.candidates.flatMap(({ codes }) => codes) ?? [];

/** Lines in the form in which each SDK wraps the answer of STS (public issues of the SDKs), what is shown, and one candidate. */
const WRAPPED: Record<string, [line: string, shown: string, candidate: FindingCode | undefined]> = {
  'Go, version 1': [
    `WebIdentityErr: failed to retrieve credentials\\ncaused by: AccessDenied: ${NOT_AUTHORIZED}\\n\\tstatus code: 403, request id: 1-2`,
    `AccessDenied: ${NOT_AUTHORIZED}`,
    'TrustSubjectMismatch',
  ],
  'Go, version 2': [
    `operation error S3: ListBuckets, get identity: get credentials: failed to refresh cached credentials, failed to retrieve credentials, operation error STS: AssumeRoleWithWebIdentity, https response error StatusCode: 400, RequestID: 1-2, InvalidIdentityToken: ${NO_PROVIDER}`,
    NO_PROVIDER,
    'OidcProviderMissing',
  ],
  'Go, version 2, without a role': [
    'operation error S3: ListBuckets, get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, request canceled, context deadline exceeded',
    'no EC2 IMDS role found',
    'PodCredentialsMissing',
  ],
  'Java, version 1': [
    `com.amazonaws.services.securitytoken.model.AWSSecurityTokenServiceException: ${NOT_AUTHORIZED} (Service: AWSSecurityTokenService; Status Code: 403; Error Code: AccessDenied; Request ID: 1-2)`,
    NOT_AUTHORIZED,
    'RoleNotFound',
  ],
  'Java, version 2': [
    'software.amazon.awssdk.services.sts.model.InvalidIdentityTokenException: Incorrect token audience (Service: Sts, Status Code: 400, Request ID: 1-2)',
    'Incorrect token audience',
    'OidcProviderAudienceMissing',
  ],
  'Java, version 2, without a role': [
    'software.amazon.awssdk.core.exception.SdkClientException: Unable to load credentials from any of the providers in the chain AwsCredentialsProviderChain(credentialsProviders=[SystemPropertyCredentialsProvider()])',
    'Unable to load credentials from any of the providers in the chain',
    'WebhookMissing',
  ],
  'Python and aws': [
    'An error occurred (ValidationError) when calling the AssumeRoleWithWebIdentity operation: Request ARN is invalid',
    'Request ARN is invalid',
    'AnnotationMalformed',
  ],
  'Python and aws, without a role': [
    'botocore.exceptions.NoCredentialsError: Unable to locate credentials',
    'Unable to locate credentials',
    'AnnotationKeyMisspelt',
  ],
  'JavaScript, version 3': [
    'ExpiredTokenException: Token expired: current date/time 1700000000 must be before the expiration date/time1699990000\\n    at throwDefaultError',
    'Token expired: current date/time 1700000000 must be before the expiration date/time1699990000',
    'TokenExpired',
  ],
  'JavaScript, version 3, without a role': [
    'CredentialsProviderError: Could not load credentials from any providers',
    'Could not load credentials from any providers',
    'AnnotationMissing',
  ],
  Rust: [
    `service error: InvalidIdentityTokenException: ${NO_KEY} (ServiceError(ServiceError { source: InvalidIdentityTokenException(InvalidIdentityTokenException { message: Some("${NO_KEY}"), meta: ErrorMetadata { code: Some("InvalidIdentityToken") } }) }))`,
    "Couldn't retrieve verification key from your identity provider",
    'IdpUnreachable',
  ],
  '.NET': [
    `Amazon.Runtime.AmazonClientException: Error calling AssumeRole for role arn:aws:iam::111122223333:role/app ---> Amazon.SecurityToken.AmazonSecurityTokenServiceException: ${NOT_AUTHORIZED} ---> Amazon.Runtime.Internal.HttpErrorResponseException`,
    NOT_AUTHORIZED,
    'TrustAudienceMismatch',
  ],
  '.NET, without a role': [
    'Amazon.Runtime.AmazonServiceException: Unable to get IAM security credentials from EC2 Instance Metadata Service.',
    'Unable to get IAM security credentials from EC2 Instance Metadata Service',
    'WorkloadUsesOtherServiceAccount',
  ],
  'Go, version 1, without a role': [
    'NoCredentialProviders: no valid providers in chain. Deprecated.\\n\\tFor verbose messaging see aws.Config.CredentialsChainVerboseErrors',
    'NoCredentialProviders',
    'PodCredentialsMissing',
  ],
  'Java, version 1, without a role': [
    'com.amazonaws.SdkClientException: Unable to load AWS credentials from any provider in the chain: [EnvironmentVariableCredentialsProvider: Unable to load AWS credentials]',
    'Unable to load AWS credentials from any provider in the chain',
    'AnnotationMissing',
  ],
  'Java, version 2, without the module sts': [
    "java.lang.IllegalStateException: To use web identity tokens, the 'sts' service module must be on the class path.",
    "To use web identity tokens, the 'sts' service module must be on the class path",
    undefined,
  ],
  'JavaScript, version 2, without a role': [
    'CredentialsError: Missing credentials in config, if using AWS_CONFIG_FILE, set AWS_SDK_LOAD_CONFIG=1',
    'Missing credentials in config',
    'WebhookSkipped',
  ],
  'Rust, without a role': [
    'dispatch failure: other: the credential provider was not enabled: no providers in chain provided credentials (CredentialsNotLoaded)',
    'the credential provider was not enabled',
    'PodCredentialsMissing',
  ],
  '.NET, version 4, without a role': [
    'Amazon.Runtime.AmazonClientException: Failed to resolve AWS credentials. The credential providers used to search for credentials returned the following errors',
    'Failed to resolve AWS credentials',
    'AnnotationMissing',
  ],
  'a token that cannot be read': [
    'WebIdentityErr: unable to read file at /var/run/secrets/eks.amazonaws.com/serviceaccount/token caused by: open x',
    'unable to read file at /var/run/secrets/eks.amazonaws.com/serviceaccount/token',
    'MountPathTaken',
  ],
  'a permission': [
    'AccessDenied: User: arn:aws:sts::111122223333:assumed-role/app/1 is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::bucket/key',
    'AccessDenied: User: arn:aws:sts::111122223333:assumed-role/app/1 is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::bucket/key',
    'RolePermissionDenied',
  ],
};

describe('the sentence of AWS is found in what is written by the SDK for', () => {
  for (const [sdk, [line, shown, candidate]] of Object.entries(WRAPPED)) {
    test(sdk, () => {
      expect(sentenceIn(line)?.text).toBe(shown);
      expect(candidate === undefined ? codesOf(line) : codesOf(line).includes(candidate)).toEqual(candidate === undefined ? [] : true);
    });
    // Contract: explain-log
    test(`${sdk}, and no other word of the line is shown`, () => {
      for (const gap of [' ', '"', '\t', ': ', '","', ', '])
        expect(JSON.stringify(sentenceIn(`${CANARY}${gap}${line}${gap}${CANARY}`)?.text)).not.toContain('CANARY');
    });
  }
});

const PAGES = new URL('../../../docs/findings/', import.meta.url);

/** What a page says that is seen in the pod. */
const seenInPod = readdirSync(PAGES).flatMap((file) => {
  const [, seen = ''] = /## What you see\n(.*)\n/.exec(readFileSync(new URL(file, PAGES), 'utf8')) ?? [];
  const [, sentence] =
    /^(?:In|New) (?:the |new )?pods?[^`]*`([^`]+)`/.exec(seen) ?? /^`(NoCredentialProviders)` in the pod/.exec(seen) ?? [];
  // Names of fields are quoted too.
  return sentence === undefined || !/ |^NoCredentialProviders$/.test(sentence)
    ? []
    : [[file.replace('.md', '') as FindingCode, sentence] as const];
});

describe('what the page of a finding says is seen in the pod leads back to the finding:', () => {
  test('many pages say so', () => expect(seenInPod.length).toBeGreaterThan(25));
  for (const [code, sentence] of seenInPod) test(code, () => expect(codesOf(sentence)).toContain(code));
});

test('each candidate says how it is told apart, and no code is a candidate twice of one sentence', () => {
  for (const { candidates } of SENTENCES) {
    const codes = candidates.flatMap((one) => one.codes);
    expect(codes).toEqual([...new Set(codes)]);
    expect(codes.filter((code) => !(code in FINDINGS))).toEqual([]);
    expect(candidates.filter(({ tells }) => tells === '')).toEqual([]);
  }
});

test('a line without a sentence of AWS tells nothing', () => {
  for (const line of ['', 'listening on :8080', 'not authorized', `error: ${CANARY}`]) expect(sentenceIn(line)).toBeUndefined();
});

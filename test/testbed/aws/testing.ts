import { EKSClient } from '@aws-sdk/client-eks';
import { IAMClient } from '@aws-sdk/client-iam';
import { STSClient } from '@aws-sdk/client-sts';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { AwsError } from './aws-error.ts';
import type { Clock } from './clock.ts';
import type { SessionCredentials } from './in-process.ts';
import type { AwsDouble } from './index.ts';
import type { Answer } from './operation.ts';

/** What the double's own tests share: SDK clients, and an issuer of tokens that has no API server behind it. */

export const ISSUER = 'https://oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF';
export const HOST = ISSUER.slice('https://'.length);

export interface Clients {
  readonly iam: IAMClient;
  readonly sts: STSClient;
  readonly eks: EKSClient;
}

/** Clients as the environment of a caller would make them, without touching this process's own. */
export function clientsOf(double: AwsDouble, caller?: Parameters<AwsDouble['env']>[0]): Clients {
  const env = double.env(caller);
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '', AWS_SESSION_TOKEN: sessionToken } = env;
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  const options = { endpoint: double.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 };
  return { iam: new IAMClient(options), sts: new STSClient(options), eks: new EKSClient(options) };
}

interface SdkRequest {
  body?: unknown;
  readonly headers: Record<string, string>;
}

/** Lets a client send what the SDK would not. */
export function beforeSigning({ middlewareStack }: Pick<IAMClient, 'middlewareStack'>, change: (request: SdkRequest) => void): void {
  const step = { step: 'serialize', priority: 'low', name: 'beforeSigning' } as const;
  middlewareStack.add(
    (next) => async (args) => {
      // The SDK types what passes here as `unknown`: from this step on it is the HTTP request.
      change((args as { request: unknown }).request as SdkRequest);
      return await next(args);
    },
    step,
  );
}

export interface Issuer {
  readonly keys: () => Promise<{ keys: JWK[] }>;
  /** A token as kubelet would get it, but for the claims that are given; a claim that is undefined is left out. */
  token(claims?: Readonly<Record<string, unknown>>): Promise<string>;
}

export const LBC = 'system:serviceaccount:kube-system:lbc';

export async function createIssuer(kid = 'key-1'): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' };
  return {
    keys: async () => ({ keys: [jwk] }),
    token(claims = {}) {
      const now = Math.floor(Date.now() / 1_000);
      const all = { iss: ISSUER, sub: LBC, aud: ['sts.amazonaws.com'], iat: now, exp: now + 600, ...claims };
      return new SignJWT(JSON.parse(JSON.stringify(all)) as JWTPayload).setProtectedHeader({ alg: 'RS256', kid }).sign(privateKey);
    },
  };
}

/** What the SDK or a call in this process throws: `403 AccessDenied: Not authorized ...`, or `accepted`. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'accepted';
  } catch (error) {
    if (error instanceof AwsError) return `${error.status} ${error.code}: ${error.message}`;
    const { name, message, $metadata } = error as { name: string; message: string; $metadata?: { httpStatusCode?: number } };
    return `${$metadata?.httpStatusCode} ${name}: ${message}`;
  }
}

/** For a call in this process that nobody gives up. */
export const never = new AbortController().signal;

/** A trust policy that lets one principal in. */
export const trusting = (AWS: string, members: object = {}): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole', ...members }] });

/** What AssumeRole answered in this process. */
export function credentialsOf(answer: Answer | undefined): SessionCredentials {
  const credentials = answer?.['Credentials'] as Answer | undefined;
  return { AccessKeyId: String(credentials?.['AccessKeyId']), SessionToken: String(credentials?.['SessionToken']) };
}

/** Time goes on when a test says so. */
export function clockThatStands(): Clock & { advance(ms: number): void } {
  let now = Date.UTC(2026, 0, 1);
  const advance = (ms: number): void => {
    now += ms;
  };
  return { now: () => now, advance, sleep: async (ms) => advance(ms) };
}

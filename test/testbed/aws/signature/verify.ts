import { timingSafeEqual } from 'node:crypto';
import { AwsError } from '../aws-error.ts';
import { ALGORITHM, type Scope, type SignableRequest, signatureOf } from './signature.ts';

/** The Authorization header, taken apart. */
interface Authorization {
  readonly accessKeyId: string;
  readonly scope: Scope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/** How far a caller's clock may be off, in milliseconds (the sentences below name it). */
const SKEW_MS = 300_000;

const PARTS = new RegExp(
  `^${ALGORITHM}\\s+Credential=([^/,\\s]+)/(\\d{8})/([^/,\\s]+)/([^/,\\s]+)/aws4_request,\\s*SignedHeaders=([^,\\s]+),\\s*Signature=([0-9a-f]+)$`,
);

const mismatch = (message: string): AwsError => new AwsError('SignatureDoesNotMatch', 403, message);

/** Throws MissingAuthenticationToken when nobody signed, IncompleteSignature when the header cannot be read. */
export function readAuthorization(header: string | undefined): Authorization {
  if (header === undefined) throw new AwsError('MissingAuthenticationToken', 403, 'Request is missing Authentication Token');
  const [, accessKeyId = '', date = '', region = '', service = '', signedHeaders = '', signature = ''] = PARTS.exec(header) ?? [];
  if (signature === '')
    throw new AwsError(
      'IncompleteSignature',
      400,
      `Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameter.`,
    );
  return { accessKeyId, scope: { date, region, service }, signedHeaders: signedHeaders.split(';'), signature };
}

/** Before anything is verified; empty where there is none. */
export function accessKeyIdIn(header: string | undefined): string {
  return /\bCredential=([^/,\s]+)/.exec(header ?? '')?.[1] ?? '';
}

/**
 * Throws SignatureDoesNotMatch, in AWS's sentences, unless the request was signed with this secret for this service within five minutes of
 * `at`. The region is not looked at: a client with an endpoint of its own signs for its own region, also for IAM, which has none.
 */
export function verifySignature(request: SignableRequest, authorization: Authorization, service: string, secret: string, at: Date): void {
  const { scope, signedHeaders, signature } = authorization;
  const time = request.headers.get('x-amz-date') ?? '';
  if (scope.service !== service) throw mismatch(`Credential should be scoped to correct service: '${service}'.`);
  if (!signedHeaders.includes('host')) throw mismatch(`'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.`);
  if (!time.startsWith(scope.date))
    throw mismatch(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scope.date}' != '${time.slice(0, 8)}', from '${time}'.`,
    );
  checkTime(time, at);
  const wanted = Buffer.from(signatureOf(request, signedHeaders, time, scope, secret));
  const given = Buffer.from(signature);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
    throw mismatch(
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    );
}

function checkTime(time: string, at: Date): void {
  const signed = Date.parse(time.replace(/^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (Number.isNaN(signed)) throw mismatch(`Date must be in ISO-8601 'basic format'. Got '${time}'.`);
  const now = at.getTime();
  const [earliest, latest] = [new Date(now - SKEW_MS), new Date(now + SKEW_MS)].map(basic);
  if (signed < now - SKEW_MS) throw mismatch(`Signature expired: ${time} is now earlier than ${earliest} (${basic(at)} - 5 min.)`);
  if (signed > now + SKEW_MS) throw mismatch(`Signature not yet current: ${time} is still later than ${latest} (${basic(at)} + 5 min.)`);
}

/** `20150830T123600Z` */
function basic(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d{3}/g, '');
}

import { createHash, createHmac } from 'node:crypto';

/** What a signature covers. Header names are lower case. */
export interface SignableRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly url: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** The credential scope: `20150830/us-east-1/iam/aws4_request`. */
export interface Scope {
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export const ALGORITHM = 'AWS4-HMAC-SHA256';

/** Signature Version 4 in the four steps of IAM user guide, "Create a signed AWS API request". Returns hexadecimal. */
export function signatureOf(
  request: SignableRequest,
  signedHeaders: readonly string[],
  time: string,
  scope: Scope,
  secret: string,
): string {
  const canonical = canonicalRequest(request, signedHeaders);
  const stringToSign = [ALGORITHM, time, `${scope.date}/${scope.region}/${scope.service}/aws4_request`, sha256(canonical)].join('\n');
  const key = [scope.date, scope.region, scope.service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return hmac(key, stringToSign).toString('hex');
}

/** Dot segments and empty ones are not taken out of the path: no client of IAM, STS or EKS has them. */
function canonicalRequest({ method, url, headers, body }: SignableRequest, signedHeaders: readonly string[]): string {
  const [path = '/', query = ''] = url.split(/\?(.*)/s);
  const values = signedHeaders.map((name) => `${name}:${(headers.get(name) ?? '').trim().replace(/ +/g, ' ')}\n`).join('');
  return [method, path.split('/').map(encode).join('/'), canonicalQuery(query), values, signedHeaders.join(';'), sha256(body)].join('\n');
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  const pairs = query.split('&').map((pair) => {
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    return [encode(decodeURIComponent(name)), encode(decodeURIComponent(value))] as const;
  });
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return pairs
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map((pair) => pair.join('='))
    .join('&');
}

/** RFC 3986: everything but its unreserved characters is escaped. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

import type { Connection, Endpoint } from './connection.ts';
import { array, type Json, object, text } from './objects.ts';
import type { Requests } from './transport.ts';

/** What API servers take unless they are told otherwise (EKS; kubeadm). */
const USUAL = 'https://kubernetes.default.svc';
const REVIEWS = '/apis/authentication.k8s.io/v1/tokenreviews';

/**
 * Audiences that open the API server itself: a pod's token for one of these, sent to STS, would be a key to the cluster in somebody else's
 * hands. Our own token has them, if we have one; where we have a certificate there is but the usual one to go by. Never throws.
 */
export async function apiAudiences(
  connection: Connection,
  requests: Pick<Requests, 'request'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { headers } = await connection.endpoint().catch(() => ({ headers: {} as Endpoint['headers'] }));
  const token = /^Bearer (.+)$/.exec(String(headers['Authorization'] ?? ''))?.[1];
  const own = textsOf(claimsOf(token)['aud']);
  const taken = own.some((audience) => audience !== USUAL) ? await takenToday(requests, token, signal) : [];
  return [...new Set([USUAL, ...(taken.length > 0 ? taken : own)])];
}

/**
 * A token has for its life the audiences that the API server had when it was issued. Reviewed without an audience, it comes back with those of
 * today. Nothing: we may not ask, or are not told.
 */
async function takenToday(requests: Pick<Requests, 'request'>, token: string | undefined, signal: AbortSignal): Promise<readonly string[]> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
  const answer = await requests.request({ method: 'POST', path: REVIEWS, body }, signal).catch(() => undefined);
  const status = object(object(answer)['status']);
  return status['authenticated'] === true ? textsOf(status['audiences']) : [];
}

function textsOf(value: Json | undefined): readonly string[] {
  return typeof value === 'string' ? [value] : array(value).flatMap((one) => text(one) ?? []);
}

/** Unverified: the API server has taken it. A token that is no JWT has no claims. */
function claimsOf(token: string | undefined) {
  try {
    return object(JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString('utf8')));
  } catch {
    return {};
  }
}

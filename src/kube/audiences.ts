import type { Connection } from './connection.ts';
import { array, object, text } from './objects.ts';

/** What API servers take unless they are told otherwise (EKS; kubeadm). */
const USUAL = 'https://kubernetes.default.svc';

/**
 * Audiences that open the API server itself: a pod's token for one of these, sent to STS, would be a key to the cluster in somebody else's
 * hands. Our own token has one, if we have one; where we have a certificate there is but the usual one to go by. Never throws.
 */
export async function apiAudiences(connection: Connection): Promise<readonly string[]> {
  const { headers } = await connection.endpoint().catch(() => ({ headers: {} as Record<string, string> }));
  const token = /^Bearer (.+)$/.exec(headers['Authorization'] ?? '')?.[1];
  const aud = claimsOf(token)['aud'];
  const own = typeof aud === 'string' ? [aud] : array(aud).flatMap((one) => text(one) ?? []);
  return [...new Set([USUAL, ...own])];
}

/** Unverified: the API server has taken it. A token that is no JWT has no claims. */
function claimsOf(token: string | undefined) {
  try {
    return object(JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString('utf8')));
  } catch {
    return {};
  }
}

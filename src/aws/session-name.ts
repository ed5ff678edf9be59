import { createHash } from 'node:crypto';
import type { Issuer } from '../api/issuer.ts';

/** What CloudTrail shows of a session of ours: always the same for one cluster. */
export function sessionName(prefix: 'irsa-operator' | 'irsa-verify', issuer: Issuer): string {
  return `${prefix}-${createHash('sha256').update(issuer).digest('hex').slice(0, 12)}`;
}

import type { AccountId } from '../../api/arn.ts';
import type { CallerView } from '../../domain/state/identity.ts';

import type { Urgency } from '../../runtime/queue.ts';

/** Whom to ask about this cluster and about ourselves. Every method throws `Fault` and nothing else. */
export interface IdentityPorts {
  /** What the API server puts into `iss`, as it says itself. */
  issuer(signal: AbortSignal): Promise<string>;
  /** What EKS says, where the name of the cluster was given; undefined where it knows of no issuer. */
  readonly eksIssuer: ((signal: AbortSignal) => Promise<string | undefined>) | undefined;
  caller(signal: AbortSignal): Promise<CallerView>;
  /** Audiences that open the API server itself. Never throws. */
  apiAudiences(signal: AbortSignal): Promise<readonly string[]>;
  policyQuota(account: AccountId, signal: AbortSignal, urgency: Urgency): Promise<number>;
}

import type { ProviderArn } from '../api/arn.ts';
import type { Issuer } from '../api/issuer.ts';
import type { Urgency } from '../runtime/queue.ts';

/** OIDC providers of the account that our credentials reach. Every method throws `Fault` and nothing else. */
export interface OidcProviders {
  /** The audiences that the provider accepts; undefined where there is no such provider. */
  clientIds(arn: ProviderArn, signal: AbortSignal, urgency: Urgency): Promise<readonly string[] | undefined>;
  /** The ARNs of all of them. */
  list(signal: AbortSignal, urgency: Urgency): Promise<readonly string[]>;
  /** Registers the issuer with these audiences; a `conflict` where there is one already. */
  create(issuer: Issuer, audiences: readonly string[], signal: AbortSignal, urgency: Urgency): Promise<void>;
}

import type { ProviderArn } from '../../api/arn.ts';

/** OIDC providers of the account that our credentials reach. Every method throws `Fault` and nothing else. */
export interface Providers {
  /** The audiences that the provider accepts; undefined where there is no such provider. */
  clientIds(arn: ProviderArn, signal: AbortSignal): Promise<readonly string[] | undefined>;
  /** The ARNs of all of them. */
  list(signal: AbortSignal): Promise<readonly string[]>;
}

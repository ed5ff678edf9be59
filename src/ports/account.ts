import type { OidcProviders } from './oidc-providers.ts';
import type { Roles } from './roles.ts';

/** What AWS is asked in one account. */
export interface AccountPorts {
  readonly roles: Roles;
  readonly providers: OidcProviders;
}

/** The OIDC provider of this cluster's issuer in one account. */
export type ProviderView =
  | { readonly kind: 'registered'; readonly arn: string; readonly clientIds: readonly string[] }
  /** `similar` are providers of the account whose URL nearly is the issuer; `notCreated` says why we could not register one, where we should. */
  | { readonly kind: 'missing'; readonly similar: readonly string[]; readonly notCreated?: string }
  | { readonly kind: 'unreadable'; readonly why: string };

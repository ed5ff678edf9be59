import { type Problem, problem } from './problem.ts';

declare const brand: unique symbol;
/**
 * An OIDC issuer URL exactly as tokens carry it in `iss`: `https://`, no query, no port. A slash at its end is part of it: IAM and STS keep it, so
 * that with and without are two issuers (AKS and Auth0 have one).
 */
export type Issuer = string & { readonly [brand]: 'Issuer' };

/** Hosts and paths that IAM accepts in a provider's URL; a self-managed cluster may have any host and a path (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html). / */
const ISSUER = /^https:\/\/[A-Za-z0-9.-]+(?:\/[A-Za-z0-9._~/-]*)?$/;
/** IAM's limit for the URL of a provider. */
const MAX_LENGTH = 255;

export function parseIssuer(text: string): Issuer | Problem {
  if (text.length > MAX_LENGTH) return problem(`the issuer "${text.slice(0, 60)}..." has more than ${MAX_LENGTH} characters`);
  if (!ISSUER.test(text)) {
    return problem(`the issuer "${text}" is not a plain https URL (no port, no query), so IAM can have no provider for it`);
  }
  return text as Issuer;
}

/** The issuer as it stands in condition keys and provider ARNs: without the scheme, with a slash at its end where it has one. */
export function issuerHostPath(issuer: Issuer): string {
  return issuer.slice('https://'.length);
}

import { type Problem, problem } from './problem.ts';

declare const brand: unique symbol;
/**
 * An OIDC issuer URL exactly as tokens carry it in `iss`: `https://`, no query, no port. A slash at its end is part of it: IAM and STS keep it, so
 * that with and without are two issuers (AKS and Auth0 have one).
 */
export type Issuer = string & { readonly [brand]: 'Issuer' };

/** Hosts and paths that IAM accepts in a provider's URL; a self-managed cluster may have any host and a path (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html). */
const ISSUER = /^https:\/\/((?:[A-Za-z0-9-]+\.)*[A-Za-z0-9-]+\.?)(?:\/[A-Za-z0-9._~/-]*)?$/;
/** IAM's limit for the URL of a provider. */
const MAX_LENGTH = 255;

/** The last part of an address of IPv4 is a number, and whatever ends so is taken for one (WHATWG URL, "ends in a number"); those of IPv6 have brackets. */
const IP_ADDRESS = /^https:\/\/(?:\[|[^/:]*?(?:^|[./])(?:[0-9]+|0x[0-9a-f]*)\.?(?:[/:]|$))/i;
const PORT = /^https:\/\/[^/@?#]*:[0-9]+(?:[/?#]|$)/;
/** How pods call the API server, whatever the domain of the cluster is. */
const API_SERVER = /^kubernetes\.default(?:\.|$)/;

/**
 * Names that no public DNS has: services of a cluster, the special-use names of RFC 2606, 6761, 6762, 7686 and 8375, and those of private networks
 * (RFC 6762, appendix G; `internal` is ICANN's).
 */
const NOT_PUBLIC = [
  ...['svc', 'local', 'localdomain', 'localhost', 'internal', 'intranet', 'private', 'corp', 'home', 'lan', 'home.arpa'],
  ...['test', 'example', 'invalid', 'onion'],
];

/** AWS fetches an issuer's discovery document and keys from outside: what nobody outside can reach is refused, with the reason. */
export function parseIssuer(text: string): Issuer | Problem {
  if (text.length > MAX_LENGTH) return problem(`the issuer "${text.slice(0, 60)}..." has more than ${MAX_LENGTH} characters`);
  const why = whyNotPublic(text);
  return why === undefined ? (text as Issuer) : problem(`AWS cannot use the issuer "${text}": ${why}`);
}

function whyNotPublic(text: string): string | undefined {
  if (!text.startsWith('https://')) return 'it does not begin with "https://"';
  if (IP_ADDRESS.test(text)) return 'its host is an IP address';
  if (PORT.test(text)) return 'it has a port, and IAM accepts none';
  const host = ISSUER.exec(text)?.[1]?.toLowerCase().replace(/\.$/, '');
  if (host === undefined) return 'it is not a plain https URL';
  const domain = NOT_PUBLIC.find((name) => host.endsWith(`.${name}`));
  if (domain !== undefined) return `names under ".${domain}" are not public`;
  if (API_SERVER.test(host)) return `"${host}" is the name of the API server inside the cluster`;
  return host.includes('.') ? undefined : `"${host}" is not a public host name`;
}

/** The issuer as it stands in condition keys and provider ARNs: without the scheme, with a slash at its end where it has one. */
export function issuerHostPath(issuer: Issuer): string {
  return issuer.slice('https://'.length);
}

import { type Granted, hasConsent } from './grants.ts';

const NO_TAGS: ReadonlyMap<string, string> = new Map();

/**
 * Names a grant that applies to a role with these tags, one that requires none first: that it applies is known without a read of the role.
 * While the tags are not known what was said before stands, so that a start of the operator changes no status.
 */
export function grantedBy(
  grants: readonly Granted[],
  roleTags: ReadonlyMap<string, string> | undefined,
  before: string | undefined,
): string {
  const applies = (tags: ReadonlyMap<string, string>) => grants.find(({ requiredRoleTags }) => hasConsent([requiredRoleTags], tags));
  const named = applies(NO_TAGS) ?? (roleTags === undefined ? grants.find((one) => naming(one) === before) : applies(roleTags));
  return named === undefined ? `${naming(grants[0])}, if the role has the tags that it requires` : naming(named);
}

const naming = (one: Granted | undefined): string => `granted by IrsaGrant "${one?.grant}"`;

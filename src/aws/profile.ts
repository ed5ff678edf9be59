import { parseKnownFiles } from '@smithy/core/config';

/** Of a profile, what says how its credentials come about (https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html). */
interface Profile {
  readonly role_arn?: string | undefined;
  readonly source_profile?: string | undefined;
}

/** The ARNs of all roles that are assumed for a profile of the shared config files, the last one first. The SDK reads the same files. */
export async function rolesOfProfile(name: string): Promise<string[]> {
  return rolesOnTheWay(name, await parseKnownFiles({}));
}

/** A profile may be the source of itself, which ends the way; one that is not there does too. */
export function rolesOnTheWay(name: string, profiles: Readonly<Record<string, Profile>>): string[] {
  const visited = new Set<string>();
  const roles: string[] = [];
  for (let next: string | undefined = name; next !== undefined && !visited.has(next); ) {
    visited.add(next);
    const profile: Profile | undefined = profiles[next];
    if (profile?.role_arn !== undefined) roles.push(profile.role_arn);
    next = profile?.source_profile;
  }
  return roles;
}

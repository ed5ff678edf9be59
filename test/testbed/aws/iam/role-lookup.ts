import { noSuchEntity, unmodifiable } from '../aws-error.ts';
import { accountOfCaller, type Call } from '../operation.ts';
import { bounded, required } from '../params.ts';
import type { Role } from '../world.ts';

/** Longest role name (IAM user guide, "IAM and AWS STS quotas"). */
export const MAX_ROLE_NAME = 64;

/**
 * By name alone: the path is no part of it, and names are unique without regard to case. As a reader sees it that may be `staleMs` behind.
 * Throws NoSuchEntity.
 */
export function roleByName(call: Call, staleMs = 0): Role {
  const name = bounded(required(call.params, 'RoleName'), 'RoleName', { min: 1, max: MAX_ROLE_NAME, pattern: /^[\w+=,.@-]+$/ });
  const role = accountOfCaller(call).roles.seen(name.toLowerCase(), staleMs);
  if (role === undefined) throw noSuchEntity(`The role with name ${name} cannot be found.`);
  return role;
}

/** Service-linked roles and those of IAM Identity Center. */
export function requireModifiable(role: Role): void {
  if (/^\/aws-(?:service-role|reserved)\//.test(role.path)) throw unmodifiable(role.name);
}

import { parseRoleArn, type RoleArn } from '../../api/arn.ts';
import type { BindingSpec, IrsaBinding } from '../../api/binding.ts';
import { isProblem } from '../../api/problem.ts';
import type { AuthorizationInput } from '../authorization/authorize.ts';
import { grantsFor, hasConsent, type RequiredTags } from '../authorization/grants.ts';
import { entryFor, mayStandOn } from '../state/role-entry.ts';
import type { RoleRecord } from '../state/role-record.ts';

/**
 * What AWS answered about a role is told to a binding only after the consent of the role's owner was checked on that very answer. Without it
 * every answer reads like a missing grant, so that nobody learns of a role by binding it. All that tells of a role asks here.
 */

/** `unknown`: the answer does not show the tags, so nothing is told before the role was read by itself. */
export type Consent = 'given' | 'withheld' | 'unknown';

const NO_TAGS: ReadonlyMap<string, string> = new Map();

/** Of the owner of the role that was asked about, to a binding that is under grants with these tags. */
export function consentOf(requiredTags: RequiredTags, stands: Stands | undefined, record: RoleRecord | undefined): Consent {
  // A grant that requires no tags needs no answer.
  if (hasConsent(requiredTags, NO_TAGS)) return 'given';
  if (record === undefined) return stands === undefined ? 'unknown' : 'given';
  const { state } = record;
  if (state.kind !== 'present') return 'withheld';
  if (state.tags !== undefined) return hasConsent(requiredTags, state.tags.values) ? 'given' : 'withheld';
  // No list shows tags. A binding that stands on this very role had them once, and the sweep reads them in turns.
  return stands?.roleId === state.roleId ? 'given' : 'unknown';
}

/** That trust of a binding may stand on a role, and on which of that name. */
interface Stands {
  readonly roleId?: string | undefined;
}

export function standsAs(binding: IrsaBinding, { roleArn: arn, audience }: Pick<BindingSpec, 'roleArn' | 'audience'>): Stands | undefined {
  return mayStandOn(binding, { arn, audience }) ? entryFor(binding, { arn, audience }) : undefined;
}

/**
 * The ARN under which IAM knows a role of the name that was asked for (GetRole ignores the path), where a grant covers the binding for that
 * one too, with the tags that it was read with.
 */
export function knownAs(
  { spec }: IrsaBinding,
  { grants, namespace }: Pick<AuthorizationInput, 'grants' | 'namespace'>,
  record: RoleRecord | undefined,
): RoleArn | undefined {
  if (isProblem(spec) || record?.state.kind !== 'missing' || record.state.foundAs === undefined) return undefined;
  const { arn, tags } = record.state.foundAs;
  const roleArn = parseRoleArn(arn);
  if (isProblem(roleArn)) return undefined;
  const granted = grantsFor({ ...spec, roleArn }, namespace, grants);
  const required = granted.map(({ requiredRoleTags }) => requiredRoleTags);
  return hasConsent(required, tags) ? roleArn : undefined;
}

import { parseRoleArn, type RoleArn } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { isProblem } from '../../api/problem.ts';
import { type Authorization, type AuthorizationInput, requiredTagsOf } from '../authorization/authorize.ts';
import { hasConsent, type RequiredTags } from '../authorization/grants.ts';
import { entryFor, mayStandOn } from '../state/role-entry.ts';
import type { RoleRecord } from '../state/role-record.ts';

/**
 * What AWS answered about a role is told to a binding only after the consent of the role's owner was checked on that very answer. Without it
 * every answer reads like a missing grant, so that nobody learns of a role by binding it. All that tells of a role asks here.
 */

/** `unknown`: the answer does not show the tags, so nothing is told before the role was read by itself. */
export type Consent = 'given' | 'withheld' | 'unknown';

const NO_TAGS: ReadonlyMap<string, string> = new Map();

/** To a binding, or to a ServiceAccount that amounts to one, about the role that its spec names. */
export function consentTo(binding: IrsaBinding, authorization: Authorization, record: RoleRecord | undefined): Consent {
  const { spec } = binding;
  if (isProblem(spec)) return 'withheld';
  const key = { arn: spec.roleArn, audience: spec.audience };
  const mayStand = mayStandOn(binding, key);
  return consentOf(requiredTagsOf(authorization, mayStand), record, mayStand ? entryFor(binding, key)?.roleId : undefined);
}

/** `standsOn`: the unique ID of the role on which trust of the binding may stand. */
export function consentOf(requiredTags: RequiredTags, record: RoleRecord | undefined, standsOn: string | undefined): Consent {
  // A grant that requires no tags needs no answer.
  if (hasConsent(requiredTags, NO_TAGS)) return 'given';
  const state = record?.state;
  switch (state?.kind) {
    case undefined:
    case 'unreadable':
      // That nothing is seen of it is no news about a role to which the binding once had the consent.
      return standsOn !== undefined ? 'given' : state === undefined ? 'unknown' : 'withheld';
    case 'missing':
      return 'withheld';
    case 'present':
      if (state.tags !== undefined) return hasConsent(requiredTags, state.tags.values) ? 'given' : 'withheld';
      // No list shows tags. A binding that stands on this very role had them once, and the sweep reads them in turns.
      return standsOn === state.roleId ? 'given' : 'unknown';
  }
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
  const required = grants.grantsFor({ ...spec, roleArn }, namespace).map(({ requiredRoleTags }) => requiredRoleTags);
  return hasConsent(required, tags) ? roleArn : undefined;
}

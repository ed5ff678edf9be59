import { type RoleArn, roleArnParts } from '../api/arn.ts';
import { type Finding, finding } from '../api/finding.ts';
import { PAUSED_ROLE_TAG } from '../api/names.ts';
import { parseDocument } from '../trust/document.ts';
import { planTrust, type TrustPlan, type TrustWish } from '../trust/plan.ts';
import type { Stance } from './stance.ts';

/** A role as a fresh read shows it. */
export interface RoleBeforeWrite {
  readonly arn: string;
  readonly roleId: string;
  readonly policy: string;
  readonly tags: ReadonlyMap<string, string>;
}

/** What was planned from what was known, to be decided once more on a fresh read. */
export interface Edit {
  readonly wish: TrustWish;
  readonly stances: readonly Stance[];
  /** The role that was planned for. */
  readonly roleId: string;
  readonly policy: string;
}

export type EditDecision =
  | { readonly kind: 'write'; readonly document: string; readonly plan: TrustPlan; readonly withheld: readonly Stance[] }
  | { readonly kind: 'nothing'; readonly withheld: readonly Stance[] }
  /** It is not what was seen last: somebody writes now, and this read may even be older than that. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'refused'; readonly finding: Finding };

/** The last look before a write. Pure; `withheld` are bindings whose grant asks for tags that the role does not carry. */
export function decideEdit(edit: Edit, role: RoleBeforeWrite): EditDecision {
  const { wish } = edit;
  if (role.arn !== wish.role) return { kind: 'refused', finding: otherRole(wish.role, role.arn) };
  if (role.roleId !== edit.roleId || role.policy !== edit.policy) return { kind: 'changed' };
  const withheld = edit.stances.filter((stance) => stance.kind === 'wanted' && !consents(stance, role.tags));
  const paused = role.tags.get(PAUSED_ROLE_TAG) === 'true';
  // A pause stops every write but a revocation.
  const consented = wish.wanted.filter(
    (one) => !withheld.some(({ question }) => question.subject === one.subject && question.audience === one.audience),
  );
  const wanted = paused ? [] : consented;
  const plan = planTrust(parseDocument(role.policy), { ...wish, wanted, roleTags: role.tags });
  if (plan.document !== undefined) return { kind: 'write', document: plan.document, plan, withheld };
  // Whom the role's owner did not let in learns nothing of a pause.
  if (paused && consented.length > 0) {
    const text = `role "${wish.role}" carries the tag ${PAUSED_ROLE_TAG}=true: nothing but a revocation is written to it until the tag is removed`;
    return { kind: 'refused', finding: finding('RolePaused', text) };
  }
  return { kind: 'nothing', withheld };
}

function consents({ consents: alternatives }: Stance, tags: ReadonlyMap<string, string>): boolean {
  return alternatives.some((required) => Object.entries(required).every(([key, value]) => tags.get(key) === value));
}

/** GetRole takes a name and ignores the path; names are unique without regard to case, ARNs are not. */
export function otherRole(wanted: RoleArn, found: string): Finding {
  return finding(
    'RoleArnMismatch',
    `IAM knows the role "${roleArnParts(wanted).name}" as "${found}"; the binding says "${wanted}": correct spec.roleArn, path and case count`,
  );
}

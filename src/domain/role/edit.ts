import { type RoleArn, roleArnParts } from '../../api/arn.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { PAUSED_ROLE_TAG } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { parseDocument } from '../../trust/document/document.ts';
import { names, undoes } from '../../trust/own-subjects.ts';
import { planTrust, type TrustPlan, type TrustWish } from '../../trust/plan.ts';
import type { Stance } from './desired-trust.ts';

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
  /** Whom the wish is of: wanted and released. */
  readonly stances: readonly Stance[];
  /** The role that was planned for. */
  readonly roleId: string;
  readonly policy: string;
  /** The policy as our last write that was believed left it. */
  readonly believed: string | undefined;
}

export type EditDecision =
  | {
      readonly kind: 'write';
      readonly document: string;
      readonly plan: TrustPlan;
      /** Whom it brings in or takes out. */
      readonly changes: readonly Stance[];
      /** Somebody took out what we had put in. */
      readonly undoing: boolean;
    }
  | { readonly kind: 'nothing' }
  /** It is not what was seen last: somebody writes now, and this read may even be older than that. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'paused'; readonly finding: Finding };

/** The last look before a write. Pure: the document to send, or why there is none. */
export function decideEdit(edit: Edit, role: RoleBeforeWrite): EditDecision {
  const { wish } = edit;
  if (role.arn !== wish.role || role.roleId !== edit.roleId || role.policy !== edit.policy) return { kind: 'changed' };
  // The tag is back.
  if (edit.stances.some((stance) => stance.kind === 'disowned' && consents(stance, role.tags))) return { kind: 'changed' };
  const withheld = edit.stances.filter((stance) => stance.kind === 'wanted' && !consents(stance, role.tags));
  // A pause stops every write but a revocation.
  const paused = role.tags.get(PAUSED_ROLE_TAG) === 'true';
  const consented = wish.wanted.filter(
    (one) => !withheld.some(({ question }) => question.subject === one.subject && question.audience === one.audience),
  );
  const document = parseDocument(role.policy);
  const plan = planTrust(document, { ...wish, wanted: paused ? [] : consented, roleTags: role.tags });
  if (plan.document !== undefined) {
    const after = parseDocument(plan.document);
    if (isProblem(document) || isProblem(after)) return { kind: 'nothing' };
    const changes = edit.stances.filter(({ question }) => names(document, question, wish) !== names(after, question, wish));
    return {
      kind: 'write',
      document: plan.document,
      plan,
      changes,
      undoing: edit.believed !== undefined && undoes(document, edit.believed, wish),
    };
  }
  // Whom the role's owner did not let in learns nothing of a pause.
  return paused && consented.length > 0 ? { kind: 'paused', finding: rolePaused(wish.role) } : { kind: 'nothing' };
}

/** Whether the tags of the role are those that one of the binding's grants asks for. */
export function consents({ consents: alternatives }: Pick<Stance, 'consents'>, tags: ReadonlyMap<string, string>): boolean {
  return alternatives.some((required) => Object.entries(required).every(([key, value]) => tags.get(key) === value));
}

export function rolePaused(role: RoleArn): Finding {
  const text = `role "${role}" carries the tag ${PAUSED_ROLE_TAG}=true: nothing but a revocation is written to it until the tag is removed`;
  return finding('RolePaused', text);
}

/** GetRole takes a name and ignores the path; names are unique without regard to case, ARNs are not. */
export function otherRole(wanted: RoleArn, found: string): Finding {
  return finding(
    'RoleArnMismatch',
    `IAM knows the role "${roleArnParts(wanted).name}" as "${found}"; the binding says "${wanted}": correct spec.roleArn, path and case count`,
  );
}

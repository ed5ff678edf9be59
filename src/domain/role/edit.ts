import { type RoleArn, roleArnParts } from '../../api/arn.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { PAUSED_ROLE_TAG } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { atOnce, type Stepwise } from '../../api/stepwise.ts';
import { subjectKey } from '../../api/subject.ts';
import { parseDocument } from '../../trust/document/document.ts';
import { ownSubjects, reverts, type StatedSubject } from '../../trust/own-subjects.ts';
import { type DesiredStatement, planTrustStepwise, type TrustPlan } from '../../trust/plan.ts';
import { hasConsent } from '../authorization/grants.ts';
import type { DueLoss } from '../authorization/loss.ts';
import type { DesiredTrust } from './desired-trust.ts';

/** A role as a fresh read shows it. */
export interface RoleBeforeWrite {
  readonly arn: string;
  readonly roleId: string;
  readonly policy: string;
  readonly tags: ReadonlyMap<string, string>;
}

/** What was planned from what was known, to be decided once more on a fresh read. */
export interface Edit {
  readonly desiredStatement: DesiredStatement;
  /** Of the bindings whose subjects the desired statement names: wanted and released. */
  readonly desiredTrust: readonly DesiredTrust[];
  /** Released because no grant covers them. */
  readonly due: readonly DueLoss[];
  /** The role that was planned for. */
  readonly roleId: string;
  readonly policy: string;
  /** The policy as our last confirmed write left it. */
  readonly confirmed: string | undefined;
}

/** The role changed between two reads, so another writer is at it: a retry waits a random part of this, so that two writers do not meet again. */
export const CHANGED_WAIT_MS = 2_000;

export type EditDecision =
  | {
      readonly kind: 'write';
      readonly document: string;
      readonly plan: TrustPlan;
      /** Whose subject it adds or removes. */
      readonly changes: readonly DesiredTrust[];
      /** Which of them, or of subjects without a binding, for want of a grant. */
      readonly revoked: readonly DueLoss[];
      /** Our subject was taken out after our write was confirmed. */
      readonly reverted: boolean;
    }
  | { readonly kind: 'nothing' }
  /** It is not what was seen last: another writer is at it, and this read may even be older than that. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'paused'; readonly finding: Finding };

/** The last check before a write. Pure: the document to send, or why there is none. */
export function decideEdit(edit: Edit, role: RoleBeforeWrite): EditDecision {
  return atOnce(decideEditStepwise(edit, role));
}

/** The same, a subject a step. */
export function* decideEditStepwise(edit: Edit, role: RoleBeforeWrite): Stepwise<EditDecision> {
  const { desiredStatement } = edit;
  if (role.arn !== desiredStatement.role || role.roleId !== edit.roleId || role.policy !== edit.policy) return { kind: 'changed' };
  const lacks = (desired: DesiredTrust) => desired.kind === 'ensure' && !hasConsent(desired.requiredTags, role.tags);
  const lacking = new Set(edit.desiredTrust.filter(lacks).map(({ question }) => subjectKey(question)));
  // A pause stops every write but a revocation.
  const paused = role.tags.get(PAUSED_ROLE_TAG) === 'true';
  const consented = desiredStatement.wanted.filter((one) => !lacking.has(subjectKey(one)));
  const document = parseDocument(role.policy);
  const plan = yield* planTrustStepwise(document, { ...desiredStatement, wanted: paused ? [] : consented, roleTags: role.tags });
  if (plan.document !== undefined) {
    const after = parseDocument(plan.document);
    if (isProblem(document) || isProblem(after)) return { kind: 'nothing' };
    const [before, then] = [document, after].map((one) => new Set(ownSubjects(one, desiredStatement).map(subjectKey)));
    const changed = (one: StatedSubject) => before?.has(subjectKey(one)) !== then?.has(subjectKey(one));
    return {
      kind: 'write',
      document: plan.document,
      plan,
      changes: edit.desiredTrust.filter(({ question }) => changed(question)),
      revoked: edit.due.filter(changed),
      reverted: edit.confirmed !== undefined && reverts(document, edit.confirmed, desiredStatement),
    };
  }
  // A binding without the consent of the role's owner learns nothing of a pause.
  return paused && consented.length > 0 ? { kind: 'paused', finding: rolePaused(desiredStatement.role) } : { kind: 'nothing' };
}

export function rolePaused(role: RoleArn): Finding {
  const text = `role "${role}" has the tag ${PAUSED_ROLE_TAG}=true. irsa-operator writes only revocations to it until you remove the tag`;
  return finding('RolePaused', text);
}

/** GetRole takes a name and ignores the path; names are unique without regard to case, ARNs are not. */
export function otherRole(wanted: RoleArn, found: string): Finding {
  return finding(
    'RoleArnMismatch',
    `IAM knows the role "${roleArnParts(wanted).name}" as "${found}". The binding says "${wanted}". Correct spec.roleArn: path and case count`,
  );
}

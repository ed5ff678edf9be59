import type { RoleEntry } from '../api/binding.ts';
import { ANNOTATIONS, EKS_ANNOTATIONS, FINALIZER } from '../api/names.ts';
import { isProblem } from '../api/problem.ts';
import { heldByUs } from './annotations.ts';
import { claimOf, enforces } from './claim.ts';
import { stuckAt, type Violation } from './conditions.ts';
import { isReleased, type Observed } from './observed.ts';
import { standsOn } from './stance.ts';
import type { BindingPlan, Step } from './step.ts';

/**
 * The end of a binding: its own subject is released from every role on which it may stand, its own annotation is taken away,
 * and only then it may go. Leaving alone is not revoking: suspended or observing, it goes as if it said `Retain`.
 */
export function planDeletion(seen: Observed): BindingPlan {
  const { metadata, status } = seen.binding;
  if (!metadata.finalizers.includes(FINALIZER)) return { steps: [], status, lookAgainInMs: undefined };
  if (metadata.annotations[ANNOTATIONS.forceDelete] === 'true' || seen.retiring || retains(seen)) {
    return { steps: [{ do: 'removeFinalizer' }], status, lookAgainInMs: undefined };
  }
  const standing = (status.roles ?? []).find((entry) => !isOver(seen, entry));
  if (standing !== undefined) return waitFor(seen, standing);
  const steps: Step[] = annotationIsOurs(seen) ? [{ do: 'unannotate' }] : [{ do: 'removeFinalizer' }];
  return { steps, status, lookAgainInMs: undefined };
}

function retains({ binding: { spec } }: Observed): boolean {
  return isProblem(spec) || spec.deletionPolicy === 'Retain' || spec.suspend || spec.mode === 'Observe';
}

/** Released, or left to another binding of the same ServiceAccount that stands on the role too. */
function isOver(seen: Observed, entry: RoleEntry): boolean {
  return isReleased(seen.verdictOn(entry)) || isShared(seen, entry);
}

/** Nothing of it can be forgotten: the other one's entry and finalizer remember the same trust, also while it is suspended. */
function isShared({ binding, rivals }: Observed, { arn, audience }: Pick<RoleEntry, 'arn' | 'audience'>): boolean {
  return rivals.some((rival) => rival.metadata.uid !== binding.metadata.uid && !rival.metadata.deleting && standsOn(rival, arn, audience));
}

/** Our value, written by us, and nobody takes over: another binding of the ServiceAccount writes its own, or keeps this one. */
function annotationIsOurs(seen: Observed): boolean {
  const { serviceAccount, binding, rivals } = seen;
  if (serviceAccount === undefined || isProblem(binding.spec)) return false;
  const taken = rivals.some(
    (rival) => rival.metadata.uid !== binding.metadata.uid && enforces(rival) && claimOf(rival, seen).kind === 'granted',
  );
  if (taken || isShared(seen, { arn: binding.spec.roleArn, audience: binding.spec.audience })) return false;
  // A role that it was leaving may not have been replaced there yet.
  const roles = [binding.spec.roleArn, ...(binding.status.roles ?? []).map(({ arn }) => arn)];
  const value = serviceAccount.annotations[EKS_ANNOTATIONS.roleArn];
  return value !== undefined && roles.includes(value) && heldByUs(serviceAccount, EKS_ANNOTATIONS.roleArn) !== undefined;
}

function waitFor(seen: Observed, entry: RoleEntry): BindingPlan {
  const { arn } = entry;
  const verdict = seen.verdictOn(entry);
  const message =
    verdict?.kind === 'refused'
      ? verdict.finding.message
      : `the subject of this binding is being released from the trust policy of "${arn}"`;
  const reason = verdict?.kind === 'refused' ? verdict.finding.code : 'Releasing';
  const violation: Violation = {
    step: 'Trusted',
    status: 'Unknown',
    reason,
    message,
    terminal: false,
    findings: verdict?.kind === 'refused' ? verdict.findings : [],
  };
  return { steps: [], status: stuckAt(violation, seen.binding, seen.now), lookAgainInMs: undefined };
}

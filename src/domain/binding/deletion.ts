import { assertNever } from '../../api/assert-never.ts';
import type { IrsaBinding, RoleEntry } from '../../api/binding.ts';
import { ANNOTATIONS, FINALIZER } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { retainsTrust } from '../authorization/authorize.ts';
import { mayStandOn } from '../state/role-entry.ts';
import { isReleased } from '../state/verdict.ts';
import { stuckAt, type Violation } from '../status/conditions.ts';
import { releaseWaitsFor } from './checks.ts';
import { handoverOf } from './handover.ts';
import type { Observed } from './observed.ts';
import type { BindingPlan } from './step.ts';

/**
 * The end of a binding: its own subject is released from every role on which it may stand, its own annotation is taken away,
 * and only then it may go. Leaving alone is not revoking: suspended or observing, it goes as if it said `Retain`.
 */
export function planDeletion(seen: Observed): BindingPlan {
  const { metadata, status } = seen.binding;
  if (!metadata.finalizers.includes(FINALIZER)) return { steps: [], status, recheckInMs: undefined };
  if (metadata.annotations[ANNOTATIONS.forceDelete] === 'true' || seen.crdDeleting || retains(seen.binding)) {
    return { steps: [{ do: 'removeFinalizer' }], status, recheckInMs: undefined };
  }
  const left = (status.roles ?? []).find((entry) => !isOver(seen, entry));
  if (left !== undefined) return waiting(seen, releaseWaitsFor(seen, left));
  const handover = handoverOf(seen);
  switch (handover.kind) {
    case 'leave':
      return { steps: [{ do: 'removeFinalizer' }], status, recheckInMs: undefined };
    case 'remove':
      return { steps: [{ do: 'unannotate' }], status, recheckInMs: undefined };
    case 'wait':
      return waitForSuccessor(seen, handover.successor);
    default:
      return assertNever(handover);
  }
}

function retains({ spec }: IrsaBinding): boolean {
  return isProblem(spec) || retainsTrust(spec);
}

/** Released, or left to another binding of the same ServiceAccount that stands on the role too. */
function isOver(seen: Observed, entry: RoleEntry): boolean {
  return isReleased(seen.verdictOn(entry)) || isShared(seen, entry);
}

/** Nothing of it can be forgotten: the other one's entry and finalizer remember the same trust, also while it is suspended. */
function isShared({ binding, competingBindings }: Observed, entry: RoleEntry): boolean {
  return competingBindings.some(
    (other) => other.metadata.uid !== binding.metadata.uid && !other.metadata.deleting && mayStandOn(other, entry),
  );
}

function waitForSuccessor(seen: Observed, { metadata: { name } }: IrsaBinding): BindingPlan {
  const account = seen.serviceAccount?.name;
  const message = `waiting for IrsaBinding "${name}" to annotate ServiceAccount "${account}" in place of this binding. If it never does, suspend or delete it`;
  return waiting(seen, { step: 'Annotated', status: 'Unknown', reason: 'HandingOver', message, terminal: false, findings: [] });
}

/** Each change that it waits for wakes it. */
function waiting(seen: Observed, violation: Violation): BindingPlan {
  return { steps: [], status: stuckAt(violation, seen.binding, seen.now), recheckInMs: undefined };
}

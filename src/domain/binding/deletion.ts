import { assertNever } from '../../api/assert-never.ts';
import type { IrsaBinding, RoleEntry } from '../../api/binding.ts';
import { timestamp } from '../../api/condition.ts';
import { ANNOTATIONS, FINALIZER } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { retainsTrust } from '../authorization/authorize.ts';
import { isDue } from '../authorization/loss.ts';
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
  const roles = status.roles ?? [];
  if (metadata.annotations[ANNOTATIONS.forceDelete] === 'true' || seen.crdDeleting)
    return { steps: [{ do: 'removeFinalizer' }], status, recheckInMs: undefined };
  if (retains(seen.binding)) {
    // What no grant covers is not the binding's to keep.
    const lost = roles.find((entry) => !seen.isCovered(entry) && !isOver(seen, entry));
    if (lost !== undefined) return waiting(seen, revocationOf(seen, lost), recheckAt(seen, lost));
    return { steps: [{ do: 'removeFinalizer' }], status, recheckInMs: undefined };
  }
  const left = roles.find((entry) => !isOver(seen, entry));
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
  return competingBindings().some(
    (other) => other.metadata.uid !== binding.metadata.uid && !other.metadata.deleting && mayStandOn(other, entry),
  );
}

function waitForSuccessor(seen: Observed, { metadata: { name } }: IrsaBinding): BindingPlan {
  const account = seen.serviceAccount?.name;
  const message = `waiting for IrsaBinding "${name}" to annotate ServiceAccount "${account}" in place of this binding. If it never does, suspend or delete it`;
  return waiting(seen, { step: 'Annotated', status: 'Unknown', reason: 'HandingOver', message, terminal: false, findings: [] });
}

/** It goes when its trust is out, which nothing that its namespace may write delays. */
function revocationOf(seen: Observed, entry: RoleEntry): Violation {
  const loss = seen.lossOf(entry);
  if (isDue(loss, seen.now)) return releaseWaitsFor(seen, entry);
  const { finding: why } = loss?.paused ?? {};
  const at = loss?.dueAt === undefined ? '' : ` at ${timestamp(loss.dueAt)}`;
  const when =
    why === undefined ? `Its trust is revoked${at}, and then the binding is deleted` : `Its trust is kept. See the finding ${why.code}`;
  const message = `no IrsaGrant covers what this binding has of role "${entry.arn}", so nothing of it can be retained. ${when}`;
  return { step: 'Trusted', status: 'Unknown', reason: 'Releasing', message, terminal: false, findings: why === undefined ? [] : [why] };
}

/** What the status says may not be so any more then. */
function recheckAt({ now, lossOf }: Observed, entry: RoleEntry): number | undefined {
  const dueAt = lossOf(entry)?.dueAt;
  return dueAt === undefined || dueAt <= now ? undefined : dueAt - now;
}

/** Each change that it waits for wakes it. */
function waiting(seen: Observed, violation: Violation, recheckInMs?: number): BindingPlan {
  return { steps: [], status: stuckAt(violation, seen.binding, seen.now), recheckInMs };
}

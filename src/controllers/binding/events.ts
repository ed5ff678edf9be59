import { ADVICE } from '../../api/advice.ts';
import type { BindingStatus } from '../../api/binding.ts';
import { conditionOf, STEP_CONDITIONS } from '../../api/condition.ts';
import { FINDINGS, type FindingCode } from '../../api/finding.ts';
import type { BindingEvent } from '../../ports/events.ts';

/** One Event for what is newly wrong and one when all is well again; everything else is in the status. */
export function eventsFor(before: BindingStatus, after: BindingStatus): BindingEvent[] {
  const [old, now] = [conditionOf(before.conditions, 'Ready'), conditionOf(after.conditions, 'Ready')];
  if (now === undefined || (old?.status === now.status && old.reason === now.reason)) return [];
  if (isFinding(now.reason)) return [{ type: 'Warning', reason: now.reason, action: 'Reconcile', note: detailOf(after, now.reason) }];
  // Steps that merely wait for each other are no news.
  if (now.status !== 'True' || old?.status === 'True') return [];
  return [{ type: 'Normal', reason: 'Ready', action: 'Reconcile', note: now.message }];
}

/** `Ready` only points to it. */
function detailOf({ conditions, findings = [] }: BindingStatus, reason: FindingCode): string {
  const step = STEP_CONDITIONS.find((type) => conditionOf(conditions, type)?.reason === reason);
  const detail = step === undefined ? findings.find(({ code }) => code === reason) : conditionOf(conditions, step);
  return detail?.message ?? ADVICE[reason];
}

function isFinding(reason: string): reason is FindingCode {
  return Object.hasOwn(FINDINGS, reason);
}

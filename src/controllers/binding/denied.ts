import type { BindingStatus } from '../../api/binding.ts';
import { type Assessment, type ConditionType, conditionsFrom, type StepCondition } from '../../api/condition.ts';
import { isFault } from '../../api/fault.ts';
import type { Step } from '../../domain/binding/step.ts';

/** Whose step an effect belongs to; a finalizer has none: where the binding itself cannot be written, nothing can be told in it. */
const STEP_OF: Partial<Record<Step['do'], StepCondition>> = { annotate: 'Annotated', unannotate: 'Annotated', restart: 'PodsCurrent' };

/**
 * The status that also says that the operator was not allowed to do what it planned: what it found alone would read as if it had not tried.
 * Other failures pass by themselves and are for the log.
 */
export function withDenial(status: BindingStatus, step: Step, error: unknown, before: BindingStatus, now: number): BindingStatus {
  const type = STEP_OF[step.do];
  if (type === undefined || !isFault(error, 'denied')) return status;
  const denied: Assessment = {
    status: 'False',
    reason: 'Denied',
    message: `${error.message}. irsa-operator retries by itself`,
  };
  const assessments: Partial<Record<ConditionType, Assessment>> = Object.fromEntries(status.conditions.map((one) => [one.type, one]));
  Object.assign(assessments, {
    [type]: denied,
    Ready: { ...denied, message: `Give irsa-operator the permissions of config/rbac. See condition ${type}` },
    Reconciling: { ...denied, status: 'True', message: `see condition ${type}` },
  });
  return { ...status, conditions: conditionsFrom(assessments, before.conditions, status.observedGeneration ?? 0, now) };
}

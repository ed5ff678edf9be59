import { cut } from './cut.ts';

/** A Kubernetes condition (KEP-1623). `lastTransitionTime` is RFC 3339 without fractions and moves only when `status` changes. */
export type Condition = ConditionOf<ConditionType>;

export interface ConditionOf<Type extends string> {
  readonly type: Type;
  readonly status: ConditionStatus;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

export const CONDITION_STATUSES = ['True', 'False', 'Unknown'] as const;
export type ConditionStatus = (typeof CONDITION_STATUSES)[number];

/** The steps of a reconcile in the order of the contract; each has its condition, `Verified` only where it is asked for. */
export const STEP_CONDITIONS = ['Authorized', 'ProviderReady', 'Trusted', 'Annotated', 'Verified', 'PodsCurrent'] as const;
export type StepCondition = (typeof STEP_CONDITIONS)[number];

/** `Ready` sums up; `Reconciling` and `Stalled` are there only while true, as kstatus reads them. */
export const CONDITION_TYPES = ['Ready', ...STEP_CONDITIONS, 'Reconciling', 'Stalled'] as const;
export type ConditionType = (typeof CONDITION_TYPES)[number];

/** What a check says; `conditionsFrom` adds the times. */
export interface Assessment {
  readonly status: ConditionStatus;
  readonly reason: string;
  readonly message: string;
}

/** Of a condition, a finding or a step of a plan. A few sentences; what is longer quotes somebody's document, and is kept for each binding. */
export const MAX_MESSAGE = 4096;

/** The new list: times are kept where the status did not change, so that an unchanged assessment gives an unchanged list. */
export function conditionsFrom(
  assessments: Partial<Record<ConditionType, Assessment>>,
  before: readonly Condition[],
  generation: number,
  now: number,
): Condition[] {
  return conditionsOf(CONDITION_TYPES, assessments, before, generation, now);
}

/** Of any kind of object, in the order of `types`. */
export function conditionsOf<Type extends string>(
  types: readonly Type[],
  assessments: Partial<Record<Type, Assessment>>,
  before: readonly ConditionOf<Type>[],
  generation: number,
  now: number,
): ConditionOf<Type>[] {
  return types.flatMap((type) => {
    const assessment = assessments[type];
    if (assessment === undefined) return [];
    const { status, reason } = assessment;
    const old = before.find((condition) => condition.type === type);
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : timestamp(now);
    return [{ type, status, observedGeneration: generation, lastTransitionTime, reason, message: cut(assessment.message, MAX_MESSAGE) }];
  });
}

export function conditionOf(conditions: readonly Condition[], type: ConditionType): Condition | undefined {
  return conditions.find((condition) => condition.type === type);
}

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
export function timestamp(now: number): string {
  return new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
}

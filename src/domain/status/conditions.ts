import { ADVICE, ADVICE_ON_OWN_CALLS } from '../../api/advice.ts';
import type { BindingStatus, IrsaBinding } from '../../api/binding.ts';
import {
  type Assessment,
  type Condition,
  type ConditionType,
  conditionsFrom,
  STEP_CONDITIONS,
  type StepCondition,
} from '../../api/condition.ts';
import type { Finding, FindingCode } from '../../api/finding.ts';

/** One step that does not hold, which stops the later ones. */
export interface Violation {
  readonly step: StepCondition;
  readonly status: 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  /** Nothing will happen until a user changes something. */
  readonly terminal: boolean;
  /** Nothing was read yet, which says nothing about what is there. */
  readonly pending?: 'asked' | 'failing';
  readonly findings: readonly Finding[];
}

export const isViolation = (found: Violation | Assessment): found is Violation => 'step' in found;

/** `outcome` is the first step that does not hold, or what to say of `Ready` where all do. */
export interface Summary {
  /** The steps that hold, with what to say of them. */
  readonly held: Partial<Record<StepCondition, Assessment>>;
  readonly outcome: Violation | Assessment;
  /** Steps that this binding does not have: nothing is said of them. */
  readonly without?: readonly StepCondition[];
}

/** Of a binding whose steps are not walked through: one thing stands in the way, and all the rest waits for it. */
export function stuckAt(violation: Violation, { metadata, status }: IrsaBinding, now: number): BindingStatus {
  const conditions = summarize({ held: {}, outcome: violation, without: ['Verified'] }, status.conditions, metadata.generation, now);
  return { ...status, observedGeneration: metadata.generation, conditions, findings: [...violation.findings] };
}

/**
 * The conditions as kstatus reads them: `Ready` sums up, `Stalled` says that only a change helps, `Reconciling` that we are at it.
 * Steps behind a violation are Unknown with the step that they wait for, so that one line tells where it is stuck.
 */
export function summarize(summary: Summary, before: readonly Condition[], generation: number, now: number): Condition[] {
  const { held, outcome, without = [] } = summary;
  const assessments: Partial<Record<ConditionType, Assessment>> = { ...held };
  if (!isViolation(outcome)) {
    assessments.Ready = outcome;
    return conditionsFrom(assessments, before, generation, now);
  }
  const { step, status, reason, message, terminal, findings } = outcome;
  assessments[step] = { status, reason, message };
  for (const later of STEP_CONDITIONS.slice(STEP_CONDITIONS.indexOf(step) + 1)) {
    if (!without.includes(later)) assessments[later] ??= { status: 'Unknown', reason: 'Waiting', message: `waits for ${step}` };
  }
  // The detail is in the condition of the step alone.
  const found = findings.find(({ code }) => code === reason) ?? findings[0];
  assessments.Ready = { status, reason, message: `${ADVICE_ON_OWN_CALLS.get(reason) ?? todo(terminal, found)}. See condition ${step}` };
  assessments[terminal ? 'Stalled' : 'Reconciling'] = { status: 'True', reason, message: `see condition ${step}` };
  return conditionsFrom(assessments, before, generation, now);
}

/** irsa-operator retries, and it will be in vain until a person helps. */
const NEEDS_HELP: ReadonlySet<string> = new Set<FindingCode>([
  'IssuerUnknown',
  'RoleAccessDenied',
  'RolePaused',
  'TrustRevocationBlocked',
  'IdpUnreachable',
  'EvictionBlocked',
  'MultiplePDBs',
]);

function todo(terminal: boolean, found: Finding | undefined): string {
  if (!terminal && !NEEDS_HELP.has(found?.code ?? '')) return 'irsa-operator is working on it';
  return found === undefined ? 'irsa-operator waits for a change' : ADVICE[found.code];
}

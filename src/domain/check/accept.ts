import type { FindingCode } from '../../api/finding.ts';
import type { Accepted, Check, CheckFinding, CheckStep } from './judge.ts';

/** The check with what is accepted marked: it is still told, and decides no exit code. Pure. */
export function accept(check: Check, acceptedBy: (code: FindingCode) => Accepted | undefined): Check {
  const marked = (found: readonly CheckFinding[]): readonly CheckFinding[] =>
    found.map((one) => {
      const accepted = acceptedBy(one.code);
      return accepted === undefined ? one : { ...one, accepted };
    });
  return { ...check, steps: check.steps.map((step) => stepOf(step, marked(step.findings))), notes: marked(check.notes) };
}

function stepOf(step: CheckStep, found: readonly CheckFinding[]): CheckStep {
  if (step.state !== 'fail' || found.length === 0) return step;
  // What counts is told first.
  const findings = found.toSorted((a, b) => Number(a.accepted !== undefined) - Number(b.accepted !== undefined));
  const state = findings.every(({ accepted }) => accepted !== undefined) ? 'accepted' : 'fail';
  return { ...step, state, text: findings[0]?.message ?? '', findings };
}

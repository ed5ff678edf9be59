import { type BindingStatus, MAX_FINDINGS, MAX_PLAN, type ReportedFinding } from '../../api/binding.ts';
import { type Condition, MAX_MESSAGE } from '../../api/condition.ts';
import { cut } from '../../api/cut.ts';

/** What the API server takes of it: a status that is one character too long is refused whole, and then nobody is told anything. */
export function withinLimits(status: BindingStatus): BindingStatus {
  const { conditions, findings, plan } = status;
  return {
    ...status,
    ...(findings === undefined ? {} : { findings: unique(findings).map(saidOnce(conditions)).slice(0, MAX_FINDINGS) }),
    ...(plan === undefined ? {} : { plan: plan.slice(0, MAX_PLAN).map((words) => cut(words, MAX_MESSAGE)) }),
  };
}

function unique(findings: readonly ReportedFinding[]): ReportedFinding[] {
  const seen = new Set<string>();
  return findings.filter(({ code, message }) => !seen.has(`${code} ${message}`) && seen.add(`${code} ${message}`));
}

/** A sentence that a condition has is read there. */
const saidOnce =
  (conditions: readonly Condition[]) =>
  ({ message, ...rest }: ReportedFinding): ReportedFinding => {
    const isInCondition = conditions.some(({ reason, message: said }) => reason === rest.code && said.startsWith(message ?? ''));
    return message === undefined || isInCondition ? rest : { ...rest, message: cut(message, MAX_MESSAGE) };
  };

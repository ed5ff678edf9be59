import { type BindingStatus, MAX_FINDINGS, MAX_MESSAGE, MAX_PLAN } from '../../api/binding.ts';
import { cut } from '../../api/cut.ts';
import type { Finding } from '../../api/finding.ts';

/** What the API server takes of it: a status that is one character too long is refused whole, and then nobody is told anything. */
export function withinLimits(status: BindingStatus): BindingStatus {
  const { findings, plan } = status;
  return {
    ...status,
    ...(findings === undefined ? {} : { findings: unique(findings).slice(0, MAX_FINDINGS) }),
    ...(plan === undefined ? {} : { plan: plan.slice(0, MAX_PLAN).map((words) => cut(words, MAX_MESSAGE)) }),
  };
}

function unique(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings
    .map((found) => ({ ...found, message: cut(found.message, MAX_MESSAGE) }))
    .filter(({ code, message }) => !seen.has(`${code} ${message}`) && seen.add(`${code} ${message}`));
}

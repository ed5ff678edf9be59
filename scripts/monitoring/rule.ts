import { PROJECT } from '../../src/api/project.ts';

/** Minutes as Prometheus writes them. The tests on a real operator divide them, and nothing else. */
export type Duration = (minutes: number) => string;

export interface Alert {
  /** CamelCase, and the name of its page in docs/runbooks. */
  readonly name: string;
  /** `critical`: wake a person. `warning`: today. `info`: on the dashboard. */
  readonly severity: 'critical' | 'warning' | 'info';
  /** How long the expression must hold, in minutes. */
  readonly forMinutes: number;
  readonly expr: (duration: Duration) => string;
  /** One line, for a telephone. */
  readonly summary: string;
  /** What it means, and what irsa-operator does meanwhile. */
  readonly description: string;
}

/** A group of rules as Prometheus reads it. */
export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly {
    readonly alert: string;
    readonly expr: string;
    readonly for?: string;
    readonly labels: { readonly severity: string };
    readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
  }[];
}

/** With a divisor, ten minutes last `10 / divisor` of them. */
export function groupOf(name: string, alerts: readonly Alert[], divisor = 1): RuleGroup {
  const duration: Duration = (minutes) => inWords((minutes * 60) / divisor);
  return {
    name,
    rules: alerts.map((alert) => ({
      alert: alert.name,
      expr: alert.expr(duration),
      ...(alert.forMinutes === 0 ? {} : { for: duration(alert.forMinutes) }),
      labels: { severity: alert.severity },
      annotations: { summary: alert.summary, description: alert.description, runbook_url: runbookUrl(alert.name) },
    })),
  };
}

export function runbookUrl(name: string): string {
  return `${PROJECT.docs}/runbooks/${name}.md`;
}

function inWords(seconds: number): string {
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${Math.ceil(seconds)}s`;
}

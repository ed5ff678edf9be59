import { ALERTS } from './alerts.ts';
import type { Alert } from './rule.ts';

/** docs/runbooks/README.md: every alert in a line. */
export function runbooks(): string {
  return `# Alerts and their runbooks

Each alert has a page that begins with what to check. \`critical\` is meant to wake a person. \`warning\` is for the working day. \`info\` is for a dashboard. This page is generated from the alerts.

| Alert | Severity | After | Says |
| --- | --- | --- | --- |
${ALERTS.map(row).join('\n')}

**One alert for a cause.** A binding that waits for AWS, for the OIDC provider or for a pause has no alert of its own: the cause has one. A \`Stalled\` binding is not also reported as not Ready.

- **prometheus-operator**: \`kubectl apply -k config/prometheus\`, or \`prometheusRule.enabled\` of the chart.
- **Prometheus alone**: [config/prometheus/rules.yaml](../../config/prometheus/rules.yaml) in \`rule_files\`.

The rules expect one cluster in a Prometheus, and \`honorLabels\` ([metrics](../metrics.md#scrape-it)).
`;
}

function row({ name, severity, forMinutes, summary }: Alert): string {
  const after = forMinutes === 0 ? 'at once' : `${forMinutes} min`;
  return `| [${name}](${name}.md) | ${severity} | ${after} | ${plain(summary)} |`;
}

/** Without the language of templates. */
function plain(summary: string): string {
  return summary
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => label.toUpperCase())
    .replaceAll(/\{\{ \$value[^}]*\}\}/g, 'N');
}

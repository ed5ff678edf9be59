import { stringify } from 'yaml';
import { ALERTS } from './alerts.ts';
import { runbooks } from './index-page.ts';
import { groupOf } from './rule.ts';

const HEADER = '# Generated from scripts/monitoring by `npm run generate`. Do not edit.\n';
const GROUP = 'irsa-operator';

/** The file that Prometheus reads, with these alerts. */
export function rulesFile(divisor = 1): string {
  return text({ groups: [groupOf(GROUP, ALERTS, divisor)] });
}

/** For prometheus-operator, without its groups. */
export const PROMETHEUS_RULE = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  metadata: { name: 'irsa-operator' },
} as const;

/** Everything of the monitoring, by path. The chart includes its files as they are: Helm would take `{{` for its own. */
export function monitoring(): Record<string, string> {
  const spec = { groups: [groupOf(GROUP, ALERTS)] };
  return {
    'config/prometheus/prometheus-rule.yaml': HEADER + text({ ...PROMETHEUS_RULE, spec }),
    'config/prometheus/rules.yaml': HEADER + rulesFile(),
    'config/helm/irsa-operator/files/rules.yaml': HEADER + rulesFile(),
    'docs/runbooks/README.md': runbooks(),
  };
}

function text(value: object): string {
  return stringify(value, { lineWidth: 0, blockQuote: 'literal' });
}

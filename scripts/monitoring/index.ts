import { stringify } from 'yaml';
import { ALERTS } from './alerts.ts';
import { dashboards } from './dashboards/index.ts';
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

/** For Grafana's sidecar, without its pages. */
export const DASHBOARDS = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'irsa-operator-dashboards' } } as const;
/** The label by which the sidecar of Grafana's chart finds dashboards, unless it is told another one. */
export const SIDECAR_LABEL = { grafana_dashboard: '1' } as const;

/** Everything of the monitoring, by path. The chart includes its files as they are: Helm would take `{{` for its own. */
export function monitoring(): Record<string, string> {
  const spec = { groups: [groupOf(GROUP, ALERTS)] };
  const pages = Object.entries(dashboards());
  return {
    'config/prometheus/dashboards/kustomization.yaml': HEADER + text(kustomization(pages.map(([name]) => name))),
    ...Object.fromEntries(
      pages.flatMap(([name, page]) => [
        [`config/prometheus/dashboards/${name}`, page],
        [`config/helm/irsa-operator/files/dashboards/${name}`, page],
      ]),
    ),
    'config/prometheus/prometheus-rule.yaml': HEADER + text({ ...PROMETHEUS_RULE, spec }),
    'config/prometheus/rules.yaml': HEADER + rulesFile(),
    'config/helm/irsa-operator/files/rules.yaml': HEADER + rulesFile(),
    'docs/runbooks/README.md': runbooks(),
  };
}

/** Opt-in, and apart from the rest: it is for Grafana. */
function kustomization(files: readonly string[]): object {
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: 'irsa-operator-system',
    configMapGenerator: [{ name: DASHBOARDS.metadata.name, files }],
    // A new name at each change would leave the old pages behind.
    generatorOptions: { disableNameSuffixHash: true, labels: { 'app.kubernetes.io/name': 'irsa-operator', ...SIDECAR_LABEL } },
  };
}

function text(value: object): string {
  return stringify(value, { lineWidth: 0, blockQuote: 'literal' });
}

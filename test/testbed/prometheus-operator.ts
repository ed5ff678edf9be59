import { join } from 'node:path';
import { moduleFolder } from './module-folder.ts';

/** Paths of the CRDs of ServiceMonitors and PrometheusRules. */
export async function prometheusOperatorCrds(): Promise<string[]> {
  const folder = await moduleFolder('prometheus-operator');
  return ['servicemonitors', 'prometheusrules'].map((name) =>
    join(folder, 'example', 'prometheus-operator-crd', `monitoring.coreos.com_${name}.yaml`),
  );
}

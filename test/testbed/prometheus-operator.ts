import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GO_ENVIRONMENT } from './binaries/go.ts';

const FOLDER = join(import.meta.dirname, 'modules', 'prometheus-operator');
const MODULE = 'github.com/prometheus-operator/prometheus-operator';
/** The download is some megabytes. */
const DEADLINE_MS = 300_000;

/** Paths of the CRDs of ServiceMonitors and PrometheusRules, from the module that go.mod pins and go.sum verifies. */
export async function prometheusOperatorCrds(): Promise<string[]> {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', MODULE], {
    cwd: FOLDER,
    env: { ...process.env, ...GO_ENVIRONMENT },
    timeout: DEADLINE_MS,
  });
  const { Dir: folder } = JSON.parse(stdout) as { Dir: string };
  return ['servicemonitors', 'prometheusrules'].map((name) =>
    join(folder, 'example', 'prometheus-operator-crd', `monitoring.coreos.com_${name}.yaml`),
  );
}

import { join } from 'node:path';
import { moduleFolder } from './module-folder.ts';

/** Path of the CRD of ServiceMonitors. */
export async function serviceMonitorCrd(): Promise<string> {
  const folder = await moduleFolder('prometheus-operator');
  return join(folder, 'example', 'prometheus-operator-crd', 'monitoring.coreos.com_servicemonitors.yaml');
}

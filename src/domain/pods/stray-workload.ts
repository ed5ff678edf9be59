import type { BindingSpec } from '../../api/binding.ts';
import { type Finding, finding } from '../../api/finding.ts';
import type { PodsInput } from './input.ts';

/**
 * The article's first question: does the Deployment name this ServiceAccount at all? Nothing links a binding to a workload but a name,
 * so a workload is suspected only where no workload and no pod of the namespace runs as the bound ServiceAccount, and one has its name.
 */
export function strayWorkload({ binding, workloads, pods, serviceAccountExists }: PodsInput, spec: BindingSpec): Finding | undefined {
  if (pods.length > 0 || workloads.some(({ serviceAccountName }) => serviceAccountName === spec.serviceAccountName)) return undefined;
  const names = [spec.serviceAccountName, binding.metadata.name];
  const stray = workloads.find(({ name, appName }) => names.includes(name) || (appName !== undefined && names.includes(appName)));
  if (stray === undefined) return undefined;
  const missing = serviceAccountExists(stray.serviceAccountName) ? '' : ', which does not exist,';
  return finding(
    'WorkloadUsesOtherServiceAccount',
    `${stray.kind} "${stray.name}" runs as ServiceAccount "${stray.serviceAccountName}"${missing} and not as the bound "${spec.serviceAccountName}". Set spec.template.spec.serviceAccountName`,
  );
}

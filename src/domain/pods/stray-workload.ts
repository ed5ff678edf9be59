import type { BindingSpec } from '../../api/binding.ts';
import type { BatchWorkload, Workload } from '../../api/cluster.ts';
import { type Finding, finding } from '../../api/finding.ts';
import type { PodsInput } from './input.ts';

export interface StrayWorkload {
  readonly finding: Finding;
  /** Its ServiceAccount does not exist: it cannot work as it is. Else it may be meant so. */
  readonly certain: boolean;
}

/**
 * The article's first question: does the Deployment name this ServiceAccount at all? Nothing links a binding to a workload but a name,
 * so a workload is suspected only where no workload and no pod of the namespace runs as the bound ServiceAccount, and one has its name.
 * Nobody need run as it: controllers of other objects request its tokens by name. So the advice never is only to give a workload the role.
 * Workloads of other namespaces are not looked at: a finding would tell the tenant of one namespace what runs in another.
 */
export function strayWorkload(seen: PodsInput, spec: BindingSpec): StrayWorkload | undefined {
  const { binding, workloads, batchWorkloads, pods, serviceAccountExists } = seen;
  if (pods.length > 0) return undefined;
  const all = [...workloads, ...batchWorkloads()];
  if (all.some(({ serviceAccountName }) => serviceAccountName === spec.serviceAccountName)) return undefined;
  const names = [spec.serviceAccountName, binding.metadata.name];
  const stray = all.find(({ name, appName }) => names.includes(name) || (appName !== undefined && names.includes(appName)));
  if (stray === undefined) return undefined;
  const certain = !serviceAccountExists(stray.serviceAccountName);
  const as = `"${stray.serviceAccountName}"${certain ? ', which does not exist' : ''}`;
  const found = `no pod runs as the bound ServiceAccount "${spec.serviceAccountName}", and ${stray.kind} "${stray.name}" runs as ${as}`;
  const right = 'Nothing is wrong if tokens are requested by name (External Secrets, cert-manager, Flux)';
  return { finding: finding('WorkloadUsesOtherServiceAccount', `${found}. If it needs the role, ${correction(stray)}. ${right}`), certain };
}

function correction({ kind }: Workload | BatchWorkload): string {
  switch (kind) {
    case 'CronJob':
      return 'set its spec.jobTemplate.spec.template.spec.serviceAccountName';
    case 'Job': // its template is immutable
      return 'recreate it with spec.template.spec.serviceAccountName';
    default:
      return 'set its spec.template.spec.serviceAccountName';
  }
}

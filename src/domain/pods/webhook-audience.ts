import type { BindingSpec } from '../../api/binding.ts';
import { annotationKeys } from '../../api/webhook.ts';
import type { PodsInput } from './input.ts';
import { podState } from './pod-state.ts';
import { SETTLE_MS } from './settle.ts';
import { workloadOf } from './workload-of.ts';

/**
 * The audience that the webhook gives where no annotation names one, as a pod shows it that was made of the annotation as it is: it has the role, and a
 * token for another audience. Undefined where no pod shows another than is wanted.
 */
export function webhookAudience(seen: PodsInput, spec: BindingSpec): string | undefined {
  const { serviceAccount, webhook } = seen;
  const keys = annotationKeys(webhook);
  if (serviceAccount === undefined || keys.audience in serviceAccount.annotations) return undefined;
  const writtenAt = serviceAccount.writers[keys.roleArn]?.map(({ at }) => at) ?? [];
  if (writtenAt.length === 0 || serviceAccount.annotations[keys.roleArn] !== spec.roleArn) return undefined;
  const annotatedAt = Math.max(...writtenAt);
  const shown = seen.pods.find((pod) => {
    const { tokenAudience, createdAt, finished, deleting } = pod;
    if (finished || deleting || tokenAudience === spec.audience || createdAt < annotatedAt + SETTLE_MS) return false;
    const state = podState(pod, { ...spec, webhook }, workloadOf(pod, seen.workloads));
    return state.kind === 'stale' && state.finding.code === 'PodAudienceStale';
  });
  return shown?.tokenAudience;
}

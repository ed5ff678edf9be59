import type { Workload } from '../api/cluster.ts';
import { isFault } from '../api/fault.ts';
import { ANNOTATIONS, FIELD_MANAGER } from '../api/names.ts';
import { mergePatch } from './apply.ts';
import type { ResourceType } from './paths.ts';
import { DAEMON_SET, DEPLOYMENT, STATEFUL_SET } from './resource-types.ts';
import type { Requests } from './transport.ts';

const TYPES: Readonly<Record<Workload['kind'], ResourceType>> = {
  Deployment: DEPLOYMENT,
  StatefulSet: STATEFUL_SET,
  DaemonSet: DAEMON_SET,
};

export type RollOut = { readonly kind: 'gone' } | { readonly kind: 'forbidden'; readonly message: string };

/**
 * Sets our annotation of a workload's template and nothing else, as `kubectl rollout restart` does with its own. The right to do so is
 * installed apart (config/rollout): to be without it is an answer and not a failure.
 */
export async function rollOut(
  requests: Requests,
  { kind, namespace, name, uid }: Workload,
  restartedAt: string,
  signal: AbortSignal,
): Promise<RollOut> {
  const target = { type: TYPES[kind], namespace, name, uid };
  const template = { metadata: { annotations: { [ANNOTATIONS.restartedAt]: restartedAt } } };
  try {
    await mergePatch(requests, target, { spec: { template } }, { manager: FIELD_MANAGER }, signal);
    return { kind: 'gone' };
  } catch (error) {
    if (isFault(error, 'denied') && error.code === 'Forbidden') return { kind: 'forbidden', message: error.message };
    throw error;
  }
}

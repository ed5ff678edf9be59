import { type Api, ApiError } from './api.ts';
import { NODE } from './control-plane/kwok.ts';
import { follow, type KubeObject } from './follow.ts';
import { until } from './until.ts';

interface PendingPod extends KubeObject {
  spec: { schedulingGates?: readonly unknown[] };
}

/** Long enough for an API server that restarts; a pod that is unbound after it stays pending, as when a real scheduler is down. */
const BIND_DEADLINE_MS = 30_000;

/** Binds every pod to the one node, so that manifests work as they are. Runs until the signal; never throws. */
export async function runScheduler(api: Api, signal: AbortSignal): Promise<void> {
  const bindings = new Set<Promise<void>>();
  const present = (pod: PendingPod): void => {
    if (pod.spec.schedulingGates !== undefined && pod.spec.schedulingGates.length > 0) return;
    const binding = bind(api, pod, signal).catch(() => {}); // the deadline or the end: nothing more to do
    bindings.add(binding);
    void binding.then(() => bindings.delete(binding));
  };
  await follow<PendingPod>(api, '/api/v1/pods', 'fieldSelector=spec.nodeName%3D', { present, gone: () => {} }, signal);
  await Promise.all(bindings);
}

async function bind(api: Api, { metadata: { namespace, name, uid } }: PendingPod, signal: AbortSignal): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/binding`;
  const body = { metadata: { name, uid }, target: { kind: 'Node', name: NODE } };
  await until(
    `${namespace}/${name} is bound to ${NODE}`,
    async () => {
      try {
        await api.call('POST', path, { body, signal });
      } catch (error) {
        const settled = error instanceof ApiError && (error.status === 404 || error.status === 409); // gone, or bound already
        if (!settled) throw error;
      }
      return true;
    },
    { timeoutMs: BIND_DEADLINE_MS, signal },
  );
}

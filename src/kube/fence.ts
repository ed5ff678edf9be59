import { CALL_DEADLINE_MS, type KubeRequest, type Requests } from './transport.ts';

/** Asked right before each write: throws where the lease would not outlast the call. */
export type Fence = (deadlineMs: number) => void;

/**
 * Requests of which none writes without the fence's leave, and none that writes takes longer than `writeMs`; reads pass. For the lease itself
 * and for Events the plain transport is right.
 */
export function fenced(requests: Requests, fence: Fence, writeMs = CALL_DEADLINE_MS): Requests {
  const guarded = (request: KubeRequest): KubeRequest => {
    if (request.method === 'GET') return request;
    const deadlineMs = Math.min(request.deadlineMs ?? CALL_DEADLINE_MS, writeMs);
    fence(deadlineMs);
    return { ...request, deadlineMs };
  };
  return {
    async request(request, signal) {
      return requests.request(guarded(request), signal);
    },
    async exchange(request, signal) {
      return requests.exchange(guarded(request), signal);
    },
  };
}

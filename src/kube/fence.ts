import { CALL_DEADLINE_MS, type KubeRequest, type Requests } from './transport.ts';

/** Asked right before each write: throws where the lease would not outlast the call. */
export type Fence = (deadlineMs: number) => void;

/** Requests of which none writes without the fence's leave; reads pass. For the lease itself and for Events the plain transport is right. */
export function fenced(requests: Requests, fence: Fence): Requests {
  const guard = ({ method, deadlineMs = CALL_DEADLINE_MS }: KubeRequest) => {
    if (method !== 'GET') fence(deadlineMs);
  };
  return {
    async request(request, signal) {
      guard(request);
      return requests.request(request, signal);
    },
    async exchange(request, signal) {
      guard(request);
      return requests.exchange(request, signal);
    },
  };
}

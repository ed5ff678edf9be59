import { Fault } from '../api/fault.ts';
import { CALL_DEADLINE_MS, type KubeRequest, type Requests } from './transport.ts';

/**
 * Requests of which none writes unless it will be over before another process can lead: a leader that was frozen, and wakes, must not
 * write (the elector's `mayWrite` is meant for `mayWrite`). Reads pass. For the lease itself and for Events the plain transport is right.
 */
export function fenced(requests: Requests, mayWrite: (deadlineMs: number) => boolean): Requests {
  const guard = ({ method, path, deadlineMs = CALL_DEADLINE_MS }: KubeRequest) => {
    if (method === 'GET' || mayWrite(deadlineMs)) return;
    throw new Fault(
      'transient',
      `${method} ${path} was not sent: this process does not hold the lease for the ${deadlineMs / 1_000} s that it may take`,
    );
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

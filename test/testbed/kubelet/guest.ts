import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, ApiError } from '../api.ts';
import { follow, type KubeObject } from '../follow.ts';

/**
 * Two testbeds on one cluster (the one that runs it, and one that was pointed at it by TESTBED_KUBECONFIG) have an AWS double each, and
 * would tell every pod two things. So the newcomer is a guest: while it holds this Lease, the host's kubelet rests.
 */
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases';
const LEASE = 'testbed-guest';

/** A guest that was killed says nothing more; three missed renewals, and the host goes on. */
const RENEW_MS = 3_000;
const SILENT_AFTER_MS = 3 * RENEW_MS;

/** How soon the host acts on what it saw; the guest waits a few times that before its own kubelet starts. */
const LOOK_MS = 200;
const SETTLE_MS = 1_000;

/** Lets `serve` run whenever there is no guest, until the signal. */
export async function runUnlessGuest(api: Api, serve: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
  let guestUntil = 0;
  const follower = {
    present() {
      guestUntil = performance.now() + SILENT_AFTER_MS; // the moment of seeing it: no clock of another process is compared
    },
    gone() {
      guestUntil = 0;
    },
  };
  const following = follow<KubeObject>(api, LEASES, `fieldSelector=metadata.name%3D${LEASE}`, follower, signal);
  while (!signal.aborted) {
    const rest = new AbortController();
    const serving = serve(AbortSignal.any([signal, rest.signal]));
    await look(() => performance.now() < guestUntil, signal);
    rest.abort();
    await serving;
    await look(() => performance.now() >= guestUntil, signal);
  }
  await following;
}

async function look(until: () => boolean, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !until()) await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
}

/** Becomes the cluster's guest. Comes back when a host has had time to notice; `leave` lets the host go on. */
export async function becomeGuest(api: Api, signal: AbortSignal): Promise<{ leave(): Promise<void> }> {
  await renew(api);
  const renewing = setInterval(() => void renew(api).catch(() => {}), RENEW_MS); // a failure shows as silence
  await sleep(SETTLE_MS, undefined, { signal });
  return {
    async leave() {
      clearInterval(renewing);
      await api.call('DELETE', `${LEASES}/${LEASE}`).catch(() => {}); // a cluster that is gone has no host that waits
    },
  };
}

async function renew(api: Api): Promise<void> {
  const spec = { holderIdentity: `pid ${process.pid}`, renewTime: `${new Date().toISOString().slice(0, -1)}000Z` }; // MicroTime
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: LEASE }, spec };
  try {
    await api.call('PATCH', `${LEASES}/${LEASE}`, { patch: 'merge', body: lease });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
    await api.call('POST', LEASES, { body: lease });
  }
}

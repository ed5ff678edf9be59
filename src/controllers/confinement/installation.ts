import type { ObjectName } from '../../api/cluster.ts';
import { isFault } from '../../api/fault.ts';
import { earlierThan, type Installation } from '../../domain/confinement/installation.ts';
import { backoffDelay, RECONNECT_BACKOFF } from '../../runtime/backoff.ts';
import type { Clock, Random } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';

/** What to do about it, below the root of the repository. */
const PAGE = 'docs/uninstall.md#two-installations';

export interface InstallationRequests {
  /** The ServiceAccount as which the operator runs. Undefined: it runs as another user. */
  self(signal: AbortSignal): Promise<ObjectName | undefined>;
  /** Every irsa-operator that a policy of this cluster names. Throws `Fault` and nothing else. */
  installations(signal: AbortSignal): Promise<readonly Installation[]>;
}

export interface InstallationOptions {
  readonly requests: InstallationRequests;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Returns when it is known that no other irsa-operator was installed in this cluster before, or when it is to stop. Throws where one was: two would
 * write the same statements, each with grants and a record of its own. Without policies there is nothing by which one could know.
 */
export async function refuseSecond({ requests, clock, random, log }: InstallationOptions, stop: AbortSignal): Promise<void> {
  for (let attempt = 0; !stop.aborted; attempt += 1) {
    const first = await requestFirst(requests, stop).catch((error: unknown) => {
      if (!isFault(error)) throw error;
      return error;
    });
    if (first === undefined) return;
    if (!isFault(first)) {
      const { namespace, name } = first.serviceAccount;
      throw new Error(
        `another irsa-operator is installed in this cluster, with the ServiceAccount ${namespace}/${name}. A cluster has one. Uninstall one of them: ${PAGE}`,
      );
    }
    if (first.kind === 'denied') {
      log.warn({ err: first }, 'other installations not read');
      return;
    }
    log.warn({ err: first }, 'other installations not read, retrying');
    await clock.sleep(backoffDelay(RECONNECT_BACKOFF, attempt, random), stop).catch(() => {});
  }
}

async function requestFirst(requests: InstallationRequests, signal: AbortSignal): Promise<Installation | undefined> {
  const self = await requests.self(signal);
  return self === undefined ? undefined : earlierThan(self, await requests.installations(signal));
}

import type { AccountId, RoleArn } from '../api/arn.ts';
import { isFault, LEASE_UNCERTAIN } from '../api/fault.ts';
import type { Store } from '../runtime/store.ts';
import type { FailureRecord } from './stores.ts';

/** One attempt at a role or at a provider: while it fails, a binding that waits for the answer can say why none comes. */
export async function recordFailure<Of extends RoleArn | AccountId, T>(
  failures: Store<FailureRecord<Of>>,
  of: Of,
  attempt: () => Promise<T>,
): Promise<T> {
  try {
    const done = await attempt();
    failures.delete(of);
    return done;
  } catch (error) {
    if (isFault(error) && error.code !== LEASE_UNCERTAIN && failures.get(of)?.why !== error.told) failures.put({ of, why: error.told });
    throw error;
  }
}

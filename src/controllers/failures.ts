import type { AccountId, RoleArn } from '../api/arn.ts';
import { isFault, LEASE_UNCERTAIN } from '../api/fault.ts';
import type { World } from './stores.ts';

/** One attempt at a role or at a provider: while it fails, whoever waits for the answer can say why none comes. */
export async function remembering<T>(
  { failures }: Pick<World, 'failures'>,
  of: RoleArn | AccountId,
  attempt: () => Promise<T>,
): Promise<T> {
  try {
    const done = await attempt();
    failures.delete(of);
    return done;
  } catch (error) {
    if (isFault(error) && error.code !== LEASE_UNCERTAIN && failures.get(of)?.why !== error.message)
      failures.put({ of, why: error.message });
    throw error;
  }
}

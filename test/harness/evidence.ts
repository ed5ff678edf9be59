import { type Testbed, until } from '@irsa-operator/testbed';
import type { RunningOperator } from './operator.ts';
import { samples } from './scrape.ts';

/*
 * What a test waits for before it says that nothing more happens: no time that a machine may need, but what the operator is seen to have done.
 */

/** For three sweeps of 2 s on a busy machine; they come more slowly while IAM fails. */
const PATIENCE_MS = 60_000;

/**
 * The operator has looked at everything twice since then (epoch milliseconds, which may be yet to come), and has nothing left to do. That a
 * sweep is over is seen by the next one.
 */
export async function sweptTwice({ aws }: Testbed, operator: RunningOperator, since: number): Promise<void> {
  const begun = () =>
    aws.journal.filter(
      ({ at, operation, caller, params }) =>
        operation === 'ListRoles' && params['Marker'] === undefined && caller.endsWith(`/${operator.name}`) && at.getTime() >= since,
    ).length;
  const timeoutMs = Math.max(0, since - Date.now()) + PATIENCE_MS;
  await until(`${operator.name} has swept twice since ${new Date(since).toISOString()}`, () => begun() >= 3, { timeoutMs });
  await idle(operator);
}

/** No key waits in a queue or is worked on. */
export async function idle(operator: RunningOperator): Promise<void> {
  const busy = async () =>
    (await samples(operator))
      .filter((one) => one.name === 'workqueue_depth' || one.name === 'controller_runtime_active_workers')
      .reduce((total, { value }) => total + value, 0);
  await until(`${operator.name} has nothing to do`, async () => (await busy()) === 0, { timeoutMs: PATIENCE_MS });
}

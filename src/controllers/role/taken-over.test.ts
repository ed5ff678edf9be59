import { afterEach, expect, test } from 'vitest';
import { ARN, binding, grant, NOW, own, policy, SERVICE, SUBJECT } from '../../domain/test-observed.ts';
import { ManualClock } from '../../runtime/manual-clock.ts';
import { operatorOver, SECOND_MS, worldOf } from '../test-grant-loss.ts';

/** The leader before wrote, and the first reads of this one do not show it yet. */
let running: Awaited<ReturnType<typeof operatorOver>> | undefined;
afterEach(() => running?.stop());

// Contract: rule-positive-evidence
test('a deleted binding is not let go by a read that may be older than the last write of the leader before', async () => {
  const clock = new ManualClock(NOW);
  const bindings = [binding({ metadata: { deleting: true } })];
  const world = worldOf({ clock, iam: new Map([[ARN, policy(SERVICE)]]), bindings, grants: [grant()], namespaces: ['shop'] });
  void clock.sleep(7 * SECOND_MS, new AbortController().signal).then(() => world.iam.set(ARN, policy(SERVICE, own([SUBJECT]))));
  running = await operatorOver(world);
  await clock.advance(60 * SECOND_MS);
  expect([running.bindingOf('shop', 'app'), running.standing()]).toEqual([undefined, { app: [] }]);
});

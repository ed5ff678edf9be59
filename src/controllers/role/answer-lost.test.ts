import { afterEach, expect, test } from 'vitest';
import { ARN, binding, grant, NOW, policy, SERVICE, SUBJECT } from '../../domain/test-observed.ts';
import { ManualClock } from '../../runtime/manual-clock.ts';
import { operatorOver, SECOND_MS, worldOf } from '../test-grant-loss.ts';

/** IAM takes the write that lets a subject in, and the answer is lost. */
let running: Awaited<ReturnType<typeof operatorOver>> | undefined;
afterEach(() => running?.stop());

async function lost(inThatMoment: (of: Awaited<ReturnType<typeof operatorOver>>) => void) {
  const clock = new ManualClock(NOW);
  const world = worldOf({ clock, iam: new Map([[ARN, policy(SERVICE)]]), bindings: [], grants: [grant()], namespaces: ['shop'] });
  const of = await operatorOver(world);
  running = of;
  world.answerLost = () => inThatMoment(of);
  of.seen.bindings.put(binding());
  await clock.advance(SECOND_MS);
  expect(world.answerLost).toBeUndefined();
  return { clock, world, of };
}

// Contract: rule-positive-evidence
test('of a binding that is deleted in that moment the subject goes first: what is known of the role does not show it', async () => {
  const { clock, of } = await lost(({ edit }) =>
    edit('shop', 'app', ({ metadata }) => ({ metadata: { ...metadata, generation: 2, deleting: true } })),
  );
  expect([of.bindingOf('shop', 'app') !== undefined, of.standing()]).toEqual([true, { app: [SUBJECT] }]);
  await clock.advance(60 * SECOND_MS);
  expect([of.bindingOf('shop', 'app'), of.standing()]).toEqual([undefined, { app: [] }]);
});

test('a binding that stays is in order, without a second write', async () => {
  const { clock, world, of } = await lost(() => {});
  const before = world.iam.get(ARN);
  await clock.advance(30 * SECOND_MS);
  expect([world.iam.get(ARN), of.messageOf('shop', 'app', 'Trusted')]).toEqual([
    before,
    `the statement of irsa-operator allows "${SUBJECT}" to assume the role`,
  ]);
});

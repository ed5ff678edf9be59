import { afterEach, expect, test } from 'vitest';
import { writeRecord } from '../../domain/authorization/revocation-record.ts';
import { ARN, binding, grant, loss, NOW, own, policy, SERVICE, SUBJECT } from '../../domain/test-observed.ts';
import { ManualClock } from '../../runtime/manual-clock.ts';
import { MINUTE_MS, operatorOver, SECOND_MS, worldOf } from '../test-grant-loss.ts';

/** The last binding of a role vanishes while the trust that it had is being revoked for want of a grant. */
let running: Awaited<ReturnType<typeof operatorOver>> | undefined;
afterEach(() => running?.stop());

async function revoking() {
  const clock = new ManualClock(NOW);
  const iam = new Map([[ARN, policy(SERVICE, own([SUBJECT]))]]);
  const world = worldOf({ clock, iam, bindings: [binding()], grants: [grant()], namespaces: ['shop'] });
  const of = await operatorOver(world);
  running = of;
  for (const { name } of of.seen.grants.list()) of.seen.grants.delete(name);
  return { clock, world, of };
}

const moments: Record<string, (of: Awaited<ReturnType<typeof revoking>>) => Promise<void>> = {
  'before the write': async ({ clock }) => clock.advance(30 * SECOND_MS),
  'right after the write': async ({ clock, of }) => {
    for (let waited = 0; waited < 90 && of.standing()['app']?.length !== 0; waited += 1) await clock.advance(SECOND_MS);
    expect(of.standing()).toEqual({ app: [] });
  },
};
// Contract: rule-entry-by-entry, rule-revocation-record
for (const [moment, wait] of Object.entries(moments))
  test(`the role stays in view until the loss is over, and is then forgotten: ${moment}`, async () => {
    const at = await revoking();
    await wait(at);
    const { clock, world, of } = at;
    of.seen.bindings.delete('shop/app');
    const before = world.reads;
    await clock.advance(2 * MINUTE_MS);
    expect(world.reads - before).toBeLessThan(10);
    expect([of.standing(), of.seen.losses.list().map(({ revokedAt }) => revokedAt !== undefined)]).toEqual([{ app: [] }, [true]]);
    expect(of.seen.roles.get(ARN)).toBeUndefined();
  });

// Contract: rule-entry-by-entry
test('a role that is deleted meanwhile is asked for until it is certain to be gone, and no longer', async () => {
  const at = await revoking();
  await at.clock.advance(30 * SECOND_MS);
  const { clock, world, of } = at;
  of.seen.bindings.delete('shop/app');
  world.iam.delete(ARN);
  await clock.advance(10 * MINUTE_MS);
  expect(world.reads).toBeLessThan(40);
  expect(of.seen.losses.list().filter(({ revokedAt }) => revokedAt === undefined)).toEqual([]);
});

// Contract: rule-revocation-record
test('a loss whose subject went before a restart is over soon after it, though the first reads say nothing for certain', async () => {
  const clock = new ManualClock(NOW);
  const world = worldOf({ clock, iam: new Map([[ARN, policy(SERVICE)]]), bindings: [], grants: [grant()], namespaces: ['shop'] });
  const { dueAt: _, paused: __, ...lost } = loss({ since: NOW - 5 * MINUTE_MS, subject: 'system:serviceaccount:bank:app' });
  world.record.text = writeRecord([lost]).text;
  running = await operatorOver(world);
  await clock.advance(2 * MINUTE_MS);
  expect(running.seen.losses.list().filter(({ revokedAt }) => revokedAt === undefined)).toEqual([]);
  expect(world.reads).toBeLessThan(10);
});

import { afterEach, describe, expect, test } from 'vitest';
import type { RoleArn } from '../api/arn.ts';
import type { IrsaBinding } from '../api/binding.ts';
import { conditionOf } from '../api/condition.ts';
import type { IrsaGrant } from '../api/grant.ts';
import { subjectOf } from '../api/subject.ts';
import { arn, binding, entry, grant, NOW, own, policy, SERVICE } from '../domain/test-observed.ts';
import { ManualClock } from '../runtime/manual-clock.ts';
import { type Iam, MINUTE_MS, operatorOver, REVOKED_MS, recordIn, SECOND_MS, worldOf } from './test-grant-loss.ts';

/** Bindings that lose their grants, each on a role of its own, with the controllers of bindings and of roles, in virtual time. */
/** Five bindings to a namespace: as many as count of one. */
const namespaceOf = (name: string) => `shop-${Math.ceil(Number(name.split('-')[1]) / 5)}`;
const roleOf = (name: string): RoleArn => arn(`arn:aws:iam::111122223333:role/team/${name}`);
const names = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => `app-${from + index}`);

/** A grant for these ServiceAccounts alone. */
const grantFor = (name: string, serviceAccountNames: readonly string[]): IrsaGrant => ({
  ...grant({ serviceAccountNames, namespaces: { names: ['shop-1', 'shop-2', 'shop-3'] } }),
  name,
  uid: `grant-${name}`,
});
const confirmed = (at: number): IrsaGrant => ({ ...grantFor('confirmed', ['nobody']), revocationConfirmedAt: at });

function standing(name: string): IrsaBinding {
  const role = roleOf(name);
  return binding({
    metadata: { namespace: namespaceOf(name), name, uid: `binding-${name}` },
    spec: { serviceAccountName: name, roleArn: role },
    status: { roles: [entry(role)] },
  });
}

const iamWith = (bound: readonly string[]): Iam =>
  new Map(bound.map((name) => [roleOf(name), policy(SERVICE, own([subjectOf(namespaceOf(name), name)]))]));

let stopRunning = async () => {};
afterEach(() => stopRunning());

/** An operator over what an API server holds; the record is what one before it wrote. */
async function operator(clock: ManualClock, iam: Iam, bindings: readonly IrsaBinding[], grants: readonly IrsaGrant[], record = recordIn()) {
  await stopRunning();
  const world = { ...worldOf({ clock, iam, bindings, grants, namespaces: ['shop-1', 'shop-2', 'shop-3'] }), record };
  const running = await operatorOver(world);
  stopRunning = async () => {
    await running.stop();
    stopRunning = async () => {};
  };
  const { seen } = running;
  const statusOf = (name: string) => seen.bindings.get(`${namespaceOf(name)}/${name}`)?.status;
  return {
    record,
    grants: seen.grants,
    bindings: () => seen.bindings.list(),
    /** Whose trust stands. */
    trusted: () => Object.entries(running.standing()).flatMap(([role, subjects]) => (subjects.length > 0 ? [role] : [])),
    /** Who is told that nothing is taken away for now. */
    paused: () =>
      seen.bindings.list().flatMap(({ metadata, status }) => {
        return (status.findings ?? []).some(({ code }) => code === 'RevocationPaused') ? [metadata.name] : [];
      }),
    pausedBecause: (name: string) => statusOf(name)?.findings?.find(({ code }) => code === 'RevocationPaused')?.message,
    messageOf: (name: string) => conditionOf(statusOf(name)?.conditions ?? [], 'Authorized')?.message,
    statusOf,
  };
}

const everybody = (bound: readonly string[]) => bound.map(standing);

// Contract: rule-revocation-paused
describe('eleven bindings that lose their grant', () => {
  const eleven = names(1, 11);
  async function grantLoss() {
    const [clock, iam] = [new ManualClock(NOW), iamWith(eleven)];
    const running = await operator(clock, iam, everybody(eleven), [grantFor('all', ['*'])]);
    expect(running.trusted()).toEqual(eleven);
    running.grants.delete('all');
    await clock.advance(SECOND_MS);
    return { clock, iam, running };
  }

  test('are told at once that nothing is taken away, each of them, and keep their trust', async () => {
    const { clock, running } = await grantLoss();
    expect(running.paused()).toEqual(eleven);
    await clock.advance(3 * 60 * MINUTE_MS);
    expect([running.paused(), running.trusted()]).toEqual([eleven, eleven]);
  });

  test('are all told at once, though five of them lose it half a minute later', async () => {
    const [clock, iam] = [new ManualClock(NOW), iamWith(eleven)];
    const running = await operator(clock, iam, everybody(eleven), [grantFor('six', names(1, 6)), grantFor('five', names(7, 11))]);
    running.grants.delete('six');
    await clock.advance(30 * SECOND_MS);
    expect(running.paused()).toEqual([]);
    running.grants.delete('five');
    await clock.advance(SECOND_MS);
    expect(running.paused()).toEqual(eleven);
    await clock.advance(10 * MINUTE_MS);
    expect(running.trusted()).toEqual(eleven);
  });

  test('lose their trust as soon as somebody confirms it', async () => {
    const { clock, running } = await grantLoss();
    await clock.advance(10 * MINUTE_MS);
    running.grants.put(confirmed(clock.now()));
    await clock.advance(15 * SECOND_MS);
    expect([running.paused(), running.trusted()]).toEqual([[], []]);
  });

  test('are ten when one of them gets its grant back: the others lose their trust then', async () => {
    const { clock, running } = await grantLoss();
    await clock.advance(10 * MINUTE_MS);
    running.grants.put(grantFor('one', ['app-1']));
    await clock.advance(15 * SECOND_MS);
    expect([running.paused(), running.trusted()]).toEqual([[], ['app-1']]);
  });
});

describe('ten bindings that lost their trust', () => {
  const [ten, all] = [names(1, 10), names(1, 12)];
  /** Ten have lost their trust; then, ten minutes later, the other two lose their grant. */
  async function grantLoss({ restarted }: { readonly restarted: boolean }) {
    const [clock, iam] = [new ManualClock(NOW), iamWith(all)];
    let running = await operator(clock, iam, everybody(all), [grantFor('ten', ten), grantFor('two', ['app-11', 'app-12'])]);
    running.grants.delete('ten');
    await clock.advance(REVOKED_MS);
    expect(running.trusted()).toEqual(['app-11', 'app-12']);
    await clock.advance(10 * MINUTE_MS);
    if (restarted) running = await operator(clock, iam, running.bindings(), running.grants.list(), running.record);
    running.grants.delete('two');
    await clock.advance(SECOND_MS);
    return { clock, running };
  }

  for (const restarted of [false, true]) {
    const across = restarted ? ', across a restart of the operator' : '';
    // Contract: rule-revocation-paused
    test(`count for an hour${across}: whoever loses its grant in it keeps the trust, and loses it by itself when the hour is over`, async () => {
      const { clock, running } = await grantLoss({ restarted });
      expect(running.paused()).toEqual(['app-11', 'app-12']);
      expect(running.pausedBecause('app-11')).toMatch(
        /\. It continues by itself at 2026-01-01T13:0\d:\d\dZ, when no more than 10 count\. /,
      );
      await clock.advance(45 * MINUTE_MS);
      expect(running.trusted()).toEqual(['app-11', 'app-12']);
      await clock.advance(10 * MINUTE_MS);
      expect([running.paused(), running.trusted()]).toEqual([[], []]);
      // What is over is forgotten.
      await clock.advance(61 * MINUTE_MS);
      expect(running.bindings().map(({ status }) => status.revokedAt)).toEqual(all.map(() => undefined));
    });
  }
});

test('ten bindings that lose their grant at once all lose their trust: none of them counts twice', async () => {
  const ten = names(1, 10);
  const [clock, iam] = [new ManualClock(NOW), iamWith(ten)];
  const running = await operator(clock, iam, everybody(ten), [grantFor('ten', ten)]);
  running.grants.delete('ten');
  await clock.advance(REVOKED_MS);
  expect([running.paused(), running.trusted()]).toEqual([[], []]);
});

// Contract: rule-ages-monotonic, rule-grant-lost-60s
for (const [how, byMs] of Object.entries({ 'back ten minutes': -10 * MINUTE_MS, 'forward a day': 24 * 60 * MINUTE_MS }))
  test(`a wall clock that is set ${how} right after a loss takes no trust away sooner than after a minute, nor much later`, async () => {
    const [clock, iam] = [new ManualClock(NOW), iamWith(['app-1'])];
    const running = await operator(clock, iam, everybody(['app-1']), [grantFor('one', ['app-1'])]);
    running.grants.delete('one');
    await clock.advance(SECOND_MS);
    clock.setWall(byMs);
    await clock.advance(57 * SECOND_MS);
    expect(running.trusted()).toEqual(['app-1']);
    await clock.advance(REVOKED_MS - 57 * SECOND_MS);
    expect(running.trusted()).toEqual([]);
  });

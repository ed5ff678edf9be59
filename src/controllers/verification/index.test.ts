import { afterEach, describe, expect, test } from 'vitest';
import { keyOf } from '../../api/cluster.ts';
import { Fault, isFault } from '../../api/fault.ts';
import { questionKey } from '../../domain/role/desired-trust.ts';
import { allowed, binding, caller, cluster, grant, present, provider, question, serviceAccount } from '../../domain/test-observed.ts';
import type { StsAnswer } from '../../domain/verification/proof.ts';
import { ControllerLoop } from '../../runtime/controller.ts';
import { silentLog } from '../../runtime/log.ts';
import { ManualClock, settle } from '../../runtime/manual-clock.ts';
import { noMetrics } from '../../runtime/metrics.ts';
import { Store } from '../../runtime/store.ts';
import { world as makeWorld, type World } from '../stores.ts';
import { proofController } from './index.ts';
import type { AskSts, ToAsk } from './ports.ts';

/** The real loop on a clock that stands still: what is asked of STS, and when. */
const stops: AbortController[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) stop.abort();
  await settle();
});

const one = binding({ spec: { verification: 'OnChange' } });
const KEY = keyOf(one.metadata);

function filled(): World {
  const world = makeWorld(silentLog, []);
  world.bindings.put(one);
  world.grants.put(grant({ allowVerification: true }));
  world.namespaces.put({ name: 'shop', labels: {} });
  world.serviceAccounts.put(serviceAccount());
  world.surroundings.put({ cluster, caller, policyQuota: 2048 });
  world.providers.put({ account: '111122223333', view: provider });
  world.roles.put(present());
  world.verdicts.put({ question: question(), verdict: allowed });
  for (const store of Object.values(world)) if (store instanceof Store) store.markSynced();
  return world;
}

function running(world: World, answer: (at: number) => StsAnswer | Fault) {
  const clock = new ManualClock();
  const asked: { at: number; what: ToAsk }[] = [];
  const ask: AskSts = async (what) => {
    asked.push({ at: clock.monotonic(), what });
    const found = answer(clock.monotonic());
    if (found instanceof Fault) throw found;
    return found;
  };
  const stop = new AbortController();
  stops.push(stop);
  const loop = new ControllerLoop(proofController({ world, ask, clock }), {
    workers: 1,
    clock,
    random: () => 0,
    log: silentLog,
    metrics: noMetrics,
    classify: (error) => (isFault(error) ? { kind: error.kind } : undefined),
  });
  void loop.run(stop.signal, stop.signal);
  return { clock, asked, outcome: () => world.proofs.get(KEY)?.proof.outcome?.kind };
}

const admitted: StsAnswer = { kind: 'admitted' };

describe('the proof controller', () => {
  test('shows STS a token three times over 10 s, and then rests', async () => {
    const { clock, asked, outcome } = running(filled(), () => admitted);
    await clock.advance(9_999);
    expect(outcome()).toBeUndefined();
    await clock.advance(3_600_000);
    expect(asked.map(({ at }) => at)).toEqual([0, 5_000, 10_000]);
    expect(asked[0]?.what).toEqual({ serviceAccount: { namespace: 'shop', name: 'app' }, question: question() });
    expect(outcome()).toBe('proven');
  });

  // Contract: prove-budget
  test('holds no worker while it waits: with one, a hundred bindings are asked about five times a second', async () => {
    const world = filled();
    for (let index = 1; index < 100; index++) {
      const other = binding({
        spec: { verification: 'OnChange', serviceAccountName: `app-${index}` },
        metadata: { name: `app-${index}`, uid: `u-${index}` },
      });
      world.bindings.put(other);
      world.serviceAccounts.put({ ...serviceAccount(), name: `app-${index}` });
      const asks = question({ subject: `system:serviceaccount:shop:app-${index}` as never });
      world.verdicts.put({ question: asks, verdict: allowed });
    }
    const { clock, asked } = running(world, () => admitted);
    await clock.advance(120_000);
    expect(asked).toHaveLength(300);
    const perSecond = Map.groupBy(asked, ({ at }) => Math.floor(at / 1_000));
    expect(Math.max(...[...perSecond.values()].map((all) => all.length))).toBeLessThanOrEqual(5);
    expect(new Set(asked.map(({ what }) => questionKey(what.question))).size).toBe(100);
  });

  test('proves anew what was refused by the trust policy and is allowed again', async () => {
    const world = filled();
    const { clock, asked, outcome } = running(world, () => admitted);
    await clock.advance(20_000);
    world.verdicts.delete(questionKey(question()));
    await clock.advance(1_000);
    expect(world.proofs.get(KEY)).toBeUndefined();
    world.verdicts.put({ question: question(), verdict: allowed });
    await clock.advance(20_000);
    expect([asked.length, outcome()]).toEqual([6, 'proven']);
  });

  // Contract: drift-requested
  test('asks anew what was refused when the user requests a look, also when that is over before its turn comes', async () => {
    const world = filled();
    const refused: StsAnswer = { kind: 'refused', code: 'RegionDisabled', message: 'STS is not activated in this region' };
    const { clock, asked, outcome } = running(world, (at) => (at < 100_000 ? refused : admitted));
    await clock.advance(100_000);
    expect(outcome()).toBe('refused');
    const before = asked.length;
    const look = { binding: KEY, role: question().role, account: undefined, value: 'now', provider: false, trust: false };
    world.looks.put({ ...look, at: clock.now() });
    await settle();
    world.looks.delete(KEY);
    await clock.advance(10_000);
    expect([asked.length - before, outcome()]).toEqual([3, 'proven']);
  });

  test('forgets a binding that is gone or asks no more', async () => {
    const world = filled();
    const { clock } = running(world, () => admitted);
    await clock.advance(20_000);
    world.bindings.put(binding());
    await clock.advance(1);
    expect(world.proofs.get(KEY)).toBeUndefined();
    world.bindings.put(one);
    await clock.advance(20_000);
    world.bindings.delete(KEY);
    await clock.advance(1);
    expect(world.proofs.size).toBe(0);
  });

  test('asks again with back-off where STS does not answer, and says why meanwhile', async () => {
    const world = filled();
    const { clock, asked, outcome } = running(world, (at) => (at < 10_000 ? new Fault('transient', 'STS is away') : admitted));
    await clock.advance(1);
    expect(world.proofs.get(KEY)?.proof.run?.trouble).toBe('STS is away');
    await clock.advance(9_000);
    expect(asked.length).toBeLessThanOrEqual(10);
    await clock.advance(60_000);
    expect(outcome()).toBe('proven');
  });

  test('asks nothing where no grant allows it', async () => {
    const world = filled();
    world.grants.put(grant());
    const { clock, asked } = running(world, () => admitted);
    await clock.advance(3_600_000);
    expect(asked).toEqual([]);
  });
});

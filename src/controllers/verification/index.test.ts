import { describe, expect, test } from 'vitest';
import { keyOf } from '../../api/cluster.ts';
import { Fault, isFault } from '../../api/fault.ts';
import { questionKey } from '../../domain/state/question.ts';

import { ACCOUNT, allowed, binding, grant, NOW, present, provider, question, serviceAccount } from '../../domain/test-observed.ts';
import type { StsAnswer } from '../../domain/verification/proof.ts';
import { Limiter } from '../../runtime/limiter.ts';
import { silentLog } from '../../runtime/log.ts';
import { ManualClock, settle } from '../../runtime/manual-clock.ts';
import { Store } from '../../runtime/store.ts';
import { createStores, type OwnedStores } from '../stores.ts';
import { putIdentity } from '../test-identity.ts';
import { testLoops } from '../test-loop.ts';
import { PROOFS, verificationController } from './index.ts';
import type { AskSts, ToAsk } from './ports.ts';

/** The real loop on a clock that stands still: what is asked of STS, and when. */
const run = testLoops();

const one = binding({ spec: { verification: 'OnChange' } });
const KEY = keyOf(one.metadata);

function filled(): OwnedStores {
  const stores = createStores(silentLog);
  stores.bindings.put(one);
  stores.grants.put(grant({ allowVerification: true }));
  stores.namespaces.put({ name: 'shop', labels: {} });
  stores.serviceAccounts.put(serviceAccount());
  putIdentity(stores);
  stores.providers.put({ account: ACCOUNT, view: provider });
  stores.roles.put(present());
  stores.verdicts.put({ question: question(), verdict: allowed, urgency: 'change' });
  for (const store of Object.values(stores)) if (store instanceof Store) store.markSynced();
  return stores;
}

function running(stores: OwnedStores, answer: (at: number) => StsAnswer | Fault) {
  const clock = new ManualClock();
  const asked: { at: number; what: ToAsk }[] = [];
  const ask: AskSts = async (what) => {
    asked.push({ at: clock.monotonic(), what });
    const found = answer(clock.monotonic());
    if (found instanceof Fault) throw found;
    return found;
  };
  const limiter = new Limiter({ ...PROOFS, clock, waited: () => {} });
  run(verificationController({ stores, owned: stores, ask, limiter, clock }), clock, (error) =>
    isFault(error) ? { kind: error.kind } : undefined,
  );
  return { clock, asked, outcome: () => stores.proofs.get(KEY)?.proof.outcome?.kind };
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
  test('holds no worker between its rounds: with one, a hundred bindings are asked about five times a second', async () => {
    const stores = filled();
    for (let index = 1; index < 100; index++) {
      const other = binding({
        spec: { verification: 'OnChange', serviceAccountName: `app-${index}` },
        metadata: { name: `app-${index}`, uid: `u-${index}` },
      });
      stores.bindings.put(other);
      stores.serviceAccounts.put({ ...serviceAccount(), name: `app-${index}` });
      const asks = question({ subject: `system:serviceaccount:shop:app-${index}` as never });
      stores.verdicts.put({ question: asks, verdict: allowed, urgency: 'change' });
    }
    const { clock, asked } = running(stores, () => admitted);
    await clock.advance(120_000);
    expect(asked).toHaveLength(300);
    const perSecond = Map.groupBy(asked, ({ at }) => Math.floor(at / 1_000));
    expect(Math.max(...[...perSecond.values()].map((all) => all.length))).toBeLessThanOrEqual(5);
    expect(new Set(asked.map(({ what }) => questionKey(what.question))).size).toBe(100);
  });

  // Contract: prove-opt-in
  test('asks for nothing before the role has the tags of the grant that allows it', async () => {
    const stores = filled();
    stores.grants.put(grant());
    stores.grants.put({ ...grant({ allowVerification: true, requiredRoleTags: { owner: 'shop' } }), name: 'tagged' });
    const { clock, asked, outcome } = running(stores, () => admitted);
    await clock.advance(60_000);
    expect(asked).toEqual([]);
    stores.roles.put(present({ tags: { values: new Map([['owner', 'shop']]), asOf: NOW, since: NOW } }));
    await clock.advance(20_000);
    expect([asked.length, outcome()]).toEqual([3, 'proven']);
  });

  test('proves anew what was refused by the trust policy and is allowed again', async () => {
    const stores = filled();
    const { clock, asked, outcome } = running(stores, () => admitted);
    await clock.advance(20_000);
    stores.verdicts.delete(questionKey(question()));
    await clock.advance(1_000);
    expect(stores.proofs.get(KEY)).toBeUndefined();
    stores.verdicts.put({ question: question(), verdict: allowed, urgency: 'change' });
    await clock.advance(20_000);
    expect([asked.length, outcome()]).toEqual([6, 'proven']);
  });

  // Contract: drift-requested
  test('asks anew what was refused when the user requests a look, also when that is over before its turn comes', async () => {
    const stores = filled();
    const refused: StsAnswer = { kind: 'refused', code: 'RegionDisabled', message: 'STS is not activated in this region' };
    const { clock, asked, outcome } = running(stores, (at) => (at < 100_000 ? refused : admitted));
    await clock.advance(100_000);
    expect(outcome()).toBe('refused');
    const before = asked.length;
    const look = { binding: KEY, role: question().role, account: undefined, value: 'now', provider: false, trust: false };
    stores.reconcileRequests.put({ ...look, at: clock.now() });
    await settle();
    stores.reconcileRequests.delete(KEY);
    await clock.advance(10_000);
    expect([asked.length - before, outcome()]).toEqual([3, 'proven']);
  });

  test('forgets a binding that is gone or asks no more', async () => {
    const stores = filled();
    const { clock } = running(stores, () => admitted);
    await clock.advance(20_000);
    stores.bindings.put(binding());
    await clock.advance(1);
    expect(stores.proofs.get(KEY)).toBeUndefined();
    stores.bindings.put(one);
    await clock.advance(20_000);
    stores.bindings.delete(KEY);
    await clock.advance(1);
    expect(stores.proofs.size).toBe(0);
  });

  test('asks again with back-off where STS does not answer, and says why meanwhile', async () => {
    const stores = filled();
    const { clock, asked, outcome } = running(stores, (at) => (at < 10_000 ? new Fault('transient', 'STS is away') : admitted));
    await clock.advance(1);
    expect(stores.proofs.get(KEY)?.proof.run?.trouble).toBe('STS is away');
    await clock.advance(9_000);
    expect(asked.length).toBeLessThanOrEqual(10);
    await clock.advance(60_000);
    expect(outcome()).toBe('proven');
  });

  test('asks nothing where no grant allows it', async () => {
    const stores = filled();
    stores.grants.put(grant());
    const { clock, asked } = running(stores, () => admitted);
    await clock.advance(3_600_000);
    expect(asked).toEqual([]);
  });
});

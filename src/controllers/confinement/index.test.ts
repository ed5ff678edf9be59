import { expect, test } from 'vitest';
import { Fault } from '../../api/fault.ts';
import { POLICIES, type Policy } from '../../api/names.ts';
import type { Answer, Trial } from '../../domain/confinement/confinement.ts';
import { binding } from '../../domain/test-observed.ts';
import type { BindingEvent } from '../../ports/events.ts';
import { silentLog } from '../../runtime/log.ts';
import { ManualClock } from '../../runtime/manual-clock.ts';
import { createStores } from '../stores.ts';
import { confinementController } from './index.ts';
import type { Target } from './ports.ts';

const SELF = { namespace: 'platform', name: 'acme-irsa-operator' };
const POLICY: Policy = 'irsa-operator-service-accounts';
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const accepted: Answer = { kind: 'accepted' };
const CONFINED: Trial = { forbidden: { kind: 'refused', policies: [...POLICIES], message: '' }, needed: accepted };
const UNCONFINED: Trial = { forbidden: accepted, needed: accepted };
const WARNING = `NotConfined: Policy "${POLICY}" does not confine irsa-operator: the API server accepted a dry run that this policy forbids`;
const { signal } = new AbortController();

/** A controller whose API server answers as `says` until that is changed. */
function stage() {
  const clock = new ManualClock();
  const stores = createStores(silentLog);
  const says = { self: SELF as typeof SELF | undefined, right: true, trial: CONFINED as Trial | Fault };
  const seen = { events: [] as BindingEvent[], tried: [] as Target[], metrics: {} as Record<string, boolean | undefined> };
  const controller = confinementController({
    stores,
    requests: {
      self: async () => says.self,
      hasRight: async () => says.right,
      async try(_, target) {
        seen.tried.push(target);
        if (says.trial instanceof Fault) throw says.trial;
        return says.trial;
      },
    },
    events: { record: (event) => seen.events.push(event) },
    metrics: {
      confined(policy, is) {
        seen.metrics[policy] = is;
      },
    },
    clock,
  });
  return {
    clock,
    stores,
    says,
    seen,
    /** The metric, and when the next check is; or why it failed. */
    async check(policy: Policy = POLICY) {
      const attempt = { id: 'x', urgency: 'drift', failures: 0, log: silentLog } as const;
      const outcome = await controller.reconcile(policy, signal, attempt).catch((error: Error) => error);
      const next = outcome instanceof Error ? outcome.message : outcome.kind === 'recheck' ? outcome.afterMs : outcome.kind;
      return [seen.metrics[policy], next];
    },
    events: () => seen.events.map(({ reason, note }) => `${reason}: ${note}`),
  };
}

// Contract: confined-proved
test('a policy that confines is checked at the start and every hour, without an Event', async () => {
  const s = stage();
  expect(await s.check()).toEqual([true, HOUR_MS]);
  expect(await s.check()).toEqual([true, HOUR_MS]);
  expect(s.events()).toEqual([]);
});

// Contract: confined-proved
test('a policy that does not confine is checked every minute; the second check in a row says so, then one an hour, then that it does', async () => {
  const s = stage();
  s.says.trial = UNCONFINED;
  expect(await s.check()).toEqual([false, MINUTE_MS]);
  expect(s.events()).toEqual([]);
  for (let minute = 1; minute <= 60; minute += 1) {
    await s.clock.advance(MINUTE_MS);
    expect(await s.check()).toEqual([false, MINUTE_MS]);
  }
  expect(s.events()).toEqual([WARNING]);
  await s.clock.advance(MINUTE_MS);
  await s.check();
  expect(s.events()).toEqual([WARNING, WARNING]);
  s.says.trial = CONFINED;
  expect(await s.check()).toEqual([true, HOUR_MS]);
  expect(await s.check()).toEqual([true, HOUR_MS]);
  expect(s.events().slice(2)).toEqual([`Confined: Policy "${POLICY}" confines irsa-operator`]);
});

test('a policy that is in force a moment after the start is no news', async () => {
  const s = stage();
  s.says.trial = UNCONFINED;
  await s.check();
  s.says.trial = CONFINED;
  await s.check();
  expect(s.events()).toEqual([]);
});

// Contract: confined-unknown
test('a request that fails is retried, and says neither that the policy confines nor that it does not', async () => {
  const s = stage();
  await s.check();
  for (const kind of ['throttled', 'transient', 'notFound', 'conflict'] as const) {
    s.says.trial = new Fault(kind, 'no answer');
    expect(await s.check()).toEqual([undefined, 'no answer']);
  }
  expect(s.events()).toEqual([]);
});

// Contract: confined-unknown
test('what cannot be tried, as a webhook takes no dry runs, is unknown', async () => {
  for (const fault of [new Fault('invalid', 'admission webhook "x" does not support dry run'), new Fault('denied', 'no reviews here')]) {
    const s = stage();
    s.says.trial = fault;
    expect(await s.check()).toEqual([undefined, MINUTE_MS]);
  }
});

// Contract: confined-unknown
test('a right that the operator does not have needs no policy, and nothing is tried', async () => {
  const s = stage();
  s.says.right = false;
  expect(await s.check()).toEqual([undefined, HOUR_MS]);
  expect(s.seen.tried).toEqual([]);
});

test('as another user than a ServiceAccount no policy confines it', async () => {
  const s = stage();
  s.says.self = undefined;
  expect(await s.check()).toEqual([false, MINUTE_MS]);
});

test('each policy has its target: the ServiceAccount itself, a binding that is not being deleted, a workload; without one it is unknown', async () => {
  const s = stage();
  for (const policy of ['irsa-operator-bindings', 'irsa-operator-status', 'irsa-operator-workloads'] as const)
    expect(await s.check(policy)).toEqual([undefined, MINUTE_MS]);
  s.stores.bindings.put(binding({ metadata: { name: 'ending', deleting: true } }));
  s.stores.bindings.put(binding({ metadata: { name: 'lasting' } }));
  s.stores.daemonSets.put({
    kind: 'DaemonSet',
    namespace: 'shop',
    name: 'agent',
    uid: 'u',
    serviceAccountName: 'agent',
    appName: undefined,
    template: { containers: [], hasTokenVolume: false },
    held: undefined,
    revision: undefined,
    outdated: false,
    replicas: 1,
    restartedAt: undefined,
  });
  for (const policy of POLICIES) expect(await s.check(policy)).toEqual([true, HOUR_MS]);
  const { name } = SELF;
  expect(s.seen.tried.map((target) => target.name)).toEqual([name, 'lasting', 'lasting', 'agent', name, name]);
});

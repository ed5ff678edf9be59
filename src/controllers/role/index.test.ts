import { describe, expect, test } from 'vitest';
import type { BindingStatus, IrsaBinding } from '../../api/binding.ts';
import { conditionsFrom } from '../../api/condition.ts';
import { problem } from '../../api/problem.ts';
import { subjectOf } from '../../api/subject.ts';
import {
  ACCOUNT,
  ARN,
  binding,
  entry,
  grant,
  NOW,
  OTHER_ARN,
  policy,
  present,
  provider,
  SERVICE,
  serviceAccount,
} from '../../domain/test-observed.ts';
import { silentLog } from '../../runtime/log.ts';
import { ManualClock } from '../../runtime/manual-clock.ts';
import { URGENCIES, type Urgency } from '../../runtime/queue.ts';
import { createStores } from '../stores.ts';
import { putIdentity } from '../test-identity.ts';
import { gather } from './gather.ts';
import { roleController } from './index.ts';
import type { RoleOptions } from './ports.ts';

function watched() {
  const stores = createStores(silentLog);
  const clock = new ManualClock(NOW);
  const rest = {
    apiReader: {},
    roles: {},
    events: {},
    metrics: {},
    clock,
    isUnderway: () => false,
    random: () => 0.5,
  } as never as RoleOptions;
  const controller = roleController({ ...rest, stores, owned: stores });
  const woken: string[] = [];
  const urgencies: (Urgency | undefined)[] = [];
  for (const wake of controller.wakes)
    wake.subscribe((arn, urgency) => {
      woken.push(arn);
      urgencies.push(urgency);
    });
  return { stores, controller, clock, woken, urgencies };
}

// Contract: trust-absent
test('a role is looked at again when a ServiceAccount that is bound to it comes or goes, and not when it changes', () => {
  const { stores, woken } = watched();
  stores.bindings.put(binding());
  woken.length = 0;
  stores.serviceAccounts.put(serviceAccount());
  expect(woken.splice(0)).toEqual([ARN]);
  stores.serviceAccounts.put({ ...serviceAccount(), resourceVersion: '2' });
  expect(woken.splice(0)).toEqual([]);
  stores.serviceAccounts.put({ ...serviceAccount(), name: 'unbound' });
  expect(woken.splice(0)).toEqual([]);
  stores.serviceAccounts.delete('shop/app');
  expect(woken).toEqual([ARN]);
});

// Contract: trust-absent
test('what is gathered says which ServiceAccounts do not exist', () => {
  const { stores } = watched();
  stores.bindings.put(binding());
  const other = { name: 'other', uid: 'other' };
  stores.bindings.put(binding({ metadata: other, spec: { serviceAccountName: 'other' }, status: { roles: [] } }));
  stores.bindings.put({ ...binding({ metadata: { name: 'broken', uid: 'broken' } }), spec: problem('it is empty') });
  stores.serviceAccounts.put(serviceAccount());
  expect(gather(stores, ARN, NOW, () => false).absent).toEqual(new Set(['system:serviceaccount:shop:other']));
});

// Contract: trust-one-write
describe('a role is looked at again when of a binding of it', () => {
  const without = binding({ metadata: { finalizers: [] }, status: { roles: [] } });
  const intended = binding();
  const leaving = binding({ spec: { roleArn: OTHER_ARN } });
  const ready = (one: IrsaBinding): IrsaBinding => ({
    ...one,
    status: { ...one.status, conditions: conditionsFrom({ Ready: { status: 'True', reason: 'Ready', message: '' } }, [], 1, NOW) },
  });
  const wokenBy = (previous: IrsaBinding, next: IrsaBinding) => {
    const { stores, woken } = watched();
    stores.bindings.put(previous);
    woken.length = 0;
    stores.bindings.put(next);
    return new Set(woken);
  };
  test('the intent comes', () => expect(wokenBy(without, intended)).toEqual(new Set([ARN])));
  test('the finalizer goes while an entry stands', () =>
    expect(wokenBy(intended, binding({ metadata: { finalizers: [] } }))).toEqual(new Set([ARN])));
  test('the role that it leaves may go, since the new one works', () =>
    expect(wokenBy(leaving, ready(leaving))).toEqual(new Set([ARN, OTHER_ARN])));
  test('nothing else: the finalizer comes before the intent', () =>
    expect(wokenBy(without, binding({ status: { roles: [] } }))).toEqual(new Set()));
  test('nothing else: it becomes Ready, and leaves nothing', () => expect(wokenBy(intended, ready(intended))).toEqual(new Set()));
});

// Contract: trust-one-write
test('a role is not looked at again because its write waits for more bindings', () => {
  const { stores, woken } = watched();
  stores.bindings.put(binding());
  stores.roles.put(present({ policy: policy(SERVICE) }));
  woken.length = 0;
  stores.roles.put(present({ policy: policy(SERVICE) }, NOW, { debounce: { since: NOW, awaited: 1, progressAt: NOW } }));
  expect(woken).toEqual([]);
  stores.roles.put(present({ policy: policy() }));
  expect(new Set(woken)).toEqual(new Set([ARN]));
});

test('a role whose write is read back goes on, and one that was only listed waits its turn', () => {
  const { stores, urgencies } = watched();
  stores.roles.markSynced();
  stores.roles.put(present({ policy: policy(SERVICE) }));
  expect(new Set(urgencies.splice(0))).toEqual(new Set(['drift']));
  stores.roles.put(present({ policy: policy(SERVICE) }, NOW + 1, { pending: { at: NOW, policy: policy() } }));
  expect(new Set(urgencies)).toEqual(new Set(['change']));
});

test.each(URGENCIES)('what a plan answers is as urgent as the plan: %s', async (urgency) => {
  const { stores, controller } = watched();
  stores.grants.put(grant());
  stores.namespaces.put({ name: 'shop', labels: {} });
  putIdentity(stores);
  stores.providers.put({ account: ACCOUNT, view: provider });
  stores.roles.put(present({ policy: policy(SERVICE) }));
  stores.bindings.put(binding({ status: { roles: [] } }));
  await controller.reconcile(ARN, new AbortController().signal, { id: 'x', urgency, failures: 0, log: silentLog });
  expect(stores.verdicts.list().map((one) => one.urgency)).toEqual([urgency]);
});

// Contract: trust-one-write
test('while its write waits for more bindings, a role is planned once a second', async () => {
  const { stores, controller, clock } = watched();
  stores.grants.put(grant());
  stores.namespaces.put({ name: 'shop', labels: {} });
  putIdentity(stores);
  stores.providers.put({ account: ACCOUNT, view: provider });
  stores.roles.put(present({ policy: policy(SERVICE) }));
  stores.bindings.put(binding());
  const other = (roles: NonNullable<BindingStatus['roles']>) =>
    binding({ metadata: { name: 'web', uid: 'web' }, spec: { serviceAccountName: 'web' }, status: { roles } });
  stores.bindings.put(other([]));
  const { signal } = new AbortController();
  const reconcile = () => controller.reconcile(ARN, signal, { id: 'x', urgency: 'change', failures: 0, log: silentLog });
  expect(await reconcile()).toMatchObject({ why: 'more bindings of the role are about to be written' });
  await clock.advance(400);
  expect(await reconcile()).toEqual({ kind: 'recheck', afterMs: 600, why: 'the role was planned just now' });
  await clock.advance(600);
  expect(await reconcile()).toMatchObject({ afterMs: 2_000, why: 'more bindings of the role are about to be written' });
});

// Contract: trust-one-write
test('what is gathered says which bindings the binding controller has in hand', () => {
  const { stores } = watched();
  stores.grants.put(grant());
  putIdentity(stores);
  for (const name of ['app', 'web']) stores.bindings.put(binding({ metadata: { name, uid: name }, spec: { serviceAccountName: name } }));
  const { bindings } = gather(stores, ARN, NOW, (key) => key === 'shop/web');
  expect(bindings.map(({ underway }) => underway)).toEqual([false, true]);
});

// Contract: grant-limit-bindings
test('a role is looked at again when a grant has room for a binding of it', () => {
  const { stores, woken } = watched();
  stores.grants.put(grant({ limits: { bindingsPerNamespace: 1 } }));
  stores.bindings.put(binding());
  const younger = { name: 'younger', uid: 'younger', createdAt: NOW };
  stores.bindings.put(binding({ metadata: younger, spec: { serviceAccountName: 'younger', roleArn: OTHER_ARN }, status: { roles: [] } }));
  woken.length = 0;
  stores.bindings.delete('shop/app');
  expect(woken).toContain(OTHER_ARN);
});

// Contract: fair-turns
test('a role is looked at for the namespaces of its bindings, and of the ServiceAccounts that only name it', () => {
  const { stores, controller } = watched();
  for (const namespace of ['shop', 'other'])
    stores.bindings.put(binding({ metadata: { namespace, uid: namespace }, status: { roles: [] } }));
  stores.audits.put({ account: { namespace: 'third', name: 'job' }, role: ARN, trusted: undefined, findings: [] });
  expect(controller.tenantsOf?.(ARN)).toEqual(['shop', 'other', 'third']);
});

// Contract: slices
test('a role with two thousand bindings is planned in slices, and each subject is answered', async () => {
  const stores = createStores(silentLog);
  stores.grants.put(grant());
  putIdentity(stores);
  stores.providers.put({ account: ACCOUNT, view: provider });
  const names = Array.from({ length: 2_000 }, (_, at) => `app-${at}`);
  for (const name of names)
    stores.bindings.put(binding({ metadata: { name, uid: name }, spec: { serviceAccountName: name }, status: { roles: [] } }));
  stores.roles.put(present({ policy: policy(SERVICE) }));
  let turns = 0;
  let now = 0;
  const slices: number[] = [];
  // Each look at the clock is a tenth of a millisecond later.
  const clock = {
    now: () => NOW,
    wall: () => NOW,
    monotonic: () => {
      now += 0.1;
      return now;
    },
    sleep: async () => {},
    async giveWay() {
      turns += 1;
      slices.push(stores.verdicts.size);
    },
  };
  const unused = {} as never;
  const quiet = { record: () => {} };
  const metrics = { wrote: () => {}, drifted: () => {}, repaired: () => {} };
  const others = {
    roles: unused,
    readBacks: { leaves: () => false },
    isUnderway: () => false,
    apiReader: unused,
    events: quiet,
    ownEvents: quiet,
    metrics,
    random: () => 0.5,
  };
  const controller = roleController({ ...others, stores, owned: stores, clock });
  const { signal } = new AbortController();
  const attempt = { id: 'x', urgency: 'change', failures: 0, log: silentLog } as const;
  await controller.reconcile(ARN, signal, attempt);
  expect(turns).toBeGreaterThan(100);
  // Nothing is answered before all is decided, and then not all in one slice.
  expect(new Set(slices).size).toBeGreaterThan(10);
  expect(stores.verdicts.list().map(({ question }) => question.subject)).toEqual(names.map((name) => subjectOf('shop', name)));

  // Then it rests, so that a change of each of them is not as many plans.
  const rest = await controller.reconcile(ARN, signal, attempt);
  expect(rest).toMatchObject({ kind: 'recheck', why: 'the role was planned just now' });
  now += 10_000;
  expect(await controller.reconcile(ARN, signal, attempt)).not.toEqual(rest);
});

// Contract: competing-bound
test('a binding that nobody evaluates is nothing to its role, unless it remembers trust there', () => {
  const { stores, woken } = watched();
  const one = (at: number, roles: NonNullable<BindingStatus['roles']> = []) =>
    binding({ metadata: { name: `app-${at}`, uid: `${at}`, createdAt: NOW + at }, status: { roles } });
  for (let at = 0; at < 20; at += 1) stores.bindings.put(one(at));
  const wokenBy = (change: () => void) => {
    woken.length = 0;
    change();
    return woken.length > 0;
  };
  expect(wokenBy(() => stores.bindings.put(one(20)))).toBe(false);
  expect(wokenBy(() => stores.bindings.delete('shop/app-20'))).toBe(false);
  expect(wokenBy(() => stores.bindings.put(one(19, [entry()])))).toBe(true);
  expect(wokenBy(() => stores.bindings.delete('shop/app-19'))).toBe(true);
  expect(wokenBy(() => stores.bindings.delete('shop/app-3'))).toBe(true);
});

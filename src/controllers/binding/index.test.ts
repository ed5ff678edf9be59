import { expect, test } from 'vitest';
import { roleArnParts } from '../../api/arn.ts';
import { type BatchWorkload, keyOf, type ObjectKey } from '../../api/cluster.ts';
import { conditionOf } from '../../api/condition.ts';
import { ANNOTATIONS, FINALIZER } from '../../api/names.ts';
import { problem } from '../../api/problem.ts';
import { MOST_EVALUATED } from '../../domain/authorization/authorize.ts';
import { batchWorkload, workload } from '../../domain/test-cluster.ts';
import {
  ARN,
  allowed,
  binding,
  grant,
  NOW,
  OTHER_ARN,
  pod,
  present,
  provider,
  question,
  serviceAccount,
} from '../../domain/test-observed.ts';
import { silentLog } from '../../runtime/log.ts';
import { ManualClock } from '../../runtime/manual-clock.ts';
import { batchWorkloadsFor } from '../observe.ts';
import { createStores } from '../stores.ts';
import { putIdentity } from '../test-identity.ts';
import { bindingController } from './index.ts';
import type { BindingWrites } from './ports.ts';

const KEY: ObjectKey = 'shop/app';

/** A binding whose role trusts it and whose ServiceAccount is bare; the API server gives version 2 to what is annotated. */
function trusted(part: Partial<BindingWrites> = {}) {
  const seen = createStores(silentLog);
  seen.bindings.put(binding());
  seen.grants.put(grant());
  seen.namespaces.put({ name: 'shop', labels: {} });
  seen.serviceAccounts.put(serviceAccount({}));
  putIdentity(seen);
  seen.providers.put({ account: roleArnParts(ARN).account, view: provider });
  seen.roles.put(present());
  seen.verdicts.put({ question: question(), verdict: allowed, urgency: 'change' });
  let annotated = 0;
  let letGo = 0;
  const none = async () => {
    throw new Error('only the ServiceAccount and the status were to be written');
  };
  const writes: BindingWrites = {
    addFinalizer: none,
    async removeFinalizer() {
      letGo += 1;
    },
    evict: none,
    deletePod: none,
    rollOut: none,
    async annotate() {
      annotated += 1;
      return { ...serviceAccount(), resourceVersion: '2' };
    },
    async report(one, status) {
      const resourceVersion = String(Number(one.metadata.resourceVersion) + 1);
      seen.bindings.put({ ...one, metadata: { ...one.metadata, resourceVersion }, status });
      return resourceVersion;
    },
    ...part,
  };
  const metrics = { drifted: () => {}, repaired: () => {}, restarted: () => {} };
  const controller = bindingController({
    stores: seen,
    owned: seen,
    writes,
    events: { record: () => {} },
    metrics,
    sweepIntervalMs: 60_000,
    clock: new ManualClock(NOW),
  });
  const look = () => controller.reconcile(KEY, new AbortController().signal, { id: '1', urgency: 'change', failures: 0, log: silentLog });
  return { seen, controller, look, annotated: () => annotated, letGo: () => letGo };
}

// Contract: fair-requests
test('a reconcile that is requested again within the interval is come back to at its end', async () => {
  const { seen, look } = trusted();
  const ask = (value: string) =>
    seen.bindings.put(
      binding({
        metadata: { resourceVersion: value, annotations: { [ANNOTATIONS.reconcileRequestedAt]: value } },
        status: seen.bindings.get(KEY)?.status ?? {},
      }),
    );
  seen.serviceAccounts.put(serviceAccount());
  await look();
  ask('100');
  await look();
  expect(seen.reconcileRequests.list().map(({ value }) => value)).toEqual(['100']);
  ask('200');
  expect(await look()).toEqual({ kind: 'recheck', afterMs: 60_000, why: 'a time of the plan comes' });
});

// Contract: trust-intent-first
test('finalizer and intent are written in one attempt, one after the other, and looked at again when the watch has shown both', async () => {
  const order: string[] = [];
  const { seen, look } = trusted({
    async addFinalizer({ metadata }) {
      order.push(`finalizer of ${metadata.resourceVersion}`);
      return '2';
    },
    async report({ metadata }, { roles = [] }) {
      order.push(`status of ${metadata.resourceVersion}, with ${roles.length} intent`);
      return '3';
    },
  });
  const asShown = (resourceVersion: string, finalizers: string[]) =>
    seen.bindings.put({ ...binding({ metadata: { resourceVersion, finalizers } }), status: { conditions: [] } });
  asShown('1', []);
  await look();
  expect(order).toEqual(['finalizer of 1', 'status of 2, with 1 intent']);
  asShown('2', [FINALIZER]);
  expect(await look()).toEqual({ kind: 'recheck', afterMs: 1_000, why: 'own write not seen yet' });
  expect(order).toHaveLength(2);
});

// Contract: fair-turns
test('a binding is looked at for its namespace', () => expect(trusted().controller.tenantsOf?.(KEY)).toEqual(['shop']));

test('a ServiceAccount that we annotated is not annotated again before the watch has shown it', async () => {
  const { seen, look, annotated } = trusted();
  await look();
  // Something else of the binding comes first: another controller, another watch.
  seen.bindings.put(binding({ metadata: { resourceVersion: '7' } }));
  expect([await look(), annotated()]).toEqual([{ kind: 'recheck', afterMs: 1_000, why: 'own write not seen yet' }, 1]);
});

test('what somebody made of it after our write is decided on as soon as the watch shows it', async () => {
  const { seen, look, annotated } = trusted();
  await look();
  seen.serviceAccounts.put({ ...serviceAccount({}), resourceVersion: '3' });
  await look();
  expect(annotated()).toBe(2);
});

test('a ServiceAccount that was deleted meanwhile and made again is annotated', async () => {
  const { seen, look, annotated } = trusted();
  await look();
  seen.serviceAccounts.delete(keyOf(serviceAccount()));
  await look();
  seen.serviceAccounts.put(serviceAccount({}));
  await look();
  expect(annotated()).toBe(2);
});

test('a binding that was let go is not let go again before the watch has shown it', async () => {
  const { seen, look, letGo } = trusted();
  seen.bindings.put(binding({ metadata: { deleting: true }, spec: { deletionPolicy: 'Retain' } }));
  await look();
  await look();
  expect(letGo()).toBe(1);
});

// Contract: trust-one-write
test('bindings of one role are looked at one after the other, since they make one write', () => {
  const { seen, controller } = trusted();
  const named = (name: string, roleArn: string) =>
    binding({ metadata: { name, uid: name }, spec: { serviceAccountName: name, roleArn }, status: { roles: [] } });
  for (const [name, arn] of [
    ['b', OTHER_ARN],
    ['c', ARN],
    ['d', OTHER_ARN],
  ] as const)
    seen.bindings.put(named(name, arn));
  seen.bindings.put({ ...named('broken', ARN), spec: problem('it is empty'), status: { conditions: [] } });
  const keys = controller.wakes.flatMap((wake) => [...wake.all()]);
  expect([...new Set(keys)]).toEqual(['shop/app', 'shop/c', 'shop/b', 'shop/d', 'shop/broken']);
});

/** Keys of bindings that a change wakes. */
function wokenBy({ seen, controller }: ReturnType<typeof trusted>, change: (stores: typeof seen) => void): ObjectKey[] {
  const woken = new Set<ObjectKey>();
  const stops = controller.wakes.map((wake) => wake.subscribe((key) => woken.add(key)));
  change(seen);
  for (const stop of stops) stop();
  return [...woken].toSorted();
}
const jobs: [sentence: string, part: Partial<BatchWorkload>, woken: ObjectKey[]][] = [
  ['that runs as the ServiceAccount', { name: 'import' }, ['shop/app']],
  ['that is called as it', { name: 'app', serviceAccountName: 'default' }, ['shop/app']],
  ['whose label is its name', { name: 'import', serviceAccountName: 'default', appName: 'app' }, ['shop/app']],
  ['that is called as the binding of another ServiceAccount', { name: 'nightly', serviceAccountName: 'default' }, ['shop/nightly']],
  ['that has nothing to do with it', { name: 'import', serviceAccountName: 'default' }, []],
  ['of another namespace', { namespace: 'other' }, []],
];
test.each(jobs)('a Job %s wakes these bindings and no others: %o', (_, part, woken) => {
  const stage = trusted();
  stage.seen.bindings.put(binding({ metadata: { name: 'nightly', uid: 'nightly' }, spec: { serviceAccountName: 'reports' } }));
  const job = batchWorkload({ kind: 'Job', ...part });
  expect(wokenBy(stage, ({ jobs: store }) => store.put(job))).toEqual(woken);
  expect(wokenBy(stage, ({ jobs: store }) => store.put({ ...job }))).toEqual([]);
});

test('a workload that is scaled wakes the bindings of its ServiceAccount, and no others of its namespace', () => {
  const stage = trusted();
  stage.seen.bindings.put(binding({ metadata: { name: 'nightly', uid: 'nightly' }, spec: { serviceAccountName: 'reports' } }));
  stage.seen.deployments.put(workload({ replicas: 1 }));
  expect(wokenBy(stage, ({ deployments }) => deployments.put(workload({ replicas: 2 })))).toEqual(['shop/app']);
  expect(wokenBy(stage, ({ deployments }) => deployments.put(workload({ replicas: 2 })))).toEqual([]);
  const held = workload({ replicas: 2, held: 'paused' });
  expect(wokenBy(stage, ({ deployments }) => deployments.put(held))).toEqual(['shop/app', 'shop/nightly']);
});

// Contract: pods-stray
test('Jobs and CronJobs are found by their ServiceAccount, their name and their label', () => {
  const { seen } = trusted();
  const found = () => batchWorkloadsFor(seen, binding({ metadata: { name: 'nightly' } })).map(({ kind, name }) => `${kind} ${name}`);
  expect(found()).toEqual([]);
  seen.jobs.put(batchWorkload({ kind: 'Job', name: 'a', serviceAccountName: 'default' }));
  seen.jobs.put(batchWorkload({ kind: 'Job', name: 'b' }));
  seen.jobs.put(batchWorkload({ kind: 'Job', name: 'c', namespace: 'other' }));
  seen.cronJobs.put(batchWorkload({ name: 'nightly', serviceAccountName: 'default' }));
  seen.cronJobs.put(batchWorkload({ name: 'release', serviceAccountName: 'default', appName: 'app' }));
  expect(found()).toEqual(['CronJob release', 'CronJob nightly', 'Job b']);
});

// Contract: competing-bound
test('the pods and Jobs of a ServiceAccount are the business of the bindings that are evaluated, and wake no others', async () => {
  const stage = trusted();
  const { seen, controller, look } = stage;
  const older = (at: number) => binding({ metadata: { name: `older-${at}`, uid: `${at}`, createdAt: at }, status: { roles: [] } });
  seen.bindings.put(binding({ status: { roles: [] } }));
  for (let at = 0; at < MOST_EVALUATED; at += 1) seen.bindings.put(older(at));
  const woken = new Set<string>();
  for (const wake of controller.wakes) wake.subscribe((key) => woken.add(key));
  seen.pods.put(pod());
  const evaluated = Array.from({ length: MOST_EVALUATED }, (_, at): ObjectKey => `shop/older-${at}`);
  expect(woken).toEqual(new Set(evaluated));
  expect(wokenBy(stage, ({ jobs: store }) => store.put(batchWorkload({ kind: 'Job', name: 'import' })))).toEqual(evaluated.toSorted());
  await look();
  const { status } = seen.bindings.get(KEY) ?? binding();
  expect(conditionOf(status.conditions, 'Stalled')?.reason).toBe('ServiceAccountTaken');
  expect(status.pods?.total).toBe(0);
  // One that goes leaves its place: now it is evaluated.
  seen.bindings.delete('shop/older-0');
  expect(woken).toContain(KEY);
  await look();
  expect(seen.bindings.get(KEY)?.status.pods?.total).toBe(1);
});

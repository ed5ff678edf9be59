import { expect, test } from 'vitest';
import type { RoleArn } from '../api/arn.ts';
import type { IrsaBinding } from '../api/binding.ts';
import { conditionOf } from '../api/condition.ts';
import { isFault } from '../api/fault.ts';
import { FINALIZER } from '../api/names.ts';
import { ACCOUNT, arn, binding, grant, NOW, policy, provider, SERVICE, serviceAccount } from '../domain/test-observed.ts';
import type { Roles } from '../ports/roles.ts';
import { type Controller, ControllerLoop } from '../runtime/controller.ts';
import { silentLog } from '../runtime/log.ts';
import { ManualClock } from '../runtime/manual-clock.ts';
import { noMetrics } from '../runtime/metrics.ts';
import { Store } from '../runtime/store.ts';
import { bindingController } from './binding/index.ts';
import type { BindingWrites } from './binding/ports.ts';
import { roleController } from './role/index.ts';
import { createStores } from './stores.ts';
import { putIdentity } from './test-identity.ts';

/**
 * All bindings are there before the operator starts, and its eight workers need minutes for their writes. Whoever is under way is finished
 * before the next ones are begun, as on a production line: the first Ready does not wait for the last first step.
 */
const BINDINGS = 300;
const ROLES = 30;
const WORKERS = 8;
/** Of a write to the API server: 20 a second with 8 workers, so that four of each binding need a minute. */
const WRITE_MS = 400;

const roleOf = (index: number): RoleArn => arn(`arn:aws:iam::${ACCOUNT}:role/team/r-${index % ROLES}`);
const bound = (index: number): IrsaBinding =>
  binding({
    metadata: { name: `app-${index}`, uid: `binding-${index}`, finalizers: [] },
    spec: { serviceAccountName: `app-${index}`, roleArn: roleOf(index) },
    status: { roles: [] },
  });

function world() {
  const stores = createStores(silentLog);
  const clock = new ManualClock(NOW);
  for (let index = 0; index < BINDINGS; index += 1) {
    stores.bindings.put(bound(index));
    stores.serviceAccounts.put({ ...serviceAccount({}), name: `app-${index}`, uid: `account-${index}` });
  }
  stores.grants.put(grant());
  stores.namespaces.put({ name: 'shop', labels: {} });
  putIdentity(stores, { policyQuota: 4_096 });
  stores.leadership.put({ since: clock.now() });
  for (const store of Object.values(stores)) if (store instanceof Store) store.markSynced();
  return { stores, clock };
}

/** The API server: what is written is in view when it answers, and takes its time. */
function apiServer({ stores, clock }: ReturnType<typeof world>): BindingWrites {
  const never = async (): Promise<never> => {
    throw new Error('nothing is to be taken away');
  };
  const written = async (one: IrsaBinding, part: Partial<Pick<IrsaBinding, 'metadata' | 'status'>>, signal: AbortSignal) => {
    await clock.sleep(WRITE_MS, signal);
    const resourceVersion = String(Number(one.metadata.resourceVersion) + 1);
    stores.bindings.put({ ...one, ...part, metadata: { ...one.metadata, ...part.metadata, resourceVersion } });
    return resourceVersion;
  };
  return {
    addFinalizer: (one, signal) => written(one, { metadata: { ...one.metadata, finalizers: [FINALIZER] } }, signal),
    async annotate(account, annotations, signal) {
      await clock.sleep(WRITE_MS, signal);
      const annotated = { ...account, ...serviceAccount(annotations), name: account.name, uid: account.uid };
      stores.serviceAccounts.put(annotated);
      return annotated;
    },
    report: (one, status, signal) => written({ ...one, ...stores.bindings.get(`shop/${one.metadata.name}`) }, { status }, signal),
    removeFinalizer: never,
    evict: never,
    deletePod: never,
    rollOut: never,
  };
}

function account(): { roles: Roles; writes: () => number } {
  const documents = new Map<RoleArn, string>();
  let writes = 0;
  const read = async (role: RoleArn) => ({ arn: role, roleId: 'AROA', policy: documents.get(role) ?? policy(SERVICE), tags: new Map() });
  const roles: Roles = {
    read,
    async edit(role, decide) {
      const fresh = await read(role);
      const written = await decide(fresh);
      if (written !== undefined) {
        writes += 1;
        documents.set(role, written);
      }
      return { fresh, written };
    },
    async *list() {},
    policyQuota: async () => 4_096,
  };
  return { roles, writes: () => writes };
}

test(`of ${BINDINGS} new bindings the first is Ready while most have not begun, and a role is written once`, async () => {
  const { stores, clock } = world();
  const { roles, writes } = account();
  const quiet = { record: () => {} };
  const metrics = { wrote: () => {}, drifted: () => {}, repaired: () => {}, restarted: () => {} };
  const common = { stores, owned: stores, events: quiet, metrics, clock, random: () => 0.5 };
  const stop = new AbortController();
  const run = <K extends string>(controller: Controller<K>) => {
    const classify = (error: unknown) => (isFault(error) ? { kind: error.kind } : undefined);
    const loop = new ControllerLoop(controller, {
      workers: WORKERS,
      clock,
      random: () => 0.5,
      log: silentLog,
      metrics: noMetrics,
      classify,
    });
    return { loop, ended: loop.run(stop.signal, stop.signal) };
  };
  const ofBindings = run(bindingController({ ...common, writes: apiServer({ stores, clock }), sweepIntervalMs: 60_000 }));
  const ofRoles = run(
    roleController({
      ...common,
      roles,
      ownEvents: quiet,
      readBacks: { leaves: () => false },
      isUnderway: (key) => ofBindings.loop.queue.has(key),
      apiReader: {
        grants: async () => stores.grants.list(),
        namespace: async (name) => stores.namespaces.get(name),
        definition: async () => 'definition',
      },
    }),
  );
  const isReady = ({ status }: IrsaBinding) => conditionOf(status.conditions, 'Ready')?.status === 'True';
  const count = (which: (one: IrsaBinding) => boolean) => stores.bindings.list().filter(which).length;
  await clock.advance(100);
  // What all bindings rest on is read once the controllers run, as at every start.
  stores.providers.put({ account: ACCOUNT, view: provider });
  const readyAfter = async (wanted: number) => {
    while (count(isReady) < wanted && clock.monotonic() < 1_000_000) await clock.advance(1_000);
    return clock.monotonic();
  };
  const first = await readyAfter(1);
  const begun = count(({ metadata }) => metadata.finalizers.length > 0);
  await readyAfter(BINDINGS);
  stop.abort();
  await Promise.all([ofBindings.ended, ofRoles.ended]);
  expect(count(isReady)).toBe(BINDINGS);
  expect(first).toBeLessThan(15_000);
  expect(begun).toBeLessThan(BINDINGS / 2);
  expect(writes()).toBe(ROLES);
});

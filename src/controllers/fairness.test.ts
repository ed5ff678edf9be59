import { afterEach, describe, expect, test } from 'vitest';
import { providerArnFor, type RoleArn } from '../api/arn.ts';
import type { IrsaBinding } from '../api/binding.ts';
import type { ObjectKey } from '../api/cluster.ts';
import { Fault, isFault } from '../api/fault.ts';
import { ANNOTATIONS } from '../api/names.ts';
import { isProblem } from '../api/problem.ts';
import { subjectOf } from '../api/subject.ts';
import { NO_WRITES } from '../domain/state/role-record.ts';
import {
  ACCOUNT,
  allowed,
  arn,
  binding,
  grant,
  ISSUER,
  NOW,
  policy,
  provider,
  question,
  SERVICE,
  serviceAccount,
} from '../domain/test-observed.ts';
import type { StsAnswer } from '../domain/verification/proof.ts';
import type { Roles } from '../ports/roles.ts';
import { type Controller, ControllerLoop, settled as settledOutcome } from '../runtime/controller.ts';
import { Limiter } from '../runtime/limiter.ts';
import { silentLog } from '../runtime/log.ts';
import { ManualClock, settle } from '../runtime/manual-clock.ts';
import { noMetrics } from '../runtime/metrics.ts';
import { NO_TENANT } from '../runtime/round-robin.ts';
import { Store } from '../runtime/store.ts';
import { parseDocument } from '../trust/document/document.ts';
import { planTrust } from '../trust/plan.ts';
import { ReconcileRequests } from './binding/reconcile-requests.ts';
import { roleController } from './role/index.ts';
import { sweepRoles } from './role/sweep.ts';
import { createStores } from './stores.ts';
import { namespaceOf, namespacesOf } from './tenants.ts';
import { putIdentity } from './test-identity.ts';
import { PROOFS, verificationController } from './verification/index.ts';

/**
 * What one tenant waits for while another does its worst, with the controllers, the queue and the limiter as they ship, in virtual time.
 * `fair: false` takes the turns over namespaces away: what it would be without. docs/fairness.md has the figures.
 */
const WORKERS = 8;
const READS_PER_SECOND = 10;
const LATENCY_MS = 50;
const MANY = 'many';
const FEW = 'few';

const stops: AbortController[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) stop.abort();
  await settle();
});

const roleIn = (namespace: string, name: string) => arn(`arn:aws:iam::111122223333:role/${namespace}/${name}`);
const trusting = (namespace: string, name: string, part: { spec?: object } = {}): IrsaBinding =>
  binding({
    metadata: { namespace, name, uid: `${namespace}-${name}` },
    spec: { serviceAccountName: name, roleArn: roleIn(namespace, name), ...part.spec },
    status: { roles: [] },
  });
const names = (count: number) => Array.from({ length: count }, (_, index) => `app-${index}`);

function filled(fair: boolean) {
  const stores = createStores(silentLog);
  const clock = new ManualClock(NOW);
  const roleArns = [MANY, FEW].map((namespace) => `arn:aws:iam::111122223333:role/${namespace}/*`);
  stores.grants.put(grant({ roleArns, namespaces: { names: [MANY, FEW] }, allowVerification: true }));
  for (const name of [MANY, FEW]) stores.namespaces.put({ name, labels: {} });
  putIdentity(stores);
  stores.providers.put({ account: ACCOUNT, view: provider });
  for (const store of Object.values(stores)) if (store instanceof Store && store !== stores.roles) store.markSynced();
  const limiter = (rate: { perSecond: number; burst?: number }) => {
    const limit = new Limiter({ ...rate, clock, waited: () => {} });
    if (fair) return limit;
    return { take: (...[urgency, signal]: Parameters<Limiter['take']>) => limit.take(urgency, signal, NO_TENANT) };
  };
  const run = <K extends string>(controller: Controller<K>) => {
    const stop = new AbortController();
    stops.push(stop);
    const { tenantsOf, ...unfair } = controller;
    const classify = (error: unknown) => (isFault(error) ? { kind: error.kind } : { kind: 'throttled' });
    const options = { workers: WORKERS, clock, random: () => 0.5, log: silentLog, metrics: noMetrics, classify };
    void new ControllerLoop(fair ? controller : unfair, options).run(stop.signal, stop.signal);
  };
  return { stores, clock, limiter, run };
}

/** IAM behind the limiter of the account: when which role was read. Of `missing` it knows nothing, and it lists none. */
function account({ stores, clock, limiter }: ReturnType<typeof filled>, missing = false) {
  const reads: { at: number; role: RoleArn }[] = [];
  const turns = limiter({ perSecond: READS_PER_SECOND });
  const never = (): never => {
    throw new Error('only reads are expected');
  };
  const roles: Roles = {
    async read(role, signal, urgency) {
      await turns.take(urgency, signal, namespacesOf(stores, role));
      reads.push({ at: clock.monotonic(), role });
      await clock.sleep(LATENCY_MS, signal);
      if (missing) throw new Fault('notFound', 'NoSuchEntity');
      return { arn: role, roleId: 'AROA', policy: policy(SERVICE), tags: new Map() };
    },
    async *list(signal, urgency) {
      await turns.take(urgency, signal);
      yield [];
    },
    edit: never,
    policyQuota: never,
  };
  const seconds = (from: number, to: number) => (to - from) / 1_000;
  return {
    roles,
    reads,
    /** How many reads of a tenant a second. */
    rate: (namespace: string, from: number, to: number) =>
      reads.filter(({ at, role }) => at >= from && at < to && role.includes(`/${namespace}/`)).length / seconds(from, to),
    readAt: (role: RoleArn, since = 0) => reads.find((read) => read.role === role && read.at >= since)?.at,
  };
}

const quiet = { record: () => {} };
const metrics = { wrote: () => {}, drifted: () => {}, repaired: () => {} };

function controllerOfRoles({ stores, clock }: ReturnType<typeof filled>, roles: Roles): Controller<RoleArn> {
  const apiReader = { grants: async () => [], namespace: async () => undefined } as never;
  return roleController({
    stores,
    owned: stores,
    roles,
    readBacks: { leaves: () => false },
    isUnderway: () => false,
    apiReader,
    events: quiet,
    ownEvents: quiet,
    metrics,
    clock,
    random: () => 0.5,
  });
}

describe('a turn in the queue of a controller', () => {
  /** One tenant has 5,000 keys, each of them half a second of work, and another has one. */
  async function waits(fair: boolean): Promise<number> {
    const { clock, run } = filled(fair);
    let servedAt = Number.NaN;
    const keys: ObjectKey[] = [...names(5_000).map((name): ObjectKey => `${MANY}/${name}`), `${FEW}/web`];
    run({
      name: 'test',
      wakes: [{ all: () => keys, subscribe: () => () => {}, synced: async () => {} }],
      tenantsOf: namespaceOf,
      async reconcile(key, signal) {
        if (key.startsWith(FEW)) servedAt = clock.monotonic();
        await clock.sleep(500, signal);
        return settledOutcome;
      },
    });
    await clock.advance(400_000);
    return servedAt;
  }

  // Contract: fair-turns
  test('comes at once while another tenant has 5,000 keys', async () => {
    const [before, after] = [await waits(false), await waits(true)];
    expect(before).toBeGreaterThan(300_000);
    expect(after).toBeLessThanOrEqual(500);
  });
});

describe('a new binding’s first read', () => {
  /** One tenant creates 1,500 bindings, and a moment later another creates one. */
  async function waits(fair: boolean): Promise<number> {
    const world = filled(fair);
    const { roles, readAt } = account(world);
    world.stores.roles.markSynced();
    world.run(controllerOfRoles(world, roles));
    await settle();
    for (const name of names(1_500)) world.stores.bindings.put(trusting(MANY, name));
    await world.clock.advance(1_000);
    world.stores.bindings.put(trusting(FEW, 'web'));
    for (let second = 0; second < 300 && readAt(roleIn(FEW, 'web')) === undefined; second++) await world.clock.advance(1_000);
    return (readAt(roleIn(FEW, 'web')) ?? Number.NaN) - 1_000;
  }

  // Contract: fair-turns
  test('comes within a second while another tenant creates 1,500 bindings', async () => {
    const [before, after] = [await waits(false), await waits(true)];
    expect(before).toBeGreaterThan(100_000);
    expect(after).toBeLessThanOrEqual(1_000);
  });
});

describe('reconcile requests', () => {
  /** 20 requests a second over 1,500 bindings, for three minutes; then another tenant creates a binding. */
  async function flood({ fair, bounded }: { fair: boolean; bounded: boolean }) {
    const world = filled(fair);
    const { stores, clock } = world;
    const { roles, readAt } = account(world);
    stores.roles.markSynced();
    const all = names(1_500).map((name) => trusting(MANY, name));
    for (const one of all) {
      stores.bindings.put(one);
      if (isProblem(one.spec)) continue;
      const state = {
        kind: 'present',
        roleId: 'AROA',
        policy: policy(SERVICE),
        writes: NO_WRITES,
        hold: undefined,
        tags: undefined,
      } as const;
      stores.roles.put({ arn: one.spec.roleArn, asOf: NOW, state });
    }
    world.run(controllerOfRoles(world, roles));
    const requests = new ReconcileRequests(stores, 60_000);
    const patched = async (index: number) => {
      const one = all[index % all.length];
      if (one === undefined || isProblem(one.spec)) return;
      const value = `${index}`;
      const asked = { ...one, metadata: { ...one.metadata, annotations: { [ANNOTATIONS.reconcileRequestedAt]: value } } };
      if (bounded) requests.keep(asked, clock.now());
      else stores.reconcileRequests.put({ binding: `${MANY}/${one.metadata.name}`, role: one.spec.roleArn, value, at: clock.now() });
    };
    let index = 0;
    for (let tick = 0; tick < 180 * 20; tick++) {
      await patched(index++);
      await clock.advance(50);
    }
    const since = clock.monotonic();
    stores.bindings.put(trusting(FEW, 'web'));
    for (let tick = 0; tick < 300 * 20 && readAt(roleIn(FEW, 'web')) === undefined; tick++) {
      await patched(index++);
      await clock.advance(50);
    }
    return (readAt(roleIn(FEW, 'web')) ?? Number.NaN) - since;
  }

  // Contract: fair-requests
  test('of one tenant, 20 a second over 1,500 bindings, keep no other waiting for a second', async () => {
    const [before, after] = [await flood({ fair: false, bounded: false }), await flood({ fair: true, bounded: true })];
    expect(before).toBeGreaterThan(100_000);
    expect(after).toBeLessThanOrEqual(1_000);
  });

  // Contract: fair-requests
  test('of one binding, 20 a second, are one read in an interval', async () => {
    const world = filled(true);
    const { roles, reads } = account(world);
    world.stores.roles.markSynced();
    world.run(controllerOfRoles(world, roles));
    const requests = new ReconcileRequests(world.stores, 60_000);
    const one = trusting(MANY, 'app');
    world.stores.bindings.put(one);
    await world.clock.advance(1_000);
    for (let tick = 0; tick < 5 * 60 * 20; tick++) {
      requests.keep(
        { ...one, metadata: { ...one.metadata, annotations: { [ANNOTATIONS.reconcileRequestedAt]: `${tick}` } } },
        world.clock.now(),
      );
      await world.clock.advance(50);
    }
    // The first one, and one for each interval.
    expect(reads).toHaveLength(1 + 5);
  });
});

describe('a proof', () => {
  /** A thousand bindings of one tenant that STS refuses, and then one of another that it admits. */
  async function waits(fair: boolean) {
    const world = filled(fair);
    const { stores, clock } = world;
    stores.roles.markSynced();
    const asked: { at: number; namespace: string }[] = [];
    const ask = async ({ serviceAccount: { namespace } }: { serviceAccount: { namespace: string } }, signal: AbortSignal) => {
      asked.push({ at: clock.monotonic(), namespace });
      await clock.sleep(LATENCY_MS, signal);
      const refused: StsAnswer = {
        kind: 'refused',
        code: 'AccessDenied',
        message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
      };
      return namespace === MANY ? refused : ({ kind: 'admitted' } as const);
    };
    const prove = (namespace: string, name: string) => {
      const one = trusting(namespace, name, { spec: { verification: 'OnChange' } });
      const role = roleIn(namespace, name);
      const state = {
        kind: 'present',
        roleId: 'AROA',
        policy: policy(SERVICE),
        writes: NO_WRITES,
        hold: undefined,
        tags: undefined,
      } as const;
      stores.roles.put({ arn: role, asOf: clock.now(), state });
      stores.serviceAccounts.put({ ...serviceAccount(), namespace, name, uid: `${namespace}-${name}` });
      stores.verdicts.put({ question: question({ role, subject: subjectOf(namespace, name) }), verdict: allowed, urgency: 'change' });
      stores.bindings.put(one);
    };
    world.run(verificationController({ stores, owned: stores, ask, limiter: world.limiter(PROOFS), clock }));
    await settle();
    for (const name of names(1_000)) prove(MANY, name);
    await clock.advance(30_000);
    prove(FEW, 'web');
    const proven = () => stores.proofs.get(`${FEW}/web`)?.proof.outcome?.kind === 'proven';
    for (let second = 0; second < 3_600 && !proven(); second++) await clock.advance(1_000);
    const first = asked.find(({ namespace }) => namespace === FEW)?.at ?? Number.NaN;
    return { firstMs: first - 30_000, provenMs: clock.monotonic() - 30_000 };
  }

  // Contract: fair-turns, prove-budget
  test('begins within a second while STS refuses a thousand of another tenant, and is there when three rounds are over', async () => {
    const [before, after] = [await waits(false), await waits(true)];
    expect(before.provenMs).toBeGreaterThan(300_000);
    expect(after.firstMs).toBeLessThanOrEqual(1_000);
    expect(after.provenMs).toBeLessThanOrEqual(30_000);
  });
});

describe('the sweep', () => {
  // Contract: fair-sweep
  test('of 5,000 bindings of missing roles is over in time, makes one call in two seconds, and reads the role of another tenant each time', async () => {
    const world = filled(true);
    const { stores, clock } = world;
    const { roles, rate, reads } = account(world, true);
    for (const name of names(5_000)) stores.bindings.put(trusting(MANY, name));
    stores.bindings.put(trusting(FEW, 'web'));
    const began: number[] = [];
    const stop = new AbortController();
    stops.push(stop);
    const list: Roles['list'] = async function* (signal, urgency) {
      began.push(clock.monotonic());
      yield* roles.list(signal, urgency);
    };
    world.run(controllerOfRoles(world, roles));
    const options = { stores, owned: stores, roles: { ...roles, list }, intervalMs: 60_000, clock, random: () => 0.5, log: silentLog };
    void sweepRoles({ ...options, rolesIn: () => options.roles, swept: () => {}, unswept: () => {} }, stop.signal);
    // Every role is read twice, 60 s apart, before it counts as missing.
    const calmAt = 30 * 60_000;
    await clock.advance(calmAt + 600_000);
    const longest = (since: number) => Math.max(...began.slice(1).map((at, index) => (at < since ? 0 : at - (began[index] ?? 0))));
    const mine = reads.filter(({ at, role }) => role === roleIn(FEW, 'web') && at > calmAt).length;
    // While all of them are read for the first time, a sweep ends when the next one is due.
    expect(longest(0)).toBeLessThanOrEqual(130_000);
    expect(longest(calmAt)).toBeLessThanOrEqual(65_000);
    expect(rate(MANY, calmAt, calmAt + 600_000)).toBeLessThan(0.6);
    expect(mine).toBeGreaterThanOrEqual(9);
  });
});

describe('the space of a shared role', () => {
  /** As many ServiceAccounts as fit, with names as long as they can be, that do not exist; then how much of the quota is left. */
  function left(exist: boolean): number {
    const wanted = names(20).map((name) => ({
      subject: subjectOf(MANY, name.padEnd(253, 'x')),
      audience: 'sts.amazonaws.com',
      ...(exist ? {} : { absent: true }),
    }));
    const role = roleIn(FEW, 'shared');
    const desired = { role, issuer: ISSUER, provider: providerArnFor(role, ISSUER), wanted, released: [], quota: 2048 };
    return 2048 - planTrust(parseDocument(policy(SERVICE)), desired).size.characters;
  }

  // Contract: trust-absent
  test('is a quarter at least for others, however many ServiceAccounts that do not exist are bound', () => {
    expect(left(true)).toBeLessThan(300);
    expect(left(false)).toBeGreaterThanOrEqual(2048 / 4);
  });
});

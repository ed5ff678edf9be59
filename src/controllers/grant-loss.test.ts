import { afterEach, describe, expect, test } from 'vitest';
import { type AccountId, providerArnFor, type RoleArn } from '../api/arn.ts';
import type { IrsaBinding } from '../api/binding.ts';
import { conditionOf } from '../api/condition.ts';
import { isFault } from '../api/fault.ts';
import type { IrsaGrant } from '../api/grant.ts';
import { STS_AUDIENCE } from '../api/names.ts';
import { subjectOf } from '../api/subject.ts';
import { ARN, arn, binding, caller, cluster, entry, grant, ISSUER, NOW, own, policy, SERVICE } from '../domain/test-observed.ts';
import type { Roles } from '../ports/roles.ts';
import { ControllerLoop } from '../runtime/controller.ts';
import { silentLog } from '../runtime/log.ts';
import { ManualClock } from '../runtime/manual-clock.ts';
import { noMetrics } from '../runtime/metrics.ts';
import { bindingController } from './binding/index.ts';
import type { BindingWrites } from './binding/ports.ts';
import { roleController } from './role/index.ts';

import { createStores } from './stores.ts';

/** Bindings that lose their grants, each on a role of its own, with the controllers of bindings and of roles, in virtual time. */
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
/** From the loss to the status that says that the trust is gone: 60 s, and both read-backs. */
const REVOKED_MS = 75 * SECOND_MS;

const roleOf = (name: string): RoleArn => arn(`arn:aws:iam::111122223333:role/team/${name}`);
const names = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => `app-${from + index}`);

/** A grant for these ServiceAccounts alone. */
const grantFor = (name: string, serviceAccountNames: readonly string[]): IrsaGrant => ({ ...grant({ serviceAccountNames }), name });
const confirmed = (at: number): IrsaGrant => ({ ...grantFor('confirmed', ['nobody']), revocationConfirmedAt: at });

function standing(name: string): IrsaBinding {
  const role = roleOf(name);
  return binding({
    metadata: { name, uid: `binding-${name}` },
    spec: { serviceAccountName: name, roleArn: role },
    status: { roles: [entry(role)] },
  });
}

/** Trust policies by role: they outlive the operator. */
type Iam = Map<string, string>;
const iamWith = (bound: readonly string[]): Iam =>
  new Map(bound.map((name) => [roleOf(name), policy(SERVICE, own([subjectOf('shop', name)]))]));

function rolesIn(iam: Iam): Roles {
  const read = async (role: RoleArn) => ({ arn: role, roleId: entry().roleId ?? '', policy: iam.get(role) ?? '', tags: new Map() });
  return {
    read,
    async edit(role, decide) {
      const fresh = await read(role);
      const written = await decide(fresh);
      if (written !== undefined) iam.set(role, written);
      return { fresh, written };
    },
    async *list() {},
    policyQuota: async () => 2048,
  };
}

let stopRunning = async () => {};
afterEach(() => stopRunning());

/** An operator over what an API server holds. */
async function operator(clock: ManualClock, iam: Iam, bindings: readonly IrsaBinding[], grants: readonly IrsaGrant[]) {
  await stopRunning();
  const seen = createStores(silentLog);
  seen.identity.put({ cluster, caller, policyQuota: 2048 });
  const registered = { kind: 'registered', arn: providerArnFor(ARN, ISSUER), clientIds: [STS_AUDIENCE] } as const;
  seen.providers.put({ account: '111122223333' as AccountId, view: registered });
  seen.namespaces.put({ name: 'shop', labels: {} });
  for (const one of grants) seen.grants.put(one);
  for (const one of bindings) seen.bindings.put(one);
  const { definitions, namespaces, serviceAccounts, pods, deployments, statefulSets, daemonSets, identity, roles } = seen;
  for (const store of [definitions, namespaces, serviceAccounts, pods, deployments, statefulSets, daemonSets, identity, roles])
    store.markSynced();
  for (const store of [seen.bindings, seen.grants]) store.markSynced();
  const unexpected = async () => {
    throw new Error('nothing but the status was to be written');
  };
  const writes: BindingWrites = {
    addFinalizer: unexpected,
    removeFinalizer: unexpected,
    annotate: unexpected,
    evict: unexpected,
    deletePod: unexpected,
    rollOut: unexpected,
    async report(one, status) {
      const resourceVersion = String(Number(one.metadata.resourceVersion) + 1);
      seen.bindings.put({ ...one, metadata: { ...one.metadata, resourceVersion }, status });
      return resourceVersion;
    },
  };
  const random = () => 0.5;
  const events = { record: () => {} };
  const metrics = { wrote: () => {}, drifted: () => {}, repaired: () => {}, restarted: () => {} };
  const apiReader = {
    grants: async () => seen.grants.list(),
    namespace: async () => seen.namespaces.get('shop'),
    isCrdDeleting: async () => false,
  };
  const classify = (error: unknown) => (isFault(error) ? { kind: error.kind } : undefined);
  const options = { workers: 4, clock, random, log: silentLog, metrics: noMetrics, classify };
  const stop = new AbortController();
  const running = [
    new ControllerLoop(
      roleController({ stores: seen, owned: seen, roles: rolesIn(iam), apiReader, events, metrics, clock, random }),
      options,
    ),
    new ControllerLoop(bindingController({ stores: seen, owned: seen, writes, events, metrics, sweepIntervalMs: 60_000, clock }), options),
  ].map((loop) => loop.run(stop.signal, stop.signal));
  stopRunning = async () => {
    stop.abort();
    await Promise.all(running);
    stopRunning = async () => {};
  };
  await clock.advance(20 * SECOND_MS);
  const statusOf = (name: string) => seen.bindings.get(`shop/${name}`)?.status;
  return {
    grants: seen.grants,
    bindings: () => seen.bindings.list(),
    /** Whose trust stands. */
    trusted: () => [...iam.keys()].flatMap((role) => (iam.get(role)?.includes(':shop:') ? [role.slice(role.lastIndexOf('/') + 1)] : [])),
    /** Who is told that nothing is taken away for now. */
    paused: () =>
      seen.bindings.list().flatMap(({ metadata, status }) => {
        return (status.findings ?? []).some(({ code }) => code === 'RevocationPaused') ? [metadata.name] : [];
      }),
    messageOf: (name: string) => conditionOf(statusOf(name)?.conditions ?? [], 'Authorized')?.message,
    pausedBecause: (name: string) => statusOf(name)?.findings?.find(({ code }) => code === 'RevocationPaused')?.message,
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
    if (restarted) running = await operator(clock, iam, running.bindings(), running.grants.list());
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

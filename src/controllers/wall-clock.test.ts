import { describe, expect, test } from 'vitest';
import { type AccountId, providerArnFor } from '../api/arn.ts';
import { Fault } from '../api/fault.ts';
import type { IrsaGrant } from '../api/grant.ts';
import { STS_AUDIENCE } from '../api/names.ts';
import { ARN, binding, entry, grant, ISSUER, NOW, own, policy, SERVICE } from '../domain/test-observed.ts';
import type { FreshRole, Roles } from '../ports/roles.ts';
import { ControllerLoop } from '../runtime/controller.ts';
import { silentLog } from '../runtime/log.ts';
import { ManualClock } from '../runtime/manual-clock.ts';
import { noMetrics } from '../runtime/metrics.ts';
import { roleController } from './role/index.ts';
import { createStores } from './stores.ts';
import { putIdentity } from './test-identity.ts';

const MINUTE = 60_000;

interface Case {
  readonly iam: { policy: string } | Fault;
  readonly tags?: Record<string, string>;
  readonly grants?: readonly IrsaGrant[];
  /** When a user requests a reconcile: right before the wall clock is set, or right after. */
  readonly requested?: 'before' | 'after';
}

/** Calls of IAM in the 300 s after the wall clock was set, one second after the start. */
async function calls({ iam, tags = {}, grants = [grant()], requested }: Case, byMs: number) {
  const stores = createStores(silentLog);
  const clock = new ManualClock(NOW);
  putIdentity(stores);
  const registered = { kind: 'registered', arn: providerArnFor(ARN, ISSUER), clientIds: [STS_AUDIENCE] } as const;
  stores.providers.put({ account: '111122223333' as AccountId, view: registered });
  stores.namespaces.put({ name: 'shop', labels: {} });
  for (const one of grants) stores.grants.put(one);
  stores.bindings.put(binding({ status: { roles: [entry()] } }));
  for (const store of [stores.bindings, stores.grants, stores.namespaces, stores.identity, stores.roles, stores.providers])
    store.markSynced();
  for (const store of [stores.audits, stores.reconcileRequests, stores.revocationGuard]) store.markSynced();
  const count = { GetRole: 0, UpdateAssumeRolePolicy: 0 };
  const read = async (): Promise<FreshRole> => {
    count.GetRole += 1;
    if (iam instanceof Fault) throw iam;
    return { arn: ARN, roleId: entry().roleId ?? '', policy: iam.policy, tags: new Map(Object.entries(tags)) };
  };
  const roles: Roles = {
    read,
    async edit(_, decide) {
      const fresh = await read();
      const written = await decide(fresh);
      if (written !== undefined && !(iam instanceof Fault)) {
        count.UpdateAssumeRolePolicy += 1;
        iam.policy = written;
      }
      return { fresh, written };
    },
    async *list() {},
    policyQuota: async () => 2048,
  };
  const metrics = { wrote: () => {}, drifted: () => {}, repaired: () => {} };
  const apiReader = {
    grants: async () => grants,
    namespace: async () => stores.namespaces.get('shop'),
    definition: async () => 'definition',
  };
  const random = () => 0.5;
  const options = { workers: 1, clock, random, log: silentLog, metrics: noMetrics, classify: () => ({ kind: 'fault' }) };
  const stop = new AbortController();
  const running = new ControllerLoop(
    roleController({
      stores,
      owned: stores,
      roles,
      readBacks: { leaves: () => false },
      isUnderway: () => false,
      apiReader,
      events: { record: () => {} },
      ownEvents: { record: () => {} },
      metrics,
      clock,
      random,
    }),
    options,
  ).run(stop.signal, stop.signal);
  await clock.advance(1_000);
  const before = { ...count };
  const request = () => stores.reconcileRequests.put({ binding: 'shop/app', role: ARN, value: 'now', at: clock.now() });
  if (requested === 'before') request();
  clock.setWall(byMs);
  if (requested === 'after') request();
  await clock.advance(300_000);
  stop.abort();
  await running;
  return { GetRole: count.GetRole - before.GetRole, UpdateAssumeRolePolicy: count.UpdateAssumeRolePolicy - before.UpdateAssumeRolePolicy };
}

const tagged = [grant({ requiredRoleTags: { owner: 'shop' } })];
const cases: Record<string, { given: () => Case; most: { GetRole: number; UpdateAssumeRolePolicy: number } }> = {
  'a role in order': {
    given: () => ({ iam: { policy: policy(SERVICE, own()) } }),
    most: { GetRole: 0, UpdateAssumeRolePolicy: 0 },
  },
  'a role that is being read back': {
    given: () => ({ iam: { policy: policy(SERVICE) } }),
    most: { GetRole: 2, UpdateAssumeRolePolicy: 0 },
  },
  'a role that is missing': {
    given: () => ({ iam: new Fault('notFound', 'NoSuchEntity') }),
    most: { GetRole: 1, UpdateAssumeRolePolicy: 0 },
  },
  'a role that cannot be read': {
    given: () => ({ iam: new Fault('denied', 'AccessDenied') }),
    most: { GetRole: 5, UpdateAssumeRolePolicy: 0 },
  },
  'a role without the tags that its grant requires': {
    given: () => ({ iam: { policy: policy(SERVICE, own()) }, grants: tagged }),
    most: { GetRole: 5, UpdateAssumeRolePolicy: 0 },
  },
  'a role of which a reconcile was requested right before': {
    given: () => ({ iam: { policy: policy(SERVICE, own()) }, requested: 'before' }),
    most: { GetRole: 1, UpdateAssumeRolePolicy: 0 },
  },
  'a role of which a reconcile is requested then': {
    given: () => ({ iam: { policy: policy(SERVICE, own()) }, requested: 'after' }),
    most: { GetRole: 1, UpdateAssumeRolePolicy: 0 },
  },
};

// Contract: rule-ages-monotonic
describe('a wall clock that is set', () => {
  for (const [how, byMs] of Object.entries({
    'back ten minutes': -10 * MINUTE,
    'forward a day': 24 * 60 * MINUTE,
    'back a year': -365 * 24 * 60 * MINUTE,
  }))
    for (const [sentence, { given, most }] of Object.entries(cases))
      test(`${how} costs no call for ${sentence}`, async () => {
        const [set, unset] = [await calls(given(), byMs), await calls(given(), 0)];
        expect(set).toEqual(unset);
        expect(set.GetRole).toBeLessThanOrEqual(most.GetRole);
        expect(set.UpdateAssumeRolePolicy).toBeLessThanOrEqual(most.UpdateAssumeRolePolicy);
      });
});

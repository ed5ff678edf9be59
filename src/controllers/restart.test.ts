import { beforeAll, describe, expect, test } from 'vitest';
import { providerArnFor, type RoleArn } from '../api/arn.ts';
import type { BindingStatus, IrsaBinding } from '../api/binding.ts';
import { conditionOf } from '../api/condition.ts';
import { Fault, isFault } from '../api/fault.ts';
import { EKS_ANNOTATIONS, STS_AUDIENCE } from '../api/names.ts';
import { subjectOf } from '../api/subject.ts';
import type { CallerView } from '../domain/state/identity.ts';
import {
  ARN,
  arn,
  binding,
  caller,
  cluster,
  entry,
  grant,
  ISSUER,
  NOW,
  own,
  policy,
  SERVICE,
  serviceAccount,
} from '../domain/test-observed.ts';
import type { Roles } from '../ports/roles.ts';
import { ControllerLoop } from '../runtime/controller.ts';
import { silentLog } from '../runtime/log.ts';
import { ManualClock } from '../runtime/manual-clock.ts';
import { noMetrics } from '../runtime/metrics.ts';
import { bindingController } from './binding/index.ts';
import type { BindingWrites } from './binding/ports.ts';
import { clusterController } from './cluster/index.ts';
import type { IdentityPorts } from './cluster/ports.ts';
import { oidcProviderController } from './oidc-provider/index.ts';
import { roleController } from './role/index.ts';

import { sweepRoles } from './role/sweep.ts';
import { createStores } from './stores.ts';

/**
 * The contract's bar: "restart of the operator, 10,000 bindings on 1,000 roles, nothing to do: at most 12 IAM calls, 0 writes anywhere".
 * The calls depend on the roles; fewer bindings, because a unit test has no time for all.
 */
const ROLES = 1_000;
const BINDINGS = 2_000;
const MOST_IAM_CALLS = 12;
/** As the adapter asks for them. */
const PAGE_SIZE = 200;
const FIRST_MINUTE_MS = 50_000;
/** Real time, on a busy machine; nothing is measured. */
const SLOW_MS = 120_000;

const roleOf = (index: number): RoleArn => arn(`arn:aws:iam::111122223333:role/team/r-${index % ROLES}`);

function bound(index: number): IrsaBinding {
  const name = `app-${index}`;
  const role = roleOf(index);
  return binding({
    metadata: { name, uid: `binding-${index}` },
    spec: { serviceAccountName: name, roleArn: role },
    status: { roles: [entry(role)] },
  });
}

function policyOf(role: number): string {
  const subjects = Array.from({ length: BINDINGS / ROLES }, (_, nth) => subjectOf('shop', `app-${nth * ROLES + role}`));
  return policy(SERVICE, own(subjects.toSorted()));
}

/** IAM with everything in order; counts what it is asked. */
function account() {
  const calls: Record<string, number> = {};
  const count = (operation: string) => {
    calls[operation] = (calls[operation] ?? 0) + 1;
  };
  const listed = Array.from({ length: ROLES }, (_, index) => ({
    arn: roleOf(index),
    roleId: entry().roleId ?? '',
    policy: policyOf(index),
  }));
  const roles: Roles = {
    async read(role) {
      count('GetRole');
      const found = listed.find((one) => one.arn === role);
      if (found === undefined) throw new Error('not one of ours');
      return { ...found, tags: new Map() };
    },
    async edit() {
      count('UpdateAssumeRolePolicy');
      throw new Error('nothing was to be written');
    },
    async *list() {
      for (let from = 0; from < ROLES; from += PAGE_SIZE) {
        count('ListRoles');
        yield listed.slice(from, from + PAGE_SIZE).map((role) => ({ arn: role.arn, mayBeOurs: true, parse: () => role }));
      }
    },
    async policyQuota() {
      count('GetAccountSummary');
      return 2048;
    },
  };
  const providers = {
    async clientIds() {
      count('GetOpenIDConnectProvider');
      return [STS_AUDIENCE];
    },
    async list() {
      count('ListOpenIDConnectProviders');
      return [providerArnFor(ARN, ISSUER)];
    },
    async create() {
      count('CreateOpenIDConnectProvider');
    },
  };
  return { calls, roles, providers };
}

/** Starts everything over these bindings, as operator.ts does, and lets the first minute pass. */
async function started(bindings: readonly IrsaBinding[], epoch: number, answersOfSts: readonly (CallerView | Fault)[] = [caller]) {
  const seen = createStores(silentLog);
  const clock = new ManualClock(epoch);
  const { calls, roles, providers } = account();
  for (const [index, one] of bindings.entries()) {
    seen.bindings.put(one);
    const name = `app-${index}`;
    seen.serviceAccounts.put({ ...serviceAccount({ [EKS_ANNOTATIONS.roleArn]: roleOf(index) }), name, uid: `account-${index}` });
  }
  seen.grants.put(grant());
  seen.namespaces.put({ name: 'shop', labels: {} });
  const {
    bindings: own,
    definitions,
    grants,
    namespaces,
    serviceAccounts,
    pods,
    deployments,
    statefulSets,
    daemonSets,
    jobs,
    cronJobs,
  } = seen;
  for (const store of [own, definitions, grants, namespaces, serviceAccounts, pods, deployments, statefulSets, daemonSets, jobs, cronJobs])
    store.markSynced();

  const writes: Record<string, number> = {};
  const wrote = (what: string) => {
    writes[what] = (writes[what] ?? 0) + 1;
  };
  const refused = (what: string) => async () => {
    wrote(what);
    throw new Error(`nothing but the status was to be written: ${what}`);
  };
  const kube: BindingWrites = {
    addFinalizer: refused('addFinalizer'),
    removeFinalizer: refused('removeFinalizer'),
    annotate: refused('annotate'),
    evict: refused('evict'),
    deletePod: refused('deletePod'),
    rollOut: refused('rollOut'),
    async report(one, status: BindingStatus) {
      wrote('report');
      const resourceVersion = String(Number(one.metadata.resourceVersion) + 1);
      seen.bindings.put({ ...one, metadata: { ...one.metadata, resourceVersion }, status });
      return resourceVersion;
    },
  };

  const random = () => 0.5;
  const events = { record: () => {} };
  const apiReader = { grants: refused('grants'), namespace: refused('namespace'), definition: refused('definition') };
  const quiet = { wrote: () => {}, drifted: () => {}, repaired: () => {}, restarted: () => {} };
  const options = {
    workers: 8,
    clock,
    random,
    log: silentLog,
    metrics: noMetrics,
    classify: (error: unknown) => (isFault(error) ? { kind: error.kind } : undefined),
  };
  const sts = [...answersOfSts];
  const ports: IdentityPorts = {
    issuer: async () => ISSUER as string,
    eksIssuer: undefined,
    async caller() {
      const answer = sts.length > 1 ? sts.shift() : sts[0];
      if (answer === undefined || answer instanceof Fault) throw answer;
      return answer;
    },
    policyQuota: (_, ...rest) => roles.policyQuota(...rest),
    apiAudiences: async () => [],
  };
  const stop = new AbortController();
  const running = [
    new ControllerLoop(clusterController({ stores: seen, owned: seen, ports, oidcIssuer: undefined, ids: {}, events }), options).run(
      stop.signal,
      stop.signal,
    ),
    new ControllerLoop(
      oidcProviderController({
        stores: seen,
        owned: seen,
        providersIn: () => providers,
        events,
        sweepIntervalMs: 60_000,
        createWith: [STS_AUDIENCE],
        clock,
      }),
      options,
    ).run(stop.signal, stop.signal),
    new ControllerLoop(
      roleController({
        stores: seen,
        owned: seen,
        roles,
        readBacks: { leaves: () => false },
        isUnderway: () => false,
        apiReader,
        events,
        ownEvents: events,
        metrics: quiet,
        clock,
        random,
      }),
      options,
    ).run(stop.signal, stop.signal),
    new ControllerLoop(
      bindingController({ stores: seen, owned: seen, writes: kube, events, metrics: quiet, sweepIntervalMs: 60_000, clock }),
      options,
    ).run(stop.signal, stop.signal),
    sweepRoles(
      {
        stores: seen,
        owned: seen,
        rolesIn: () => roles,
        intervalMs: 60_000,
        clock,
        random,
        log: silentLog,
        swept: () => {},
        unswept: () => {},
      },
      stop.signal,
    ),
  ];
  await clock.advance(FIRST_MINUTE_MS);
  const after = seen.bindings.list().toSorted((a, b) => a.metadata.uid.localeCompare(b.metadata.uid, 'en', { numeric: true }));
  stop.abort();
  await Promise.all(running);
  return { after, calls, writes, cluster: seen.identity.list()[0]?.cluster };
}

const total = (calls: Record<string, number>) => Object.values(calls).reduce((sum, each) => sum + each, 0);
const bindings = Array.from({ length: BINDINGS }, (_, index) => bound(index));

describe(`a restart with ${BINDINGS} bindings on ${ROLES} roles and nothing to do`, () => {
  let settledBindings: readonly IrsaBinding[] = [];

  beforeAll(async () => {
    const before = await started(bindings, NOW);
    expect([before.cluster, Object.keys(before.writes)]).toEqual([cluster, ['report']]);
    settledBindings = before.after;
    const ready = settledBindings.filter(({ status }) => conditionOf(status.conditions, 'Ready')?.status === 'True');
    expect(ready.length).toBe(BINDINGS);
  }, SLOW_MS);

  test(
    `writes nothing, and makes ${MOST_IAM_CALLS} calls of IAM at most`,
    async () => {
      const { writes, calls } = await started(settledBindings, NOW + 3_600_000);
      expect(writes).toEqual({});
      expect(calls).toEqual({ GetAccountSummary: 1, GetOpenIDConnectProvider: 1, ListRoles: 5 });
      expect(total(calls)).toBeLessThanOrEqual(MOST_IAM_CALLS);
    },
    SLOW_MS,
  );

  test(
    'reads no role by itself either where STS does not answer at first',
    async () => {
      const busy = new Fault('throttled', 'Rate exceeded');
      const { writes, calls } = await started(settledBindings, NOW + 3_600_000, [busy, busy, caller]);
      expect(calls['GetRole'] ?? 0).toBe(0);
      expect(writes).toEqual({});
    },
    SLOW_MS,
  );
});

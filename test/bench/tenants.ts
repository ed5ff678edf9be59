import { providerArnFor, type RoleArn } from '../../src/api/arn.ts';
import type { IrsaBinding } from '../../src/api/binding.ts';
import type { IrsaGrant } from '../../src/api/grant.ts';
import { isProblem } from '../../src/api/problem.ts';
import { subjectOf } from '../../src/api/subject.ts';
import { bindingController } from '../../src/controllers/binding/index.ts';
import { authorizationOf } from '../../src/controllers/observe.ts';
import { gather as gatherLosses } from '../../src/controllers/revocation/gather.ts';
import { gather as gatherRole } from '../../src/controllers/role/gather.ts';
import { roleController } from '../../src/controllers/role/index.ts';
import { sweepRoles } from '../../src/controllers/role/sweep.ts';
import { createStores, type OwnedStores } from '../../src/controllers/stores.ts';
import { putIdentity } from '../../src/controllers/test-identity.ts';
import { lossesIn } from '../../src/domain/authorization/losses.ts';
import { planRole, planRoleStepwise, type RoleObserved } from '../../src/domain/role/plan.ts';
import {
  ACCOUNT,
  ARN,
  arn,
  binding,
  entry,
  grant,
  ISSUER,
  NOW,
  policy,
  present,
  provider,
  ROLE_ID,
  SERVICE,
} from '../../src/domain/test-observed.ts';
import type { Roles } from '../../src/ports/roles.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { inSlices } from '../../src/runtime/slices.ts';
import { Store } from '../../src/runtime/store.ts';
import { writeOwn } from '../../src/trust/document/own-statement.ts';

/**
 * What one tenant can make the operator do in a single block: milliseconds of CPU of this thread, as the machine may be busy. Nothing here is
 * a test: `npm run bench:tenants` prints, and people judge. docs/fairness.md has the figures.
 */
const LONGEST_BLOCK_MS = 50;

function filled(grants: readonly IrsaGrant[] = [grant()]): OwnedStores {
  const stores = createStores(silentLog);
  for (const one of grants) stores.grants.put(one);
  for (let at = 0; at < 20; at += 1) stores.namespaces.put({ name: `team-${at}`, labels: { team: `${at}` } });
  stores.namespaces.put({ name: 'shop', labels: {} });
  putIdentity(stores);
  stores.providers.put({ account: ACCOUNT, view: provider });
  stores.grantDefinitions.put({ name: 'irsagrants', uid: 'definition', createdAt: 0, deleting: false });
  stores.definitions.put({ name: 'irsabindings', uid: 'definition', createdAt: 0, deleting: false });
  for (const store of Object.values(stores)) if (store instanceof Store) store.markSynced();
  return stores;
}

const named = (at: number, part: { spec?: object; namespace?: string } = {}): IrsaBinding => {
  const namespace = part.namespace ?? 'shop';
  return binding({
    metadata: { namespace, name: `app-${at}`, uid: `${namespace}-${at}`, createdAt: NOW + at },
    spec: part.spec ?? {},
    status: { roles: [] },
  });
};
/** Of one ServiceAccount, the youngest first: each comes between those that are there. */
const rivals = (count: number) => Array.from({ length: count }, (_, at) => named(count - at));
const subjects = (count: number) => Array.from({ length: count }, (_, at) => named(at, { spec: { serviceAccountName: `app-${at}` } }));

function cpuMs(work: () => unknown): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

/** The best of three, each on stores of its own: the first lets the compiler settle. */
function best<T>(make: () => T, work: (made: T) => unknown): number {
  return Math.min(
    ...Array.from({ length: 3 }, () => {
      const made = make();
      return cpuMs(() => work(made));
    }),
  );
}

function print(what: string, ms: number, bar?: number): void {
  const judged = bar === undefined ? '' : ` (${ms <= bar ? 'within' : 'ABOVE'} ${bar} ms)`;
  console.log(`${what}: ${ms < 10 ? ms.toFixed(2) : Math.round(ms)} ms${judged}`);
}

const put = (stores: OwnedStores, bindings: readonly IrsaBinding[]) => {
  for (const one of bindings) stores.bindings.put(one);
  return stores;
};

const nothingUnderway = () => false;
for (const count of [1_000, 2_000, 4_000])
  print(
    `gather of a role with ${count} bindings of one ServiceAccount`,
    best(
      () => put(filled(), rivals(count)),
      (stores) => gatherRole(stores, ARN, NOW, nothingUnderway),
    ),
    LONGEST_BLOCK_MS,
  );

for (const count of [1_000, 4_000]) {
  const role = () => {
    const stores = put(filled(), subjects(count));
    stores.roles.put(present({ policy: policy(SERVICE) }));
    return gatherRole(stores, ARN, NOW, nothingUnderway);
  };
  await plans(`planRole with ${count} subjects`, role);
}
for (const count of [1_000, 4_000]) {
  const role = () => {
    const intended = subjects(count).map((one) => ({ ...one, status: { ...one.status, roles: [entry()] } }));
    const stores = put(filled(), intended);
    stores.roles.put(present({ policy: policy(SERVICE) }));
    return gatherRole(stores, ARN, NOW, nothingUnderway);
  };
  await plans(`planRole with ${count} subjects that have their intent`, role);
}
for (const count of [1_000, 4_000]) {
  const role = () => {
    const deleted = subjects(count).map((one) => ({
      ...one,
      metadata: { ...one.metadata, deleting: true },
      status: { ...one.status, roles: [entry()] },
    }));
    const stores = put(filled(), deleted);
    stores.roles.put(present({ policy: policy(SERVICE) }));
    return gatherRole(stores, ARN, NOW, nothingUnderway);
  };
  await plans(`planRole with ${count} subjects that are being deleted`, role);
}

const manyGrants = (count: number): IrsaGrant[] =>
  Array.from({ length: count }, (_, at) => ({
    ...grant({
      roleArns: [`arn:aws:iam::111122223333:role/team/role-${at}`],
      namespaces: at % 10 === 0 ? { selector: { matchLabels: { team: `${at % 20}` } } } : { names: [`team-${at % 20}`] },
    }),
    name: `grant-${String(count - at).padStart(6, '0')}`,
    uid: `grant-${at}`,
  }));
{
  const crowd = manyGrants(1_000).map((one) => ({
    ...one,
    spec: isProblem(one.spec) ? one.spec : { ...one.spec, namespaces: { names: ['shop'] } },
  }));
  for (const count of [1_000, 4_000])
    print(
      `first gather of a role with ${count} subjects, by 1,000 grants of one namespace`,
      best(
        () => put(filled([...crowd, grant()]), subjects(count)),
        (stores) => gatherRole(stores, ARN, NOW, nothingUnderway),
      ),
      LONGEST_BLOCK_MS,
    );
}
const roleAt = (at: number): RoleArn => arn(`arn:aws:iam::111122223333:role/team/role-${at}`);
const spread = (count: number): IrsaBinding[] =>
  Array.from({ length: count }, (_, at) =>
    named(at, { namespace: `team-${at % 20}`, spec: { serviceAccountName: `app-${at}`, roleArn: roleAt(at % 1_000) } }),
  );

{
  const grants = manyGrants(1_000);
  const bindings = spread(10_000);
  const stores = put(filled(grants), bindings);
  let longest = 0;
  const all = cpuMs(() => {
    for (const one of bindings)
      longest = Math.max(
        longest,
        cpuMs(() => authorizationOf(stores, one)),
      );
  });
  print('authorization of 10,000 bindings by 1,000 grants', all);
  print('the longest of them', longest, LONGEST_BLOCK_MS);
  const again = cpuMs(() => {
    for (const one of bindings) authorizationOf(stores, one);
  });
  print('the same again, with nothing changed', again);
}

for (const count of [100, 1_000]) {
  const grants = manyGrants(1_000);
  const lost = Array.from({ length: count }, (_, at) => subjectOf(`team-${at % 20}`, `app-${at}`));
  const document = policy(
    SERVICE,
    JSON.parse(writeOwn({ issuer: ISSUER, provider: providerArnFor(ARN, ISSUER) }, 'sts.amazonaws.com', lost)),
  );
  const prepared = () => {
    const stores = filled(grants);
    stores.roles.put(present({ policy: document }));
    return stores;
  };
  const check = (stores: OwnedStores) => {
    const seen = gatherLosses(stores, ARN, { now: NOW, recorded: [], coverage: new Map() });
    return seen && lossesIn(seen);
  };
  print(`losses of a role with ${count} subjects, by 1,000 grants`, best(prepared, check), LONGEST_BLOCK_MS);
  const recorded = check(prepared())?.losses ?? [];
  const gone = (stores: OwnedStores) => {
    const seen = gatherLosses(stores, ARN, { now: NOW, recorded, coverage: new Map() });
    return seen && lossesIn({ ...seen, standing: seen.standing.slice(0, count / 2) });
  };
  print(`the same with ${count} losses in the record`, best(prepared, gone), LONGEST_BLOCK_MS);
}

{
  const count = 1_000;
  const stores = put(filled(), subjects(count));
  const recorded = subjects(count).map((_, at) => ({
    role: ARN,
    subject: subjectOf('shop', `app-${at}`),
    audience: 'sts.amazonaws.com',
    since: NOW,
    cause: 'grant' as const,
    by: [],
    definition: 'definition',
    revokedAt: undefined,
    returns: 0,
  }));
  for (const one of recorded) stores.losses.put(one);
  stores.roles.put(present({ policy: policy(SERVICE) }));
  await plans(`planRole with ${count} subjects that lost their grant`, () => gatherRole(stores, ARN, NOW, nothingUnderway));
}

await sweep();
wakes();

/** All of it, and the longest block: whatever is between two turns of the event loop. */
async function plans(what: string, make: () => RoleObserved): Promise<void> {
  print(what, best(make, planRole));
  const seen = make();
  const blocks: number[] = [];
  let since = process.threadCpuUsage();
  const clock = {
    monotonic: () => systemClock.monotonic(),
    async giveWay() {
      const { user, system } = process.threadCpuUsage(since);
      blocks.push((user + system) / 1_000);
      since = process.threadCpuUsage();
    },
  };
  await inSlices(planRoleStepwise(seen), clock);
  await clock.giveWay();
  print('its longest block', Math.max(...blocks), LONGEST_BLOCK_MS);
}

/** A sweep of 1,000 roles that 10,000 bindings name, by 1,000 grants: how long its longest block is. */
async function sweep(): Promise<void> {
  const stores = put(filled(manyGrants(1_000)), spread(10_000));
  const roles: Pick<Roles, 'list'> = {
    async *list() {
      for (let page = 0; page < 1; page += 1)
        yield Array.from({ length: 1_000 }, (_, at) => ({
          arn: roleAt(at),
          mayBeOurs: true,
          parse: () => ({ arn: roleAt(at), roleId: ROLE_ID, policy: policy(SERVICE) }),
        }));
    },
  };
  const held: number[] = [];
  let since = process.threadCpuUsage();
  const mark = () => {
    const { user, system } = process.threadCpuUsage(since);
    held.push((user + system) / 1_000);
    since = process.threadCpuUsage();
  };
  const timer = setInterval(mark, 1);
  const stop = new AbortController();
  await new Promise((resolve) => setTimeout(resolve, 20));
  held.length = 0;
  const before = process.threadCpuUsage();
  await sweepRoles(
    {
      stores,
      owned: stores,
      rolesIn: () => roles as Roles,
      intervalMs: 60_000,
      clock: systemClock,
      random: Math.random,
      log: silentLog,
      swept: () => setTimeout(() => stop.abort(), 20),
      unswept: () => {},
    },
    stop.signal,
  );
  mark();
  clearInterval(timer);
  const { user, system } = process.threadCpuUsage(before);
  print('sweep over 1,000 roles and 10,000 bindings, by 1,000 grants', (user + system) / 1_000);
  print('its longest block', Math.max(...held), LONGEST_BLOCK_MS);
}

/** Whom a change wakes: the keys that the controllers' queues are given, and what that costs. */
function wakes(): void {
  const count = 4_000;
  const unused = {} as never;
  const quiet = { record: () => {} };
  const counted = (stores: OwnedStores, what: string, change: (stores: OwnedStores) => void) => {
    const keys = { binding: 0, role: 0 };
    const common = { stores, owned: stores, clock: systemClock, random: Math.random, events: quiet, sweepIntervalMs: 60_000 };
    const roleOptions = {
      ...common,
      roles: unused,
      readBacks: unused,
      isUnderway: nothingUnderway,
      apiReader: unused,
      ownEvents: quiet,
      metrics: unused,
    };
    for (const wake of bindingController({ ...common, writes: unused, metrics: unused }).wakes)
      wake.subscribe(() => {
        keys.binding += 1;
      });
    for (const wake of roleController(roleOptions).wakes)
      wake.subscribe(() => {
        keys.role += 1;
      });
    const ms = cpuMs(() => change(stores));
    print(`${what}: wakes ${keys.binding} bindings and ${keys.role} roles`, ms);
  };
  const [first, , last] = [rivals(count).at(-1), undefined, rivals(count)[0]];
  const suspended = (one: IrsaBinding | undefined): IrsaBinding =>
    named((one?.metadata.createdAt ?? NOW) - NOW, { spec: { suspend: true } });
  counted(put(filled(), rivals(count)), `the youngest of ${count} bindings of one ServiceAccount is suspended`, ({ bindings }) =>
    bindings.put(suspended(last)),
  );
  counted(put(filled(), rivals(count)), 'the oldest of them is suspended', ({ bindings }) => bindings.put(suspended(first)));
  counted(put(filled(), rivals(count)), 'the status of the youngest is written', ({ bindings }) => {
    if (last) bindings.put({ ...last, status: { ...last.status, observedGeneration: 1 } });
  });
  counted(put(filled(), subjects(count)), `a verdict comes for each of ${count} subjects of one role`, ({ verdicts }) => {
    for (let at = 0; at < count; at += 1)
      verdicts.put({
        question: { role: ARN, issuer: ISSUER, subject: subjectOf('shop', `app-${at}`), audience: 'sts.amazonaws.com' },
        verdict: { kind: 'released' },
        urgency: 'change',
      });
  });
}

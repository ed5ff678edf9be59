import { type AccountId, providerArnFor, type RoleArn, sharesAccount } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { type BatchWorkload, keyOf, type ObjectKey, type Workload } from '../../api/cluster.ts';
import { Fault, isFault } from '../../api/fault.ts';
import { isProblem } from '../../api/problem.ts';
import { GrantIndex } from '../../domain/authorization/grant-index.ts';
import { asEnforced } from '../../domain/simulation/as-enforced.ts';
import { recordOf } from '../../domain/simulation/simulate.ts';
import { accountOf, rolesNamedBy, type World } from '../../domain/simulation/world.ts';
import { reachedAs } from '../../domain/state/account.ts';
import type { CallerView, ClusterName } from '../../domain/state/identity.ts';
import type { ProviderView } from '../../domain/state/oidc-provider.ts';
import { reachOf } from '../../domain/state/reach.ts';
import type { RoleRecord } from '../../domain/state/role-record.ts';
import { inTurns } from '../in-turns.ts';
import type { Source } from '../prepare/source.ts';
import type { PlanPorts } from './ports.ts';

/** Which bindings a plan is for: those of a namespace or of all, or those of files. */
export interface Scope {
  readonly namespace: string | undefined;
  readonly names: readonly string[];
  /** Keys of those with the labels that are meant. Undefined: whatever their labels. */
  readonly labelled: ReadonlySet<ObjectKey> | undefined;
  readonly files: Source | undefined;
}

/** A copy of what the plan rests on, and whose effects are meant. */
export interface Gathered {
  readonly world: World;
  /** That of the credentials. */
  readonly account: AccountId;
  /** Keys of bindings. */
  readonly meant: ReadonlySet<ObjectKey>;
  /** Of those that observe or are suspended: they are planned as if they enforced. */
  readonly passive: ReadonlySet<ObjectKey>;
}

/** Reads what an operator would read. Throws `Fault`: a plan that rests on half of it would be none. */
export async function gather(scope: Scope, cluster: ClusterName, ports: PlanPorts, signal: AbortSignal): Promise<Gathered> {
  const now = ports.clock.now();
  const [live, grants, namespaces, audiences, caller, policyQuota] = await Promise.all([
    ports.cluster.bindings(signal),
    ports.cluster.grants(signal),
    ports.cluster.namespaces(signal),
    ports.cluster.apiAudiences(signal),
    known(ports, signal),
    ports.aws.roles.policyQuota(signal, 'change'),
  ]);
  const { files } = scope;
  const all = overlaid(live, files?.bindings ?? [], now);
  const meant = new Set([...all.values()].filter((one) => isMeant(scope, one)).map(({ metadata }) => keyOf(metadata)));
  const missing = scope.names.find((name) => !meant.has(`${scope.namespace}/${name}`));
  if (missing !== undefined) throw new Fault('notFound', `there is no IrsaBinding "${missing}" in namespace "${scope.namespace}"`);
  const bindings = relevant(all, meant);
  const passive = new Set([...meant].filter((key) => isPassive(all.get(key))));
  const roles = [...new Set([...bindings.values()].flatMap(rolesNamedBy))].filter((arn) => sharesAccount(arn, caller.arn));
  const accounts = [...new Set([...bindings.values()].flatMap((one) => accountOf(one) ?? []))];
  const chosen = [...all].filter(([key]) => meant.has(key)).map(([, one]) => one);
  const own = [...new Set(chosen.flatMap((one) => accountOf(one) ?? []))];
  const homes = [...new Set(own.map((key) => nameIn(key).namespace))];
  const [first] = roles;
  const [records, serviceAccounts, pods, workloads, batchWorkloads, provider] = await Promise.all([
    inTurns(
      roles,
      (arn) => recordFor(arn, ports, now, signal),
      (done, total) => ports.progress(done, total, 'roles'),
    ),
    inTurns(accounts, (key) => ports.cluster.serviceAccount(nameIn(key), signal)),
    inTurns(own, (key) => ports.cluster.pods(nameIn(key), [], signal)),
    inTurns(homes, (namespace) => ports.cluster.workloads(namespace, signal)),
    inTurns(homes, (namespace) => ports.cluster.batchWorkloads(namespace, signal)),
    first === undefined ? undefined : providerOf(first, cluster, ports, signal),
  ]);
  const others = accountsOfNamesakes([...workloads, ...batchWorkloads].flat(), chosen).filter((key) => !accounts.includes(key));
  const theirs = await inTurns(others, (key) => ports.cluster.serviceAccount(nameIn(key), signal));
  const world: World = {
    now,
    cluster: { kind: 'known', ...cluster },
    reachOf: (role) => reachOf(role, { caller, account: (account) => reachedAs(caller, account, policyQuota) }),
    apiAudiences: audiences,
    provider,
    grants: new GrantIndex(byName(grants, files?.grants ?? [])),
    namespaces: new Map(byName(namespaces, files?.namespaces ?? []).map((one) => [one.name, one])),
    webhook: ports.webhook,
    workloads: workloads.flat(),
    batchWorkloads: batchWorkloads.flat(),
    bindings: new Map([...bindings].map(([key, one]) => [key, meant.has(key) ? asEnforced(one) : one])),
    roles: new Map(records.map((record) => [record.arn, record])),
    serviceAccounts: new Map([...serviceAccounts, ...theirs].flatMap((one) => (one === undefined ? [] : [[keyOf(one), one] as const]))),
    pods: new Map(pods.flat().map((pod) => [pod.uid, pod])),
    verdicts: new Map(),
  };
  return { world, account: caller.account, meant, passive };
}

const isMeant = ({ namespace, names, labelled, files }: Scope, { metadata }: IrsaBinding): boolean => {
  if (files !== undefined) return files.bindings.some((one) => keyOf(one.metadata) === keyOf(metadata));
  if (labelled?.has(keyOf(metadata)) === false) return false;
  return (namespace === undefined || metadata.namespace === namespace) && (names.length === 0 || names.includes(metadata.name));
};

const isPassive = (binding: IrsaBinding | undefined): boolean =>
  binding !== undefined && !isProblem(binding.spec) && (binding.spec.suspend || binding.spec.mode === 'Observe');

/** As they will be once the files are applied: a new spec, and the status of before. */
function overlaid(live: readonly IrsaBinding[], files: readonly IrsaBinding[], now: number): Map<ObjectKey, IrsaBinding> {
  const all = new Map(live.map((one) => [keyOf(one.metadata), one]));
  for (const one of files) {
    const key = keyOf(one.metadata);
    const before = all.get(key);
    const created = { ...one, metadata: { ...one.metadata, generation: 1, createdAt: now } };
    const changed = before && { ...before, spec: one.spec, metadata: { ...before.metadata, generation: before.metadata.generation + 1 } };
    all.set(key, changed ?? created);
  }
  return all;
}

/** Those that are meant, and all that share a role or a ServiceAccount with them: they decide too. */
function relevant(all: ReadonlyMap<ObjectKey, IrsaBinding>, meant: ReadonlySet<ObjectKey>): Map<ObjectKey, IrsaBinding> {
  const chosen = [...all].filter(([key]) => meant.has(key)).map(([, one]) => one);
  const roles = new Set(chosen.flatMap(rolesNamedBy));
  const accounts = new Set(chosen.map(accountOf));
  return new Map([...all].filter(([, one]) => rolesNamedBy(one).some((arn) => roles.has(arn)) || accounts.has(accountOf(one))));
}

/** Of workloads that are called as a binding or its ServiceAccount: whether one exists that they run as instead is told apart. */
function accountsOfNamesakes(workloads: readonly (Workload | BatchWorkload)[], bindings: readonly IrsaBinding[]): ObjectKey[] {
  const names = new Set(bindings.flatMap((one) => [keyOf(one.metadata), accountOf(one)]));
  const isNamesake = ({ namespace, name, appName }: Workload | BatchWorkload) =>
    names.has(keyOf({ namespace, name })) || (appName !== undefined && names.has(keyOf({ namespace, name: appName })));
  return [...new Set(workloads.filter(isNamesake).map(({ namespace, serviceAccountName: name }) => keyOf({ namespace, name })))];
}

function byName<T extends { readonly name: string }>(live: readonly T[], files: readonly T[]): T[] {
  return [...new Map([...live, ...files].map((one) => [one.name, one])).values()];
}

function nameIn(key: ObjectKey): { namespace: string; name: string } {
  const [namespace = '', name = ''] = key.split('/');
  return { namespace, name };
}

async function known({ aws }: PlanPorts, signal: AbortSignal): Promise<Extract<CallerView, { kind: 'known' }>> {
  const caller = await aws.caller(signal);
  if (caller.kind === 'unknown') throw new Fault('transient', `sts:GetCallerIdentity failed: ${caller.why}`);
  return caller;
}

async function recordFor(arn: RoleArn, { aws }: PlanPorts, now: number, signal: AbortSignal): Promise<RoleRecord> {
  const missing = (foundAs?: { arn: string; tags: ReadonlyMap<string, string> }): RoleRecord => ({
    arn,
    asOf: now,
    state: { kind: 'missing', since: now, foundAs },
  });
  try {
    const role = await aws.roles.read(arn, signal, 'change');
    return role.arn === arn ? recordOf(arn, role, now) : missing({ arn: role.arn, tags: role.tags });
  } catch (error) {
    if (isFault(error, 'notFound')) return missing();
    throw error;
  }
}

async function providerOf(role: RoleArn, { issuer }: ClusterName, { aws }: PlanPorts, signal: AbortSignal): Promise<ProviderView> {
  const arn = providerArnFor(role, issuer);
  const clientIds = await aws.providers.clientIds(arn, signal, 'change');
  return clientIds === undefined ? { kind: 'missing', similar: [] } : { kind: 'registered', arn, clientIds };
}

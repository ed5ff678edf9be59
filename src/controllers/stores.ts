import { type AccountId, type RoleArn, roleArnParts } from '../api/arn.ts';
import type { IrsaBinding, RoleEntry } from '../api/binding.ts';
import {
  type Definition,
  keyOf,
  type Namespace,
  type ObjectKey,
  type ObjectName,
  type Pod,
  type ServiceAccount,
  type Workload,
} from '../api/cluster.ts';
import type { IrsaGrant } from '../api/grant.ts';
import { isProblem } from '../api/problem.ts';
import { subjectOf } from '../api/subject.ts';
import type { Audit } from '../domain/audit/audit.ts';
import { type ClaimWorld, claimOf } from '../domain/authorization/authorize.ts';
import { countsUntil, type Losses, manyUntil } from '../domain/authorization/grant-loss.ts';
import type { CallerView, ClusterView, Look, ProviderView, RoleRecord, Verdict } from '../domain/binding/observed.ts';
import { type Question, questionKey } from '../domain/role/desired-trust.ts';
import type { Proof } from '../domain/verification/proof.ts';
import type { Log } from '../runtime/log.ts';
import { Store } from '../runtime/store.ts';

/** Who issues the tokens of this cluster, and who we are to AWS: one object, known after the first look. */
export interface Surroundings {
  readonly cluster: ClusterView;
  readonly caller: CallerView;
  /** Characters that the caller's account allows for a trust policy. */
  readonly policyQuota: number | undefined;
}

export interface ProviderRecord {
  readonly account: string;
  readonly view: ProviderView;
}

export interface ProofRecord {
  /** Of the binding. */
  readonly key: ObjectKey;
  readonly proof: Proof;
}

/** Of a ServiceAccount that no binding names. */
export interface AuditRecord extends Audit {
  readonly account: ObjectName;
}

/** The last attempt at a role, or at the provider of an account, ended without an answer; the next one with an answer forgets it. */
export interface FailureRecord {
  readonly of: RoleArn | AccountId;
  readonly why: string;
}

/** A fresh look that somebody asked for, and who has looked. */
export interface LookRecord extends Look {
  readonly binding: ObjectKey;
  /** Nothing where the spec cannot be read. */
  readonly role: RoleArn | undefined;
  readonly account: AccountId | undefined;
}

export interface VerdictRecord {
  readonly question: Question;
  readonly verdict: Verdict;
}

/** Everything that reconciles look at. Each store is filled by one part of the process; controllers are woken by changes in them. */
export interface World {
  // Watched in Kubernetes
  readonly bindings: Store<IrsaBinding, 'role' | 'serviceAccount' | 'namespace' | 'account' | 'lost'>;
  /** At most one: that of the bindings. */
  readonly definitions: Store<Definition>;
  readonly grants: Store<IrsaGrant>;
  readonly namespaces: Store<Namespace>;
  readonly serviceAccounts: Store<ServiceAccount, 'namespace'>;
  readonly pods: Store<Pod, 'serviceAccount'>;
  readonly deployments: Store<Workload, 'namespace'>;
  readonly statefulSets: Store<Workload, 'namespace'>;
  readonly daemonSets: Store<Workload, 'namespace'>;
  // Found out by the operator
  readonly surroundings: Store<Surroundings>;
  readonly providers: Store<ProviderRecord>;
  readonly roles: Store<RoleRecord>;
  readonly verdicts: Store<VerdictRecord, 'role' | 'subject'>;
  readonly proofs: Store<ProofRecord>;
  readonly audits: Store<AuditRecord, 'role' | 'account'>;
  readonly failures: Store<FailureRecord>;
  readonly looks: Store<LookRecord, 'role' | 'account'>;
  /** At most one. */
  readonly losses: Store<LossRecord>;
  /** Audiences that open the API server itself, as far as they are known beside its issuer. */
  readonly apiAudiences: readonly string[];
}

/** Until when more than ten bindings count as having lost their grant. */
export interface LossRecord {
  readonly manyUntil: number | undefined;
}

/** The key of the one object in `surroundings`, and in `losses`. */
export const HERE = 'here';
/** The one value of the index `lost`: bindings that count as having lost their grant. */
const LOST = 'yes';
/** Clocks of whoever confirms and ours differ by less; a time further ahead confirms what nobody can have seen. */
const CLOCK_SKEW_MS = 60_000;

export function world(log: Log, apiAudiences: readonly string[] = []): World {
  const workloads = (kind: Workload['kind']) =>
    new Store<Workload, 'namespace'>({ kind, keyOf, indexes: { namespace: ({ namespace }) => [namespace] }, log });
  const found: World = {
    apiAudiences,
    bindings: new Store({
      kind: 'IrsaBinding',
      keyOf: ({ metadata }) => keyOf(metadata),
      indexes: {
        role: rolesOf,
        serviceAccount: serviceAccountOf,
        namespace: ({ metadata }) => [metadata.namespace],
        account: ({ spec }) => (isProblem(spec) ? [] : [roleArnParts(spec.roleArn).account]),
        lost: (binding) => (countsUntil(binding) === undefined ? [] : [LOST]),
      },
      log,
    }),
    definitions: new Store({ kind: 'CustomResourceDefinition', keyOf: ({ name }) => name, log }),
    grants: new Store({ kind: 'IrsaGrant', keyOf: ({ name }) => name, log }),
    namespaces: new Store({ kind: 'Namespace', keyOf: ({ name }) => name, log }),
    serviceAccounts: new Store<ServiceAccount, 'namespace'>({
      kind: 'ServiceAccount',
      keyOf,
      indexes: { namespace: ({ namespace }) => [namespace] },
      log,
    }),
    pods: new Store<Pod, 'serviceAccount'>({
      kind: 'Pod',
      keyOf,
      indexes: { serviceAccount: ({ namespace, serviceAccountName }) => [keyOf({ namespace, name: serviceAccountName })] },
      log,
    }),
    deployments: workloads('Deployment'),
    statefulSets: workloads('StatefulSet'),
    daemonSets: workloads('DaemonSet'),
    surroundings: new Store({ kind: 'Surroundings', keyOf: () => HERE, log }),
    providers: new Store({ kind: 'Provider', keyOf: ({ account }) => account, log }),
    roles: new Store({ kind: 'Role', keyOf: ({ arn }) => arn, log }),
    verdicts: new Store({
      kind: 'Verdict',
      keyOf: ({ question }) => questionKey(question),
      indexes: { role: ({ question }) => [question.role], subject: ({ question }) => [question.subject] },
      log,
    }),
    losses: new Store({ kind: 'Losses', keyOf: () => HERE, log }),
    failures: new Store({ kind: 'Failure', keyOf: ({ of }) => of, log }),
    proofs: new Store({ kind: 'Proof', keyOf: ({ key }) => key, log }),
    audits: new Store({
      kind: 'Audit',
      keyOf: ({ account }) => keyOf(account),
      indexes: { role: ({ role }) => (role === undefined ? [] : [role]), account: accountsOfAudit },
      log,
    }),
    looks: new Store<LookRecord, 'role' | 'account'>({
      kind: 'Look',
      keyOf: ({ binding }) => binding,
      indexes: {
        role: ({ role }) => (role === undefined ? [] : [role]),
        account: ({ account }) => (account === undefined ? [] : [account]),
      },
      log,
    }),
  };
  // Controllers fill these from what they find in the others: nothing is to be waited for.
  found.providers.markSynced();
  found.verdicts.markSynced();
  found.proofs.markSynced();
  found.looks.markSynced();
  found.audits.markSynced();
  found.failures.markSynced();
  found.losses.markSynced();
  found.bindings.onChange((previous, next) => {
    if ((previous && countsUntil(previous)) === (next && countsUntil(next))) return;
    const until = manyUntil(losers(found));
    if (found.losses.get(HERE)?.manyUntil !== until) found.losses.put({ manyUntil: until });
  });
  return found;
}

/** The bindings that count as having lost their grant. */
export function losers(from: World): IrsaBinding[] {
  return from.bindings.byIndex('lost', LOST);
}

/** The role that a binding names, and those on which it may still stand. */
export function rolesOf({ spec, status }: IrsaBinding): RoleArn[] {
  const standing = (status.roles ?? []).map(({ arn }) => arn as RoleArn);
  return [...new Set(isProblem(spec) ? standing : [spec.roleArn, ...standing])];
}

export function serviceAccountOf({ metadata, spec }: IrsaBinding): ObjectKey[] {
  return isProblem(spec) ? [] : [keyOf({ namespace: metadata.namespace, name: spec.serviceAccountName })];
}

/** The AWS account that an audit asks for its OIDC provider. */
export function accountsOfAudit({ role }: AuditRecord): AccountId[] {
  return role === undefined ? [] : [roleArnParts(role).account];
}

/** Whether AWS may be asked about the roles of a binding: a grant covers it, or trust of ours may stand from when one did. */
export function concernsAws(from: World, binding: IrsaBinding): boolean {
  return (binding.status.roles ?? []).length > 0 || claimOf(binding, claimWorld(from, binding)).kind === 'granted';
}

/** Whether those who lost their grant are too many now for anything to be done about it. */
export function lossesOf(from: World, now: number): Losses {
  const until = from.losses.get(HERE)?.manyUntil;
  const confirmed = from.grants
    .list()
    .flatMap(({ revocationConfirmedAt: at }) => (at !== undefined && at <= now + CLOCK_SKEW_MS ? [at] : []));
  return {
    manyUntil: until !== undefined && now < until ? until : undefined,
    confirmedAt: confirmed.length === 0 ? undefined : Math.max(...confirmed),
  };
}

const NOT_ASKED: Surroundings = {
  cluster: { kind: 'unknown', why: 'the API server was not asked yet' },
  caller: { kind: 'unknown', why: 'it was not asked yet' },
  policyQuota: undefined,
};

export function surroundings(from: World): Surroundings {
  return from.surroundings.get(HERE) ?? NOT_ASKED;
}

export function workloadsIn(from: World, namespace: string): Workload[] {
  return [from.deployments, from.statefulSets, from.daemonSets].flatMap((store) => store.byIndex('namespace', namespace));
}

/** What the claim of one binding rests on. */
export function claimWorld(from: World, binding: IrsaBinding): ClaimWorld {
  const { namespace } = binding.metadata;
  const { caller, cluster } = surroundings(from);
  return {
    grants: from.grants.list(),
    // A namespace that is not in the cache yet has no labels that a grant could select.
    namespace: from.namespaces.get(namespace) ?? { name: namespace, labels: {} },
    rivals: serviceAccountOf(binding).flatMap((key) => from.bindings.byIndex('serviceAccount', key)),
    caller,
    apiAudiences: cluster.kind === 'known' ? [...from.apiAudiences, cluster.issuer] : from.apiAudiences,
  };
}

/** What was found for each role that a binding names or stands in, by ARN. */
export function verdictsFor(from: World, binding: IrsaBinding): Map<string, Verdict> {
  const { spec } = binding;
  const found = new Map<string, Verdict>();
  if (isProblem(spec)) return found;
  for (const arn of rolesOf(binding)) {
    const verdict = verdictOn(from, binding, { arn, audience: spec.audience });
    if (verdict !== undefined) found.set(arn, verdict);
  }
  return found;
}

export function verdictOn(
  from: World,
  { spec, metadata }: IrsaBinding,
  { arn, audience }: Pick<RoleEntry, 'arn' | 'audience'>,
): Verdict | undefined {
  const { cluster } = surroundings(from);
  if (isProblem(spec) || cluster.kind === 'unknown') return undefined;
  const subject = subjectOf(metadata.namespace, spec.serviceAccountName);
  return from.verdicts.get(questionKey({ role: arn as RoleArn, issuer: cluster.issuer, subject, audience }))?.verdict;
}

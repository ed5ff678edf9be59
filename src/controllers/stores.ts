import type { IrsaAccount } from '../api/account.ts';
import { type AccountId, type RoleArn, roleArnParts } from '../api/arn.ts';
import type { IrsaBinding } from '../api/binding.ts';
import {
  type BatchWorkload,
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
import { EKS_WEBHOOK, type Webhook } from '../api/webhook.ts';
import type { Audit } from '../domain/audit/audit.ts';
import { GrantIndex } from '../domain/authorization/grant-index.ts';
import { type Loss, trustEntryKey } from '../domain/authorization/loss.ts';
import { guardActiveUntil, type RevocationGuard } from '../domain/authorization/revocation-guard.ts';
import type { AccountView } from '../domain/state/account.ts';
import type { Identity, OwnRole } from '../domain/state/identity.ts';
import type { ProviderView } from '../domain/state/oidc-provider.ts';
import { type Question, questionKey } from '../domain/state/question.ts';
import type { ReconcileRequest } from '../domain/state/reconcile-request.ts';
import { pendingIn, type RoleRecord } from '../domain/state/role-record.ts';
import type { Verdict } from '../domain/state/verdict.ts';
import type { Proof } from '../domain/verification/proof.ts';
import type { Log } from '../runtime/log.ts';
import type { Urgency } from '../runtime/queue.ts';
import { Store, type StoreReader } from '../runtime/store.ts';
import { Competitions } from './competitions.ts';
import { type FullGrantsRecord, keepGrantLimits } from './grant-limits.ts';

export interface SweptRecord {
  readonly account: AccountId;
}

export interface ProviderRecord {
  readonly account: AccountId;
  readonly view: ProviderView;
  /** The ARNs of all providers of the account; they are listed only while a policy is full. */
  readonly all?: readonly string[];
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

/** The last attempt at a role, or at the provider of an account, ended without an answer; the next one with an answer removes it. */
export interface FailureRecord<Of extends RoleArn | AccountId> {
  readonly of: Of;
  readonly why: string;
}

/** When a role, or the provider of an account, was read last for a reconcile request. Epoch milliseconds. */
export interface RefreshRecord<Of extends RoleArn | AccountId> {
  readonly of: Of;
  readonly asOf: number;
}

/** A reconcile that a user requested. */
export interface RequestRecord extends Pick<ReconcileRequest, 'value' | 'at'> {
  readonly binding: ObjectKey;
  /** Nothing where the spec cannot be read. */
  readonly role: RoleArn | undefined;
}

export interface VerdictRecord {
  readonly question: Question;
  readonly verdict: Verdict;
  /** Of the plan that found it: what ten thousand roles answer at a start is no more urgent than the start. */
  readonly urgency: Urgency;
}

type GuardRecord = Pick<RevocationGuard, 'activeUntil'> & {
  /** A grant was in view since this process started. */
  readonly grantSeen: boolean;
};

/** This process leads since then: epoch milliseconds. */
interface Leadership {
  readonly since: number;
}

/** What the process was started with, as far as decisions rest on it. */
export interface Settings {
  /** The operator's own. */
  readonly namespace: string;
  /** How long a subject may stand that no grant was ever seen to cover; `Infinity`: for ever. */
  readonly ungrantedGraceMs: number;
  /** False in a dry run: what stands is kept, whatever becomes of the grants. */
  readonly revokes: boolean;
  /** As the webhook of the cluster was started. */
  readonly webhook: Webhook;
}

const DEFAULTS: Settings = { namespace: 'irsa-operator-system', ungrantedGraceMs: 86_400_000, revokes: true, webhook: EKS_WEBHOOK };

/** Everything that reconciles look at, as its owners hold it: the reflectors, or the controller named beside each. */
export interface OwnedStores {
  // Watched in Kubernetes
  readonly bindings: Store<IrsaBinding, 'role' | 'serviceAccount' | 'namespace' | 'account'>;
  /** At most one: that of the bindings. */
  readonly definitions: Store<Definition>;
  /** At most one: that of the grants. */
  readonly grantDefinitions: Store<Definition>;
  readonly grants: Store<IrsaGrant>;
  readonly irsaAccounts: Store<IrsaAccount>;
  readonly namespaces: Store<Namespace>;
  readonly serviceAccounts: Store<ServiceAccount, 'namespace'>;
  readonly pods: Store<Pod, 'serviceAccount'>;
  readonly deployments: Store<Workload, 'namespace'>;
  readonly statefulSets: Store<Workload, 'namespace'>;
  readonly daemonSets: Store<Workload, 'namespace'>;
  readonly jobs: Store<BatchWorkload, 'serviceAccount' | 'appName'>;
  readonly cronJobs: Store<BatchWorkload, 'serviceAccount' | 'appName'>;
  /** At most one. Owner: cluster. */
  readonly identity: Store<Identity>;
  /** Owner: account, and of the operator's own cluster. */
  readonly accounts: Store<AccountView>;
  /** Those whose roles were listed once, or could not be: from then on a role is read by itself. Owner: the sweep of role. */
  readonly sweptAccounts: Store<SweptRecord>;
  /** Owner: oidc-provider. */
  readonly providers: Store<ProviderRecord>;
  readonly providerFailures: Store<FailureRecord<AccountId>>;
  readonly providerRefreshes: Store<RefreshRecord<AccountId>>;
  /** Owner: role, its sweep included. The index: by the account, those with a write that was not read back at all its ages. */
  readonly roles: Store<RoleRecord, 'pending'>;
  readonly verdicts: Store<VerdictRecord, 'role' | 'subject'>;
  readonly roleFailures: Store<FailureRecord<RoleArn>>;
  readonly roleRefreshes: Store<RefreshRecord<RoleArn>>;
  /** Owner: verification. */
  readonly proofs: Store<ProofRecord>;
  /** Owner: audit. */
  readonly audits: Store<AuditRecord, 'role' | 'account'>;
  /** Owner: binding. */
  readonly reconcileRequests: Store<RequestRecord, 'role' | 'account'>;
  /** As the revocation record has them. Owner: revocation. */
  readonly losses: Store<Loss, 'role'>;
  /** At most one. Put by the operator. */
  readonly leadership: Store<Leadership>;
  /** At most one. Kept here, by each change of the losses and grants. */
  readonly revocationGuard: Store<GuardRecord>;
  /** By the uid of the binding. Kept here, by each change of the bindings, grants and namespaces. */
  readonly fullGrants: Store<FullGrantsRecord>;
  /** Who competes for which ServiceAccount, by each change of the bindings. */
  readonly competitions: Competitions;
  /** Those that we run as, and those that we assume in other accounts: also one that is refused to us now. */
  readonly ownRoles: () => readonly OwnRole[];
  /** Of the grants as they are now. */
  readonly grantIndex: () => GrantIndex;
  readonly settings: Settings;
}

/** The same as every controller may see it: a store is put to by its owner only. Controllers are woken by changes in them. */
export type Stores = {
  readonly [Name in keyof OwnedStores]: OwnedStores[Name] extends Store<infer T, infer Index> ? StoreReader<T, Index> : OwnedStores[Name];
};

/** The key of the one object in `identity`, `leadership` and `revocationGuard`. */
export const HERE = 'here';

export function createStores(log: Log, settings: Partial<Settings> = {}): OwnedStores {
  const inNamespace = { namespace: ({ namespace }: ObjectName) => [namespace] };
  const workloads = (kind: Workload['kind']) => new Store<Workload, 'namespace'>({ kind, keyOf, indexes: inNamespace, log });
  const batchWorkloads = (kind: BatchWorkload['kind']) =>
    new Store<BatchWorkload, 'serviceAccount' | 'appName'>({
      kind,
      keyOf,
      indexes: {
        serviceAccount: ({ namespace, serviceAccountName }) => [keyOf({ namespace, name: serviceAccountName })],
        appName: ({ namespace, appName }) => (appName === undefined ? [] : [keyOf({ namespace, name: appName })]),
      },
      log,
    });
  const byRoleAndAccount = {
    role: ({ role }: { role: RoleArn | undefined }) => (role === undefined ? [] : [role]),
    account: ({ role }: { role: RoleArn | undefined }) => (role === undefined ? [] : [roleArnParts(role).account]),
  };
  const watched = {
    bindings: new Store({
      kind: 'IrsaBinding',
      keyOf: ({ metadata }: IrsaBinding) => keyOf(metadata),
      indexes: {
        role: rolesOf,
        serviceAccount: serviceAccountOf,
        namespace: ({ metadata }: IrsaBinding) => [metadata.namespace],
        account: accountsOf,
      },
      log,
    }),
    definitions: new Store<Definition>({ kind: 'CustomResourceDefinition', keyOf: ({ name }) => name, log }),
    grantDefinitions: new Store<Definition>({ kind: 'GrantDefinition', keyOf: ({ name }) => name, log }),
    grants: new Store<IrsaGrant>({ kind: 'IrsaGrant', keyOf: ({ name }) => name, log }),
    irsaAccounts: new Store<IrsaAccount>({ kind: 'IrsaAccount', keyOf: ({ account }) => account, log }),
    namespaces: new Store<Namespace>({ kind: 'Namespace', keyOf: ({ name }) => name, log }),
    serviceAccounts: new Store<ServiceAccount, 'namespace'>({ kind: 'ServiceAccount', keyOf, indexes: inNamespace, log }),
    pods: new Store<Pod, 'serviceAccount'>({
      kind: 'Pod',
      keyOf,
      indexes: { serviceAccount: ({ namespace, serviceAccountName }) => [keyOf({ namespace, name: serviceAccountName })] },
      log,
    }),
    deployments: workloads('Deployment'),
    statefulSets: workloads('StatefulSet'),
    daemonSets: workloads('DaemonSet'),
    jobs: batchWorkloads('Job'),
    cronJobs: batchWorkloads('CronJob'),
    // Filled by loops of their own, which say when they are complete.
    identity: new Store<Identity>({ kind: 'Identity', keyOf: () => HERE, log }),
    accounts: new Store<AccountView>({ kind: 'Account', keyOf: ({ account }) => account, log }),
    roles: new Store<RoleRecord, 'pending'>({
      kind: 'Role',
      keyOf: ({ arn }) => arn,
      indexes: { pending: (record) => (pendingIn(record) === undefined ? [] : [roleArnParts(record.arn).account]) },
      log,
    }),
  };
  const derived = {
    sweptAccounts: new Store<SweptRecord>({ kind: 'SweptAccount', keyOf: ({ account }) => account, log }),
    providers: new Store<ProviderRecord>({ kind: 'Provider', keyOf: ({ account }) => account, log }),
    providerFailures: new Store<FailureRecord<AccountId>>({ kind: 'ProviderFailure', keyOf: ({ of }) => of, log }),
    providerRefreshes: new Store<RefreshRecord<AccountId>>({ kind: 'ProviderRefresh', keyOf: ({ of }) => of, log }),
    verdicts: new Store<VerdictRecord, 'role' | 'subject'>({
      kind: 'Verdict',
      keyOf: ({ question }) => questionKey(question),
      indexes: { role: ({ question }) => [question.role], subject: ({ question }) => [question.subject] },
      log,
    }),
    roleFailures: new Store<FailureRecord<RoleArn>>({ kind: 'RoleFailure', keyOf: ({ of }) => of, log }),
    roleRefreshes: new Store<RefreshRecord<RoleArn>>({ kind: 'RoleRefresh', keyOf: ({ of }) => of, log }),
    proofs: new Store<ProofRecord>({ kind: 'Proof', keyOf: ({ key }) => key, log }),
    audits: new Store<AuditRecord, 'role' | 'account'>({
      kind: 'Audit',
      keyOf: ({ account }) => keyOf(account),
      indexes: byRoleAndAccount,
      log,
    }),
    reconcileRequests: new Store<RequestRecord, 'role' | 'account'>({
      kind: 'ReconcileRequest',
      keyOf: ({ binding }) => binding,
      indexes: byRoleAndAccount,
      log,
    }),
    losses: new Store<Loss, 'role'>({ kind: 'Loss', keyOf: trustEntryKey, indexes: { role: ({ role }) => [role] }, log }),
    leadership: new Store<Leadership>({ kind: 'Leadership', keyOf: () => HERE, log }),
    revocationGuard: new Store<GuardRecord>({ kind: 'RevocationGuard', keyOf: () => HERE, log }),
    fullGrants: new Store<FullGrantsRecord>({ kind: 'FullGrants', keyOf: ({ uid }) => uid, log }),
  };
  // Controllers fill these from what they find in the others: nothing is to be waited for.
  for (const store of Object.values(derived)) store.markSynced();
  const { grants } = watched;
  const { losses, revocationGuard } = derived;
  const guard = () => {
    const before = revocationGuard.get(HERE);
    const next = { activeUntil: guardActiveUntil(losses.list()), grantSeen: before?.grantSeen === true || grants.size > 0 };
    if (before?.activeUntil !== next.activeUntil || before?.grantSeen !== next.grantSeen) revocationGuard.put(next);
  };
  // Once for all that change together: thousands are read from the record at once, and none of them is due in the same moment.
  let isDueToGuard = false;
  losses.onChange(() => {
    if (isDueToGuard) return;
    isDueToGuard = true;
    queueMicrotask(() => {
      isDueToGuard = false;
      guard();
    });
  });
  grants.onChange(() => {
    if (revocationGuard.get(HERE)?.grantSeen !== true) guard();
  });
  let index: GrantIndex | undefined;
  grants.onChange(() => {
    index = undefined;
  });
  const grantIndex = () => {
    index ??= new GrantIndex(grants.list());
    return index;
  };
  let roles: readonly OwnRole[] | undefined;
  for (const store of [watched.identity, watched.irsaAccounts])
    store.onChange(() => {
      roles = undefined;
    });
  const ownRoles = () => {
    roles ??= [...ownRolesOf(watched.identity.get(HERE)), ...watched.irsaAccounts.list().flatMap(memberOf)];
    return roles;
  };
  // Before whoever else hears of a change: what is asked of it then is as it is now.
  const competitions = new Competitions(watched.bindings);
  keepGrantLimits({ ...watched, ...derived });
  return { ...watched, ...derived, competitions, grantIndex, ownRoles, settings: { ...DEFAULTS, ...settings } };
}

function ownRolesOf(identity: Identity | undefined): readonly OwnRole[] {
  return identity?.caller.kind === 'known' ? identity.caller.ownRoles : [];
}

function memberOf({ spec }: IrsaAccount): OwnRole[] {
  return isProblem(spec) ? [] : [roleArnParts(spec.roleArn)];
}

/** The role that a binding names, and those on which trust of its may stand. */
export function rolesOf({ spec, status }: IrsaBinding): RoleArn[] {
  const entries = (status.roles ?? []).map(({ arn }) => arn);
  return [...new Set(isProblem(spec) ? entries : [spec.roleArn, ...entries])];
}

export function serviceAccountOf({ metadata, spec }: IrsaBinding): ObjectKey[] {
  return isProblem(spec) ? [] : [keyOf({ namespace: metadata.namespace, name: spec.serviceAccountName })];
}

export function accountsOf({ spec }: IrsaBinding): AccountId[] {
  return isProblem(spec) ? [] : [roleArnParts(spec.roleArn).account];
}

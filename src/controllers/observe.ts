import type { AccountId, RoleArn } from '../api/arn.ts';
import type { IrsaBinding } from '../api/binding.ts';
import { type BatchWorkload, keyOf, type Namespace, type Workload } from '../api/cluster.ts';
import { isProblem } from '../api/problem.ts';
import { subjectOf } from '../api/subject.ts';
import { type Authorization, type AuthorizationInput, authorize } from '../domain/authorization/authorize.ts';
import { type DueLoss, dueLoss, type TrustEntry, trustEntryKey } from '../domain/authorization/loss.ts';
import type { RevocationGuard } from '../domain/authorization/revocation-guard.ts';
import type { AccountView } from '../domain/state/account.ts';
import { type Identity, NOT_ASKED } from '../domain/state/identity.ts';
import { questionKey } from '../domain/state/question.ts';
import { type Reach, reachOf } from '../domain/state/reach.ts';
import type { EntryKey } from '../domain/state/role-entry.ts';
import type { Verdict } from '../domain/state/verdict.ts';
import { HERE, type Stores, serviceAccountOf } from './stores.ts';

const NO_GRANTS: ReadonlySet<string> = new Set();
/** One object, so that what is remembered of it is found again. */
const NO_LABELS = {};

/** What the stores show, as the inputs of the domain want it. No call leaves the process for it. */
export function identityOf({ identity }: Stores): Identity {
  return identity.get(HERE) ?? NOT_ASKED;
}

/** Whether the account of a role answers. */
export function reachIn(stores: Stores, role: RoleArn): Reach {
  return reachOf(role, { caller: identityOf(stores).caller, account: (id) => accountIn(stores, id) });
}

/** One that is named and was not asked yet, or whose roles are being listed: a read of each of them by itself would be a thousand calls. */
function accountIn({ accounts, irsaAccounts, sweptAccounts }: Stores, account: AccountId): AccountView | undefined {
  const view = accounts.get(account);
  const isNamed = irsaAccounts.has(account) || !irsaAccounts.hasSynced;
  if (view === undefined) return isNamed ? { account, access: { kind: 'unknown', why: 'it was not asked yet' } } : undefined;
  if (view.access.kind !== 'reached' || sweptAccounts.has(account)) return view;
  return { account, access: { kind: 'unknown', why: 'its roles are being listed' } };
}

export function authorizationInput(stores: Stores, binding: IrsaBinding): AuthorizationInput {
  const { namespace } = binding.metadata;
  const { cluster, apiAudiences = [] } = identityOf(stores);
  return {
    grants: stores.grantIndex(),
    namespace: namespaceIn(stores, namespace),
    contenders: serviceAccountOf(binding).flatMap((account) => stores.competitions.contenders(account)),
    ownRoles: stores.ownRoles(),
    fullGrants: ({ metadata }) => stores.fullGrants.get(metadata.uid)?.grants ?? NO_GRANTS,
    apiAudiences: cluster.kind === 'known' ? [...apiAudiences, cluster.issuer] : apiAudiences,
  };
}

/** One that is not in the cache yet has no labels that a grant could select. */
export function namespaceIn({ namespaces }: Stores, name: string): Namespace {
  return namespaces.get(name) ?? { name, labels: NO_LABELS };
}

export function authorizationOf(stores: Stores, binding: IrsaBinding): Authorization {
  return authorize(binding, authorizationInput(stores, binding));
}

/** Whether AWS may be asked about the roles of a binding: a grant covers it, or trust of ours may stand from when one did. */
export function concernsAws(stores: Stores, binding: IrsaBinding): boolean {
  return (binding.status.roles ?? []).length > 0 || authorizationOf(stores, binding).kind === 'granted';
}

/** The clock of the person who confirms and ours differ by less; a time further ahead confirms what nobody can have seen. */
const CLOCK_SKEW_MS = 60_000;

/** Whether anything may be revoked now for want of a grant. */
function revocationGuardOf(stores: Stores, now: number): RevocationGuard {
  const { revocationGuard, grants, namespaces, definitions, grantDefinitions, settings } = stores;
  const { activeUntil: until, grantSeen } = revocationGuard.get(HERE) ?? {};
  const said = [...grants.list(), namespaces.get(settings.namespace)].flatMap((one) => one?.revocationConfirmedAt ?? []);
  const confirmed = said.filter((at) => at <= now + CLOCK_SKEW_MS);
  return {
    activeUntil: until !== undefined && now < until ? until : undefined,
    confirmedAt: confirmed.length === 0 ? undefined : Math.max(...confirmed),
    noGrantSeen: grantSeen !== true,
    definitionGone: [definitions, grantDefinitions].some((store) => store.list().every(({ deleting }) => deleting)),
  };
}

/** The losses of a role, with the time when each is acted on. */
export function lossesOn(stores: Stores, role: RoleArn, now: number): DueLoss[] {
  const losses = stores.losses.byIndex('role', role);
  if (losses.length === 0) return [];
  const guard = revocationGuardOf(stores, now);
  return losses.map((loss) => dueLoss(loss, guard, stores.settings.ungrantedGraceMs));
}

/** That of one entry; of a role there may be thousands. */
export function lossOn(stores: Stores, entry: TrustEntry, now: number): DueLoss | undefined {
  const loss = stores.losses.get(trustEntryKey(entry));
  return loss && dueLoss(loss, revocationGuardOf(stores, now), stores.settings.ungrantedGraceMs);
}

export function workloadsIn({ deployments, statefulSets, daemonSets }: Stores, namespace: string): Workload[] {
  return [deployments, statefulSets, daemonSets].flatMap((store) => store.byIndex('namespace', namespace));
}

/** Jobs and CronJobs that run as the ServiceAccount of a binding, or are called as it or as the binding. Found by index: there may be many. */
export function batchWorkloadsFor({ jobs, cronJobs }: Stores, binding: IrsaBinding): BatchWorkload[] {
  const accounts = serviceAccountOf(binding);
  const names = [...accounts, keyOf(binding.metadata)];
  return [cronJobs, jobs].flatMap((store) => [
    ...accounts.flatMap((account) => store.byIndex('serviceAccount', account)),
    ...names.flatMap((name) => [store.get(name) ?? [], store.byIndex('appName', name)].flat()),
  ]);
}

export function verdictOn(stores: Stores, { spec, metadata }: IrsaBinding, { arn, audience }: EntryKey): Verdict | undefined {
  const { cluster } = identityOf(stores);
  if (isProblem(spec) || cluster.kind === 'unknown') return undefined;
  const subject = subjectOf(metadata.namespace, spec.serviceAccountName);
  return stores.verdicts.get(questionKey({ role: arn, issuer: cluster.issuer, subject, audience }))?.verdict;
}

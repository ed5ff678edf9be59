import { isDeepStrictEqual } from 'node:util';
import { type AccountId, type ProviderArn, providerArnFor, type RoleArn, roleArnParts } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import type { ObjectKey } from '../../api/cluster.ts';
import { isFault } from '../../api/fault.ts';
import type { Issuer } from '../../api/issuer.ts';
import { isProblem } from '../../api/problem.ts';
import type { Stepwise } from '../../api/stepwise.ts';
import { isEnforcing } from '../../domain/authorization/authorize.ts';
import { reachedIn } from '../../domain/state/account.ts';
import type { ProviderView } from '../../domain/state/oidc-provider.ts';
import { similarTo } from '../../domain/state/similar.ts';
import type { BindingEvents } from '../../ports/events.ts';
import type { OidcProviders } from '../../ports/oidc-providers.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type Attempt, type Controller, recheck, settled, wakeEvery, wakeOn } from '../../runtime/controller.ts';
import { inSlices } from '../../runtime/slices.ts';
import { recordFailure } from '../failures.ts';
import { authorizationInput, authorizationOf, concernsAws, identityOf, reachIn } from '../observe.ts';
import { accountsOf, type OwnedStores, type Stores, type VerdictRecord } from '../stores.ts';

export interface OidcProviderOptions {
  readonly stores: Stores;
  readonly owned: Pick<OwnedStores, 'providers' | 'providerFailures' | 'providerRefreshes'>;
  readonly providersIn: (account: AccountId) => OidcProviders;
  readonly events: BindingEvents;
  readonly sweepIntervalMs: number;
  /** The client IDs of a provider that we may create where it is missing; undefined: we may create none. */
  readonly createWith: readonly string[] | undefined;
  readonly clock: Clock;
}

/** Keeps what is known of the OIDC provider of this cluster's issuer. The key is the account; only one that our credentials reach can be asked. */
export function oidcProviderController(options: OidcProviderOptions): Controller<AccountId> {
  const { stores, owned, sweepIntervalMs, clock } = options;
  const every = () => everyAccount(stores);
  return {
    name: 'oidc-provider',
    wakes: [
      wakeOn(stores.bindings, accountsOf, { when: (previous, next) => !isDeepStrictEqual(accountsOf(previous), accountsOf(next)) }),
      wakeOn(stores.audits, accountsOfRole, { when: (previous, next) => previous.role !== next.role }),
      wakeEvery(stores.grants, every),
      wakeOn(stores.fullGrants, ({ binding }) => accountsOfKey(stores, binding)),
      wakeEvery(stores.namespaces, every, { when: (previous, next) => !isDeepStrictEqual(previous.labels, next.labels) }),
      wakeOn(stores.accounts, ({ account }) => [account]),
      wakeEvery(stores.identity, every),
      wakeOn(stores.verdicts, (one) => (isTooLarge(one) ? [roleArnParts(one.question.role).account] : []), {
        when: (previous, next) => isTooLarge(previous) !== isTooLarge(next),
      }),
      wakeOn(stores.reconcileRequests, accountsOfRole, { when: (previous, next) => previous.at !== next.at }),
    ],
    async reconcile(account, signal, attempt) {
      const { cluster } = identityOf(stores);
      const role = await inSlices(roleIn(stores, account), clock);
      if (role === undefined) {
        owned.providers.delete(account);
        owned.providerRefreshes.delete(account);
        return settled;
      }
      if (cluster.kind === 'unknown' || reachedIn(stores.accounts.get(account)) === undefined) return settled;
      const asOf = clock.now();
      const target = { account, arn: providerArnFor(role, cluster.issuer), issuer: cluster.issuer, signal, attempt };
      const record = await recordFailure(owned.providerFailures, account, async () => {
        const view = await providerView(target, options);
        // What could go from a full policy is known by it.
        const all = stores.verdicts.list().some((one) => isTooLarge(one, account)) ? await allProviders(target, options) : undefined;
        return { account, view, ...(all && { all }) };
      });
      if (!isDeepStrictEqual(stores.providers.get(account), record)) owned.providers.put(record);
      const answered = owned.providerRefreshes.get(account)?.asOf ?? Number.NEGATIVE_INFINITY;
      if (stores.reconcileRequests.byIndex('account', account).some(({ at }) => at <= asOf && at > answered))
        owned.providerRefreshes.put({ of: account, asOf });
      return recheck(sweepIntervalMs, 'whether the provider is unchanged');
    },
  };
}

function isTooLarge({ question, verdict }: VerdictRecord, account = roleArnParts(question.role).account): boolean {
  return verdict.kind === 'refused' && verdict.finding.code === 'TrustPolicyTooLarge' && roleArnParts(question.role).account === account;
}

/** A role of the account for which AWS may be asked. The digits of the account alone do not say that it is in our partition. */
function* roleIn(stores: Stores, account: AccountId): Stepwise<RoleArn | undefined> {
  const reachable = (role: RoleArn) => reachIn(stores, role).kind !== 'refused';
  for (const binding of stores.bindings.byIndex('account', account)) {
    yield;
    const { spec } = binding;
    if (!isProblem(spec) && reachable(spec.roleArn) && concernsAws(stores, binding)) return spec.roleArn;
  }
  return stores.audits.byIndex('account', account).find(({ role }) => role !== undefined && reachable(role))?.role;
}

interface Target {
  readonly account: AccountId;
  readonly arn: ProviderArn;
  readonly issuer: Issuer;
  readonly signal: AbortSignal;
  readonly attempt: Attempt;
}

async function providerView(target: Target, options: OidcProviderOptions): Promise<ProviderView> {
  const { account, arn, signal, attempt } = target;
  const { stores, providersIn, createWith } = options;
  const providers = providersIn(account);
  try {
    const clientIds = await providers.clientIds(arn, signal, attempt.urgency);
    if (clientIds !== undefined) return { kind: 'registered', arn, clientIds };
    const asking = createWith && stores.bindings.byIndex('account', account).find((one) => wantsProvider(stores, one));
    if (createWith === undefined || asking === undefined) return await missing(target, options);
    return await create(target, options, createWith, asking);
  } catch (error) {
    if (!isFault(error, 'denied')) throw error;
    if (stores.providers.get(account)?.view.kind !== 'unreadable') attempt.log.warn({ err: error }, 'IAM denied reading the OIDC provider');
    return { kind: 'unreadable', why: error.told };
  }
}

async function missing(target: Target, options: OidcProviderOptions): Promise<Extract<ProviderView, { kind: 'missing' }>> {
  return { kind: 'missing', similar: similarTo(target.issuer, (await allProviders(target, options)) ?? []) };
}

/** What they only help to say is said without them where they may not be listed. */
async function allProviders(
  { account, signal, attempt }: Target,
  { providersIn }: OidcProviderOptions,
): Promise<readonly string[] | undefined> {
  try {
    return await providersIn(account).list(signal, attempt.urgency);
  } catch (error) {
    if (isFault(error, 'denied')) return undefined;
    throw error;
  }
}

/** With these client IDs and no others. One that is there, whatever its client IDs, belongs to others: it is never changed and never deleted. */
async function create(
  target: Target,
  options: OidcProviderOptions,
  audiences: readonly string[],
  asking: IrsaBinding,
): Promise<ProviderView> {
  const { account, arn, issuer, signal, attempt } = target;
  const { apiAudiences } = authorizationInput(options.stores, asking);
  const own = audiences.find((audience) => apiAudiences.includes(audience));
  if (own !== undefined) {
    const notCreated = `--provider-audiences has "${own}", an audience of the API server itself. With it, AWS would accept the default token of every pod`;
    return { ...(await missing(target, options)), notCreated };
  }
  try {
    await options.providersIn(account).create(issuer, audiences, signal, attempt.urgency);
  } catch (error) {
    if (!isFault(error, 'denied') && !isFault(error, 'invalid')) throw error;
    attempt.log.warn({ err: error }, 'creating OIDC provider failed');
    return { ...(await missing(target, options)), notCreated: error.told };
  }
  const note = `created the OIDC provider ${arn} for "${issuer}" with the client IDs ${audiences.map((id) => `"${id}"`).join(', ')}`;
  attempt.log.info({ arn, clientIds: audiences }, 'created OIDC provider');
  options.events.record(asking, { type: 'Normal', reason: 'OidcProviderCreated', action: 'CreateOidcProvider', note });
  return { kind: 'registered', arn, clientIds: audiences };
}

/** Observed and suspended bindings change nothing, and without a grant nothing is done for a binding. */
function wantsProvider(stores: Stores, binding: IrsaBinding): boolean {
  return isEnforcing(binding) && authorizationOf(stores, binding).kind === 'granted';
}

function accountsOfRole({ role }: { readonly role: RoleArn | undefined }): AccountId[] {
  return role === undefined ? [] : [roleArnParts(role).account];
}

function accountsOfKey({ bindings }: Stores, key: ObjectKey): AccountId[] {
  const binding = bindings.get(key);
  return binding === undefined ? [] : accountsOf(binding);
}

function everyAccount({ bindings, audits }: Stores): AccountId[] {
  return [...new Set([...bindings.list().flatMap(accountsOf), ...audits.list().flatMap(accountsOfRole)])];
}

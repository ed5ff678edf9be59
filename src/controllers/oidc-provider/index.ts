import { isDeepStrictEqual } from 'node:util';
import { type AccountId, type ProviderArn, providerArnFor, type RoleArn, sharesAccount } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { isFault } from '../../api/fault.ts';
import type { Issuer } from '../../api/issuer.ts';
import { isProblem } from '../../api/problem.ts';
import { claimOf, enforces } from '../../domain/authorization/authorize.ts';
import type { CallerView, ProviderView } from '../../domain/binding/observed.ts';
import type { BindingEvents } from '../../ports/events.ts';
import type { Providers } from '../../ports/oidc-providers.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type Attempt, type Controller, recheck, settled, wakeOn } from '../../runtime/controller.ts';
import { remembering } from '../failures.ts';
import { accountsOfAudit, claimWorld, concernsAws, surroundings, type World } from '../stores.ts';
import { similarTo } from './similar.ts';

export interface ProviderOptions {
  readonly world: World;
  readonly providers: Providers;
  readonly events: BindingEvents;
  readonly sweepIntervalMs: number;
  /** The client IDs of a provider that we may create where it is missing; undefined: we may create none. */
  readonly createWith: readonly string[] | undefined;
  readonly clock: Clock;
}

/** Keeps what is known of the OIDC provider of this cluster's issuer. The key is the account; only the one that our credentials reach can be asked. */
export function providerController(options: ProviderOptions): Controller<AccountId> {
  const { world, sweepIntervalMs, clock } = options;
  return {
    name: 'provider',
    wakes: [
      wakeOn(world.bindings, accountsOf, { when: (previous, next) => !isDeepStrictEqual(accountsOf(previous), accountsOf(next)) }),
      wakeOn(world.audits, accountsOfAudit, { when: (previous, next) => previous.role !== next.role }),
      wakeOn(world.grants, () => everyAccount(world)),
      wakeOn(world.namespaces, () => everyAccount(world), { when: (previous, next) => !isDeepStrictEqual(previous.labels, next.labels) }),
      wakeOn(world.surroundings, () => everyAccount(world)),
      wakeOn(world.looks, ({ account }) => (account === undefined ? [] : [account]), { when: (previous, next) => previous.at !== next.at }),
    ],
    async reconcile(account, signal, attempt) {
      const { cluster, caller } = surroundings(world);
      const role = roleIn(world, account, caller);
      if (role === undefined) {
        world.providers.delete(account);
        return settled;
      }
      if (cluster.kind === 'unknown' || caller.kind === 'unknown') return settled;
      const asOf = clock.now();
      const look = { account, arn: providerArnFor(role, cluster.issuer), issuer: cluster.issuer, signal, attempt };
      const view = await remembering(world, account, () => providerView(look, options));
      if (!isDeepStrictEqual(world.providers.get(account)?.view, view)) world.providers.put({ account, view });
      for (const asked of world.looks.byIndex('account', account))
        if (!asked.provider && asked.at <= asOf) world.looks.put({ ...asked, provider: true });
      return recheck(sweepIntervalMs, 'whether the provider is still as it was');
    },
  };
}

/** A role of the account for which AWS may be asked. The digits of the account alone do not say that it is in our partition. */
function roleIn(world: World, account: AccountId, caller: CallerView): RoleArn | undefined {
  const reachable = (role: RoleArn) => caller.kind === 'unknown' || sharesAccount(role, caller.arn);
  for (const binding of world.bindings.byIndex('account', account)) {
    const { spec } = binding;
    if (!isProblem(spec) && reachable(spec.roleArn) && concernsAws(world, binding)) return spec.roleArn;
  }
  return world.audits.byIndex('account', account).find(({ role }) => role !== undefined && reachable(role))?.role;
}

interface Look {
  readonly account: AccountId;
  readonly arn: ProviderArn;
  readonly issuer: Issuer;
  readonly signal: AbortSignal;
  readonly attempt: Attempt;
}

async function providerView(look: Look, options: ProviderOptions): Promise<ProviderView> {
  const { account, arn, signal, attempt } = look;
  const { world, providers, createWith } = options;
  try {
    const clientIds = await providers.clientIds(arn, signal, attempt.urgency);
    if (clientIds !== undefined) return { kind: 'registered', arn, clientIds };
    const asking = createWith && world.bindings.byIndex('account', account).find((one) => wantsProvider(world, one));
    if (createWith === undefined || asking === undefined) return await missing(look, options);
    return await create(look, options, createWith, asking);
  } catch (error) {
    if (isFault(error, 'denied')) return { kind: 'unreadable', why: error.message };
    throw error;
  }
}

async function missing(
  { issuer, signal, attempt }: Look,
  { providers }: ProviderOptions,
): Promise<Extract<ProviderView, { kind: 'missing' }>> {
  try {
    return { kind: 'missing', similar: similarTo(issuer, await providers.list(signal, attempt.urgency)) };
  } catch (error) {
    // That it is missing is known without the list, which only helps to say why.
    if (isFault(error, 'denied')) return { kind: 'missing', similar: [] };
    throw error;
  }
}

/** With these client IDs and no others. One that is there, whatever its client IDs, is somebody's: it is never changed and never deleted. */
async function create(look: Look, options: ProviderOptions, audiences: readonly string[], asking: IrsaBinding): Promise<ProviderView> {
  const { arn, issuer, signal, attempt } = look;
  const { apiAudiences } = claimWorld(options.world, asking);
  const own = audiences.find((audience) => apiAudiences.includes(audience));
  if (own !== undefined) {
    const notCreated = `--provider-audiences has "${own}", an audience of the API server itself: with it every pod's default token would count`;
    return { ...(await missing(look, options)), notCreated };
  }
  try {
    await options.providers.create(issuer, audiences, signal, attempt.urgency);
  } catch (error) {
    if (!isFault(error, 'denied') && !isFault(error, 'invalid')) throw error;
    attempt.log.warn({ err: error }, 'the missing OIDC provider could not be created');
    return { ...(await missing(look, options)), notCreated: error.message };
  }
  const note = `registered the OIDC provider ${arn} for "${issuer}" with the client IDs ${audiences.map((id) => `"${id}"`).join(', ')}`;
  attempt.log.info({ arn, clientIds: audiences }, 'registered the OIDC provider');
  options.events.record(asking, { type: 'Normal', reason: 'OidcProviderCreated', action: 'CreateOidcProvider', note });
  return { kind: 'registered', arn, clientIds: audiences };
}

/** Observed and suspended bindings change nothing, and without a grant nothing is done for a binding. */
function wantsProvider(world: World, binding: IrsaBinding): boolean {
  return enforces(binding) && claimOf(binding, claimWorld(world, binding)).kind === 'granted';
}

function accountsOf({ spec }: { spec: { roleArn: RoleArn } | { problem: string } }): AccountId[] {
  return isProblem(spec) ? [] : [spec.roleArn.split(':')[4] as AccountId];
}

function everyAccount(world: World): AccountId[] {
  return [...new Set([...world.bindings.list().flatMap(accountsOf), ...world.audits.list().flatMap(accountsOfAudit)])];
}

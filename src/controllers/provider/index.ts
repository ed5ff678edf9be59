import { isDeepStrictEqual } from 'node:util';
import { type AccountId, providerArnFor, type RoleArn } from '../../api/arn.ts';
import { isFault } from '../../api/fault.ts';
import { type Issuer, issuerHostPath } from '../../api/issuer.ts';
import { isProblem } from '../../api/problem.ts';
import type { ProviderView } from '../../binding/observed.ts';
import { type Controller, recheck, settled, wakeOn } from '../../runtime/controller.ts';
import { concernsAws, surroundings, type World } from '../world.ts';
import type { Providers } from './ports.ts';

export interface ProviderOptions {
  readonly world: World;
  readonly providers: Providers;
  readonly sweepIntervalMs: number;
}

/** Keeps what is known of the OIDC provider of this cluster's issuer. The key is the account; only the one that our credentials reach can be asked. */
export function providerController({ world, providers, sweepIntervalMs }: ProviderOptions): Controller<AccountId> {
  return {
    name: 'provider',
    wakes: [
      wakeOn(world.bindings, accountsOf, { when: (previous, next) => !isDeepStrictEqual(accountsOf(previous), accountsOf(next)) }),
      wakeOn(world.grants, () => everyAccount(world)),
      wakeOn(world.namespaces, () => everyAccount(world), { when: (previous, next) => !isDeepStrictEqual(previous.labels, next.labels) }),
      wakeOn(world.surroundings, () => everyAccount(world)),
    ],
    async reconcile(account, signal) {
      const binding = world.bindings.byIndex('account', account).find((one) => concernsAws(world, one));
      const { cluster, caller } = surroundings(world);
      if (binding === undefined || isProblem(binding.spec)) {
        world.providers.delete(account);
        return settled;
      }
      if (cluster.kind === 'unknown' || caller.kind === 'unknown' || caller.account !== account) return settled;
      const view = await look(binding.spec.roleArn, cluster.issuer, providers, signal);
      if (!isDeepStrictEqual(world.providers.get(account)?.view, view)) world.providers.put({ account, view });
      return recheck(sweepIntervalMs, 'whether the provider is still as it was');
    },
  };
}

async function look(role: RoleArn, issuer: Issuer, providers: Providers, signal: AbortSignal): Promise<ProviderView> {
  const arn = providerArnFor(role, issuer);
  try {
    const clientIds = await providers.clientIds(arn, signal);
    if (clientIds !== undefined) return { kind: 'registered', arn, clientIds };
    return { kind: 'missing', similar: similarTo(issuer, await providers.list(signal)) };
  } catch (error) {
    if (isFault(error, 'denied')) return { kind: 'unreadable', why: error.message };
    throw error;
  }
}

/** More than these would make no sentence. */
const MAX_SIMILAR = 3;

/** What the provider's URL nearly is: the same but for case or a slash, or the same EKS issuer with another region or ID. */
function similarTo(issuer: Issuer, arns: readonly string[]): string[] {
  const wanted = issuerHostPath(issuer);
  const fold = (text: string) => text.toLowerCase().replace(/\/+$/, '');
  const urls = arns.map((arn) => arn.slice(arn.indexOf('/') + 1));
  const same = urls.filter((url) => fold(url) === fold(wanted));
  const id = wanted.slice(wanted.lastIndexOf('/') + 1);
  const moved = urls.filter((url) => EKS_ISSUER.test(url) && url.endsWith(`/${id}`));
  return [...new Set([...same, ...moved])].slice(0, MAX_SIMILAR);
}

const EKS_ISSUER = /^oidc[.-]eks\./;

function accountsOf({ spec }: { spec: { roleArn: RoleArn } | { problem: string } }): AccountId[] {
  return isProblem(spec) ? [] : [spec.roleArn.split(':')[4] as AccountId];
}

function everyAccount(world: World): AccountId[] {
  return [...new Set(world.bindings.list().flatMap(accountsOf))];
}

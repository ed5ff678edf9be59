import { isDeepStrictEqual } from 'node:util';
import type { IAMClient } from '@aws-sdk/client-iam';
import { type AccountId, type RoleArn, roleArnParts } from '../api/arn.ts';
import { Fault } from '../api/fault.ts';
import type { AccountPorts } from '../ports/account.ts';
import type { Roles } from '../ports/roles.ts';
import type { Limiter } from '../runtime/limiter.ts';
import type { AwsCalls } from './calls.ts';
import { type IamCallsOptions, iamCalls } from './iam-calls.ts';
import { iamProviders } from './providers.ts';
import { iamRoles } from './roles.ts';

export interface AccountsOptions extends Omit<IamCallsOptions, 'reads' | 'writes'> {
  /** Of one account: others use it too, and one that throttles slows no other. */
  readonly limiter: (account: AccountId, action: 'read' | 'write', perSecond: number) => Limiter;
  readonly tenantsOf: (role: RoleArn) => Iterable<string>;
}

/** What reads and what writes in one account, with the credentials for it. */
export interface IamClients {
  readonly iam: IAMClient;
  readonly iamWrites: IAMClient;
}

export interface Rates {
  readonly read: number;
  readonly write: number;
}

/** How calls get into an account, and how many a second. */
export interface Way {
  readonly clients: IamClients;
  /** Undefined: as all others. */
  readonly call?: AwsCalls;
  readonly perSecond: Rates;
}

interface OpenAccount {
  readonly way: Way;
  readonly limits: { readonly reads: Limiter; readonly writes: Limiter };
  readonly ports: AccountPorts;
}

/** The accounts that credentials are there for, each with limits of its own. */
export class AwsAccounts {
  readonly #o: AccountsOptions;
  readonly #open = new Map<AccountId, OpenAccount>();

  constructor(options: AccountsOptions) {
    this.#o = options;
  }

  /** Opens an account, or goes on with other credentials in it. Its limits stay unless their rates are others. */
  open(account: AccountId, way: Way): AccountPorts {
    const found = this.#open.get(account);
    const known = isDeepStrictEqual(found?.way.perSecond, way.perSecond) ? found : undefined;
    if (known?.way.clients === way.clients) return known.ports;
    const { limiter, tenantsOf, ...rest } = this.#o;
    const { read, write } = way.perSecond;
    const limits = known?.limits ?? { reads: limiter(account, 'read', read), writes: limiter(account, 'write', write) };
    const calls = iamCalls({ ...rest, ...limits, call: way.call ?? rest.call });
    const { iam, iamWrites } = way.clients;
    const ports = { roles: iamRoles(iam, calls, { writing: iamWrites, tenantsOf }), providers: iamProviders(iam, calls, iamWrites) };
    this.#open.set(account, { way, limits, ports });
    return ports;
  }

  close(account: AccountId): void {
    this.#open.delete(account);
  }

  /** The account of the role is that of its ARN. */
  readonly roles: Pick<Roles, 'read' | 'edit'> = {
    read: async (arn, ...rest) => this.in(roleArnParts(arn).account).roles.read(arn, ...rest),
    edit: async (arn, ...rest) => this.in(roleArnParts(arn).account).roles.edit(arn, ...rest),
  };

  /** Throws `Fault` where the account is not open: no call goes to another one in its place. */
  in(account: AccountId): AccountPorts {
    const found = this.#open.get(account);
    if (found === undefined) throw new Fault('transient', `account ${account} is not reached`);
    return found.ports;
  }
}

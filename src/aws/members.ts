import { isDeepStrictEqual } from 'node:util';
import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { type AccountId, roleArnParts } from '../api/arn.ts';
import { Fault } from '../api/fault.ts';
import type { Issuer } from '../api/issuer.ts';
import type { Clock } from '../runtime/clock.ts';
import type { IamClients } from './accounts.ts';
import type { AwsCalls } from './calls.ts';
import { type Credentials, type Member, MemberCredentials } from './member-credentials.ts';
import { memberSessionPolicy } from './member-policy.ts';
import { sessionName } from './session-name.ts';

export interface MemberClients extends IamClients {
  readonly sts: Pick<STSClient, 'send' | 'destroy'>;
}

export interface MembersOptions {
  /** With the operator's own credentials. */
  readonly sts: Pick<STSClient, 'send'>;
  readonly call: AwsCalls;
  readonly clientsWith: (credentials: () => Promise<Credentials>) => MemberClients;
  readonly clock: Clock;
  readonly stop: AbortSignal;
}

/** What calls into an account go through once it let us in. */
export interface Entered {
  /** Whom AWS takes us for there. */
  readonly callerArn: string;
  readonly clients: MemberClients;
  readonly call: AwsCalls;
}

/** The ways into other accounts: of each a session of its member role, and clients with that. */
export class Members {
  readonly #o: MembersOptions;
  readonly #known = new Map<
    AccountId,
    { readonly member: Member; readonly credentials: MemberCredentials; readonly clients: MemberClients }
  >();

  constructor(options: MembersOptions) {
    this.#o = options;
  }

  /** Throws `Fault`: denied where STS refuses the role. */
  async enter(member: Member, issuer: Issuer, signal: AbortSignal): Promise<Entered> {
    const { credentials, clients } = this.#way(member, issuer);
    await credentials.get();
    const { Arn: callerArn } = await credentials.call({
      service: 'sts',
      operation: 'GetCallerIdentity',
      of: `the session of role "${member.roleArn}"`,
      signal,
      send: (options) => clients.sts.send(new GetCallerIdentityCommand({}), options),
    });
    if (callerArn === undefined) throw new Fault('transient', `sts:GetCallerIdentity of role "${member.roleArn}" answered without an ARN`);
    return { callerArn, clients, call: credentials.call };
  }

  /** Forgets the session of the account, and closes its connections. */
  leave(account: AccountId): void {
    const { iam, iamWrites, sts } = this.#known.get(account)?.clients ?? {};
    for (const client of [iam, iamWrites, sts]) client?.destroy();
    this.#known.delete(account);
  }

  #way(member: Member, issuer: Issuer) {
    const { sts, call, clientsWith, clock, stop } = this.#o;
    const { account, partition, name: roleName } = roleArnParts(member.roleArn);
    const known = this.#known.get(account);
    if (known !== undefined && isDeepStrictEqual(known.member, member)) return known;
    const credentials = new MemberCredentials({
      member,
      sts,
      call,
      sessionName: sessionName('irsa-operator', issuer),
      sessionPolicy: memberSessionPolicy({ account, partition, roleName }),
      clock,
      stop,
    });
    this.leave(account);
    const way = { member, credentials, clients: clientsWith(credentials.provider) };
    this.#known.set(account, way);
    return way;
  }
}

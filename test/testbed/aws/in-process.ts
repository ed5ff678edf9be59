import type { webcrypto } from 'node:crypto';
import { type AwsAccount, accountSetup } from './account.ts';
import type { Partition } from './arn.ts';
import type { Behaviour, RunningFault, ScriptedFault } from './behaviour/index.ts';
import { type Clock, type Random, systemClock } from './clock.ts';
import { perform, type Service } from './cloud.ts';
import { accountOfKey, livingCredential, sessionCaller, userCaller } from './credentials.ts';
import type { JournalEntry } from './journal.ts';
import { ANONYMOUS, type Answer } from './operation.ts';
import { type PodIdentity, podIdentityTags } from './pod-identity.ts';
import { accountOf, addRole, addUser, type Caller, createWorld, type World } from './world.ts';

/** The account of AWS's own examples. */
export const DEFAULT_ACCOUNT = '111122223333';

/** A user of an account; or a session of a role, which is made if it is not there. */
export interface CallerSetup {
  readonly accountId?: string;
  readonly roleName?: string;
  /** Replaces the role's identity policy. Without any, the role may do everything in its account. */
  readonly identityPolicy?: string | object;
  /** The end of the caller's ARN, by which the journal tells one session of the role from another. */
  readonly sessionName?: string;
  /** The session is one that EKS Pod Identity gave to this pod: with its tags, which are handed on to every role that the session assumes. */
  readonly podIdentity?: PodIdentity;
}

/** AWS as a set-up sees it, with or without a wire. */
export interface Aws {
  /** How the services behave from now on; `{}` is how they begin: no delay, no limit, fresh reads. */
  behave(behaviour: Behaviour): void;
  /** The next calls that fit meet this fault. Of several that fit the oldest is met first. */
  fault(fault: ScriptedFault): RunningFault;
  /** Ends every fault that is left. */
  endFaults(): void;
  /** Tells STS where to get the public keys of an issuer (at the real one: its jwks_uri). Asked anew for each token. */
  trustIssuer(issuer: string, keys: () => Promise<{ keys: webcrypto.JsonWebKey[] }>): void;
  /** What eks:DescribeCluster answers. */
  cluster(cluster: { readonly accountId?: string; readonly name: string; readonly issuer: string }): void;
  /** Direct set-up; an account that is asked for exists from then on, in the double's own partition or in this one. */
  account(accountId?: string, partition?: Partition): AwsAccount;
  /** Every call that arrived and was done or refused, oldest first; also one whose answer was lost. */
  readonly journal: readonly JournalEntry[];
}

/** One operation as this caller. Throws AwsError, ConnectionReset, or the signal's reason. Documents in answers are URL-encoded, as on the wire. */
export type CallAws = (
  service: Service,
  operation: string,
  params: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<Answer | undefined>;

/** Of the `Credentials` in an answer of AssumeRole: nothing is signed in this process, so the secret is not needed. */
export interface SessionCredentials {
  readonly AccessKeyId: string;
  readonly SessionToken: string;
}

export interface AwsInProcess extends Aws {
  as(caller?: CallerSetup): CallAws;
  /** With what AssumeRole answered, until it expires. */
  asSession(credentials: SessionCredentials): CallAws;
  /** For sts:AssumeRoleWithWebIdentity, where the token speaks for the caller. */
  readonly anonymous: CallAws;
}

interface AwsOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  /** Of the accounts that are not put in another; `aws` when not given. */
  readonly partition?: Partition;
}

/** The same services without HTTP and signatures, for tests that own the time: nothing here waits but by `clock`. */
export function createAws(options: AwsOptions = {}): AwsInProcess {
  const { world, aws, journal } = awsWorld(options);
  const by =
    (account: string, identify: (at: Date) => Caller): CallAws =>
    (service, operation, params, signal) =>
      perform(world, journal, { account, service, operation, params: new Map(Object.entries(params)), identify, signal });
  return {
    ...aws,
    as(setup = {}) {
      const caller = callerOf(world, setup);
      return by(caller.accountId, () => caller);
    },
    asSession: ({ AccessKeyId, SessionToken }) =>
      by(accountOfKey(world, AccessKeyId), (at) => livingCredential(world, AccessKeyId, SessionToken, at).caller),
    anonymous: by('', () => ANONYMOUS),
  };
}

export function awsWorld({ clock = systemClock, random = Math.random, partition = 'aws' }: AwsOptions) {
  const world = createWorld(clock, random, partition);
  accountOf(world, DEFAULT_ACCOUNT);
  const journal: JournalEntry[] = [];
  const aws: Aws = {
    behave(behaviour) {
      world.conditions.behaviour = behaviour;
    },
    fault: (fault) => world.conditions.faults.next(fault),
    endFaults: () => world.conditions.faults.clear(),
    trustIssuer(issuer, keys) {
      world.issuers.set(issuer, keys);
    },
    cluster({ accountId = DEFAULT_ACCOUNT, name, issuer }) {
      accountOf(world, accountId).clusters.set(name, { name, issuer, created: world.now() });
    },
    account: (accountId = DEFAULT_ACCOUNT, within) => accountSetup(world, accountOf(world, accountId, within)),
    journal,
  };
  return { world, aws, journal };
}

export function callerOf(
  world: World,
  { accountId = DEFAULT_ACCOUNT, roleName, identityPolicy, sessionName = 'session', podIdentity }: CallerSetup,
): Caller {
  const account = accountOf(world, accountId);
  if (roleName === undefined) return userCaller(account, account.users.get('testbed') ?? addUser(world, account, 'testbed'));
  const role = account.roles.get(roleName.toLowerCase()) ?? addRole(world, account, { name: roleName, trustPolicy: POD_IDENTITY });
  if (identityPolicy !== undefined) accountSetup(world, account).role.setIdentityPolicy(roleName, identityPolicy);
  return { ...sessionCaller(account, role, sessionName), tags: podIdentity && podIdentityTags(account, podIdentity) };
}

/** The trust policy of a caller's own role is as EKS Pod Identity has it: how the caller came by its session does not matter here. */
const POD_IDENTITY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'pods.eks.amazonaws.com' }, Action: ['sts:AssumeRole', 'sts:TagSession'] }],
});

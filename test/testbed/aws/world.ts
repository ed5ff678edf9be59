import { randomInt, type webcrypto } from 'node:crypto';
import { arnOf, ownerIn, type Partition } from './arn.ts';
import { type Conditions, fairConditions } from './behaviour/index.ts';
import { ReplicatedMap } from './behaviour/replicas.ts';
import type { Clock, Random } from './clock.ts';

/** Everything that the double knows. Operations change it in place; nothing of it is kept between starts. */
export interface World {
  /** Of the accounts that a set-up puts in no other. */
  readonly partition: Partition;
  readonly accounts: Map<string, Account>;
  /** Who is behind an access key. */
  readonly credentials: Map<string, Credential>;
  /** Where STS gets the public keys of an issuer. */
  readonly issuers: Map<string, () => Promise<KeySet>>;
  /** Unique ID to ARN, of the roles and users that live now. A deleted one is missing here, and its unique ID then shows in trust policies. */
  readonly principals: Map<string, string>;
  readonly conditions: Conditions;
  readonly now: () => Date;
}

/** A JWKS document. */
export interface KeySet {
  readonly keys: readonly webcrypto.JsonWebKey[];
}

export interface Account {
  readonly id: string;
  readonly partition: Partition;
  /** By lower-case name: role names differ by more than case (IAM user guide, "IAM identifiers"). */
  readonly roles: ReplicatedMap<Role>;
  /** By unique ID of the role. */
  readonly lastUsed: Map<string, Date>;
  readonly users: Map<string, User>;
  /** By ARN. */
  readonly providers: Map<string, OidcProvider>;
  /** By name. */
  readonly clusters: Map<string, Cluster>;
  /** Characters of a trust policy, white space not counted. */
  trustPolicyQuota: number;
  /** ID of the organisation that it is a member of. */
  organization: string | undefined;
  /** What the organisation lets the account's callers do at most; undefined where it forbids nothing. */
  serviceControlPolicy: string | undefined;
  /** Closed, or shut by AWS. */
  suspended: boolean;
}

/** Never changed in place: a change is a new version, which replicas learn of when they do. */
export interface Role {
  readonly name: string;
  /** `/` or `/team/app/`. */
  readonly path: string;
  readonly arn: string;
  readonly id: string;
  readonly created: Date;
  readonly description: string | undefined;
  readonly maxSessionSeconds: number;
  readonly permissionsBoundary: string | undefined;
  readonly tags: ReadonlyMap<string, string>;
  /** As stored: AWS principals are unique IDs where IAM knew them at the write. */
  readonly trustPolicy: string;
  /** What the role's sessions may do; everything in their account where there is none. */
  readonly identityPolicy: string | undefined;
}

export interface User {
  readonly name: string;
  readonly arn: string;
  readonly id: string;
}

export interface OidcProvider {
  readonly arn: string;
  /** Without `https://`, as GetOpenIDConnectProvider gives it. */
  readonly url: string;
  readonly clientIds: string[];
  readonly thumbprints: readonly string[];
  readonly created: Date;
  readonly tags: Map<string, string>;
}

export interface Cluster {
  readonly name: string;
  readonly issuer: string;
  readonly created: Date;
}

/** Who calls, in the words of GetCallerIdentity. */
export interface Caller {
  readonly accountId: string;
  readonly arn: string;
  readonly userId: string;
  /** Every name by which a policy may mean this caller. */
  readonly names: readonly string[];
  /** The inline policy that a session was opened with. */
  readonly sessionPolicy?: string | undefined;
  readonly tags?: SessionTags | undefined;
}

/** A transitive tag is handed on to the sessions that this one opens. */
export type SessionTags = ReadonlyMap<string, { readonly value: string; readonly transitive: boolean }>;

export interface Credential {
  readonly secret: string;
  /** Temporary credentials come with a token and end. */
  readonly session: { readonly token: string; readonly expires: Date } | undefined;
  readonly caller: Caller;
}

/** The documented default of quota L-C07B4B0D (IAM user guide, "IAM and AWS STS quotas"). */
const TRUST_POLICY_QUOTA = 2_048;

/** CreateRole's default for MaxSessionDuration, in seconds. */
export const DEFAULT_SESSION_SECONDS = 3_600;

export function createWorld(clock: Clock, random: Random, partition: Partition = 'aws'): World {
  return {
    partition,
    accounts: new Map(),
    credentials: new Map(),
    issuers: new Map(),
    principals: new Map(),
    conditions: fairConditions(clock, random),
    now: () => new Date(clock.now()),
  };
}

export function accountOf(world: World, id: string, partition?: Partition): Account {
  const known = world.accounts.get(id);
  if (known !== undefined && (partition ?? known.partition) !== known.partition)
    throw new Error(`the AWS double has the account "${id}" in the partition "${known.partition}" already`);
  if (known !== undefined) return known;
  if (!/^\d{12}$/.test(id)) throw new Error(`the AWS double was asked for the account "${id}"; an account number has twelve digits`);
  const account: Account = {
    id,
    partition: partition ?? world.partition,
    roles: new ReplicatedMap(() => world.conditions.clock.now(), world.conditions.random),
    lastUsed: new Map(),
    users: new Map(),
    providers: new Map(),
    clusters: new Map(),
    trustPolicyQuota: TRUST_POLICY_QUOTA,
    organization: undefined,
    serviceControlPolicy: undefined,
    suspended: false,
  };
  world.accounts.set(id, account);
  return account;
}

export interface NewRole {
  readonly name: string;
  readonly path?: string | undefined;
  readonly trustPolicy: string;
  readonly tags?: ReadonlyMap<string, string> | undefined;
  readonly description?: string | undefined;
  readonly maxSessionSeconds?: number | undefined;
  readonly permissionsBoundary?: string | undefined;
  readonly identityPolicy?: string | undefined;
}

/** Adds a role with a unique ID of its own: one that is made again under an old name is another role. */
export function addRole(world: World, account: Account, wanted: NewRole): Role {
  const path = wanted.path ?? '/';
  const role: Role = {
    name: wanted.name,
    path,
    arn: arnOf(account, 'iam', `role${path}${wanted.name}`),
    id: uniqueId('AROA'),
    created: world.now(),
    description: wanted.description,
    maxSessionSeconds: wanted.maxSessionSeconds ?? DEFAULT_SESSION_SECONDS,
    permissionsBoundary: wanted.permissionsBoundary,
    tags: new Map(wanted.tags),
    trustPolicy: wanted.trustPolicy,
    identityPolicy: wanted.identityPolicy,
  };
  account.roles.set(role.name.toLowerCase(), role);
  world.principals.set(role.id, role.arn);
  return role;
}

/** Path and case must be right, unlike in a name. */
export function roleWithArn(world: World, arn: string): Role | undefined {
  const name = arn.split('/').at(-1) ?? '';
  const role = world.accounts.get(ownerIn(arn)?.id ?? '')?.roles.get(name.toLowerCase());
  return role?.arn === arn ? role : undefined;
}

/** The same role, otherwise. */
export function changeRole(account: Account, role: Role): void {
  account.roles.set(role.name.toLowerCase(), role);
}

export function removeRole(world: World, account: Account, role: Role): void {
  account.roles.delete(role.name.toLowerCase());
  world.principals.delete(role.id);
}

export function addUser(world: World, account: Account, name: string): User {
  const user: User = { name, arn: arnOf(account, 'iam', `user/${name}`), id: uniqueId('AIDA') };
  account.users.set(name.toLowerCase(), user);
  world.principals.set(user.id, user.arn);
  return user;
}

export function removeUser(world: World, account: Account, user: User): void {
  account.users.delete(user.name.toLowerCase());
  world.principals.delete(user.id);
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** `AROA`, `AIDA`, `AKIA` or `ASIA` and 17 characters (keys: 16), as in IAM user guide, "Unique identifiers". */
export function uniqueId(prefix: 'AROA' | 'AIDA' | 'AKIA' | 'ASIA'): string {
  const length = prefix === 'AROA' || prefix === 'AIDA' ? 17 : 16;
  return prefix + Array.from({ length }, () => BASE32[randomInt(BASE32.length)]).join('');
}

import { arnOf } from './arn.ts';
import { expireSessions } from './credentials.ts';
import { hostAndPath } from './iam/providers.ts';
import { plantTrustPolicy, renderTrustPolicy } from './policy/trust-policy.ts';
import { checkIdentityPolicy } from './policy/validate.ts';
import { type Account, addRole, addUser, type OidcProvider, type Role, removeRole, removeUser, type World } from './world.ts';

export interface RoleSetup {
  readonly name: string;
  /** `/` when not given. */
  readonly path?: string;
  /** Any text, also what IAM would refuse today or what is no JSON at all; an object is written as JSON. */
  readonly trustPolicy: string | object;
  readonly tags?: Readonly<Record<string, string>>;
  readonly permissionsBoundary?: string;
  readonly maxSessionSeconds?: number;
  /** What sessions of the role may do; without one, everything in their account. */
  readonly identityPolicy?: string | object;
}

export interface RoleView {
  readonly arn: string;
  readonly id: string;
  /** As GetRole shows it, not URL-encoded. */
  readonly trustPolicy: string;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * Direct set-up of an account, for what the API would refuse or what is not worth a call. Nothing of it is in the journal, and no replica is
 * behind it: a change that shall spread slowly is made by a call.
 */
export interface AwsAccount {
  readonly id: string;
  readonly role: {
    /** Makes the role, or makes it anew: with another unique ID, as after a deletion. */
    put(role: RoleSetup): RoleView;
    get(name: string): RoleView | undefined;
    /** Puts a document in place of the present one: the role stays the same role. */
    setTrustPolicy(name: string, trustPolicy: string | object): void;
    /** In place of the present ones. */
    setTags(name: string, tags: Readonly<Record<string, string>>): void;
    /** Throws MalformedPolicyDocument for what IAM would not take. */
    setIdentityPolicy(name: string, identityPolicy: string | object | undefined): void;
    delete(name: string): void;
  };
  readonly user: {
    put(name: string): { readonly arn: string; readonly id: string };
  };
  readonly provider: {
    /** Client IDs are `sts.amazonaws.com` when not given. */
    put(provider: { readonly issuer: string; readonly clientIds?: readonly string[] }): { readonly arn: string };
    delete(issuer: string): void;
  };
  /** Ends every session in the account that was opened up to now, hours before its time: `ExpiredToken`. */
  expireSessions(): void;
  /** Deletes the role or user with this ARN: trust policies that name it show its unique ID from now on. */
  deletePrincipal(arn: string): void;
  /** For so long, trust policies show the unique ID of this role or user, as after a deletion, although it lives. */
  unresolvePrincipal(arn: string, forMs: number): void;
  /** Makes it a member of the organisation with this ID, `o-exampleorgid`; of none where it is undefined. */
  setOrganization(id: string | undefined): void;
  /** A closed account: its keys are good for nothing, and none of its roles can be assumed. */
  setSuspended(suspended: boolean): void;
  /** What the organisation lets the callers of this account do at most; nothing is forbidden where it is undefined. */
  setServiceControlPolicy(policy: string | object | undefined): void;
  /** Characters of a trust policy, white space not counted. */
  setQuota(characters: number): void;
}

export function accountSetup(world: World, account: Account): AwsAccount {
  const text = (trustPolicy: string | object): string =>
    plantTrustPolicy(world, typeof trustPolicy === 'string' ? trustPolicy : JSON.stringify(trustPolicy));
  const plant = (one: Role) => account.roles.plant(one.name.toLowerCase(), one);
  const find = (name: string) => account.roles.get(name.toLowerCase());

  const role: AwsAccount['role'] = {
    put({ trustPolicy, tags, identityPolicy, ...rest }) {
      role.delete(rest.name);
      const made = addRole(world, account, { ...rest, trustPolicy: text(trustPolicy), tags: new Map(Object.entries(tags ?? {})) });
      plant({ ...made, identityPolicy: permissions(account, identityPolicy) });
      return present(role.get(rest.name), rest.name);
    },
    get(name) {
      const found = find(name);
      if (found === undefined) return undefined;
      const { arn, id: roleId, tags } = found;
      return { arn, id: roleId, tags: Object.fromEntries(tags), trustPolicy: renderTrustPolicy(world, found.trustPolicy) };
    },
    setTrustPolicy(name, trustPolicy) {
      plant({ ...present(find(name), name), trustPolicy: text(trustPolicy) });
    },
    setIdentityPolicy(name, identityPolicy) {
      plant({ ...present(find(name), name), identityPolicy: permissions(account, identityPolicy) });
    },
    setTags(name, tags) {
      plant({ ...present(find(name), name), tags: new Map(Object.entries(tags)) });
    },
    delete(name) {
      const found = find(name);
      if (found === undefined) return;
      removeRole(world, account, found);
      account.roles.plant(found.name.toLowerCase(), undefined);
    },
  };

  return {
    id: account.id,
    role,
    user: { put: (name) => addUser(world, account, name) },
    provider: {
      put({ issuer, clientIds = ['sts.amazonaws.com'] }) {
        const provider = newProvider(account, issuer, clientIds, world.now());
        account.providers.set(provider.arn, provider);
        return { arn: provider.arn };
      },
      delete(issuer) {
        account.providers.delete(newProvider(account, issuer, [], world.now()).arn);
      },
    },
    expireSessions: () => expireSessions(world, account, world.now()),
    deletePrincipal(arn) {
      for (const one of [...account.roles.values()]) if (one.arn === arn) role.delete(one.name);
      for (const one of account.users.values()) if (one.arn === arn) removeUser(world, account, one);
    },
    unresolvePrincipal(arn, forMs) {
      const principalId = [...world.principals].find(([, living]) => living === arn)?.[0];
      if (principalId === undefined) throw new Error(`the AWS double has no role or user "${arn}"`);
      world.conditions.unresolved.set(principalId, world.conditions.clock.now() + forMs);
    },
    setOrganization(organization) {
      account.organization = organization;
    },
    setSuspended(suspended) {
      account.suspended = suspended;
    },
    setServiceControlPolicy(policy) {
      account.serviceControlPolicy = permissions(account, policy);
    },
    setQuota(characters) {
      account.trustPolicyQuota = characters;
    },
  };
}

/** Throws MalformedPolicyDocument for what IAM would not take. */
function permissions({ partition }: Account, policy: string | object | undefined): string | undefined {
  if (policy === undefined) return undefined;
  const document = typeof policy === 'string' ? policy : JSON.stringify(policy);
  checkIdentityPolicy(document, partition);
  return document;
}

function newProvider(account: Account, issuer: string, clientIds: readonly string[], created: Date): OidcProvider {
  const url = hostAndPath(issuer);
  return {
    arn: arnOf(account, 'iam', `oidc-provider/${url}`),
    url,
    clientIds: [...clientIds],
    thumbprints: [],
    created,
    tags: new Map(),
  };
}

function present<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`the AWS double has no role "${name}"`);
  return value;
}

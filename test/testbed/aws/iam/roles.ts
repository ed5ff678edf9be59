import { PARTITIONS } from '../arn.ts';
import { alreadyExists } from '../aws-error.ts';
import { type Answer, accountOfCaller, type Operation } from '../operation.ts';
import { bounded, integer, optional, required, tagsOf } from '../params.ts';
import { acceptTrustPolicy, renderTrustPolicy } from '../policy/trust-policy.ts';
import { addRole, changeRole, DEFAULT_SESSION_SECONDS, type Role, removeRole, type World } from '../world.ts';
import { page } from './page.ts';
import { MAX_ROLE_NAME, requireModifiable, roleByName } from './role-lookup.ts';
import { tagList } from './role-tags.ts';

const PATH = /^(?:\/|\/[\u0021-\u007e]+\/)$/;
const MAX_PATH = 512;

/** Documented bounds of MaxSessionDuration, in seconds. */
const SESSION_SECONDS = { min: 3_600, max: 43_200, otherwise: DEFAULT_SESSION_SECONDS };

export const createRole: Operation = (call) => {
  const { world, params } = call;
  const account = accountOfCaller(call);
  const name = bounded(required(params, 'RoleName'), 'RoleName', { min: 1, max: MAX_ROLE_NAME, pattern: /^[\w+=,.@-]+$/ });
  const path = bounded(optional(params, 'Path') ?? '/', 'Path', { min: 1, max: MAX_PATH, pattern: PATH });
  const maxSessionSeconds = integer(params, 'MaxSessionDuration', SESSION_SECONDS);
  if (account.roles.has(name.toLowerCase())) throw alreadyExists(`Role with name ${name} already exists.`);
  const trustPolicy = acceptTrustPolicy(world, account, required(params, 'AssumeRolePolicyDocument'));
  const role = addRole(world, account, {
    name,
    path,
    trustPolicy,
    tags: tagsOf(params),
    description: optional(params, 'Description'),
    maxSessionSeconds,
    permissionsBoundary: optional(params, 'PermissionsBoundary'),
  });
  const { Description: _, MaxSessionDuration: __, ...shown } = listed(world, role);
  return { Role: { ...shown, ...tagsShown(role) } };
};

export const getRole: Operation = (call) => {
  const role = roleByName(call, call.world.conditions.behaviour.staleMs?.GetRole);
  const { lastUsed, partition } = accountOfCaller(call);
  const at = lastUsed.get(role.id);
  return {
    Role: {
      ...listed(call.world, role),
      ...tagsShown(role),
      PermissionsBoundary: role.permissionsBoundary && {
        PermissionsBoundaryType: 'Policy',
        PermissionsBoundaryArn: role.permissionsBoundary,
      },
      RoleLastUsed: at === undefined ? {} : { LastUsedDate: at, Region: PARTITIONS[partition] },
    },
  };
};

export const listRoles: Operation = (call) => {
  const prefix = bounded(optional(call.params, 'PathPrefix') ?? '/', 'PathPrefix', {
    min: 1,
    max: MAX_PATH,
    pattern: /^\/[\u0021-\u007e]*$/,
  });
  const roles = accountOfCaller(call)
    .roles.allSeen(call.world.conditions.behaviour.staleMs?.ListRoles ?? 0)
    .filter((role) => role.path.startsWith(prefix));
  const { items, next } = page(call.params, roles, (role) => role.name);
  return { Roles: items.map((role) => listed(call.world, role)), ...next };
};

export const updateAssumeRolePolicy: Operation = (call) => {
  const document = required(call.params, 'PolicyDocument');
  const role = roleByName(call);
  requireModifiable(role);
  const account = accountOfCaller(call);
  changeRole(account, { ...role, trustPolicy: acceptTrustPolicy(call.world, account, document) });
  return undefined;
};

export const deleteRole: Operation = (call) => {
  const role = roleByName(call);
  requireModifiable(role);
  removeRole(call.world, accountOfCaller(call), role);
  return undefined;
};

/** A role as ListRoles shows it: without tags, permissions boundary and last use. */
function listed(world: World, role: Role): Answer {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: role.created,
    AssumeRolePolicyDocument: urlEncode(renderTrustPolicy(world, role.trustPolicy)),
    Description: role.description,
    MaxSessionDuration: role.maxSessionSeconds,
  };
}

function tagsShown(role: Role): Answer {
  return role.tags.size === 0 ? {} : { Tags: tagList(role.tags) };
}

/** "The policy is URL-encoded compliant with RFC 3986" (IAM API reference): unlike encodeURIComponent, with these five too. */
function urlEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

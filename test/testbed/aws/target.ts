import { arnOf, ownerIn } from './arn.ts';
import { accountOfCaller, type Call } from './operation.ts';
import { list, tagsOf } from './params.ts';
import type { RequestContext } from './policy/context.ts';
import { type Account, type Role, roleWithArn } from './world.ts';

/** What a call acts on, as policies see it (Service Authorization Reference, IAM, STS and EKS). */
export interface Target {
  /** An ARN, or `*` for an action that has no resource. */
  readonly resource: string;
  /** As AWS names it when it refuses. */
  readonly named: string;
  readonly context: RequestContext;
}

type TargetOf = (call: Pick<Call, 'params' | 'world'>, account: Account) => Target;

/** By operation, or by an action that an operation needs besides; one that is missing here has no resource. */
const TARGETS: ReadonlyMap<string, TargetOf> = new Map([
  ...['GetRole', 'UpdateAssumeRolePolicy', 'DeleteRole', 'TagRole', 'UntagRole', 'ListRoleTags'].map((name): [string, TargetOf] => [
    name,
    role,
  ]),
  ['CreateRole', newRole],
  ['ListRoles', ({ params }, account) => target(arnOf(account, 'iam', `role${params.get('PathPrefix') ?? '/'}`))],
  ['ListOpenIDConnectProviders', (_, account) => target(arnOf(account, 'iam', 'oidc-provider/*'))],
  ['CreateOpenIDConnectProvider', newProvider],
  ...['GetOpenIDConnectProvider', 'AddClientIDToOpenIDConnectProvider', 'DeleteOpenIDConnectProvider'].map((name): [string, TargetOf] => [
    name,
    provider,
  ]),
  ['AssumeRole', assumed],
  ['TagSession', tagged],
  ['DescribeCluster', ({ params }, account) => target(arnOf(account, 'eks', `cluster/${params.get('name') ?? ''}`))],
]);

export function targetOf(call: Call, operation: string): Target {
  const account = accountOfCaller(call);
  const found = TARGETS.get(operation)?.(call, account) ?? target('*');
  const owner = ownerIn(found.resource)?.id ?? account.id;
  return { ...found, context: { ...found.context, ...ownerContext(call, owner) } };
}

/** Properties of the resource: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceorgid */
function ownerContext({ world }: Pick<Call, 'world'>, accountId: string): RequestContext {
  return { 'aws:ResourceAccount': accountId, 'aws:ResourceOrgID': world.accounts.get(accountId)?.organization ?? [] };
}

function target(resource: string, context: RequestContext = {}, named = resource): Target {
  return { resource, named, context };
}

function role({ params }: Pick<Call, 'params'>, account: Account): Target {
  const name = params.get('RoleName') ?? '';
  const found = account.roles.get(name.toLowerCase());
  const context = { ...roleTags(found), ...requestTags(params) };
  return target(found?.arn ?? arnOf(account, 'iam', `role/${name}`), context, `role ${name}`);
}

/**
 * The role that is assumed. The keys of either action: https://docs.aws.amazon.com/service-authorization/latest/reference/list_sts.html. It
 * lists no external ID and no session name for sts:TagSession, so a condition on them is taken to fail there.
 */
function tagged({ world, params }: Pick<Call, 'params' | 'world'>): Target {
  const arn = params.get('RoleArn') ?? '';
  const transitive = { 'sts:TransitiveTagKeys': list(params, 'TransitiveTagKeys') };
  return target(arn, { ...roleTags(roleWithArn(world, arn)), ...requestTags(params), ...transitive });
}

function assumed(call: Pick<Call, 'params' | 'world'>): Target {
  const { resource, context } = tagged(call);
  const { params } = call;
  return target(resource, {
    ...context,
    'sts:ExternalId': params.get('ExternalId') ?? [],
    'sts:RoleSessionName': params.get('RoleSessionName') ?? [],
  });
}

function roleTags(found: Role | undefined): RequestContext {
  const tags = [...(found?.tags ?? [])].flatMap(([key, value]) => [
    [`aws:ResourceTag/${key}`, value],
    [`iam:ResourceTag/${key}`, value],
  ]);
  return Object.fromEntries(tags);
}

function newRole({ params }: Pick<Call, 'params'>, account: Account): Target {
  return target(arnOf(account, 'iam', `role${params.get('Path') ?? '/'}${params.get('RoleName') ?? ''}`), requestTags(params));
}

function provider({ params }: Pick<Call, 'params'>, account: Account): Target {
  const arn = params.get('OpenIDConnectProviderArn') ?? '';
  const tags = [...(account.providers.get(arn)?.tags ?? [])].map(([key, value]) => [`aws:ResourceTag/${key}`, value]);
  return target(arn, Object.fromEntries(tags));
}

function newProvider({ params }: Pick<Call, 'params'>, account: Account): Target {
  const host = (params.get('Url') ?? '').replace(/^https:\/\//, '');
  return target(arnOf(account, 'iam', `oidc-provider/${host}`), requestTags(params));
}

function requestTags(params: Call['params']): RequestContext {
  const tags = tagsOf(params);
  const keys = [...tags.keys(), ...list(params, 'TagKeys')];
  return { ...Object.fromEntries([...tags].map(([key, value]) => [`aws:RequestTag/${key}`, value])), 'aws:TagKeys': keys };
}

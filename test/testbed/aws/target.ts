import { arnOf } from './arn.ts';
import type { Call } from './operation.ts';
import { list, tagsOf } from './params.ts';
import type { RequestContext } from './policy/context.ts';
import { type Account, accountOf } from './world.ts';

/** What a call acts on, as policies see it (Service Authorization Reference, IAM, STS and EKS). */
export interface Target {
  /** An ARN, or `*` for an action that has no resource. */
  readonly resource: string;
  /** As AWS names it when it refuses. */
  readonly named: string;
  readonly context: RequestContext;
}

type TargetOf = (call: Pick<Call, 'params'>, account: Account) => Target;

/** By operation; one that is missing here has no resource. */
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
  ['AssumeRole', ({ params }) => target(params.get('RoleArn') ?? '')],
  ['DescribeCluster', ({ params }, account) => target(arnOf(account, 'eks', `cluster/${params.get('name') ?? ''}`))],
]);

export function targetOf(call: Call, operation: string): Target {
  return TARGETS.get(operation)?.(call, accountOf(call.world, call.caller.accountId)) ?? target('*');
}

function target(resource: string, context: RequestContext = {}, named = resource): Target {
  return { resource, named, context };
}

function role({ params }: Pick<Call, 'params'>, account: Account): Target {
  const name = params.get('RoleName') ?? '';
  const found = account.roles.get(name.toLowerCase());
  const tags = [...(found?.tags ?? [])].flatMap(([key, value]) => [
    [`aws:ResourceTag/${key}`, value],
    [`iam:ResourceTag/${key}`, value],
  ]);
  const context = { ...Object.fromEntries(tags), ...requestTags(params) };
  return target(found?.arn ?? arnOf(account, 'iam', `role/${name}`), context, `role ${name}`);
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

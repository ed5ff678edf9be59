import { parseRoleArn, roleArnParts } from '../../../api/arn.ts';
import { isProblem } from '../../../api/problem.ts';
import type { IamFile, RoleInFile } from './account.ts';
import { isRaw, type Raw } from './documents.ts';

/** https://developer.hashicorp.com/terraform/internals/json-format */
export const isPlan = (raw: Raw): boolean => typeof raw['format_version'] === 'string' && isRaw(raw['planned_values']);

const AFTER_APPLY = 'its trust policy is known only after terraform apply';

interface Resource {
  readonly address: string;
  readonly type: string;
  readonly values: Raw;
}

/** Roles and OIDC providers as they will be. What is not known before it is applied is left out by Terraform. */
export function planIn(plan: Raw): Pick<IamFile, 'roles' | 'providers'> {
  const resources = resourcesIn(raw(raw(plan['planned_values'])['root_module']));
  const ofType = (type: string) => resources.filter((one) => one.type === type);
  return {
    roles: ofType('aws_iam_role').flatMap((one) => roleIn(one, plan)),
    providers: ofType('aws_iam_openid_connect_provider').flatMap(({ values }) => {
      const { url, client_id_list: clientIds } = values;
      return typeof url === 'string' ? [{ hostPath: url.replace(/^https:\/\//, ''), clientIds: texts(clientIds) }] : [];
    }),
  };
}

function resourcesIn(module: Raw): Resource[] {
  const own = list(module['resources']).flatMap(({ address, type, mode, values }) =>
    mode === 'managed' && typeof address === 'string' && typeof type === 'string' ? [{ address, type, values: raw(values) }] : [],
  );
  return [...own, ...list(module['child_modules']).flatMap(resourcesIn)];
}

function roleIn({ address, values }: Resource, plan: Raw): RoleInFile[] {
  const { assume_role_policy: policy, tags_all: all, tags } = values;
  const arn = parseRoleArn(typeof values['arn'] === 'string' ? values['arn'] : '');
  const known = isProblem(arn) ? undefined : arn;
  const { path, name } = known === undefined ? values : roleArnParts(known);
  // A name with a prefix is made by AWS.
  if (typeof name !== 'string') return [];
  const document = typeof policy === 'string' ? policy : documentFor(address, plan);
  return [
    {
      path: typeof path === 'string' ? path : '/',
      name,
      arn: known,
      roleId: String(values['unique_id'] ?? ''),
      policy: document === undefined ? { unknown: `${address}: ${AFTER_APPLY}` } : { text: document },
      tags: new Map(Object.entries({ ...raw(tags), ...raw(all) }).map(([key, value]) => [key, String(value)])),
    },
  ];
}

const INDEX = /\[[^\]]*\]/g;
const DOCUMENT = /^data\.aws_iam_policy_document\.[^.[]+/;

/** Of a role whose policy comes from an `aws_iam_policy_document` that is read only when it is applied: all of its statements may be known. */
function documentFor(address: string, plan: Raw): string | undefined {
  const [, prefix = '', own = ''] = /^((?:module\.[^.[]+(?:\[[^\]]*\])?\.)*)(.*)$/.exec(address) ?? [];
  const modules = [...prefix.replace(INDEX, '').matchAll(/module\.([^.]+)\./g)].map(([, name = '']) => name);
  const root = raw(raw(plan['configuration'])['root_module']);
  const module = modules.reduce((outer, name) => raw(raw(raw(outer['module_calls'])[name])['module']), root);
  const resource = list(module['resources']).find((one) => one['address'] === own.replace(INDEX, ''));
  const references = texts(raw(raw(resource?.['expressions'])['assume_role_policy'])['references']);
  const source = references.flatMap((reference) => DOCUMENT.exec(reference) ?? [])[0];
  if (source === undefined) return undefined;
  const index = /\[[^\]]*\]$/.exec(own)?.[0] ?? '';
  const wanted = [`${prefix}${source}${index}`, `${prefix}${source}`];
  const read = list(plan['resource_changes']).find((one) => wanted.includes(String(one['address'])));
  const { after, after_unknown: unknown } = raw(read?.['change']);
  if (!isRaw(after) || holdsTrue(raw(unknown)['statement'])) return undefined;
  return JSON.stringify({ Version: raw(after)['version'] ?? '2012-10-17', Statement: list(after['statement']).map(statementIn) });
}

/** What is unknown is marked with `true`, at any depth. */
const holdsTrue = (value: unknown): boolean =>
  value === true || (typeof value === 'object' && value !== null && Object.values(value).some(holdsTrue));

function statementIn({ sid, effect, actions, not_actions: notActions, principals, not_principals: notPrincipals, condition }: Raw): object {
  const byType = (blocks: unknown) => {
    const entries = [...Map.groupBy(list(blocks), ({ type }) => String(type))].map(([type, some]) => [
      type,
      some.flatMap(({ identifiers }) => texts(identifiers)),
    ]);
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  };
  const conditions = [...Map.groupBy(list(condition), ({ test }) => String(test))].map(([test, some]) => [
    test,
    Object.fromEntries(
      [...Map.groupBy(some, ({ variable }) => String(variable))].map(([variable, same]) => [
        variable,
        same.flatMap(({ values }) => texts(values)),
      ]),
    ),
  ]);
  const some = (value: unknown) => (texts(value).length === 0 ? undefined : texts(value));
  return {
    Sid: typeof sid === 'string' && sid !== '' ? sid : undefined,
    Effect: typeof effect === 'string' ? effect : 'Allow',
    Principal: byType(principals),
    NotPrincipal: byType(notPrincipals),
    Action: some(actions),
    NotAction: some(notActions),
    Condition: conditions.length === 0 ? undefined : Object.fromEntries(conditions),
  };
}

const raw = (value: unknown): Raw => (isRaw(value) ? value : {});
const list = (value: unknown): readonly Raw[] => (Array.isArray(value) ? value.filter(isRaw) : []);
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []);

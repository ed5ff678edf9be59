import { readFileSync } from 'node:fs';
import { isRefusal, type KubeRequest, type TestbedRecord } from '@irsa-operator/testbed';
import { unusedGrants } from '@irsa-operator/testbed/aws';
import { parseAllDocuments } from 'yaml';

/** Everything that ships and gives the operator a right. */
const RBAC_FILES = ['config/rbac/role.yaml', 'config/rollout/rbac.yaml', 'config/verification/role.yaml'];
const IAM_FILES = ['config/iam/policy.json', 'config/iam/manage-oidc-provider.json'];

/** One verb on one resource, as a rule of a role gives it. */
export interface Right {
  /** `ClusterRole "irsa-operator"`, as the authorizer names it. */
  readonly role: string;
  readonly apiGroup: string;
  readonly resource: string;
  /** Undefined: all of them. */
  readonly name: string | undefined;
  readonly verb: string;
}

interface RoleManifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

export function rightsIn(manifests: string): Right[] {
  const roles = parseAllDocuments(manifests)
    .map((document) => document.toJS() as RoleManifest)
    .filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole');
  return roles.flatMap(({ kind, metadata, rules }) =>
    rules.flatMap(({ apiGroups, resources, resourceNames = [undefined], verbs }) =>
      apiGroups.flatMap((apiGroup) =>
        resources.flatMap((resource) =>
          resourceNames.flatMap((name) => verbs.map((verb) => ({ role: `${kind} "${metadata.name}"`, apiGroup, resource, name, verb }))),
        ),
      ),
    ),
  );
}

/** A right is used by a request that this very role let pass; the answer may still be that there is no such object. */
export function unusedRights(rights: readonly Right[], requests: readonly KubeRequest[]): string[] {
  const uses = (right: Right, request: KubeRequest): boolean =>
    request.why.startsWith('RBAC: allowed by ') &&
    request.why.includes(` of ${right.role} to `) &&
    request.verb === right.verb &&
    request.apiGroup === right.apiGroup &&
    request.resource === right.resource &&
    (right.name === undefined || right.name === request.name);
  return rights.filter((right) => !requests.some((request) => uses(right, request))).map(spell);
}

function spell({ role, apiGroup, resource, name, verb }: Right): string {
  return `${role}: ${verb} ${resource}${apiGroup === '' ? '' : `.${apiGroup}`}${name === undefined ? '' : ` "${name}"`}`;
}

/** Refusals of one testbed that none of its tests announced. */
export function unexpectedRefusals({ requests, calls, expectedRefusals }: TestbedRecord): string[] {
  if (expectedRefusals.includes('*')) return [];
  const kube = requests
    .filter(({ refused }) => refused)
    .filter(({ verb, resource }) => !expectedRefusals.includes(`${verb} ${resource}`))
    .map(
      ({ code, verb, resource, name, why }) =>
        `${code} ${verb} ${resource}${name === '' ? '' : ` "${name}"`}${why === '' ? '' : ` (${why})`}`,
    );
  const aws = calls
    .filter(({ code, service, operation }) => isRefusal(code) && !expectedRefusals.includes(`${service}:${operation}`))
    .map(({ code, service, operation }) => `${code} ${service}:${operation}`);
  return [...kube, ...aws];
}

/** What ships and was needed by none of these; empty when least privilege holds. */
export function neverUsed(records: readonly TestbedRecord[]): string[] {
  const read = (path: string): string => readFileSync(path, 'utf8');
  const requests = records.flatMap((record) => record.requests);
  const calls = records.flatMap((record) => record.calls);
  return [
    ...unusedRights(
      RBAC_FILES.flatMap((path) => rightsIn(read(path))),
      requests,
    ),
    ...IAM_FILES.flatMap((path) => unusedGrants(read(path), calls).map((action) => `${path}: ${action}`)),
  ];
}

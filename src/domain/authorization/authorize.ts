import { type RoleArn, roleArnParts } from '../../api/arn.ts';
import type { BindingSpec, IrsaBinding } from '../../api/binding.ts';
import { keyOf, type Namespace } from '../../api/cluster.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { STS_AUDIENCE } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import type { OwnRole } from '../state/identity.ts';
import type { GrantIndex } from './grant-index.ts';
import type { Granted, RequiredTags } from './grants.ts';

/** What a binding is allowed, before anything is asked of AWS. */
export type Authorization =
  | {
      readonly kind: 'refused';
      readonly finding: Finding;
      /** False: too many older bindings have its ServiceAccount, so nobody looked at what it says. */
      readonly evaluated?: false;
    }
  | {
      readonly kind: 'granted';
      readonly spec: BindingSpec;
      readonly grants: readonly Granted[];
      /** Those that cover it and have no room for it: they grant nothing new, and what stands by them stays. */
      readonly full?: readonly Granted[];
    };

/** The tags that the role must have, as each grant of the binding requires them. What stands by a grant that has no room any more stays: a limit revokes nothing. */
export function requiredTagsOf(authorization: Authorization, mayStand = false): RequiredTags {
  if (authorization.kind === 'refused') return [];
  const { grants, full = [] } = authorization;
  return [...grants, ...(mayStand ? full : [])].map(({ requiredRoleTags }) => requiredRoleTags);
}

/** Of the bindings of one ServiceAccount so many are evaluated: a team can create any number of them, and no more than one can win. */
export const MOST_EVALUATED = 16;

export interface AuthorizationInput {
  readonly grants: GrantIndex;
  readonly namespace: Namespace;
  /** Of the bindings of the same ServiceAccount those that may win, as `contendersOf` says. */
  readonly contenders: readonly IrsaBinding[];
  /** Roles that the operator itself runs as, or assumes on the way. */
  readonly ownRoles: readonly OwnRole[];
  /** Audiences that open the API server itself. */
  readonly apiAudiences: readonly string[];
  /** Of the grants that cover a binding, those whose limit older bindings of its namespace use up. Undefined: no grant has a limit. */
  readonly fullGrants?: (binding: IrsaBinding) => ReadonlySet<string>;
}

/** Default deny: a binding needs a grant that covers it, and of two bindings for one ServiceAccount the older one wins. */
export function authorize(binding: IrsaBinding, input: AuthorizationInput): Authorization {
  const contends = isEnforcing(binding);
  if (contends && !isEvaluated(binding, input)) return { ...refused(tooMany(binding)), evaluated: false };
  const alone = authorizeAlone(binding, input);
  if (alone.kind === 'refused' || !contends) return alone;
  const winner = winnerOf(input);
  if (winner === undefined || winner.metadata.uid === binding.metadata.uid) return alone;
  const { name, createdAt } = winner.metadata;
  return refused(
    finding(
      'ServiceAccountTaken',
      `ServiceAccount "${alone.spec.serviceAccountName}" is bound by the older IrsaBinding "${name}" (created ${new Date(createdAt).toISOString()}). Delete or suspend that one, or delete this one`,
    ),
  );
}

/** The oldest that is authorized. */
export function winnerOf(input: AuthorizationInput): IrsaBinding | undefined {
  return input.contenders.find((one) => authorizeAlone(one, input).kind === 'granted');
}

/** Of the bindings of one ServiceAccount those that may win: the oldest ones first, and no more than are evaluated. */
export function contendersOf(bindings: readonly IrsaBinding[]): IrsaBinding[] {
  return bindings
    .filter(isEnforcing)
    .toSorted((a, b) => (isOlder(a, b) ? -1 : 1))
    .slice(0, MOST_EVALUATED);
}

function isEvaluated({ metadata }: IrsaBinding, { contenders }: AuthorizationInput): boolean {
  return contenders.length < MOST_EVALUATED || contenders.some((one) => one.metadata.uid === metadata.uid);
}

function tooMany({ spec }: IrsaBinding): Finding {
  const account = isProblem(spec) ? '' : ` of ServiceAccount "${spec.serviceAccountName}"`;
  return finding(
    'ServiceAccountTaken',
    `irsa-operator evaluates the ${MOST_EVALUATED} oldest IrsaBindings${account} that are not suspended, and this one is younger. Delete or suspend the ones that you do not need`,
  );
}

function authorizeAlone(
  binding: IrsaBinding,
  { grants, namespace, ownRoles, apiAudiences, fullGrants }: Omit<AuthorizationInput, 'contenders'>,
): Authorization {
  const { spec } = binding;
  if (isProblem(spec)) return refused(finding('InvalidSpec', spec.problem));
  const covering = grants.grantsFor(spec, namespace);
  const [first] = covering;
  if (first === undefined) return refused(notGranted(binding, spec));
  const used = fullGrants?.(binding);
  const full = covering.filter(({ grant }) => used?.has(grant));
  if (full.length === covering.length) return refused(limitReached(binding, first));
  if (apiAudiences.includes(spec.audience)) return refused(audienceForbidden(spec, apiAudiences));
  if (ownRoles.some((own) => isOwnRole(spec.roleArn, own))) {
    return refused(
      finding(
        'RoleIsOperator',
        `role "${spec.roleArn}" is a role that irsa-operator itself runs as, or assumes on the way to it. No binding may change its trust policy. Bind another role`,
      ),
    );
  }
  const granted: Authorization = { kind: 'granted', spec, grants: covering.filter((one) => !full.includes(one)) };
  return full.length === 0 ? granted : { ...granted, full };
}

/** The same words whether the role exists or not, and for a missing role tag: nobody learns of a role by binding it. */
export function notGranted(binding: IrsaBinding, spec: BindingSpec): Finding {
  const { namespace } = binding.metadata;
  return finding(
    'NotGranted',
    `no IrsaGrant allows ServiceAccount "${spec.serviceAccountName}" of namespace "${namespace}" to have role "${spec.roleArn}" with audience "${spec.audience}". Ask a platform engineer for a grant that covers all four`,
  );
}

/** The audience of STS is what a binding should have: where that is the API server's, the API server is what has to change. */
function audienceForbidden({ audience }: BindingSpec, apiAudiences: readonly string[]): Finding {
  const flag = '--api-audiences of the API server';
  const toSts = apiAudiences.includes(STS_AUDIENCE)
    ? `Set spec.audience to "${STS_AUDIENCE}", and remove that from ${flag}`
    : `Set spec.audience to what STS expects, usually "${STS_AUDIENCE}"`;
  const todo = audience === STS_AUDIENCE ? `Remove "${audience}" from ${flag}. The binding then continues by itself` : toSts;
  return finding(
    'AudienceForbidden',
    `audience "${audience}" is an audience of the API server itself. AWS could use such a token against this cluster, so no grant can allow it. ${todo}`,
  );
}

function limitReached({ metadata: { namespace } }: IrsaBinding, { grant, limits }: Granted): Finding {
  const most = limits?.bindingsPerNamespace;
  return finding(
    'GrantLimitReached',
    `IrsaGrant "${grant}" authorizes ${most} bindings of namespace "${namespace}", and older ones use them up. Trust that this binding has is kept. Delete bindings that you do not need, or ask a platform engineer to raise spec.limits.bindingsPerNamespace`,
  );
}

const refused = (found: Finding): Extract<Authorization, { kind: 'refused' }> => ({ kind: 'refused', finding: found });

/** Suspended or observing: nothing is written for it, and nothing that stands is revoked because of it. */
export function isPassive({ suspend, mode }: BindingSpec): boolean {
  return suspend || mode === 'Observe';
}

/** Whether the operator may write anything for a binding. A passive one changes nothing, so it takes nothing from another. */
export function isEnforcing({ metadata, spec }: IrsaBinding): boolean {
  return !metadata.deleting && !isProblem(spec) && !isPassive(spec);
}

/** Whether the end of a binding leaves its trust and annotation: a passive one is deleted as if it said `Retain`. */
export function retainsTrust(spec: BindingSpec): boolean {
  return spec.deletionPolicy === 'Retain' || isPassive(spec);
}

function isOlder(a: IrsaBinding, b: IrsaBinding): boolean {
  if (a.metadata.createdAt !== b.metadata.createdAt) return a.metadata.createdAt < b.metadata.createdAt;
  return keyOf(a.metadata) < keyOf(b.metadata);
}

/** Names of roles are unique in an account without regard to case and path. */
export function isOwnRole(role: RoleArn, own: OwnRole): boolean {
  const { account, name } = roleArnParts(role);
  return account === own.account && name.toLowerCase() === own.name.toLowerCase();
}

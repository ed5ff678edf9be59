import type { BindingSpec, IrsaBinding } from '../../api/binding.ts';
import { keyOf } from '../../api/cluster.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { isProblem } from '../../api/problem.ts';
import type { Observed, OwnRole } from '../binding/observed.ts';
import { type Granted, grantsFor } from './grants.ts';

/** What a binding may claim, before anything is asked of AWS. */
export type Claim =
  | { readonly kind: 'refused'; readonly finding: Finding }
  | { readonly kind: 'granted'; readonly spec: BindingSpec; readonly grants: readonly Granted[] };

/** The part of an observation that a claim rests on; `rivals` are all bindings of the same ServiceAccount. */
export type ClaimWorld = Pick<Observed, 'grants' | 'namespace' | 'rivals' | 'caller' | 'apiAudiences'>;

/** Default deny: authorized is who is covered by a grant, and of two bindings for one ServiceAccount the older one. */
export function claimOf(binding: IrsaBinding, world: ClaimWorld): Claim {
  const alone = claimAlone(binding, world);
  if (alone.kind === 'refused' || !contends(binding)) return alone;
  const winner = world.rivals
    .filter((rival) => contends(rival) && claimAlone(rival, world).kind === 'granted')
    .reduce((older, rival) => (isOlder(rival, older) ? rival : older), binding);
  if (winner.metadata.uid === binding.metadata.uid) return alone;
  const { name, createdAt } = winner.metadata;
  return refused(
    finding(
      'ServiceAccountTaken',
      `ServiceAccount "${alone.spec.serviceAccountName}" is bound by the older IrsaBinding "${name}" (made ${new Date(createdAt).toISOString()}); delete or suspend that one, or delete this one`,
    ),
  );
}

function claimAlone(binding: IrsaBinding, { grants, namespace, caller, apiAudiences }: ClaimWorld): Claim {
  const { spec } = binding;
  if (isProblem(spec)) return refused(finding('InvalidSpec', spec.problem));
  const granted = grantsFor(spec, namespace, grants);
  if (granted.length === 0) return refused(notGranted(binding, spec));
  if (apiAudiences.includes(spec.audience)) {
    return refused(
      finding(
        'AudienceForbidden',
        `audience "${spec.audience}" is one of the API server itself: a token for it that is sent to AWS could be used against this cluster, so no grant can allow it; set spec.audience to what STS expects, "sts.amazonaws.com" as a rule`,
      ),
    );
  }
  if (caller.kind === 'known' && caller.ownRoles.some((own) => isOwnRole(spec.roleArn, own))) {
    return refused(
      finding(
        'RoleIsOperator',
        `role "${spec.roleArn}" is one that irsa-operator itself runs as, or assumes on the way to it: no binding may change who can assume it`,
      ),
    );
  }
  return { kind: 'granted', spec, grants: granted };
}

/** The same words whether the role exists or not, and for a missing role tag: nobody learns of a role by binding it. */
export function notGranted(binding: IrsaBinding, spec: BindingSpec): Finding {
  const { namespace } = binding.metadata;
  return finding(
    'NotGranted',
    `no IrsaGrant lets ServiceAccount "${spec.serviceAccountName}" of namespace "${namespace}" have role "${spec.roleArn}" with audience "${spec.audience}"; ask a platform engineer for a grant that covers all four`,
  );
}

const refused = (found: Finding): Claim => ({ kind: 'refused', finding: found });

/** Observed and suspended bindings change nothing, so they take nothing from anybody. */
function contends({ metadata, spec }: IrsaBinding): boolean {
  return !metadata.deleting && !isProblem(spec) && !spec.suspend && spec.mode === 'Enforce';
}

function isOlder(a: IrsaBinding, b: IrsaBinding): boolean {
  if (a.metadata.createdAt !== b.metadata.createdAt) return a.metadata.createdAt < b.metadata.createdAt;
  return keyOf(a.metadata) < keyOf(b.metadata);
}

export function isOwnRole(arn: string, own: OwnRole): boolean {
  const account = arn.split(':')[4];
  const name = arn.slice(arn.lastIndexOf('/') + 1);
  return account === own.account && name.toLowerCase() === own.name.toLowerCase();
}

/** Whether a binding lets us write anything for it. */
export function enforces(binding: IrsaBinding): boolean {
  return contends(binding);
}

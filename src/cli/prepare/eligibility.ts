import type { BindingSpec, IrsaBinding } from '../../api/binding.ts';
import { conditionOf } from '../../api/condition.ts';
import type { Finding } from '../../api/finding.ts';
import { isProblem } from '../../api/problem.ts';
import { type AuthorizationInput, authorize, requiredTagsOf } from '../../domain/authorization/authorize.ts';
import type { RequiredTags } from '../../domain/authorization/grants.ts';
import { onlyAwsMayChange } from '../../domain/role/plan.ts';
import type { CallerView } from '../../domain/state/identity.ts';
import { reachOf } from '../../domain/state/reach.ts';

/** Whether the trust of a binding is to be written before its cluster asks for it. */
export type Preparation =
  | { readonly kind: 'wanted'; readonly spec: BindingSpec; readonly requiredTags: RequiredTags }
  /** By its own will. */
  | { readonly kind: 'skipped'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string };

/** Default deny, as where the operator itself writes; and of a cluster whose operator has spoken nothing that it refused. */
export function preparationOf(binding: IrsaBinding, stores: AuthorizationInput, caller: CallerView): Preparation {
  const { metadata, spec, status } = binding;
  const name = `IrsaBinding "${metadata.namespace}/${metadata.name}"`;
  if (metadata.deleting) return { kind: 'skipped', why: `${name} is being deleted` };
  if (isProblem(spec)) return { kind: 'refused', why: `${name}: ${spec.problem}` };
  if (spec.suspend) return { kind: 'skipped', why: `${name} is suspended` };
  if (spec.mode === 'Observe') return { kind: 'skipped', why: `${name} only observes` };
  if (spec.trustPolicy === 'External') return { kind: 'skipped', why: `${name} has trustPolicy External: others write the trust policy` };
  const authorization = authorize(binding, stores);
  if (authorization.kind === 'refused') return refused(authorization.finding);
  // It knows what it runs as, and whoever prepares may run as somebody else.
  const authorized = conditionOf(status.conditions, 'Authorized');
  if (authorized?.status === 'False' && authorized.observedGeneration === metadata.generation)
    return { kind: 'refused', why: `${authorized.reason}: ${authorized.message}` };
  const reach = reachOf(spec.roleArn, { caller, account: () => undefined });
  if (reach.kind === 'refused') return refused(reach.finding);
  const unmodifiable = onlyAwsMayChange(spec.roleArn);
  if (unmodifiable !== undefined) return refused(unmodifiable);
  return { kind: 'wanted', spec, requiredTags: requiredTagsOf(authorization) };
}

function refused({ code, message }: Finding): Preparation {
  return { kind: 'refused', why: `${code}: ${message}` };
}

import type { BindingSpec, IrsaBinding } from '../../api/binding.ts';
import { conditionOf } from '../../api/condition.ts';
import { FINALIZER } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { annotationKeys } from '../../api/webhook.ts';
import { heldByUs } from '../service-account/annotations.ts';
import type { Observed } from './observed.ts';

/** What becomes of the annotation of a binding that goes. */
export type Handover =
  /** It is not ours, or a binding that stays answers for it. */
  | { readonly kind: 'leave' }
  | { readonly kind: 'remove' }
  /** This binding is about to put its own in the place of ours. */
  | { readonly kind: 'wait'; readonly successor: IrsaBinding };

/**
 * Left is only what another binding will clean up in its turn: whose trust may stand in the same role, or that works with it. One that wins
 * now, but never gets to work, would write nothing and, going, find a value that is not its own.
 */
export function handoverOf(seen: Observed): Handover {
  const value = ourValue(seen);
  if (value === undefined) return { kind: 'leave' };
  if (seen.competingBindings().some((other) => !other.metadata.deleting && mayStandOnRole(other, value))) return { kind: 'leave' };
  const successor = seen.winner();
  if (successor === undefined || isProblem(successor.spec)) return { kind: 'remove' };
  const prospect = prospectOf(successor, successor.spec, seen);
  if (prospect === 'none') return { kind: 'remove' };
  return prospect === 'works' && successor.spec.roleArn === value ? { kind: 'leave' } : { kind: 'wait', successor };
}

/** What the annotation says, where we wrote it for this binding: a role that it was leaving may not have been replaced there yet. */
function ourValue({ serviceAccount, binding: { spec, status }, webhook }: Observed): string | undefined {
  if (serviceAccount === undefined || isProblem(spec)) return undefined;
  const key = annotationKeys(webhook).roleArn;
  const value = serviceAccount.annotations[key];
  const roles: string[] = [spec.roleArn, ...(status.roles ?? []).map(({ arn }) => arn)];
  return value !== undefined && roles.includes(value) && heldByUs(serviceAccount, key) !== undefined ? value : undefined;
}

/** For whatever audience: the annotation is of the role. */
function mayStandOnRole({ metadata, status }: IrsaBinding, role: string): boolean {
  return metadata.finalizers.includes(FINALIZER) && (status.roles ?? []).some(({ arn }) => arn === role);
}

/** Whether the successor's trust is there, will be, or will not before a user changes something. */
function prospectOf(
  { metadata, status }: IrsaBinding,
  { roleArn: arn, audience }: BindingSpec,
  { verdictOn }: Observed,
): 'works' | 'coming' | 'none' {
  const verdict = verdictOn({ arn, audience });
  if (verdict?.kind === 'allowed') return 'works';
  if (verdict?.kind === 'refused') return verdict.terminal || verdict.wouldWrite === undefined ? 'none' : 'coming';
  const isNow = (type: 'Trusted' | 'Stalled') => {
    const found = conditionOf(status.conditions, type);
    return found?.status === 'True' && found.observedGeneration === metadata.generation ? found : undefined;
  };
  if (isNow('Trusted') !== undefined) return 'works';
  // What it says of us is over.
  return (isNow('Stalled')?.reason ?? 'ServiceAccountTaken') === 'ServiceAccountTaken' ? 'coming' : 'none';
}

import type { RoleArn } from '../api/arn.ts';
import type { BindingSpec, IrsaBinding } from '../api/binding.ts';
import { conditionOf } from '../api/condition.ts';
import type { Issuer } from '../api/issuer.ts';
import { FINALIZER } from '../api/names.ts';
import { isProblem } from '../api/problem.ts';
import { type Subject, subjectOf } from '../api/subject.ts';
import { type Claim, enforces } from './claim.ts';
import type { ProviderView, RoleRecord } from './observed.ts';

/** What a verdict answers: would STS let this token assume this role? */
export interface Question {
  readonly role: RoleArn;
  readonly issuer: Issuer;
  readonly subject: Subject;
  readonly audience: string;
}

export const questionKey = ({ role, issuer, subject, audience }: Question): string => JSON.stringify([role, issuer, subject, audience]);

/** A binding that names the role, or stands on it, with what it may claim. */
export interface RoleClaim {
  readonly binding: IrsaBinding;
  readonly claim: Claim;
}

/** What one binding wants of a role. */
export interface Stance {
  readonly kind:
    | 'wanted' // may stand in our statement, and its intent is on the API server
    | 'intending' // as wanted, but the intent is not there yet: nothing is written for it
    | 'watched' // observed, suspended, or written by somebody else: only judged
    | 'released' // positive evidence that its subject shall go
    | 'kept'; // covered by no grant any more, say: what stands stays, nothing is asked
  readonly question: Question;
  readonly createdAt: number;
  /** Whatever it wants now, trust of its own may stand, and it will clean up after itself. */
  readonly stands: boolean;
  /** Each grant's required role tags: one of them must be fulfilled before a write. */
  readonly consents: readonly Readonly<Record<string, string>>[];
}

interface RoleWorld {
  readonly arn: RoleArn;
  readonly issuer: Issuer;
  readonly record: RoleRecord | undefined;
  readonly provider: ProviderView | undefined;
}

/** Leaving alone is not revoking, and nothing is released because something is missing: only a deletion or a role change that works says so. */
export function stanceOf({ binding, claim }: RoleClaim, { arn, issuer, record, provider }: RoleWorld): Stance | undefined {
  const { spec, metadata, status } = binding;
  if (isProblem(spec)) return undefined;
  const question = { role: arn, issuer, subject: subjectOf(metadata.namespace, spec.serviceAccountName), audience: spec.audience };
  const consents = claim.kind === 'granted' ? claim.grants.map((grant) => grant.requiredRoleTags) : [];
  const stance = (kind: Stance['kind']): Stance => ({
    kind,
    question,
    createdAt: metadata.createdAt,
    stands: standsOn(binding, arn),
    consents,
  });
  const entry = (status.roles ?? []).find((role) => role.arn === arn);
  if (metadata.deleting) return entry === undefined ? undefined : stance(revokes(spec) ? 'released' : 'kept');
  if (spec.roleArn !== arn) return stance(entry !== undefined && enforces(binding) && worksElsewhere(binding) ? 'released' : 'kept');
  if (claim.kind === 'refused') return stance('kept');
  if (spec.suspend) return stance('watched');
  if (spec.mode === 'Observe' || spec.trustPolicy === 'External') return stance('watched');
  // Tokens of this cluster would be refused whatever the document says: first things first.
  if (provider?.kind !== 'registered' || !provider.clientIds.includes(spec.audience)) return stance('kept');
  const intended = metadata.finalizers.includes(FINALIZER) && record?.state.kind === 'present' && entry?.roleId === record.state.roleId;
  return stance(intended ? 'wanted' : 'intending');
}

/** Its entry remembers the trust, its finalizer takes care of the end. */
export function standsOn({ metadata, status }: IrsaBinding, arn: string): boolean {
  return metadata.finalizers.includes(FINALIZER) && (status.roles ?? []).some((role) => role.arn === arn);
}

function revokes(spec: BindingSpec): boolean {
  return spec.deletionPolicy === 'Revoke' && !spec.suspend && spec.mode === 'Enforce';
}

/** The old role's trust goes after the new one works: the whole chain holds for the spec as it is now. */
function worksElsewhere({ metadata, status }: IrsaBinding): boolean {
  const ready = conditionOf(status.conditions, 'Ready');
  return ready?.status === 'True' && ready.observedGeneration === metadata.generation;
}

/** Whether the binding asks if it may assume the role. */
export const asks = ({ kind }: Stance): boolean => kind === 'wanted' || kind === 'intending' || kind === 'watched';

/** Whether the binding waits for an answer: also that it was let go. */
export const waits = (stance: Stance): boolean => asks(stance) || stance.kind === 'released';

import type { RoleArn } from '../../api/arn.ts';
import type { BindingSpec, IrsaBinding } from '../../api/binding.ts';
import { conditionOf } from '../../api/condition.ts';
import type { Issuer } from '../../api/issuer.ts';
import { FINALIZER } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { type Subject, subjectOf } from '../../api/subject.ts';
import { type Claim, enforces } from '../authorization/authorize.ts';
import type { Loss } from '../authorization/grant-loss.ts';
import type { ProviderView, RoleRecord } from '../binding/observed.ts';

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
  readonly loss: Loss | undefined;
}

/** What one binding wants of a role, for one audience. */
export interface Stance {
  readonly kind:
    | 'wanted' // may stand in our statement, and its intent is on the API server
    | 'intending' // as wanted, but the intent is not there yet: nothing is written for it
    | 'expecting' // as intending, but it is not known yet whether tokens of this cluster are taken at all: nothing is asked
    | 'watched' // observed, suspended, or written by somebody else: only judged
    | 'yielding' // as watched, and stands no longer than until somebody else lets it in
    | 'withheld' // as wanted, but the role does not carry the tags that its grant asks for: what stands stays for a while
    | 'disowned' // as withheld, and the while is over
    | 'released' // positive evidence that its subject shall go
    | 'kept'; // covered by no grant any more, say: what stands stays, nothing is asked
  readonly question: Question;
  readonly binding: IrsaBinding;
  /** Whatever it wants now, trust of its own may stand, and it will clean up after itself. */
  readonly stands: boolean;
  /** Each grant's required role tags: one of them must be fulfilled before a write. */
  readonly consents: readonly Readonly<Record<string, string>>[];
  /** For want of a grant: before the trust is taken away, what no cache has touched must say so too. */
  readonly lost: Loss | undefined;
}

interface RoleWorld {
  readonly now: number;
  readonly arn: RoleArn;
  readonly issuer: Issuer;
  readonly record: RoleRecord | undefined;
  readonly provider: ProviderView | undefined;
}

/**
 * What a binding wants of the role: for the audience that it asks for, and for each other one on which it still stands. Leaving alone is not
 * revoking, and nothing is released because something is missing: only a deletion, a grant that is really gone, or a change that works says so.
 */
export function stancesOf({ binding, claim, loss }: RoleClaim, world: RoleWorld): Stance[] {
  const { spec, metadata, status } = binding;
  if (isProblem(spec)) return [];
  const subject = subjectOf(metadata.namespace, spec.serviceAccountName);
  const consents = claim.kind === 'granted' ? claim.grants.map((grant) => grant.requiredRoleTags) : [];
  const stance = (kind: Stance['kind'], audience: string): Stance => {
    const question = { role: world.arn, issuer: world.issuer, subject, audience };
    return { kind, question, binding, stands: standsOn(binding, world.arn, audience), consents, lost: loss };
  };
  const entries = (status.roles ?? []).filter(({ arn }) => arn === world.arn);
  if (metadata.deleting) return entries.map(({ audience }) => stance(revokes(spec) ? 'released' : 'kept', audience));
  const left = entries.filter(({ audience }) => !names(spec, world.arn, audience));
  const leaving = enforces(binding) && worksElsewhere(binding) ? 'released' : 'kept';
  return [
    ...(spec.roleArn === world.arn ? [stance(kindOf(binding, spec, claim, loss, world), spec.audience)] : []),
    ...left.map(({ audience }) => stance(leaving, audience)),
  ];
}

function kindOf(binding: IrsaBinding, spec: BindingSpec, claim: Claim, loss: Loss | undefined, world: RoleWorld): Stance['kind'] {
  const { record, provider, arn, now } = world;
  if (claim.kind === 'refused') return loss?.dueAt !== undefined && loss.dueAt <= now ? 'released' : 'kept';
  if (spec.suspend || spec.mode === 'Observe') return 'watched';
  if (spec.trustPolicy === 'External') return standsOn(binding, arn, spec.audience) ? 'yielding' : 'watched';
  if (provider === undefined || provider.kind === 'unreadable') return 'expecting';
  // Tokens of this cluster would be refused whatever the document says: first things first.
  if (provider.kind === 'missing' || !provider.clientIds.includes(spec.audience)) return 'kept';
  const entry = entryOn(binding, arn, spec.audience);
  const intended =
    binding.metadata.finalizers.includes(FINALIZER) && record?.state.kind === 'present' && entry?.roleId === record.state.roleId;
  return intended ? 'wanted' : 'intending';
}

/** Its entry remembers the trust, its finalizer takes care of the end. */
export function standsOn(binding: IrsaBinding, arn: string, audience: string): boolean {
  return binding.metadata.finalizers.includes(FINALIZER) && entryOn(binding, arn, audience) !== undefined;
}

function entryOn({ status }: IrsaBinding, arn: string, audience: string) {
  return (status.roles ?? []).find((role) => role.arn === arn && role.audience === audience);
}

function names(spec: BindingSpec, arn: string, audience: string): boolean {
  return spec.roleArn === arn && spec.audience === audience;
}

function revokes(spec: BindingSpec): boolean {
  return spec.deletionPolicy === 'Revoke' && !spec.suspend && spec.mode === 'Enforce';
}

/** The old trust goes after the new one works: the whole chain holds for the spec as it is now. */
function worksElsewhere({ metadata, status }: IrsaBinding): boolean {
  const ready = conditionOf(status.conditions, 'Ready');
  return ready?.status === 'True' && ready.observedGeneration === metadata.generation;
}

/** Whether the binding asks if it may assume the role. */
export const asks = ({ kind }: Stance): boolean => kind === 'wanted' || kind === 'intending' || kind === 'watched' || kind === 'yielding';

/** Whether the binding waits for an answer: also that it was let go. */
export const waits = (stance: Stance): boolean => asks(stance) || stance.kind === 'released';

import type { RoleArn } from '../../api/arn.ts';
import type { BindingSpec, IrsaBinding } from '../../api/binding.ts';
import { conditionOf } from '../../api/condition.ts';
import type { Issuer } from '../../api/issuer.ts';
import { FINALIZER } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { subjectKey, subjectOf } from '../../api/subject.ts';
import type { WantedSubject } from '../../trust/plan.ts';
import { type Authorization, isEnforcing, isPassive, requiredTagsOf, retainsTrust } from '../authorization/authorize.ts';
import type { RequiredTags } from '../authorization/grants.ts';
import { type DueLoss, isDue } from '../authorization/loss.ts';
import type { ProviderView } from '../state/oidc-provider.ts';
import type { Question } from '../state/question.ts';
import { entryFor, isCurrentEntry, mayStandOn } from '../state/role-entry.ts';
import type { RoleRecord } from '../state/role-record.ts';

/** A binding that names the role, or whose trust may stand in it, and whether it is authorized. */
export interface BindingAuthorization {
  readonly binding: IrsaBinding;
  readonly authorization: Authorization;
  /** The other ARN of the role, where it may be named to the binding. */
  readonly knownAs?: RoleArn | undefined;
  /** The binding controller has it in hand, or it waits for its turn there. */
  readonly underway?: boolean;
}

/** What one binding wants of a role, for one audience. */
export interface DesiredTrust {
  readonly kind:
    | 'ensure' // its subject belongs into our statement, and its intent is on the API server
    | 'awaitIntent' // as ensure, but the intent is not there yet: nothing is written for it
    | 'awaitProvider' // as awaitIntent, but it is not known yet whether IAM takes tokens of this cluster at all: nothing is asked
    | 'observe' // an observed, suspended or external binding: only judged
    | 'releaseWhenRedundant' // as observe, and its subject stays in our statement until a foreign one allows it
    | 'tagsMissing' // as ensure, but the role lacks the tags that its grant requires: what stands is a loss, and stays for a while
    | 'revoke' // its subject has to go: for a deletion, a change that works, or because no grant covers it and the time is over
    | 'retain'; // no grant covers it any more, for example: what stands stays, nothing is asked
  readonly question: Question;
  readonly binding: IrsaBinding;
  readonly spec: BindingSpec;
  /** Whatever it wants now, trust of its own may stand, and it will clean up after itself. */
  readonly mayStand: boolean;
  /** Each grant's required role tags: one of them must be fulfilled before a write. */
  readonly requiredTags: RequiredTags;
  /** Its ServiceAccount does not exist. */
  readonly absent?: boolean;
  /** How many subjects of its namespace the role may have for it to be added: what the most generous of its grants says. Undefined: any number. */
  readonly namespaceLimit?: number;
  /** No grant covers it; undefined also where its owner releases it anyhow. */
  readonly loss: DueLoss | undefined;
  /** The other ARN of the role, where it may be named to the binding. */
  readonly knownAs?: RoleArn;
  /** The binding controller is about to look at it: what it waits for may come at any moment. */
  readonly underway?: true;
}

interface DesiredTrustInput {
  readonly now: number;
  readonly arn: RoleArn;
  readonly issuer: Issuer;
  readonly record: RoleRecord | undefined;
  readonly provider: ProviderView | undefined;
  /** Of this role, whoever's, by `subjectKey`. */
  readonly losses: ReadonlyMap<string, DueLoss>;
  /** Subjects whose ServiceAccount does not exist. */
  readonly absent?: ReadonlySet<string>;
}

/**
 * What a binding wants of the role: for the audience that it asks for, and for each other one on which its trust may stand. A passive
 * binding revokes nothing, and nothing is revoked because something is missing: only a deletion, a grant that is really gone, or a change
 * that works says so. Without a grant it is as if the binding said nothing.
 */
export function desiredTrustOf(
  { binding, authorization, knownAs, underway }: BindingAuthorization,
  input: DesiredTrustInput,
): DesiredTrust[] {
  const { spec, metadata, status } = binding;
  const { arn, issuer, now, losses } = input;
  if (isProblem(spec)) return [];
  const subject = subjectOf(metadata.namespace, spec.serviceAccountName);
  const { grants = [] } = authorization.kind === 'granted' ? authorization : {};
  const namespaceLimit = Math.max(...grants.map(({ limits }) => limits?.subjectsPerNamespace ?? Number.POSITIVE_INFINITY));
  const desired = (wants: DesiredTrust['kind'], audience: string): DesiredTrust => {
    const question = { role: arn, issuer, subject, audience };
    const mayStand = mayStandOn(binding, { arn, audience });
    const requiredTags = requiredTagsOf(authorization, mayStand);
    const loss = losses.get(subjectKey(question));
    // Where a tag is missing the binding has a grant in words, and goes on asking.
    const isTaken = wants !== 'revoke' && isDue(loss, now) && (authorization.kind === 'refused' || !NEEDS_VERDICT.has(wants));
    const kind = isTaken ? 'revoke' : wants;
    return {
      kind,
      question,
      binding,
      spec,
      mayStand,
      requiredTags,
      loss: wants === 'revoke' ? undefined : loss,
      ...(input.absent?.has(subject) && { absent: true }),
      ...(Number.isFinite(namespaceLimit) && { namespaceLimit }),
      ...(knownAs && { knownAs }),
      ...(underway && { underway }),
    };
  };
  const entries = (status.roles ?? []).filter((entry) => entry.arn === arn);
  if (metadata.deleting) return entries.map(({ audience }) => desired(retainsTrust(spec) ? 'retain' : 'revoke', audience));
  const left = entries.filter((entry) => !isCurrentEntry(spec, entry));
  const leaving = isEnforcing(binding) && worksElsewhere(binding) ? 'revoke' : 'retain';
  return [
    ...(spec.roleArn === arn ? [desired(kindOf(binding, spec, authorization, input), spec.audience)] : []),
    ...left.map(({ audience }) => desired(leaving, audience)),
  ];
}

function kindOf(
  binding: IrsaBinding,
  spec: BindingSpec,
  authorization: Authorization,
  { record, provider, arn }: DesiredTrustInput,
): DesiredTrust['kind'] {
  const { audience } = spec;
  if (authorization.kind === 'refused') return 'retain';
  if (isPassive(spec)) return 'observe';
  if (spec.trustPolicy === 'External') return mayStandOn(binding, { arn, audience }) ? 'releaseWhenRedundant' : 'observe';
  if (provider === undefined || provider.kind === 'unreadable') return 'awaitProvider';
  // Tokens of this cluster would be refused whatever the document says: first things first.
  if (provider.kind === 'missing' || !provider.clientIds.includes(audience)) return 'retain';
  const entry = entryFor(binding, { arn, audience });
  const intended =
    binding.metadata.finalizers.includes(FINALIZER) && record?.state.kind === 'present' && entry?.roleId === record.state.roleId;
  return intended ? 'ensure' : 'awaitIntent';
}

/** The old trust goes after the new one works: the whole chain holds for the spec as it is now. */
export function worksElsewhere({ metadata, status }: IrsaBinding): boolean {
  const ready = conditionOf(status.conditions, 'Ready');
  return ready?.status === 'True' && ready.observedGeneration === metadata.generation;
}

/** Whether the binding asks if it may assume the role. */
export const needsVerdict = ({ kind }: DesiredTrust): boolean => NEEDS_VERDICT.has(kind);

const NEEDS_VERDICT: ReadonlySet<DesiredTrust['kind']> = new Set(['ensure', 'awaitIntent', 'observe', 'releaseWhenRedundant']);

/** Bindings that have the trust, or are on the way to it. */
export const WANTS: ReadonlySet<DesiredTrust['kind']> = new Set(['ensure', 'awaitIntent', 'awaitProvider']);

/** As the plan of the document wants it. */
export function wantedSubject({ kind, question: { subject, audience }, absent, namespaceLimit }: DesiredTrust): WantedSubject {
  return {
    subject,
    audience,
    ...(WANTS.has(kind) && { own: true }),
    ...(absent && { absent }),
    ...(namespaceLimit !== undefined && { namespaceLimit }),
  };
}

/** Whether the binding waits for an answer: also that its trust is gone. */
export const awaitsAnswer = (desired: DesiredTrust): boolean => needsVerdict(desired) || desired.kind === 'revoke';

/** Whether its subject has to leave our statement, now or when the time has come. */
export const isReleasing = ({ kind }: DesiredTrust): boolean => kind === 'revoke' || kind === 'releaseWhenRedundant';

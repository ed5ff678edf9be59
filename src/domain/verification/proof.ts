import { createHash } from 'node:crypto';
import type { BindingSpec, BindingStatus, IrsaBinding } from '../../api/binding.ts';
import type { ServiceAccount } from '../../api/cluster.ts';
import { timestamp } from '../../api/condition.ts';
import type { Finding } from '../../api/finding.ts';
import { isProblem } from '../../api/problem.ts';
import type { StsRefusal } from '../../api/sts-refusal.ts';
import { subjectOf } from '../../api/subject.ts';
import { type Authorization, isEnforcing } from '../authorization/authorize.ts';
import { type Granted, hasConsent } from '../authorization/grants.ts';
import type { ClusterView } from '../state/identity.ts';
import type { ProviderView } from '../state/oidc-provider.ts';
import { type Question, questionKey } from '../state/question.ts';
import type { RoleRecord } from '../state/role-record.ts';
import type { Verdict } from '../state/verdict.ts';
import { findingOf } from './sts-refusals.ts';

/** Replicas of STS learn of a change one after the other: one that lets the token in proves nothing of the others. */
export const ADMISSIONS_WANTED = 3;
/** So that those are over 10 s; and as often while IAM spreads a change. */
const ASK_EVERY_MS = 5_000;
/** IAM spreads a change in seconds, at times in a minute: a refusal counts when STS still says it then. */
const REFUSED_FOR_MS = 60_000;
/** From then on it is asked at this pace whether a sweep has found the cause meanwhile. */
const STILL_REFUSED_EVERY_MS = 60_000;
/** What was refused may be fixed where we cannot see it: by a policy of the organization, or by installing config/verification. */
const REFUSED_RETRY_MS = 10 * 60_000;
/** What the contract says of `Periodic`; the loop's rechecks come up to a tenth later, so that bindings do not stay together. */
const PERIOD_MS = 24 * 3_600_000;

/** What came of one token and one call of STS. */
export type StsAnswer =
  | { readonly kind: 'admitted' }
  | ({ readonly kind: 'refused' } & StsRefusal)
  /** The API server gives us no token. */
  | { readonly kind: 'noToken'; readonly message: string };

/** What STS said of one binding. Times are epoch milliseconds. */
export interface Proof {
  /** Stands for what is proved: an answer to another question never counts. */
  readonly of: string;
  /** How the last run ended: it stands while a later one is under way. */
  readonly outcome: ProofOutcome | undefined;
  readonly run: ProofRun | undefined;
}

export type ProofOutcome =
  | { readonly kind: 'proven'; readonly at: number }
  | { readonly kind: 'refused'; readonly at: number; readonly finding: Finding }
  | { readonly kind: 'noToken'; readonly at: number; readonly message: string };

interface ProofRun {
  readonly askedAt: number;
  /** In a row. */
  readonly admissions: number;
  readonly refusedSince: number | undefined;
  /** The last answer that was no admission, in words. */
  readonly trouble: string | undefined;
}

const NOT_ASKED: ProofRun = { askedAt: 0, admissions: 0, refusedSince: undefined, trouble: undefined };

/** What decides about the proof for one binding. */
export interface VerificationInput {
  readonly binding: IrsaBinding;
  readonly authorization: Authorization;
  readonly cluster: ClusterView;
  readonly provider: ProviderView | undefined;
  readonly role: RoleRecord | undefined;
  /** For the role and audience of the spec; undefined: pending. */
  readonly verdict: Verdict | undefined;
  readonly serviceAccount: ServiceAccount | undefined;
}

export type Verification =
  /** Not asked for, or a binding that only looks: it does nothing, so it asks for no token either. */
  | { readonly kind: 'none' }
  | { readonly kind: 'notGranted'; readonly grants: readonly string[] }
  /** An earlier step has to hold first. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'awaitingServiceAccount' }
  | { readonly kind: 'wanted'; readonly of: string; readonly question: Question };

/** What is to be proved for a binding now. Also where the trust policy cannot decide: then STS does. */
export function verificationOf(seen: VerificationInput): Verification {
  const { binding, authorization, cluster, provider, role, verdict, serviceAccount } = seen;
  const { spec, metadata } = binding;
  if (isProblem(spec) || spec.verification === 'Never' || !isEnforcing(binding)) return { kind: 'none' };
  if (authorization.kind === 'refused') return { kind: 'waiting' };
  const covering = coveringNow(authorization.grants, seen);
  if (covering.length === 0) return { kind: 'waiting' };
  if (!covering.some(({ allowVerification }) => allowVerification))
    return { kind: 'notGranted', grants: covering.map(({ grant }) => grant) };
  const judged = verdict?.kind === 'allowed' || verdict?.kind === 'unknown';
  const registered = provider?.kind === 'registered' && provider.clientIds.includes(spec.audience);
  if (cluster.kind === 'unknown' || !registered || !judged || role?.state.kind !== 'present') return { kind: 'waiting' };
  if (serviceAccount === undefined) return { kind: 'awaitingServiceAccount' };
  const subject = subjectOf(metadata.namespace, spec.serviceAccountName);
  const question = { role: spec.roleArn, issuer: cluster.issuer, subject, audience: spec.audience };
  const { roleId } = role.state;
  const of = createHash('sha256')
    .update(JSON.stringify([questionKey(question), roleId, verdict.kind, verdict.message]))
    .digest('hex')
    .slice(0, 16);
  return { kind: 'wanted', of, question };
}

/**
 * Grants of which the role has the tags: one that requires others does not cover the binding, and allows nothing. After a start the tags are not
 * known until the role is read by itself: meanwhile what was proven stays so, and nothing is proven that was not.
 */
function coveringNow(grants: readonly Granted[], { role, binding }: VerificationInput): readonly Granted[] {
  const tags = role?.state.kind === 'present' ? role.state.tags?.values : undefined;
  if (tags === undefined && binding.status.verification !== undefined) return grants;
  return grants.filter(({ requiredRoleTags }) => hasConsent([requiredRoleTags], tags ?? new Map()));
}

/** Whether the proof depends on tags of the role: no grant without tags allows it. */
export function proofNeedsTags({ verification }: BindingSpec, grants: readonly Granted[]): boolean {
  const allowing = verification === 'Never' ? [] : grants.filter(({ allowVerification }) => allowVerification);
  return (
    allowing.length > 0 &&
    !hasConsent(
      allowing.map(({ requiredRoleTags }) => requiredRoleTags),
      new Map(),
    )
  );
}

/** What is known of it: from this process, or from the status that a former one left, so that a restart of the operator proves nothing anew. */
export function proofOf(of: string, known: Proof | undefined, { verification }: BindingStatus): Proof {
  if (known?.of === of) return known;
  const outcome: ProofOutcome | undefined = verification?.of === of ? { kind: 'proven', at: Date.parse(verification.at) } : undefined;
  return { of, outcome, run: undefined };
}

/** For the status; undefined while nothing is proven. */
export function proofEntry({ of, outcome }: Proof): BindingStatus['verification'] {
  return outcome?.kind === 'proven' ? { of, at: timestamp(outcome.at) } : undefined;
}

/** When STS is to be asked next: epoch milliseconds, or undefined where nothing is to be asked until something changes. */
export function askNextAt({ outcome, run }: Proof, periodic: boolean): number | undefined {
  if (run !== undefined) {
    const late = run.refusedSince !== undefined && run.askedAt - run.refusedSince >= REFUSED_FOR_MS;
    return run.askedAt + (late ? STILL_REFUSED_EVERY_MS : ASK_EVERY_MS);
  }
  switch (outcome?.kind) {
    case undefined:
      return 0;
    case 'proven':
      return periodic ? outcome.at + PERIOD_MS : undefined;
    case 'refused':
    case 'noToken':
      return outcome.at + REFUSED_RETRY_MS;
  }
}

interface Asked {
  readonly now: number;
  readonly question: Question;
  readonly verdict: Verdict | undefined;
  /** When the role was read last: the cause of a refusal may be a change that no read has shown yet. */
  readonly roleReadAt: number | undefined;
}

/** A user's reconcile request asks STS anew what it refused: the cause may be fixed where nothing of it is seen here. */
export function askedAnew(proof: Proof, at: number | undefined): Proof {
  const { outcome, run } = proof;
  if (at === undefined || run !== undefined || outcome === undefined || outcome.kind === 'proven' || outcome.at >= at) return proof;
  return { ...proof, run: NOT_ASKED };
}

/** The proof after one more answer. */
export function afterAnswer(proof: Proof, answer: StsAnswer, { now, question, verdict, roleReadAt }: Asked): Proof {
  const { of, outcome, run } = proof;
  switch (answer.kind) {
    case 'noToken':
      return { of, outcome: { kind: 'noToken', at: now, message: answer.message }, run: undefined };
    case 'admitted': {
      const admissions = (run?.admissions ?? 0) + 1;
      if (admissions >= ADMISSIONS_WANTED) {
        return { of, outcome: { kind: 'proven', at: now }, run: undefined };
      }
      return { of, outcome, run: { askedAt: now, admissions, refusedSince: run?.refusedSince, trouble: run?.trouble } };
    }
    case 'refused': {
      const finding = findingOf(answer, question, verdict);
      const refusedSince = run?.refusedSince ?? now;
      const readSince = roleReadAt !== undefined && roleReadAt >= refusedSince;
      if (outcome?.kind === 'refused' || (now - refusedSince >= REFUSED_FOR_MS && readSince)) {
        return { of, outcome: { kind: 'refused', at: now, finding }, run: undefined };
      }
      return { of, outcome, run: { askedAt: now, admissions: 0, refusedSince, trouble: answer.message } };
    }
  }
}

/** No answer at all: the queue asks again with its back-off, and meanwhile the condition says why it takes so long. */
export function withTrouble({ of, outcome, run }: Proof, trouble: string): Proof {
  return { of, outcome, run: { ...NOT_ASKED, ...run, trouble } };
}

import type { BindingSpec } from '../../api/binding.ts';
import { type Assessment, timestamp } from '../../api/condition.ts';
import type { Violation } from '../status/conditions.ts';
import { ADMISSIONS_WANTED, type Proof, proofOf, type Verification, type VerificationInput, verificationOf } from './proof.ts';

/** Where a binding stands with its proof: what the conditions `Trusted` and `Verified` rest on. */
export interface Verifying {
  readonly verification: Verification;
  /** Of what is wanted now; undefined where nothing is. */
  readonly proof: Proof | undefined;
}

export function verifying(seen: VerificationInput & { readonly proof: Proof | undefined }): Verifying {
  const verification = verificationOf(seen);
  const proof = verification.kind === 'wanted' ? proofOf(verification.of, seen.proof, seen.binding.status) : undefined;
  return { verification, proof };
}

/** When STS was convinced: epoch milliseconds. */
export function provenAt({ proof }: Verifying): number | undefined {
  return proof?.outcome?.kind === 'proven' ? proof.outcome.at : undefined;
}

/** STS has spoken: where the trust policy leaves it open, this decides. */
export function refusedBySts({ proof }: Verifying): Violation | undefined {
  if (proof?.outcome?.kind !== 'refused') return undefined;
  const { finding } = proof.outcome;
  // Keys that cannot be fetched now may be fetched in a moment; everything else somebody has to change.
  const terminal = finding.code !== 'IdpUnreachable';
  return { step: 'Verified', status: 'False', reason: finding.code, message: finding.message, terminal, findings: [finding] };
}

/** Where a proof is possible, nothing goes on without it. */
export function unproven(verifies: Verifying): Violation | undefined {
  const { proof, verification } = verifies;
  if (verification.kind === 'waiting') return proving('STS is asked as soon as the role is read again');
  if (proof === undefined || proof.outcome?.kind === 'noToken') return undefined;
  if (proof.outcome === undefined) return proving(inProgress(proof));
  return refusedBySts(verifies);
}

const proving = (message: string): Violation => ({
  step: 'Verified',
  status: 'Unknown',
  reason: 'Proving',
  message,
  terminal: false,
  findings: [],
});

export function inProgress({ run }: Proof): string {
  const progress =
    run === undefined ? 'STS is about to be asked' : `STS accepted the token ${run.admissions} of ${ADMISSIONS_WANTED} times in a row`;
  return `${progress}${run?.trouble === undefined ? '' : `. Before, it said: ${run.trouble}`}`;
}

/** What to say where nothing is held back by it: it is proven, or it cannot be. */
export function verifiedAs({ verification, proof }: Verifying, spec: BindingSpec): Assessment {
  if (verification.kind === 'notGranted') {
    const grants = verification.grants.map((name) => `"${name}"`).join(' and ');
    const message = `spec.verification is "${spec.verification}", but IrsaGrant ${grants} does not say allowVerification: true. Nothing is proved`;
    return { status: 'Unknown', reason: 'VerificationNotGranted', message };
  }
  if (verification.kind === 'awaitingServiceAccount') {
    const message = `ServiceAccount "${spec.serviceAccountName}" does not exist yet. STS is asked when it is created`;
    return { status: 'Unknown', reason: 'AwaitingServiceAccount', message };
  }
  if (proof?.outcome?.kind === 'proven') {
    const message = `STS accepted a token of ServiceAccount "${spec.serviceAccountName}", last proved at ${timestamp(proof.outcome.at)}`;
    return { status: 'True', reason: 'Proved', message };
  }
  const why = proof?.outcome?.kind === 'noToken' ? proof.outcome.message : 'no token was requested yet';
  const message = `irsa-operator gets no token of ServiceAccount "${spec.serviceAccountName}", so nothing is proved: ${why}. Install config/verification, and add the audience "${spec.audience}" to its policy`;
  return { status: 'Unknown', reason: 'VerificationNotInstalled', message };
}

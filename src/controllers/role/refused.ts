import type { RoleArn } from '../../api/arn.ts';
import type { Fault } from '../../api/fault.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { type Outcome, settled } from '../../runtime/controller.ts';
import type { Log } from '../../runtime/log.ts';
import type { TrustPlan } from '../../trust/plan.ts';
import type { Decision } from './confirm-revocation.ts';
import type { TrustOptions } from './ports.ts';
import { held } from './records.ts';

/** What IAM rejected is tried again after as long as it has been rejected by then: an `AROA...` that only shows for a moment costs seconds. */
const HOLD_LEAST_MS = 15_000;
const HOLD_MOST_MS = 300_000;

/** A rejection is a fact about the role, for its bindings to report; what may pass is retried by the queue. */
export function refusedByIam(arn: RoleArn, fault: Fault, decision: Decision, { world, clock, metrics }: TrustOptions, log: Log): Outcome {
  const found = refusalByIam(arn, fault, decision.kind === 'write' ? decision.plan : undefined);
  if (found === undefined) throw fault;
  log.warn({ err: fault }, 'IAM does not take the trust policy');
  metrics.wrote('rejected');
  const now = clock.now();
  const state = world.roles.get(arn)?.state;
  const before = state?.kind === 'present' ? state.hold : undefined;
  const since = before !== undefined && !before.revocable ? before.since : now;
  const until = now + Math.min(HOLD_MOST_MS, Math.max(HOLD_LEAST_MS, now - since));
  // What is too large with more in it is not with less.
  held(world.roles, arn, { since, until, finding: found, revocable: found.code === 'TrustPolicyTooLarge' });
  return settled;
}

/** What a fault says of the role that was to be written; undefined where it says nothing of it, and may pass. */
export function refusalByIam(arn: RoleArn, fault: Fault, plan: TrustPlan | undefined): Finding | undefined {
  if (fault.kind === 'denied')
    return finding('RoleAccessDenied', `irsa-operator may not change the trust policy of "${arn}": ${fault.message}`);
  if (fault.kind !== 'invalid') return undefined;
  switch (fault.code) {
    case 'LimitExceeded':
      return finding('TrustPolicyTooLarge', `IAM says that the trust policy of "${arn}" would be too large: ${fault.message}`);
    case 'UnmodifiableEntity':
      return finding('RoleUnmodifiable', `"${arn}" is a role that only AWS can change: ${fault.message}`);
    default: {
      // It names the statement, where IAM names the principal only.
      const orphaned = plan?.findings.find(({ code }) => code === 'TrustOrphanedPrincipal');
      if (orphaned !== undefined) return orphaned;
      return finding(
        'TrustWriteRejected',
        `IAM validates the whole document and rejects the trust policy of "${arn}", other statements included: ${fault.message}`,
      );
    }
  }
}

import type { RoleArn } from '../../api/arn.ts';
import type { Fault } from '../../api/fault.ts';
import { refusalByIam } from '../../domain/role/refused-write.ts';
import { type Outcome, settled } from '../../runtime/controller.ts';
import type { Log } from '../../runtime/log.ts';
import type { Decision } from './confirm-revocation.ts';
import type { RoleOptions } from './ports.ts';
import { held } from './records.ts';

/** What IAM rejected is tried again after as long as it has been rejected by then: an `AROA...` that only shows for a moment costs seconds. */
const HOLD_LEAST_MS = 15_000;
const HOLD_MOST_MS = 300_000;

/** A rejection is a fact about the role, for its bindings to report; what may pass is retried by the queue. */
export function refusedByIam(arn: RoleArn, fault: Fault, decision: Decision, { owned, clock, metrics }: RoleOptions, log: Log): Outcome {
  const found = refusalByIam(arn, fault, decision.kind === 'write' ? decision.plan : undefined);
  if (found === undefined) throw fault;
  log.warn({ err: fault }, 'IAM rejected the trust policy');
  metrics.wrote('rejected');
  const now = clock.now();
  const state = owned.roles.get(arn)?.state;
  const before = state?.kind === 'present' ? state.hold : undefined;
  const since = before !== undefined && !before.allowsRevocation ? before.since : now;
  const until = now + Math.min(HOLD_MOST_MS, Math.max(HOLD_LEAST_MS, now - since));
  // What is too large with more in it is not with less.
  held(owned.roles, arn, { since, until, finding: found, allowsRevocation: found.code === 'TrustPolicyTooLarge' });
  return settled;
}

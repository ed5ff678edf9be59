import type { RoleArn } from '../../api/arn.ts';
import type { Fault } from '../../api/fault.ts';
import { type Finding, finding } from '../../api/finding.ts';
import type { TrustPlan } from '../../trust/plan.ts';

/** What a fault says of the role that was to be written; undefined where it says nothing of it, and may pass. */
export function refusalByIam(arn: RoleArn, fault: Fault, plan: TrustPlan | undefined): Finding | undefined {
  if (fault.kind === 'denied')
    return finding('RoleAccessDenied', `irsa-operator may not change the trust policy of "${arn}": ${fault.told}`);
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
        `IAM rejects the trust policy of "${arn}". It validates the whole document, foreign statements included: ${inWordsOfIam(fault)}. The log of irsa-operator has the whole answer`,
      );
    }
  }
}

/** Its words up to the first value: what follows is of the statement that it does not like, whose principal may be another tenant's. */
function inWordsOfIam({ code = '', message }: Fault): string {
  const said = message.slice(message.indexOf(`${code}: `) + `${code}: `.length);
  return `${code}: ${/^[^":]*/.exec(said)?.[0].replace(/[.\s]+$/, '')}`;
}

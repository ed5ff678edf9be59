import type { RoleArn } from '../../api/arn.ts';
import { sameSubject } from '../../api/subject.ts';
import type { Edit } from '../../domain/role/edit.ts';
import type { Log } from '../../runtime/log.ts';
import type { Decision } from './confirm-revocation.ts';
import type { RoleOptions } from './ports.ts';

/** One Event for each binding whose subject came or went. */
export function recordWritten(
  arn: RoleArn,
  { desiredStatement: { wanted, released } }: Edit,
  decision: Decision,
  options: RoleOptions,
  log: Log,
): void {
  log.info({ wanted: wanted.map(({ subject }) => subject), released: released.map(({ subject }) => subject) }, 'wrote trust policy');
  if (decision.kind !== 'write') return;
  const { changes, revoked } = decision;
  for (const { binding, question, kind } of changes) {
    const forWant = revoked.some((loss) => sameSubject(loss, question));
    const note =
      kind === 'ensure'
        ? `added "${question.subject}" to the trust policy of ${arn}`
        : `removed "${question.subject}" from the trust policy of ${arn}${forWant ? ', because no grant covers the binding any more' : ''}`;
    options.events.record(binding, { type: 'Normal', reason: 'TrustPolicyWritten', action: 'WriteTrustPolicy', note });
  }
  for (const loss of revoked) {
    const note = `removed "${loss.subject}" from the trust policy of ${arn}, because no grant covers it`;
    options.ownEvents.record({ type: 'Normal', reason: 'TrustPolicyWritten', action: 'Revoke', note });
  }
}

import type { RoleArn } from '../../api/arn.ts';
import { isProblem } from '../../api/problem.ts';
import { oursIn } from '../../domain/state/identity.ts';
import { pendingIn, type RoleRecord } from '../../domain/state/role-record.ts';
import { parseDocument } from '../../trust/document/document.ts';
import { ownSubjects } from '../../trust/own-subjects.ts';
import { identityOf } from '../observe.ts';
import type { Stores } from '../stores.ts';

/**
 * Whether subjects of this cluster stand in a statement of ours, or may: such a role is kept in view also when no binding names it. A loss that
 * is not over waits for what is read: without the record the role would be read again and again for it.
 */
export function mayHaveOwnTrust(stores: Stores, record: RoleRecord | undefined): boolean {
  if (record === undefined) return false;
  const { arn, state } = record;
  if (pendingIn(record) !== undefined || stores.losses.byIndex('role', arn).some(({ revokedAt }) => revokedAt === undefined)) return true;
  return state.kind === 'present' && namesOwn(stores, arn, state.policy);
}

export function namesOwn(stores: Stores, arn: RoleArn, policy: string): boolean {
  const { cluster } = identityOf(stores);
  if (cluster.kind === 'unknown') return false;
  const document = parseDocument(policy);
  return !isProblem(document) && ownSubjects(document, oursIn(cluster, arn)).length > 0;
}

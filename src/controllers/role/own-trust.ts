import type { RoleArn } from '../../api/arn.ts';
import { isProblem } from '../../api/problem.ts';
import { oursIn } from '../../domain/state/identity.ts';
import type { RoleRecord } from '../../domain/state/role-record.ts';
import { parseDocument } from '../../trust/document/document.ts';
import { ownSubjects } from '../../trust/own-subjects.ts';
import { identityOf } from '../observe.ts';
import type { Stores } from '../stores.ts';

/** Whether subjects of this cluster stand in a statement of ours: such a role is kept in view also when no binding names it. */
export function hasOwnTrust(stores: Stores, record: RoleRecord | undefined): boolean {
  if (record === undefined) return false;
  const { arn, state } = record;
  // What cannot be read now may stand: a revocation may wait for it.
  if (state.kind === 'unreadable') return stores.losses.byIndex('role', arn).length > 0;
  return state.kind === 'present' && namesOwn(stores, arn, state.policy);
}

export function namesOwn(stores: Stores, arn: RoleArn, policy: string): boolean {
  const { cluster } = identityOf(stores);
  if (cluster.kind === 'unknown') return false;
  const document = parseDocument(policy);
  return !isProblem(document) && ownSubjects(document, oursIn(cluster, arn)).length > 0;
}

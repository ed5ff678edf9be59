import type { RoleArn } from '../api/arn.ts';
import { Fault } from '../api/fault.ts';
import type { TokenSubject } from '../api/subject.ts';
import { isOwnRole } from '../domain/authorization/authorize.ts';
import { type CallerView, type ClusterName, oursIn } from '../domain/state/identity.ts';

import { parseDocument } from '../trust/document/document.ts';
import { sidFor } from '../trust/document/own-statement.ts';
import type { StatedSubject } from '../trust/own-subjects.ts';
import { planTrust } from '../trust/plan.ts';
import type { Result, Row } from './edit-report.ts';
import type { Decision } from './edit-roles.ts';
import type { CommandPorts } from './ports.ts';
import type { Standing } from './roles-with-own-statement.ts';

/** Only what is added has to fit. */
const NO_QUOTA = Number.POSITIVE_INFINITY;

/** Takes these subjects out of our statement, as the planner of the operator does; a pause of the role stops no revocation. */
export function removal(
  role: RoleArn,
  policy: string,
  cluster: ClusterName,
  { own: released, changed }: Standing,
  result: Result,
): Decision {
  // Somebody may have put in what no token carries: it goes as it stands.
  const subjects = released as readonly TokenSubject[];
  const plan = planTrust(parseDocument(policy), { role, ...oursIn(cluster, role), wanted: [], released: subjects, quota: NO_QUOTA });
  const kept = changed.map((named): Row => ({ result: 'refused', role, ...named, message: changedByOthers(cluster, named) }));
  return { plan, rows: [...released.map((named): Row => ({ result, role, ...named })), ...kept] };
}

function changedByOthers({ issuer, clusterId }: ClusterName, { audience }: StatedSubject): string {
  return `another writer changed the statement "${sidFor(issuer, audience, clusterId)}", or added a second one. It allows, or may allow, the subject. Remove the subject or the statement by hand`;
}

/** A role that we run as is never a target. Throws `Fault`. */
export async function otherThanOwn({ caller }: CommandPorts, signal: AbortSignal): Promise<(role: RoleArn) => boolean> {
  const { ownRoles } = known(await caller(signal));
  return (role) => !ownRoles.some((own) => isOwnRole(role, own));
}

function known(caller: CallerView): Extract<CallerView, { kind: 'known' }> {
  if (caller.kind === 'unknown') throw new Fault('transient', `sts:GetCallerIdentity failed: ${caller.why}`);
  return caller;
}

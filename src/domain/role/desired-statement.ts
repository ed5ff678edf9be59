import type { RoleArn } from '../../api/arn.ts';
import { subjectKey, type TokenSubject } from '../../api/subject.ts';
import { type PolicyDocument, parseDocument } from '../../trust/document/document.ts';
import { type DesiredStatement, planTrust } from '../../trust/plan.ts';
import type { DueLoss } from '../authorization/loss.ts';
import { type ClusterName, oursIn } from '../state/identity.ts';
import type { PresentState } from '../state/role-record.ts';
import { leftAloneUntil, mayShareStatement } from '../state/undone.ts';
import { type DesiredTrust, isReleasing, WANTS, wantedSubject } from './desired-trust.ts';

/** A role that can be read, and what is wanted of it. */
export interface StatedRole {
  readonly now: number;
  readonly arn: RoleArn;
  readonly desiredTrust: readonly DesiredTrust[];
  readonly cluster: ClusterName;
  readonly quota: number;
  /** Subjects to be taken out of our statement, whatever their bindings say. */
  readonly due: readonly DueLoss[];
  readonly providers: ReadonlySet<string> | undefined;
  readonly state: PresentState;
}

/** What our statement of a role is to say. */
export function desiredStatementOf(role: StatedRole, document: PolicyDocument): DesiredStatement {
  const { arn, desiredTrust, cluster, quota, now, state, due, providers } = role;
  const known = { ...(state.tags && { roleTags: state.tags.values }), ...(providers && { providers }) };
  const base = { role: arn, ...oursIn(cluster, arn), quota, now, ...known };
  const { hold } = state;
  const paused = hold?.allowsRevocation && now < hold.until;
  const wanted = desiredTrust.filter(({ kind }) => kind === 'ensure' && !paused).toSorted(byAge);
  const released = releasedByOwners(desiredTrust)
    .filter((one) => neededElsewhereUntil(one, role) <= now)
    .filter((one) => one.kind !== 'releaseWhenRedundant' || isAllowedWithout(one, document, base));
  const lost = due.map(({ subject, audience }) => ({ subject, audience }));
  return { ...base, wanted: wanted.map(wantedSubject), released: [...released.map(subjectOf), ...lost] };
}

/** What another binding is about to have, or may still have, is not taken away because one releases it. For want of a grant it is. */
export function releasedByOwners(desiredTrust: readonly DesiredTrust[]): DesiredTrust[] {
  const needs = (other: DesiredTrust) => WANTS.has(other.kind) || (!isReleasing(other) && other.mayStand);
  const needed = new Set(desiredTrust.filter(needs).map(({ question }) => subjectKey(question)));
  return desiredTrust.filter((one) => isReleasing(one) && one.loss === undefined && !needed.has(subjectKey(one.question)));
}

/** Until when a binding's subject is not fought over with another cluster: epoch milliseconds. */
export const neededElsewhereUntil = ({ question }: DesiredTrust, { cluster, state }: StatedRole): number =>
  mayShareStatement(cluster) ? leftAloneUntil(state.writes.undone.get(subjectKey(question))) : 0;

const subjectOf = ({ question: { subject, audience } }: DesiredTrust): TokenSubject => ({ subject, audience });
const byAge = (a: DesiredTrust, b: DesiredTrust) => a.binding.metadata.createdAt - b.binding.metadata.createdAt;

/** The policy is written by others: our subject goes when a foreign statement lets it in, and no sooner. */
function isAllowedWithout(desired: DesiredTrust, document: PolicyDocument, base: Omit<DesiredStatement, 'wanted' | 'released'>): boolean {
  const without = planTrust(document, { ...base, wanted: [], released: [subjectOf(desired)] }).document;
  if (without === undefined) return false;
  const plan = planTrust(parseDocument(without), { ...base, wanted: [subjectOf(desired)], released: [] });
  return plan.document === undefined && plan.verdicts[0]?.state === 'allowed';
}

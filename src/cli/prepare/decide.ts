import type { RoleArn } from '../../api/arn.ts';
import type { Finding } from '../../api/finding.ts';
import { PAUSED_ROLE_TAG } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import type { TokenSubject } from '../../api/subject.ts';
import { hasConsent } from '../../domain/authorization/grants.ts';
import { otherRole, rolePaused } from '../../domain/role/edit.ts';
import { type ClusterName, oursIn } from '../../domain/state/identity.ts';
import type { FreshRole } from '../../ports/roles.ts';
import { parseDocument } from '../../trust/document/document.ts';
import { namesSubject } from '../../trust/own-subjects.ts';
import { type PlannedVerdict, planTrust } from '../../trust/plan.ts';
import type { Result, Row } from '../edit-report.ts';
import type { Decision } from '../edit-roles.ts';
import type { Candidate } from './candidates.ts';

interface Wanted {
  readonly role: RoleArn;
  /** The oldest first: when not all fit, a newcomer never evicts. */
  readonly candidates: readonly Candidate[];
  readonly cluster: ClusterName;
  readonly quota: number;
  readonly now: number;
  readonly write: boolean;
}

/** All candidates of a role make one write, by the planner of the operator and on the same conditions. Pure. */
export function decidePreparation({ role, candidates, cluster, quota, now, write }: Wanted, fresh: FreshRole): Decision {
  if (fresh.arn !== role) return { rows: refuse(candidates, otherRole(role, fresh.arn)), plan: undefined };
  const consented = candidates.filter((one) => hasConsent(one.requiredTags, fresh.tags));
  const untagged = candidates
    .filter((one) => !consented.includes(one))
    .map((one) => row(one, role, 'refused', 'NotGranted: the role does not have the tags that the grant requires'));
  if (fresh.tags.get(PAUSED_ROLE_TAG) === 'true') return { rows: [...refuse(consented, rolePaused(role)), ...untagged], plan: undefined };

  const ours = oursIn(cluster, role);
  const document = parseDocument(fresh.policy);
  const wanted = consented.map(({ subject, audience }) => ({ subject, audience, own: true }));
  const plan = planTrust(document, { role, ...ours, wanted, released: [], quota, now, roleTags: fresh.tags });
  const after = plan.document === undefined ? document : parseDocument(plan.document);
  const resultOf = (verdict: PlannedVerdict): Result => {
    if (!isProblem(document) && namesSubject(document, verdict, ours)) return 'standing';
    if (!isProblem(after) && namesSubject(after, verdict, ours)) return write ? 'added' : 'planned';
    return verdict.state === 'allowed' ? 'allowed' : 'refused';
  };
  return { rows: [...plan.verdicts.map((verdict) => row(verdict, role, resultOf(verdict), doubtOf(verdict))), ...untagged], plan };
}

function refuse(candidates: readonly Candidate[], { code, message }: Finding): Row[] {
  return candidates.map((one) => row(one, one.role, 'refused', `${code}: ${message}`));
}

function row({ subject, audience }: TokenSubject, role: RoleArn, result: Result, message: string | undefined): Row {
  return { result, role, subject, audience, ...(message === undefined ? {} : { message }) };
}

/** What keeps the token out, or may. */
function doubtOf(verdict: PlannedVerdict): string | undefined {
  if (verdict.state === 'allowed') return undefined;
  const [first] = verdict.findings;
  if (first !== undefined) return `${first.code}: ${first.message}`;
  return verdict.state === 'unknown' ? verdict.reason : undefined;
}

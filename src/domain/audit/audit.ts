import type { RoleArn } from '../../api/arn.ts';
import { type IrsaBinding, parseBindingSpec } from '../../api/binding.ts';
import type { ServiceAccount } from '../../api/cluster.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { EKS_ANNOTATIONS, STS_AUDIENCE } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { quote } from '../../trust/document/quote.ts';
import { type Claim, type ClaimWorld, claimOf } from '../authorization/authorize.ts';
import { accountReachable, providerRegistered } from '../binding/checks.ts';
import type { CallerView, ClusterView, ProviderView, RoleRecord, Verdict } from '../binding/observed.ts';
import { planRole } from '../role/plan.ts';
import { parseRoleAnnotation } from '../service-account/annotations.ts';

/** A ServiceAccount that no binding names, and what its audit rests on; nothing is asked for it. */
export interface AuditObserved {
  readonly now: number;
  readonly serviceAccount: ServiceAccount;
  /** What its annotations amount to, and what that may claim rests on. */
  readonly binding: IrsaBinding | undefined;
  readonly around: ClaimWorld | undefined;
  readonly cluster: ClusterView;
  readonly caller: CallerView;
  readonly role: RoleRecord | undefined;
  readonly provider: ProviderView | undefined;
  readonly quota: number | undefined;
}

export interface Audit {
  /** The role that AWS is asked about: undefined where no grant covers the ServiceAccount. */
  readonly role: RoleArn | undefined;
  /** Whether STS lets its tokens in; undefined where that is not known, or not to be told. */
  readonly trusted: boolean | undefined;
  readonly findings: readonly Finding[];
}

/** `pending`: what decides was not looked at yet, so what was found before stands. */
export type Found = Audit & { readonly pending: boolean };

/** The annotation that the webhook reads; an empty one is none to it. */
export function roleAnnotation({ annotations }: ServiceAccount): string | undefined {
  return annotations[EKS_ANNOTATIONS.roleArn] || undefined;
}

/** Whether there is anything to audit. */
export function asksForRole(account: ServiceAccount): boolean {
  return roleAnnotation(account) !== undefined || account.misspelt.length > 0;
}

/** The binding that its annotations amount to, one that only looks; undefined where they amount to none. */
export function declaredBy(account: ServiceAccount): IrsaBinding | undefined {
  const { namespace, name, uid, annotations } = account;
  const spec = parseBindingSpec({
    serviceAccountName: name,
    roleArn: roleAnnotation(account),
    audience: annotations[EKS_ANNOTATIONS.audience] || STS_AUDIENCE,
    mode: 'Observe',
    trustPolicy: 'External',
  });
  if (isProblem(spec)) return undefined;
  const metadata = {
    namespace,
    name,
    uid,
    resourceVersion: '',
    generation: 0,
    createdAt: 0,
    deleting: false,
    finalizers: [],
    annotations: {},
  };
  return { metadata, spec, status: { conditions: [] } };
}

/**
 * What a binding might claim in its place. A grant that asks for role tags covers it only where the tags are known, from reads for bindings:
 * without the consent of the role's owner nobody learns of a role by annotating.
 */
function claimOfDeclared(binding: IrsaBinding, around: ClaimWorld, role: RoleRecord | undefined): Claim | undefined {
  const claim = claimOf(binding, around);
  if (claim.kind === 'refused') return undefined;
  const tags = role?.state.kind === 'present' ? role.state.tags?.values : undefined;
  const consented = claim.grants.some(({ requiredRoleTags }) =>
    Object.entries(requiredRoleTags).every(([tag, value]) => tags?.get(tag) === value),
  );
  return consented ? claim : undefined;
}

/** Covered by a grant: judged as a binding is. Not covered: only what the ServiceAccount itself shows. */
export function audit(seen: AuditObserved): Found {
  const { serviceAccount, binding, around, role } = seen;
  const slips = serviceAccount.misspelt.map((key) => misspelt(serviceAccount, key));
  const value = roleAnnotation(serviceAccount);
  // Its pods get no credentials, which is certain without a look at AWS.
  if (value === undefined) return { role: undefined, trusted: slips.length > 0 ? false : undefined, findings: slips, pending: false };
  const parsed = parseRoleAnnotation(value);
  if (isProblem(parsed)) {
    const text = `annotation ${EKS_ANNOTATIONS.roleArn}: ${parsed.problem}`;
    return { role: undefined, trusted: false, findings: [finding('AnnotationMalformed', text), ...slips], pending: false };
  }
  const claim = binding && around && claimOfDeclared(binding, around, role);
  if (claim?.kind !== 'granted' || binding === undefined) return { role: undefined, trusted: undefined, findings: slips, pending: false };
  const judged = judge({ ...seen, binding, claim });
  return { ...judged, role: claim.spec.roleArn, findings: [...judged.findings, ...slips] };
}

function misspelt({ annotations }: ServiceAccount, key: string): Finding {
  const { roleArn } = EKS_ANNOTATIONS;
  const standing = annotations[roleArn] ? 'remove it' : 'rename it, and restart the pods';
  return finding('AnnotationKeyMisspelt', `the webhook does not read the annotation ${quote(key)}; wanted is "${roleArn}": ${standing}`);
}

type Judged = Omit<Found, 'role'>;
type Granted = Extract<Claim, { kind: 'granted' }>;

const pending: Judged = { trusted: undefined, findings: [], pending: true };

function judge(seen: AuditObserved & { readonly binding: IrsaBinding; readonly claim: Granted }): Judged {
  const { caller, cluster, claim } = seen;
  if (caller.kind === 'unknown' || cluster.kind === 'unknown') return pending;
  const scope = { seen, spec: claim.spec };
  const violation = accountReachable(scope) ?? providerRegistered(scope);
  if (violation?.pending) return pending;
  if (violation !== undefined)
    return { trusted: violation.status === 'False' ? false : undefined, findings: violation.findings, pending: false };
  const verdict = verdictOn(seen);
  return verdict === undefined || verdict.kind === 'released' ? pending : judgedBy(verdict);
}

/** The very plan that is made for bindings, of which only the answer is taken. */
function verdictOn({
  now,
  binding,
  claim,
  role,
  cluster,
  caller,
  provider,
  quota,
}: AuditObserved & { readonly binding: IrsaBinding; readonly claim: Granted }): Verdict | undefined {
  const claims = [{ binding, claim, loss: undefined }];
  const losses = { manyUntil: undefined, confirmedAt: undefined };
  const { verdicts } = planRole({ now, arn: claim.spec.roleArn, claims, record: role, cluster, caller, provider, quota, losses });
  return verdicts[0]?.[1];
}

function judgedBy(verdict: Exclude<Verdict, { kind: 'released' }>): Judged {
  // Whom else our statement names is a matter of the bindings of the role, none of which was looked at here.
  const findings = verdict.findings.filter(({ code }) => code !== 'TrustOrphaned');
  // What IAM does not let us read says nothing about the trust.
  const unknown = verdict.kind === 'unknown' || (verdict.kind === 'refused' && !verdict.terminal);
  return { trusted: unknown ? undefined : verdict.kind === 'allowed', findings, pending: false };
}

import type { RoleArn } from '../../api/arn.ts';
import { type IrsaBinding, parseBindingSpec } from '../../api/binding.ts';
import type { ServiceAccount } from '../../api/cluster.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { isProblem } from '../../api/problem.ts';
import { annotationKeys, EKS_WEBHOOK, type Webhook } from '../../api/webhook.ts';
import { quote } from '../../trust/document/quote.ts';
import type { Authorization } from '../authorization/authorize.ts';
import { accountReached, providerRegistered } from '../binding/checks.ts';
import { consentTo } from '../role/consent.ts';
import { planRole } from '../role/plan.ts';
import { parseRoleAnnotation } from '../service-account/annotations.ts';
import type { ClusterView } from '../state/identity.ts';
import type { ProviderView } from '../state/oidc-provider.ts';
import type { Reach } from '../state/reach.ts';
import type { RoleRecord } from '../state/role-record.ts';
import type { Verdict } from '../state/verdict.ts';

/** A ServiceAccount that no binding names, and what its audit rests on; nothing is asked for it. */
export interface AuditObserved {
  readonly now: number;
  readonly serviceAccount: ServiceAccount;
  /** What its annotations amount to, and whether that is authorized. */
  readonly binding: IrsaBinding | undefined;
  readonly authorization: Authorization | undefined;
  /** The other ARN of the role, where a grant covers that too. */
  readonly knownAs: RoleArn | undefined;
  readonly cluster: ClusterView;
  readonly reachOf: (role: RoleArn) => Reach;
  readonly role: RoleRecord | undefined;
  readonly provider: ProviderView | undefined;
  /** Of EKS unless it is said otherwise. */
  readonly webhook?: Webhook;
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
export function roleAnnotation({ annotations }: ServiceAccount, webhook: Webhook = EKS_WEBHOOK): string | undefined {
  return annotations[annotationKeys(webhook).roleArn] || undefined;
}

/** Whether there is anything to audit. */
export function asksForRole(account: ServiceAccount, webhook: Webhook = EKS_WEBHOOK): boolean {
  return roleAnnotation(account, webhook) !== undefined || account.misspelt.length > 0;
}

/** The binding that its annotations amount to, one that only looks; undefined where they amount to none. */
export function declaredBy(account: ServiceAccount, webhook: Webhook = EKS_WEBHOOK): IrsaBinding | undefined {
  const { namespace, name, uid, annotations } = account;
  const spec = parseBindingSpec({
    serviceAccountName: name,
    roleArn: roleAnnotation(account, webhook),
    audience: annotations[annotationKeys(webhook).audience] || webhook.tokenAudience,
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
 * What a binding might be granted in its place. A grant that asks for role tags covers it only where the tags are known, from reads for bindings:
 * without the consent of the role's owner nobody learns of a role by annotating.
 */
function withConsent({ binding, authorization, role }: AuditObserved): Granted | undefined {
  if (binding === undefined || authorization === undefined || authorization.kind === 'refused') return undefined;
  return consentTo(binding, authorization, role) === 'given' ? authorization : undefined;
}

/** Covered by a grant: judged as a binding is. Not covered: only what the ServiceAccount itself shows. */
export function audit(seen: AuditObserved): Found {
  const { serviceAccount, binding, webhook = EKS_WEBHOOK } = seen;
  const mistakes = misspeltAnnotations(serviceAccount, webhook);
  const value = roleAnnotation(serviceAccount, webhook);
  // Its pods get no credentials, which is certain without a look at AWS.
  if (value === undefined) return { role: undefined, trusted: mistakes.length > 0 ? false : undefined, findings: mistakes, pending: false };
  const parsed = parseRoleAnnotation(value);
  if (isProblem(parsed)) {
    const text = `annotation ${annotationKeys(webhook).roleArn}: ${parsed.problem}`;
    return { role: undefined, trusted: false, findings: [finding('AnnotationMalformed', text), ...mistakes], pending: false };
  }
  const authorization = withConsent(seen);
  if (authorization === undefined || binding === undefined)
    return { role: undefined, trusted: undefined, findings: mistakes, pending: false };
  const judged = judge({ ...seen, binding, authorization });
  return { ...judged, role: authorization.spec.roleArn, findings: [...judged.findings, ...mistakes] };
}

/** Keys of annotations that are meant to name a role, and do not. */
export const misspeltAnnotations = (account: ServiceAccount, webhook: Webhook = EKS_WEBHOOK): Finding[] =>
  account.misspelt.map((key) => misspelt(account, key, webhook));

function misspelt({ annotations }: ServiceAccount, key: string, webhook: Webhook): Finding {
  const { roleArn } = annotationKeys(webhook);
  const standing = annotations[roleArn] ? 'Remove it' : 'Rename it, and restart the pods';
  return finding('AnnotationKeyMisspelt', `the webhook does not read the annotation ${quote(key)}. Wanted: "${roleArn}". ${standing}`);
}

type Judged = Omit<Found, 'role'>;
type Granted = Extract<Authorization, { kind: 'granted' }>;
type AuthorizedAudit = AuditObserved & { readonly binding: IrsaBinding; readonly authorization: Granted };

const pending: Judged = { trusted: undefined, findings: [], pending: true };

function judge(seen: AuthorizedAudit): Judged {
  const { cluster, authorization } = seen;
  if (cluster.kind === 'unknown') return pending;
  const scope = { seen, spec: authorization.spec };
  const violation = accountReached(scope) ?? providerRegistered(scope);
  if (violation?.pending) return pending;
  if (violation !== undefined)
    return { trusted: violation.status === 'False' ? false : undefined, findings: violation.findings, pending: false };
  const verdict = verdictOn(seen);
  return verdict === undefined || verdict.kind === 'released' ? pending : judgedBy(verdict);
}

/** What the answer for one binding that only looks rests on. */
type Asked = Pick<AuthorizedAudit, 'now' | 'binding' | 'authorization' | 'knownAs' | 'role' | 'cluster' | 'reachOf' | 'provider'>;

/** The very plan that is made for bindings, of which only the answer is taken. */
export function verdictOn({ now, binding, authorization, knownAs, role, cluster, reachOf, provider }: Asked): Verdict | undefined {
  const bindings = [{ binding, authorization, knownAs }];
  const arn = authorization.spec.roleArn;
  const { verdicts } = planRole({
    now,
    arn,
    bindings,
    record: role,
    cluster,
    reach: reachOf(arn),
    provider,
    losses: [],
  });
  return verdicts[0]?.[1];
}

function judgedBy(verdict: Exclude<Verdict, { kind: 'released' }>): Judged {
  // Whom else our statement names is a matter of the bindings of the role, none of which was looked at here.
  const findings = verdict.findings.filter(({ code }) => code !== 'TrustOrphaned');
  // What IAM does not let us read says nothing about the trust.
  const unknown = verdict.kind === 'unknown' || (verdict.kind === 'refused' && !verdict.terminal);
  return { trusted: unknown ? undefined : verdict.kind === 'allowed', findings, pending: false };
}

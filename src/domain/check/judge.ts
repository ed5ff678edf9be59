import { roleArnParts, sharesAccount } from '../../api/arn.ts';
import type { Pod } from '../../api/cluster.ts';
import { type Finding, type FindingCode, finding } from '../../api/finding.ts';
import { issuerHostPath } from '../../api/issuer.ts';
import { STS_AUDIENCE } from '../../api/names.ts';
import { isProblem } from '../../api/problem.ts';
import { annotationKeys } from '../../api/webhook.ts';
import { misspeltAnnotations, roleAnnotation } from '../audit/audit.ts';
import { hasAccessKey } from '../pods/static-credentials.ts';
import { onlyAwsMayChange } from '../role/plan.ts';
import { parseRoleAnnotation } from '../service-account/annotations.ts';
import { isViolation } from '../status/conditions.ts';
import { bindingFinding, boundRole, enforcedBy } from './bound.ts';
import { type Engine, engineFor, valueIn } from './engine.ts';
import { type CheckSeen, type Unread, unread } from './seen.ts';
import { wasInjected, webhookFinding } from './webhook.ts';
import { forPerson } from './wording.ts';

export const STEP_NAMES = ['ServiceAccount', 'Annotation', 'Webhook', 'OIDC provider', 'Trust policy', 'Pods'] as const;
/** `Binding` is a step only where files have one. */
export type StepName = (typeof STEP_NAMES)[number] | 'Binding';

/** Why a finding does not count, although it is there: the person who checks says so, or it was there before. */
export type Accepted = { readonly by: 'ignore'; readonly reason: string } | { readonly by: 'baseline' };

export interface CheckFinding extends Finding {
  readonly accepted?: Accepted;
}

/**
 * One step of the checklist. `unread`: it could not be looked at. `skipped`: there is nothing to look at before an earlier step is mended.
 * `accepted`: it fails by nothing but findings that are.
 */
export interface CheckStep {
  readonly name: StepName;
  readonly state: 'ok' | 'fail' | 'unread' | 'skipped' | 'accepted';
  /** One line: what was seen, or why nothing was. */
  readonly text: string;
  /** What is wrong, the most telling first. Whatever its severity for an operator, it keeps the pod from its role. */
  readonly findings: readonly CheckFinding[];
}

export interface Check {
  readonly steps: readonly CheckStep[];
  /** What is worth a word, and keeps no pod from its role. */
  readonly notes: readonly CheckFinding[];
  /** Undefined where no role is named that could be looked at. */
  readonly engine: Engine | undefined;
}

/** 0: it works. 1: a step fails for certain. 2: a step that could not be read may. */
export function exitCodeOf({ steps, notes }: Check, failOn: 'Warning' | 'Error'): 0 | 1 | 2 {
  if (steps.some(({ state }) => state === 'fail')) return 1;
  if (steps.some(({ state }) => state === 'unread')) return 2;
  return failOn === 'Warning' && notes.some(({ accepted }) => accepted === undefined) ? 1 : 0;
}

/** The checklist of one ServiceAccount, each step for itself: what comes after a failure is told as well. Pure. */
export function judge(seen: CheckSeen): Check {
  const account = valueIn(seen.serviceAccount);
  const annotation = account === undefined ? undefined : roleAnnotation(account, seen.webhook);
  const named = boundRole(seen.bound) ?? seen.roleArn ?? (annotation === undefined ? undefined : parseRoleAnnotation(annotation));
  const built = named === undefined || isProblem(named) ? undefined : engineFor(seen, named);
  const engine = built === undefined || isProblem(built) ? undefined : built;
  const steps = [
    ...bindingStep(seen),
    serviceAccountStep(seen),
    annotationStep(seen, engine),
    webhookStep(seen),
    providerStep(seen, engine),
    trustStep(seen, engine),
    podsStep(seen, engine),
  ];
  return { steps, notes: notesOf(seen, engine, steps).map(forPerson), engine };
}

const ok = (name: StepName, text: string): CheckStep => ({ name, state: 'ok', text, findings: [] });
const notRead = (name: StepName, { why, outside }: Unread): CheckStep =>
  outside === true ? skipped(name, why) : { name, state: 'unread', text: `not read: ${why}`, findings: [] };
const skipped = (name: StepName, text: string): CheckStep => ({ name, state: 'skipped', text, findings: [] });
const failed = (name: StepName, found: readonly Finding[]): CheckStep => {
  const findings = found.map(forPerson);
  return { name, state: 'fail', text: findings[0]?.message ?? '', findings };
};

function bindingStep(seen: CheckSeen): CheckStep[] {
  const { bound } = seen;
  if (bound === undefined) return [];
  const found = bindingFinding(seen, bound);
  const { name } = bound.binding.metadata;
  if (found === 'unknown')
    return [
      skipped('Binding', `no file has the labels of namespace "${seen.of.namespace}", which decide whether a grant covers "${name}"`),
    ];
  return [found === undefined ? ok('Binding', name) : failed('Binding', [found])];
}

function serviceAccountStep({ serviceAccount, of }: CheckSeen): CheckStep {
  if (serviceAccount.kind === 'unread') return notRead('ServiceAccount', serviceAccount);
  if (serviceAccount.value !== undefined) return ok('ServiceAccount', of.name);
  const text = `ServiceAccount "${of.name}" does not exist in namespace "${of.namespace}". Create it, or correct serviceAccountName of the workload`;
  return failed('ServiceAccount', [finding('ServiceAccountMissing', text)]);
}

function annotationStep(seen: CheckSeen, engine: Engine | undefined): CheckStep {
  const { serviceAccount, webhook } = seen;
  if (serviceAccount.kind === 'unread') return notRead('Annotation', serviceAccount);
  const account = serviceAccount.value;
  if (account === undefined) return skipped('Annotation', 'there is no ServiceAccount');
  const misspelt = misspeltAnnotations(account, webhook);
  const value = roleAnnotation(account, webhook);
  if (value === undefined && misspelt.length > 0) return failed('Annotation', misspelt);
  if (engine === undefined) {
    const { roleArn } = annotationKeys(webhook);
    const parsed = value === undefined ? undefined : parseRoleAnnotation(value);
    if (isProblem(parsed))
      return failed('Annotation', [
        finding('AnnotationMalformed', `ServiceAccount "${account.name}": annotation ${roleArn}: ${parsed.problem}`),
      ]);
    const text = `ServiceAccount "${account.name}" has no annotation ${roleArn}, so its pods get no role. ${proposal(seen)}`;
    return failed('Annotation', [finding('AnnotationMissing', text)]);
  }
  const assessed = engine.assess('Annotated');
  const { path, name } = roleArnParts(engine.spec.roleArn);
  if (enforcedBy(seen) !== undefined) return ok('Annotation', `role${path}${name}, as irsa-operator will write it`);
  if (isViolation(assessed)) return failed('Annotation', assessed.findings);
  return ok('Annotation', `role${path}${name}`);
}

function proposal({ trusting }: CheckSeen): string {
  if (trusting.length === 0) return 'Which role it needs is not known. Name it with --role-arn to check the rest';
  return `The trust policy of ${trusting.map((arn) => `"${arn}"`).join(', ')} allows it. If that is the role, name it with --role-arn`;
}

function webhookStep({ webhooks, namespace, pods }: CheckSeen): CheckStep {
  const living = (valueIn(pods) ?? []).filter(({ finished }) => !finished);
  const unread = [webhooks, namespace].find((looked) => looked.kind === 'unread');
  if (unread !== undefined && wasInjected(living)) return ok('Webhook', 'injects the role into these pods');
  if (webhooks.kind === 'unread') return notRead('Webhook', webhooks);
  if (namespace.kind === 'unread') return notRead('Webhook', namespace);
  if (namespace.value === undefined) return skipped('Webhook', 'there is no namespace');
  const found = webhookFinding(webhooks.value, namespace.value, living);
  return found === undefined
    ? ok('Webhook', `selects ${living.length === 0 ? 'this namespace' : 'these pods'}`)
    : failed('Webhook', [found]);
}

const NO_ROLE = 'no role is named';
/** By a label or an annotation of their own, pods are not injected. */
const SKIPPED: ReadonlySet<FindingCode> = new Set(['WebhookSkipped', 'ContainerSkipped']);

function providerStep(seen: CheckSeen, engine: Engine | undefined): CheckStep {
  const name = 'OIDC provider';
  const { cluster, caller, provider, notPublic } = seen;
  if (engine === undefined) return skipped(name, NO_ROLE);
  const authorized = engine.assess('Authorized');
  if (isViolation(authorized)) return failed(name, authorized.findings);
  if (caller.kind === 'unread' && caller.outside === true) return notRead(name, caller);
  if (notPublic === undefined && cluster.kind === 'unread') return notRead(name, cluster);
  if (notPublic === undefined) {
    const missing = notReadInAws(seen, engine);
    if (missing !== undefined) return notRead(name, missing);
    if (provider.kind === 'unread') return notRead(name, provider);
    if (provider.value.kind === 'unreadable') return notRead(name, provider.value);
  }
  const assessed = engine.assess('ProviderReady');
  if (isViolation(assessed)) return failed(name, assessed.findings);
  const from = seen.issuerIsDerived ? ' (by the address of the API server)' : '';
  return ok(name, caller.kind === 'read' && cluster.kind === 'read' ? `${issuerHostPath(cluster.value.issuer)}${from}` : assessed.message);
}

/** What was asked is one account, and the role may be in another. */
function notReadInAws({ caller, podsAreToCome }: CheckSeen, { spec: { roleArn } }: Engine): Unread | undefined {
  if (caller.kind === 'unread') return caller;
  if (sharesAccount(roleArn, caller.value.arn)) return undefined;
  const { account } = roleArnParts(roleArn);
  const found = `the role is in account ${account}, and`;
  if (podsAreToCome) return unread(`${found} the files of --iam are of account ${caller.value.account}`, true);
  return unread(`${found} these credentials are of account ${caller.value.account}. Use --profile for one of account ${account}`);
}

function trustStep(seen: CheckSeen, engine: Engine | undefined): CheckStep {
  const name = 'Trust policy';
  const { role, cluster } = seen;
  if (engine === undefined) return skipped(name, NO_ROLE);
  const missing = notReadInAws(seen, engine);
  if (missing !== undefined) return notRead(name, missing);
  if (role.kind === 'unread') return notRead(name, role);
  if (role.value.state.kind === 'unreadable') return notRead(name, role.value.state);
  if (cluster.kind === 'unread') return seen.notPublic === undefined ? notRead(name, cluster) : skipped(name, 'AWS knows no such issuer');
  if (isViolation(engine.assess('Authorized'))) return skipped(name, 'the audience is not one that AWS may see');
  const assessed = engine.assess('Trusted');
  if (!isViolation(assessed)) return ok(name, allowedBy(assessed.message));
  if (enforcedBy(seen)?.trustPolicy === 'Managed' && engine.verdict?.kind === 'refused' && engine.verdict.wouldWrite !== undefined)
    return ok(name, 'irsa-operator will add a statement for this ServiceAccount');
  if (assessed.status === 'Unknown') return { ...notRead(name, { why: assessed.message }), text: assessed.message };
  // Why no command is printed for it.
  const unmodifiable = onlyAwsMayChange(engine.spec.roleArn);
  return failed(name, unmodifiable === undefined ? assessed.findings : [...assessed.findings, unmodifiable]);
}

const allowedBy = (message: string): string =>
  message.replace(/^(a foreign statement|the statement of irsa-operator) allows/, 'a statement allows');

function podsStep(seen: CheckSeen, engine: Engine | undefined): CheckStep {
  const name = 'Pods';
  const { pods, of, serviceAccount } = seen;
  if (pods.kind === 'unread') return notRead(name, pods);
  const living = pods.value.filter(({ finished }) => !finished);
  if (engine === undefined) {
    if (serviceAccount.kind === 'unread') return notRead(name, serviceAccount);
    return skipped(name, `${living.length} run as ServiceAccount "${of.name}"`);
  }
  const assessed = engine.assess('PodsCurrent');
  const found = isViolation(assessed) ? assessed.findings : [];
  const replaced = engine.podNotes.filter((one) => replacesRole(one, living) || keepsFromAll(one, living));
  // What is wrong comes before why no restart helps.
  const wrong = [...found, ...replaced].toSorted((a, b) => Number(a.code === 'PodNotRestartable') - Number(b.code === 'PodNotRestartable'));
  if (wrong.length > 0) return failed(name, wrong);
  if (!seen.podsAreToCome) return ok(name, assessed.message);
  return living.length === 0
    ? skipped(name, `no file has pods of ServiceAccount "${of.name}"`)
    : ok(name, 'will get the role, by their templates');
}

/** Other credentials that every SDK takes before the role. */
function replacesRole({ code }: Finding, living: readonly Pod[]): boolean {
  if (code === 'PodIdentityShadowsIrsa') return true;
  const haveKeys = living.some(({ containers }) => containers.some(({ env }) => hasAccessKey(env)));
  return code === 'PodStaticCredentials' && haveKeys;
}

/** To leave out one workload of many may be meant. Where none of the pods has the role it is why. */
function keepsFromAll({ code }: Finding, living: readonly Pod[]): boolean {
  return SKIPPED.has(code) && !wasInjected(living.filter(({ deleting }) => !deleting));
}

/** Whom else the statement of an operator names is a matter of its bindings, none of which is read here. */
const OF_BINDINGS: ReadonlySet<FindingCode> = new Set(['TrustOrphaned', 'TrustUngranted', 'TrustRevocationBlocked']);

/** What an operator would report beside what stops it. */
function notesOf(seen: CheckSeen, engine: Engine | undefined, steps: readonly CheckStep[]): Finding[] {
  const account = valueIn(seen.serviceAccount);
  const misspelt = account === undefined ? [] : misspeltAnnotations(account, seen.webhook);
  const tokenAudience = engine?.tokenAudience ?? seen.webhook.tokenAudience;
  const audience =
    tokenAudience === STS_AUDIENCE
      ? []
      : [
          finding(
            'WebhookDefaultAudience',
            `the webhook of this cluster gives pods tokens for "${tokenAudience}" where no annotation names an audience. STS expects "${STS_AUDIENCE}" unless the OIDC provider and the trust policy name the other one`,
          ),
        ];
  const told = new Set(steps.flatMap(({ findings }) => findings.map(({ code }) => code)));
  // What has no sentence of its own is what stops an operator: the steps say it.
  const reported = (engine?.findings() ?? []).filter(({ code, message }) => message !== '' && !OF_BINDINGS.has(code));
  const all = [...reported, ...(engine?.podNotes ?? []), ...misspelt, ...audience].filter(({ code }) => mayBeSaid(code, seen));
  return all.filter(({ code }, at) => !told.has(code) && all.findIndex((other) => other.code === code) === at);
}

/** That nothing runs as the ServiceAccount is known only where all that may run was read. */
function mayBeSaid(code: FindingCode, { pods, workloads, batchWorkloads }: CheckSeen): boolean {
  return code !== 'WorkloadUsesOtherServiceAccount' || [pods, workloads, batchWorkloads].every(({ kind }) => kind === 'read');
}

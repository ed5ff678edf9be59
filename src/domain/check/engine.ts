import { parseRoleArn, type RoleArn, roleArnParts } from '../../api/arn.ts';
import { type BindingSpec, type IrsaBinding, parseBindingSpec } from '../../api/binding.ts';
import type { Pod } from '../../api/cluster.ts';
import type { Assessment, StepCondition } from '../../api/condition.ts';
import type { Finding } from '../../api/finding.ts';
import { type IrsaGrant, parseGrantSpec } from '../../api/grant.ts';
import { isProblem, type Problem } from '../../api/problem.ts';
import { annotationKeys } from '../../api/webhook.ts';
import { verdictOn } from '../audit/audit.ts';
import { authorize } from '../authorization/authorize.ts';
import { GrantIndex } from '../authorization/grant-index.ts';
import { type Scope, STAGES } from '../binding/checks.ts';
import type { Observed } from '../binding/observed.ts';
import { planBinding } from '../binding/plan.ts';
import { madePod } from '../pods/made-pod.ts';
import { assessPods } from '../pods/pods-current.ts';
import { webhookAudience } from '../pods/webhook-audience.ts';
import { workloadOf } from '../pods/workload-of.ts';
import { reachedAs } from '../state/account.ts';
import { NO_CONTENTION } from '../state/contention.ts';
import type { CallerView, ClusterView } from '../state/identity.ts';
import { type Reach, reachOf as reachFrom } from '../state/reach.ts';
import type { RoleRecord } from '../state/role-record.ts';
import type { Verdict } from '../state/verdict.ts';
import type { Violation } from '../status/conditions.ts';
import { verifying } from '../verification/verified.ts';
import type { CheckSeen, Looked } from './seen.ts';

/**
 * A binding that only looks, for the ServiceAccount and the role that are meant, with a grant for exactly that: then the stages of a reconcile
 * judge it, and say what an operator would say of it.
 */
export interface Engine {
  readonly spec: BindingSpec;
  assess(step: StepCondition): Violation | Assessment;
  /** What an operator would report of such a binding. Complete only where all could be read. */
  findings(): readonly Finding[];
  /** What is said of the pods, whatever the steps before them say. */
  readonly podNotes: readonly Finding[];
  readonly verdict: Verdict | undefined;
  /** What the webhook gives where no annotation names an audience, as the pods show it. */
  readonly tokenAudience: string;
}

const UNKNOWN_CLUSTER: ClusterView = { kind: 'unknown', why: '' };
const UNKNOWN_CALLER: CallerView = { kind: 'unknown', why: '' };

export function engineFor(seen: CheckSeen, roleArn: string): Engine | Problem {
  const binding = observing(seen, roleArn);
  if (isProblem(binding)) return binding;
  const { spec } = binding;
  const [namespace, cluster, caller] = [
    valueIn(seen.namespace) ?? { name: seen.of.namespace, labels: {} },
    valueIn(seen.cluster) ??
      (seen.notPublic === undefined ? UNKNOWN_CLUSTER : ({ kind: 'unknown', why: seen.notPublic, notPublic: true } as const)),
    valueIn(seen.caller) ?? UNKNOWN_CALLER,
  ];
  const authorization = authorize(binding, {
    grants: new GrantIndex([grantFor(binding.metadata.namespace, spec)]),
    namespace,
    contenders: [],
    // Whoever checks may well be the role.
    ownRoles: [],
    apiAudiences: cluster.kind === 'known' ? [...seen.apiAudiences, cluster.issuer] : seen.apiAudiences,
  });
  const role = valueIn(seen.role);
  const { now, quota } = seen;
  const reachOf = (arn: RoleArn): Reach =>
    reachFrom(arn, { caller, account: (account) => (caller.kind === 'known' ? reachedAs(caller, account, quota) : undefined) });
  const asked = { now, binding, knownAs: knownAs(role), role, cluster, reachOf, provider: valueIn(seen.provider) };
  const verdict = authorization.kind === 'refused' ? undefined : verdictOn({ ...asked, authorization });
  const given: Observed = {
    now: seen.now,
    binding,
    authorization,
    reachOf,
    cluster,
    competingBindings: () => [],
    winner: () => undefined,
    lossOf: () => undefined,
    isCovered: () => true,
    verdictOn: () => undefined,
    role,
    provider: valueIn(seen.provider),
    verdict,
    failureOf: () => undefined,
    serviceAccount: valueIn(seen.serviceAccount),
    contention: NO_CONTENTION,
    request: undefined,
    crdDeleting: false,
    pods: podsIn(seen, spec).map((pod) => withoutWordsToOperators(pod, seen)),
    workloads: valueIn(seen.workloads) ?? [],
    batchWorkloads: () => valueIn(seen.batchWorkloads) ?? [],
    serviceAccountExists: seen.serviceAccountExists,
    blocked: new Map(),
    webhook: seen.webhook,
    proof: undefined,
  };
  // What the pods show of the webhook is above what is usual.
  const tokenAudience = webhookAudience(given, spec) ?? seen.webhook.tokenAudience;
  const observed: Observed = { ...given, webhook: { ...seen.webhook, tokenAudience } };
  const scope: Scope = { seen: observed, spec, verifies: verifying(observed), pods: assessPods(observed, spec, false) };
  return {
    spec,
    verdict,
    tokenAudience,
    podNotes: scope.pods.notes,
    assess(step) {
      const stage = STAGES.find((one) => one.step === step);
      if (stage === undefined) throw new TypeError(`there is no stage "${step}"`);
      return stage.assess(scope);
    },
    findings: () => (planBinding(observed).status.findings ?? []).map(({ code, severity, message = '' }) => ({ code, severity, message })),
  };
}

/** Those of files are judged as the webhook will have made them. */
function podsIn({ pods, podsAreToCome, workloads, webhook }: CheckSeen, spec: BindingSpec): readonly Pod[] {
  const found = valueIn(pods) ?? [];
  if (!podsAreToCome) return found;
  return found.map((pod) => madePod(pod, workloadOf(pod, valueIn(workloads) ?? [])?.template, { ...spec, webhook }));
}

/** Annotations that keep an operator or an autoscaler from a pod keep no person from it. */
function withoutWordsToOperators(pod: Pod, { webhook: { annotationPrefix } }: CheckSeen): Pod {
  const ofWebhook = Object.entries(pod.annotations).filter(([key]) => key.startsWith(`${annotationPrefix}/`));
  return { ...pod, annotations: Object.fromEntries(ofWebhook) };
}

export const valueIn = <T>(looked: Looked<T>): T | undefined => (looked.kind === 'read' ? looked.value : undefined);

function observing({ of, serviceAccount, webhook, bound }: CheckSeen, roleArn: string): (IrsaBinding & { spec: BindingSpec }) | Problem {
  if (bound !== undefined) {
    const { metadata, spec, status } = bound.binding;
    return isProblem(spec)
      ? spec
      : { metadata, status, spec: { ...spec, mode: 'Observe', restart: { ...spec.restart, strategy: 'Never' } } };
  }
  const annotations = valueIn(serviceAccount)?.annotations ?? {};
  const specWith = (audience: string) =>
    parseBindingSpec({ serviceAccountName: of.name, roleArn, audience, mode: 'Observe', restart: { strategy: 'Never' } });
  const annotated = specWith(annotations[annotationKeys(webhook).audience] || webhook.tokenAudience);
  // An audience that can be none is a slip of the annotation. The rest is judged without it.
  const spec = isProblem(annotated) ? specWith(webhook.tokenAudience) : annotated;
  if (isProblem(spec)) return spec;
  const { namespace, name } = of;
  const identity = { namespace, name, uid: '', resourceVersion: '', generation: 0, createdAt: 0, deleting: false };
  return { metadata: { ...identity, finalizers: [], annotations: {} }, spec, status: { conditions: [] } };
}

/** One that allows exactly what is asked. */
export function grantFor(namespace: string, { roleArn, serviceAccountName, audience }: BindingSpec): IrsaGrant {
  const whole = {
    roleArns: [globFor(roleArn)],
    namespaces: { names: [namespace] },
    serviceAccountNames: [serviceAccountName],
    audiences: [audience],
  };
  return { name: 'check', uid: '', generation: 0, spec: parseGrantSpec(whole), revocationConfirmedAt: undefined };
}

/** A path may have any sign of ASCII, and a grant names only the usual ones. */
function globFor(role: RoleArn): string {
  const { partition, account, path, name } = roleArnParts(role);
  return `arn:${partition}:iam::${account}:role${path.replaceAll(/[^A-Za-z0-9+=,.@_/-]/g, '*')}${name}`;
}

/** The other ARN under which IAM has a role of that name: a person may know of it. */
function knownAs(record: RoleRecord | undefined): RoleArn | undefined {
  const found = record?.state.kind === 'missing' ? record.state.foundAs : undefined;
  const arn = found === undefined ? undefined : parseRoleArn(found.arn);
  return isProblem(arn) ? undefined : arn;
}

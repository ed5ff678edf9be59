import { type RoleArn, roleArnParts } from '../../api/arn.ts';
import { assertNever } from '../../api/assert-never.ts';
import type { BindingSpec, RoleEntry } from '../../api/binding.ts';
import { type Assessment, conditionOf, type StepCondition, timestamp } from '../../api/condition.ts';
import { type Finding, finding } from '../../api/finding.ts';
import { quoteAll } from '../../trust/document/quote.ts';
import { nearlyNamesAudience } from '../../trust/evaluate/near.ts';
import { isEnforcing } from '../authorization/authorize.ts';
import { grantedBy } from '../authorization/granted-by.ts';
import type { PodsAssessment } from '../pods/pods-current.ts';
import { consentTo } from '../role/consent.ts';
import { annotationsAreOurs, refusedExpiration, wrongAnnotations } from '../service-account/annotations.ts';
import { annotationContended } from '../service-account/contention.ts';
import { contentionLevel } from '../state/contention.ts';
import type { ProviderView } from '../state/oidc-provider.ts';
import { entryFor } from '../state/role-entry.ts';
import { isReleased, type Verdict } from '../state/verdict.ts';
import { isViolation, type Violation } from '../status/conditions.ts';
import { inProgress, provenAt, refusedBySts, unproven, type Verifying, verifiedAs } from '../verification/verified.ts';
import type { Observed } from './observed.ts';

/** What a check looks at: the observation, the proof, and the state of the pods. */
export interface Scope {
  readonly seen: Observed;
  readonly spec: BindingSpec;
  readonly pods: PodsAssessment;
  readonly verifies: Verifying;
}

type Check = (scope: Scope) => Violation | undefined;

/** One step of a reconcile: what does not hold, or what to say when all does. */
export interface Stage {
  readonly step: StepCondition;
  /** Undefined: each binding has this step. */
  readonly when?: (scope: Scope) => boolean;
  readonly assess: (scope: Scope) => Violation | Assessment;
}

const refused = (step: StepCondition, found: Finding, terminal = true): Violation => ({
  step,
  status: 'False',
  reason: found.code,
  message: found.message,
  terminal,
  findings: [found],
});
const open = (step: StepCondition, reason: string, message: string, terminal = false): Violation => ({
  step,
  status: 'Unknown',
  reason,
  message,
  terminal,
  findings: [],
});
/** The answer is not there yet; what was reported before stands until it comes. */
const pending = (step: StepCondition, message: string, failure: string | undefined): Violation => ({
  ...open(step, 'Pending', triedAgain(message, failure)),
  pending: failure === undefined ? 'asked' : 'failing',
});
export const triedAgain = (message: string, failure: string | undefined): string =>
  failure === undefined ? message : `${message}. The last attempt failed: ${failure}`;
const good = (reason: string, message: string): Assessment => ({ status: 'True', reason, message });

const authorized = ({ seen, spec }: Scope): Violation | Assessment => {
  const { authorization, verdict } = seen;
  if (authorization.kind === 'refused') return withLoss(refused('Authorized', authorization.finding), seen, spec);
  // A tag that the role lacks is found by the role controller, and must look like a missing grant.
  if (verdict?.kind === 'refused' && verdict.finding.code === 'NotGranted')
    return { ...refused('Authorized', verdict.finding), findings: verdict.findings };
  const { role, binding } = seen;
  const tags = role?.state.kind === 'present' ? role.state.tags?.values : undefined;
  return good('Granted', grantedBy(authorization.grants, tags, conditionOf(binding.status.conditions, 'Authorized')?.message));
};

/** What becomes of the trust that stands from the time when there was a grant. */
function withLoss(violation: Violation, seen: Observed, { roleArn: arn, audience }: BindingSpec): Violation {
  const { now } = seen;
  const loss = seen.lossOf({ arn, audience });
  // The status that says that it was revoked must not say in the same breath that it was not.
  if (loss === undefined || loss.revokedAt !== undefined || isReleased(seen.verdictOn({ arn, audience }))) return violation;
  const { findings, message } = violation;
  if (loss.paused !== undefined) {
    const { finding: why } = loss.paused;
    return { ...violation, message: `${message}. Its trust is kept. See the finding ${why.code}`, findings: [...findings, why] };
  }
  if (loss.dueAt === undefined) return violation;
  const due = timestamp(loss.dueAt);
  if (loss.dueAt > now) return { ...violation, message: `${message}. Its trust is revoked at ${due} unless a grant covers it by then` };
  // After a restart: its release was seen, and the role was not looked at yet.
  if (entryFor(seen.binding, { arn, audience }) === undefined && seen.verdictOn({ arn, audience }) === undefined) return violation;
  const waits = releaseWaitsFor(seen, { arn, audience });
  const since = `${message}. Its trust is to be revoked since ${due}. It is not revoked yet`;
  return { ...violation, message: `${since}: ${waits.message}`, findings: [...findings, ...waits.findings] };
}

/**
 * What keeps an own subject from being released from a role. The first checks are those of a binding that lives: nothing is written while
 * one of them does not hold, and a deletion or a revocation that waits for the same must say the same.
 */
export function releaseWaitsFor(seen: Observed, entry: Pick<RoleEntry, 'arn' | 'audience'>): Violation {
  const { arn } = entry;
  const early = roleReached(seen, arn) ?? issuerKnown({ seen });
  if (early !== undefined) return early;
  const verdict = seen.verdictOn(entry);
  if (verdict?.kind !== 'refused')
    return open(
      'Trusted',
      'Releasing',
      triedAgain(`removing the subject of this binding from the trust policy of "${arn}"`, seen.failureOf(arn)),
    );
  const { finding: found, findings } = verdict;
  return { ...open('Trusted', found.code, found.message), findings };
}

type EarlyCheck = (scope: Pick<Scope, 'seen'>) => Violation | undefined;

/** What the first checks look at; the audit of ServiceAccounts without a binding has no more. */
interface Early {
  readonly seen: Pick<Observed, 'reachOf' | 'cluster' | 'provider'> & Partial<Pick<Observed, 'failureOf'>>;
  readonly spec: BindingSpec;
}

export const accountReached = ({ seen, spec }: Early): Violation | undefined => roleReached(seen, spec.roleArn);

function roleReached({ reachOf }: Pick<Observed, 'reachOf'>, role: RoleArn): Violation | undefined {
  const reach = reachOf(role);
  switch (reach.kind) {
    case 'reached':
      return undefined;
    // A restart while AWS is out: what was found before stands, and no cluster full of bindings turns Unknown for it.
    case 'unknown':
      return { ...open('ProviderReady', reach.reason, reach.message), pending: 'failing' };
    case 'refused':
      return { ...refused('ProviderReady', reach.finding), status: 'Unknown' };
  }
}

const issuerKnown: EarlyCheck = ({ seen: { cluster } }) => {
  if (cluster.kind === 'known') return undefined;
  if (cluster.notPublic) return refused('ProviderReady', notPublic(cluster.why));
  const found = finding('IssuerUnknown', `the issuer of this cluster's tokens is unknown, so irsa-operator writes nothing: ${cluster.why}`);
  return { ...refused('ProviderReady', found, false), status: 'Unknown' };
};

/** Only the cluster's own administrator can mend it, and nothing in AWS can: so no word of registering it. */
function notPublic(why: string): Finding {
  const todo = 'Give the API server a public https URL as --service-account-issuer, and publish its discovery document and keys there';
  const other = 'If pods get tokens of another issuer, name it with --oidc-issuer of irsa-operator';
  return finding('IssuerNotPublic', `${why}. IAM can have no OIDC provider for it. ${todo}. ${other}`);
}

export const providerRegistered = ({ seen: { provider, cluster, failureOf }, spec }: Early): Violation | undefined => {
  if (cluster.kind === 'unknown') return undefined;
  const { account } = roleArnParts(spec.roleArn);
  if (provider === undefined)
    return pending('ProviderReady', `asking account ${account} for the OIDC provider of "${cluster.issuer}"`, failureOf?.(account));
  switch (provider.kind) {
    case 'unreadable':
      return open('ProviderReady', 'ProviderUnreadable', provider.why);
    case 'missing':
      return refused('ProviderReady', missingProvider(account, cluster.issuer, provider, spec.audience));
    case 'registered':
      if (provider.clientIds.includes(spec.audience)) return undefined;
      return refused('ProviderReady', missingAudience(provider.arn, cluster.issuer, provider.clientIds, spec.audience));
  }
};

type Missing = Extract<ProviderView, { kind: 'missing' }>;

function missingProvider(account: string, issuer: string, { similar, notCreated }: Missing, audience: string): Finding {
  const byHand = `Register it: aws iam create-open-id-connect-provider --url ${issuer} --client-id-list ${audience}`;
  const todo = notCreated === undefined ? byHand : `irsa-operator could not register it (${notCreated}). ${byHand}`;
  if (similar.length === 0)
    return finding('OidcProviderMissing', `account ${account} has no OIDC provider for this cluster's issuer "${issuer}". ${todo}`);
  const found = similar.map((url) => `"https://${url}"`).join(', ');
  return finding(
    'OidcProviderUrlMismatch',
    `account ${account} has an OIDC provider for ${found}, but none for this cluster's issuer "${issuer}". ${todo}`,
  );
}

function missingAudience(arn: string, issuer: string, clientIds: readonly string[], audience: string): Finding {
  const near = clientIds.filter((id) => nearlyNamesAudience(id, audience));
  const none = clientIds.length === 0 ? 'no client ID' : 'no client ID that is similar to the audience of this binding';
  const found = near.length === 0 ? none : `the client IDs ${quoteAll(near)}`;
  const todo = `aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn ${arn} --client-id ${audience}`;
  return finding('OidcProviderAudienceMissing', `the OIDC provider for "${issuer}" has ${found}. Wanted: "${audience}". Add it: ${todo}`);
}

/** What a call about the role met with is an answer too: that one was tried at all may tell that there is a role. */
function roleFailure({ authorization, binding, role, failureOf }: Observed, spec: BindingSpec): string | undefined {
  return consentTo(binding, authorization, role) === 'given' ? failureOf(spec.roleArn) : undefined;
}

const trusted = ({ seen, spec, verifies }: Scope): Violation | Assessment => {
  const { verdict } = seen;
  if (verdict === undefined || verdict.kind === 'released')
    return pending('Trusted', `reading the trust policy of "${spec.roleArn}"`, roleFailure(seen, spec));
  switch (verdict.kind) {
    case 'allowed':
      return good(verdict.managedBy === 'Operator' ? 'AllowedByOperator' : 'AllowedByOthers', verdict.message);
    case 'unknown':
      return undecided(verdict, verifies);
    case 'refused': {
      const { finding: found, findings, terminal } = verdict;
      const message = terminal ? found.message : triedAgain(found.message, roleFailure(seen, spec));
      return { ...refused('Trusted', found, terminal), message, findings };
    }
    default:
      return assertNever(verdict);
  }
};

/** The trust policy leaves it open: where it may be asked, STS decides, and nothing goes on before. */
function undecided({ message, findings }: Extract<Verdict, { kind: 'unknown' }>, verifies: Verifying): Violation | Assessment {
  if (provenAt(verifies) !== undefined) return good('Proved', `STS accepted the token. The trust policy alone leaves it open: ${message}`);
  const refusal = refusedBySts(verifies);
  if (refusal !== undefined) return { ...refusal, step: 'Trusted', findings: [...refusal.findings, ...findings] };
  const { proof } = verifies;
  if (proof === undefined || proof.outcome?.kind === 'noToken') return { ...open('Trusted', 'Undecidable', message, true), findings };
  return { ...open('Trusted', 'Undecidable', `${message}. ${inProgress(proof)}`), findings };
}

const annotated = ({ seen, spec }: Scope): Violation | Assessment => {
  const { serviceAccount, contention, now, authorization, binding } = seen;
  if (serviceAccount === undefined) {
    const message = `ServiceAccount "${spec.serviceAccountName}" does not exist yet. irsa-operator annotates it when it is created`;
    return { status: 'Unknown', reason: 'AwaitingServiceAccount', message };
  }
  const wrong = wrongAnnotations(serviceAccount.annotations, spec, seen.webhook);
  const [first] = wrong;
  // Only the two writers can end it.
  if (first !== undefined && contentionLevel(contention, now) === 'contended') {
    const found = annotationContended(contention, spec, serviceAccount, seen.webhook);
    return { ...refused('Annotated', found), findings: [found, ...wrong] };
  }
  if (first !== undefined) return { ...refused('Annotated', first, false), findings: wrong };
  // Its next pod could not be created, so none is restarted.
  const barring = refusedExpiration(serviceAccount, spec, seen.webhook);
  if (barring !== undefined) return refused('Annotated', barring);
  const carries = `ServiceAccount "${spec.serviceAccountName}" has the role "${spec.roleArn}"`;
  // Where we act, what is right and not yet ours is applied in this very round: to say both would be to report twice.
  const acts = authorization.kind === 'granted' && isEnforcing(binding);
  if (acts || annotationsAreOurs(serviceAccount, spec, seen.webhook)) return good('Annotated', carries);
  return good('AnnotatedByOthers', `${carries} (set by another writer)`);
};

const PROVIDER_CHECKS: readonly Check[] = [accountReached, issuerKnown, providerRegistered];

const providerReady = (scope: Scope): Violation | Assessment =>
  firstViolation(PROVIDER_CHECKS, scope) ??
  good('Registered', `the account of the role has this cluster's OIDC provider, with the client ID "${scope.spec.audience}"`);

function firstViolation(checks: readonly Check[], scope: Scope): Violation | undefined {
  for (const check of checks) {
    const violation = check(scope);
    if (violation !== undefined) return violation;
  }
  return undefined;
}

/** In the order of the contract: the first step that fails stops the later ones. A new rule is one function, one place here, one row in the test. */
export const STAGES: readonly Stage[] = [
  { step: 'Authorized', assess: authorized },
  { step: 'ProviderReady', assess: providerReady },
  { step: 'Trusted', assess: trusted },
  { step: 'Annotated', assess: annotated },
  {
    step: 'Verified',
    when: ({ verifies }) => verifies.verification.kind !== 'none',
    assess: ({ verifies, spec }) => unproven(verifies) ?? verifiedAs(verifies, spec),
  },
  { step: 'PodsCurrent', assess: ({ pods }) => pods.violation ?? pods.assessment },
];

export type Held = Partial<Record<StepCondition, Assessment>>;

/** Each stage that holds, up to the first that does not. */
export function walk(scope: Scope): { held: Held; violation: Violation | undefined } {
  const held: Held = {};
  for (const { step, when, assess } of STAGES) {
    if (when?.(scope) === false) continue;
    const assessed = assess(scope);
    if (isViolation(assessed)) return { held, violation: assessed };
    held[step] = assessed;
  }
  return { held, violation: undefined };
}

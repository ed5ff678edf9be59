import { roleArnParts } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { keyOf } from '../../api/cluster.ts';
import { isProblem } from '../../api/problem.ts';
import { subjectOf } from '../../api/subject.ts';
import { authorize, isEnforcing, winnerOf } from '../../domain/authorization/authorize.ts';
import type { DueLoss } from '../../domain/authorization/loss.ts';
import type { Observed } from '../../domain/binding/observed.ts';
import type { Blocked } from '../../domain/pods/restart/attempt.ts';
import { type Contentions, NO_CONTENTION } from '../../domain/state/contention.ts';
import type { ReconcileRequest } from '../../domain/state/reconcile-request.ts';
import type { EntryKey } from '../../domain/state/role-entry.ts';
import { authorizationInput, batchWorkloadsFor, identityOf, lossOn, reachIn, verdictOn, workloadsIn } from '../observe.ts';
import { type Stores, serviceAccountOf } from '../stores.ts';

/** Everything that the decision about one binding rests on; no call leaves the process for it. */
export function gather(
  stores: Stores,
  binding: IrsaBinding,
  { blocked, contentions }: { readonly blocked: ReadonlyMap<string, Blocked>; readonly contentions: Contentions },
  now: number,
): Observed {
  const { metadata, spec } = binding;
  const [account] = serviceAccountOf(binding);
  const input = authorizationInput(stores, binding);
  const authorization = authorize(binding, input);
  // Its pods are the business of those that are evaluated.
  const isEvaluated = authorization.kind === 'granted' || authorization.evaluated !== false;
  const { cluster } = identityOf(stores);
  const serviceAccount = account === undefined ? undefined : stores.serviceAccounts.get(account);
  return {
    now,
    binding,
    reachOf: (role) => reachIn(stores, role),
    authorization,
    competingBindings: () => (account === undefined ? [] : stores.bindings.byIndex('serviceAccount', account)),
    winner: () => winnerOf(input),
    lossOf: (entry) => lossOf(stores, binding, entry, now),
    isCovered: ({ arn, audience }) =>
      isProblem(spec) ||
      !stores.settings.revokes ||
      input.grants.grantsFor({ ...spec, roleArn: arn, audience }, input.namespace).length > 0,
    crdDeleting: stores.definitions.list().some(({ deleting }) => deleting),
    cluster,
    role: isProblem(spec) ? undefined : stores.roles.get(spec.roleArn),
    provider: isProblem(spec) ? undefined : stores.providers.get(roleArnParts(spec.roleArn).account)?.view,
    verdict: isProblem(spec) ? undefined : verdictOn(stores, binding, { arn: spec.roleArn, audience: spec.audience }),
    verdictOn: (entry) => verdictOn(stores, binding, entry),
    failureOf: (of) => (stores.roleFailures.get(of) ?? stores.providerFailures.get(of))?.why,
    serviceAccount,
    // A binding that only observes contends with nobody.
    contention: serviceAccount === undefined || !isEnforcing(binding) ? NO_CONTENTION : contentions.of(serviceAccount.uid),
    request: requestOf(stores, binding),
    pods: account === undefined || !isEvaluated ? [] : stores.pods.byIndex('serviceAccount', account),
    workloads: isEvaluated ? workloadsIn(stores, metadata.namespace) : [],
    batchWorkloads: () => (isEvaluated ? batchWorkloadsFor(stores, binding) : []),
    serviceAccountExists: (name) => stores.serviceAccounts.has(keyOf({ namespace: metadata.namespace, name })),
    blocked,
    webhook: stores.settings.webhook,
    proof: stores.proofs.get(keyOf(metadata))?.proof,
  };
}

function lossOf(stores: Stores, { metadata, spec }: IrsaBinding, { arn, audience }: EntryKey, now: number): DueLoss | undefined {
  if (isProblem(spec)) return undefined;
  return lossOn(stores, { role: arn, subject: subjectOf(metadata.namespace, spec.serviceAccountName), audience }, now);
}

function requestOf(
  { reconcileRequests, roleRefreshes, providerRefreshes }: Stores,
  { metadata }: IrsaBinding,
): ReconcileRequest | undefined {
  const request = reconcileRequests.get(keyOf(metadata));
  if (request === undefined) return undefined;
  const { value, at, role } = request;
  const isRead = (asOf = Number.NEGATIVE_INFINITY) => asOf >= at;
  return {
    value,
    at,
    roleRead: role !== undefined && isRead(roleRefreshes.get(role)?.asOf),
    providerRead: role !== undefined && isRead(providerRefreshes.get(roleArnParts(role).account)?.asOf),
  };
}

import { isDeepStrictEqual } from 'node:util';
import { type AccountId, type RoleArn, roleArnParts } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { keyOf, type ObjectKey } from '../../api/cluster.ts';
import { conditionOf } from '../../api/condition.ts';
import { isProblem } from '../../api/problem.ts';
import type { Stepwise } from '../../api/stepwise.ts';
import { subjectKey, subjectOf } from '../../api/subject.ts';
import { planRoleStepwise, type RoleObserved, type RolePlan } from '../../domain/role/plan.ts';
import { questionKey } from '../../domain/state/question.ts';
import { isCurrentEntry } from '../../domain/state/role-entry.ts';
import { pendingIn, type RoleRecord } from '../../domain/state/role-record.ts';
import { type Attempt, type Controller, type Outcome, recheck, settled, wakeEvery, wakeMany, wakeOn } from '../../runtime/controller.ts';
import type { Urgency } from '../../runtime/queue.ts';
import { inSlices } from '../../runtime/slices.ts';
import { recordFailure } from '../failures.ts';
import { type AuditRecord, rolesOf, type Stores } from '../stores.ts';
import { namespacesOf } from '../tenants.ts';
import { gather } from './gather.ts';
import { mayHaveOwnTrust } from './own-trust.ts';
import { perform } from './perform.ts';
import type { RoleOptions } from './ports.ts';

/** So many times as long as a long plan took the role rests: thousands of bindings that change one by one are not as many plans of thousands. */
const REST = 4;
/** While the write waits for more bindings, each of them that comes is one more reason to plan, and decides nothing. */
const REST_WHILE_DEBOUNCED_MS = 1_000;

/** Keeps one role's trust policy in step with every binding that names it. The key is the role, so a burst of bindings is one write. */
export function roleController(options: RoleOptions): Controller<RoleArn> {
  const { stores, clock } = options;
  /** Monotonic milliseconds. */
  const restsUntil = new Map<RoleArn, number>();
  const everyRole = () => stores.bindings.list().flatMap(rolesOf);
  function* rolesIn({ account }: { readonly account: AccountId }): Generator<RoleArn> {
    for (const binding of stores.bindings.list()) yield* rolesOf(binding).filter((arn) => roleArnParts(arn).account === account);
  }
  return {
    name: 'role',
    tenantsOf: (arn) => namespacesOf(stores, arn),
    wakes: [
      wakeOn(stores.bindings, (binding) => rolesToPlanFor(stores, binding), { when: matters }),
      stores.competitions.wake((key) => rolesOfKey(stores, key)), // when a binding releases a ServiceAccount, another one for it may win
      wakeEvery(stores.grants, everyRole),
      wakeOn(stores.serviceAccounts, (account) => stores.bindings.byIndex('serviceAccount', keyOf(account)).flatMap(rolesOf), {
        when: () => false, // only whether it exists
      }),
      wakeOn(stores.fullGrants, ({ binding }) => stores.competitions.around(binding).flatMap((key) => rolesOfKey(stores, key))),
      wakeEvery(stores.namespaces, everyRole, { when: (previous, next) => !isDeepStrictEqual(previous.labels, next.labels) }),
      wakeOn(stores.roles, ({ arn }) => [arn], {
        // A list that shows a write of ours is news as well.
        when: (previous, next) =>
          !isDeepStrictEqual(withoutDebounce(previous), withoutDebounce(next)) ||
          (previous.asOf !== next.asOf && pendingIn(next) !== undefined),
        // What is read back goes on.
        urgency: (role) => (pendingIn(role) === undefined ? 'drift' : 'change'),
      }),
      wakeOn(stores.audits, (audit) => rolesNamedOnlyBy(stores, audit), { when: (previous, next) => previous.role !== next.role }),
      wakeMany(stores.providers, rolesIn),
      wakeMany(stores.accounts, rolesIn),
      wakeMany(stores.sweptAccounts, rolesIn),
      wakeOn(stores.reconcileRequests, ({ role }) => (role === undefined ? [] : [role]), {
        when: (previous, next) => previous.at !== next.at,
      }),
      wakeEvery(stores.identity, everyRole),
      wakeOn(stores.losses, ({ role }) => [role]),
      wakeOn(stores.revocationGuard, () => stores.losses.list().map(({ role }) => role)), // whether they are too many
    ],
    async reconcile(arn, signal, attempt) {
      const restMs = (restsUntil.get(arn) ?? Number.NEGATIVE_INFINITY) - clock.monotonic();
      if (restMs > 0) return recheck(restMs, 'the role was planned just now');
      restsUntil.delete(arn);
      const rests = (ms: number) => restsUntil.set(arn, clock.monotonic() + ms);
      const first = await round(options, arn, attempt, signal, rests);
      // What was read is planned with at once, also where it is unchanged: that a write still stands at this age is news.
      const next = first === 'read' ? await round(options, arn, attempt, signal, rests) : first;
      // A plan that is not content with a read just now will not be with the next one right after it.
      return next === 'read' ? recheck(0, 'the role was read') : next;
    },
  };
}

/** One plan and its steps; `read` is the only step of its plan. */
async function round(
  options: RoleOptions,
  arn: RoleArn,
  { log, urgency }: Attempt,
  signal: AbortSignal,
  rests: (ms: number) => void,
): Promise<Outcome | 'read'> {
  const { stores, owned, clock } = options;
  const began = clock.monotonic();
  const decided = inSlices(decide(options, gather(stores, arn, clock.now(), options.isUnderway), urgency), clock);
  // What is decided at once is in view at once: a binding that asked before would be told that it is pending, and written twice.
  const plan = decided instanceof Promise ? await decided : decided;
  if (decided instanceof Promise) rests(REST * (clock.monotonic() - began));
  else if (plan.steps.at(-1)?.do === 'debounce') rests(REST_WHILE_DEBOUNCED_MS);
  if (plan.steps.length > 0) log.debug({ steps: plan.steps.map((step) => step.do) }, 'planned');
  if (plan.steps.length === 0) owned.roleFailures.delete(arn); // the sweep had the answer
  for (const step of plan.steps) {
    const next = await recordFailure(owned.roleFailures, arn, () => perform(arn, step, options, log, signal, urgency));
    if (next === 'read' || next.kind === 'recheck') return next;
  }
  return plan.recheck === undefined ? settled : recheck(plan.recheck.inMs, plan.recheck.why);
}

/** A plan, and what it answers: where that is no long work, in the same moment, so that no binding asks in between. */
function* decide(options: RoleOptions, seen: RoleObserved, urgency: Urgency): Stepwise<RolePlan> {
  const plan = yield* planRoleStepwise(seen);
  countDrift(options, plan);
  yield* publish(options, seen.arn, plan, urgency);
  answerRequests(options, seen, plan);
  return plan;
}

/** How long a write waits for more bindings is the plan's own business, which comes back by itself. */
function withoutDebounce({ state }: RoleRecord): unknown {
  return state.kind === 'present' ? { ...state, writes: { ...state.writes, debounce: undefined } } : state;
}

/**
 * Of a binding only what decides about trust: a plan of the role looks at all of its bindings, so that a plan for each write of each of them
 * would be as many as the square of their number.
 */
function matters(previous: IrsaBinding, next: IrsaBinding): boolean {
  return !isDeepStrictEqual(trustRelevant(previous), trustRelevant(next));
}

function trustRelevant({ metadata, spec, status }: IrsaBinding): unknown {
  const entries = status.roles ?? [];
  const leaves = isProblem(spec) || entries.some((entry) => !isCurrentEntry(spec, entry));
  return [
    metadata.uid,
    metadata.generation,
    metadata.deleting,
    spec,
    entries,
    // Without an entry no trust stands that it could clean up.
    entries.length > 0 && metadata.finalizers,
    // The old trust goes when the new one works.
    leaves && conditionOf(status.conditions, 'Ready')?.status,
  ];
}

/** Also those that it is leaving. A binding that nobody evaluates, and that never had trust, is nothing to a role. */
function rolesToPlanFor({ competitions }: Stores, binding: IrsaBinding): RoleArn[] {
  return competitions.isEvaluated(binding) || binding.status.roles?.length ? rolesOf(binding) : [];
}

/** By the annotation of a ServiceAccount. What a binding of it names is planned for the binding. */
function rolesNamedOnlyBy({ bindings }: Stores, { account, role }: AuditRecord): RoleArn[] {
  const isBound = bindings.byIndex('serviceAccount', keyOf(account)).some((binding) => rolesOf(binding).some((arn) => arn === role));
  return role === undefined || isBound ? [] : [role];
}

function rolesOfKey({ bindings }: Stores, key: ObjectKey): RoleArn[] {
  const binding = bindings.get(key);
  return binding === undefined ? [] : rolesOf(binding);
}

/** Answers by question; what is not answered stays pending, and what no binding asks any more is forgotten. */
function* publish({ stores, owned }: RoleOptions, arn: RoleArn, plan: RolePlan, urgency: Urgency): Stepwise<void> {
  const { bindings, audits } = stores;
  const { verdicts, roles, roleRefreshes } = owned;
  for (const [question, verdict] of plan.verdicts) {
    if (!isDeepStrictEqual(verdicts.get(questionKey(question))?.verdict, verdict)) verdicts.put({ question, verdict, urgency });
    yield;
  }
  const bound = bindings.byIndex('role', arn);
  const asked = new Set(bound.flatMap((binding) => questionsOn(binding, arn)));
  for (const { question } of verdicts.byIndex('role', arn)) {
    if (!asked.has(subjectKey(question))) verdicts.delete(questionKey(question));
  }
  if (bound.length > 0) return;
  roleRefreshes.delete(arn);
  if (audits.byIndex('role', arn).length === 0 && !mayHaveOwnTrust(stores, roles.get(arn))) roles.delete(arn);
}

/** Subjects and audiences for which a binding names the role, or has an entry of it. */
function questionsOn({ metadata, spec, status }: IrsaBinding, arn: RoleArn): string[] {
  if (isProblem(spec)) return [];
  const subject = subjectOf(metadata.namespace, spec.serviceAccountName);
  const entries = (status.roles ?? []).filter((entry) => entry.arn === arn).map(({ audience }) => audience);
  const audiences = spec.roleArn === arn ? [spec.audience, ...entries] : entries;
  return audiences.map((audience) => subjectKey({ subject, audience }));
}

/** Says that the verdicts rest on a read of the role since a reconcile was requested. */
function answerRequests({ stores, owned: { roleRefreshes } }: RoleOptions, { arn, record }: RoleObserved, { steps }: RolePlan): void {
  const asOf = record?.asOf;
  if (asOf === undefined || steps.some((step) => step.do === 'read')) return;
  const answered = roleRefreshes.get(arn)?.asOf ?? Number.NEGATIVE_INFINITY;
  if (stores.reconcileRequests.byIndex('role', arn).some(({ at }) => at <= asOf && at > answered)) roleRefreshes.put({ of: arn, asOf });
}

/** Trust that was confirmed is gone. */
function countDrift({ stores, metrics }: RoleOptions, { verdicts }: RolePlan): void {
  const drifted = verdicts.some(
    ([question, verdict]) => verdict.kind === 'refused' && stores.verdicts.get(questionKey(question))?.verdict.kind === 'allowed',
  );
  if (drifted) metrics.drifted();
}

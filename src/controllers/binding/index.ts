import { isDeepStrictEqual } from 'node:util';
import { type AccountId, roleArnParts } from '../../api/arn.ts';
import type { BindingStatus, IrsaBinding } from '../../api/binding.ts';
import { type BatchWorkload, keyOf, type ObjectKey, type Pod, type Workload } from '../../api/cluster.ts';
import { conditionOf } from '../../api/condition.ts';
import { serviceAccountIn } from '../../api/subject.ts';
import { planBinding } from '../../domain/binding/plan.ts';
import type { Step } from '../../domain/binding/step.ts';
import { BLOCKED_RETRY_MS, type Blocked } from '../../domain/pods/restart/attempt.ts';
import type { RoleRecord } from '../../domain/state/role-record.ts';
import { type Controller, type Outcome, recheck, settled, wakeEvery, wakeMany, wakeOn } from '../../runtime/controller.ts';
import { rolesOf, serviceAccountOf } from '../stores.ts';
import { namespaceOf } from '../tenants.ts';
import { annotationContentions } from './contention.ts';
import { withDenial } from './denied.ts';
import { eventsFor } from './events.ts';
import { gather } from './gather.ts';
import { addFinalizer, type Performed, perform } from './perform.ts';
import type { BindingOptions } from './ports.ts';
import { ReconcileRequests } from './reconcile-requests.ts';
import { RestartExpectations } from './restart-expectations.ts';
import { nextReportAt } from './status-throttle.ts';
import { WriteExpectations } from './write-expectations.ts';

/** A watch shows a write, ours or another's, within milliseconds; one that is silent is reconnected by the reflector. */
const UNSEEN_MS = 1_000;

/** Takes one binding through the steps of the contract and reports how far it is. The only one that writes its status. */
export function bindingController(options: BindingOptions): Controller<ObjectKey> {
  const { stores, owned, writes, events, clock } = options;
  const blocked = new Map<string, Blocked>();
  const expectations = {
    bindings: new WriteExpectations(clock),
    serviceAccounts: new WriteExpectations(clock),
    restarts: new RestartExpectations(),
  };
  const contentions = annotationContentions(stores, clock);
  const requests = new ReconcileRequests(owned, options.sweepIntervalMs);
  const reportedAt = new Map<ObjectKey, number>();
  const keys = (bindings: readonly IrsaBinding[]) => bindings.map(({ metadata }) => keyOf(metadata));
  const annotationUnseen = (binding: IrsaBinding) =>
    serviceAccountOf(binding).some((account) => {
      const shown = stores.serviceAccounts.get(account);
      if (shown === undefined) expectations.serviceAccounts.forget(account);
      return shown !== undefined && expectations.serviceAccounts.isUnseen(shown);
    });
  /** Those of one role together: all of them make one write, which waits for each. */
  function* every(): Generator<ObjectKey> {
    for (const { metadata } of stores.bindings.grouped('role')) yield keyOf(metadata);
    yield* keys(stores.bindings.list()); // also those whose spec names no role
  }
  /** Also those with trust of theirs there, which may have left it. */
  function* inAccount({ account }: { readonly account: AccountId }): Generator<ObjectKey> {
    for (const binding of stores.bindings.grouped('role'))
      if (rolesOf(binding).some((arn) => roleArnParts(arn).account === account)) yield keyOf(binding.metadata);
  }
  const requestedFor = (index: 'role' | 'account', of: string) => stores.reconcileRequests.byIndex(index, of).map(({ binding }) => binding);
  /** Not all of the namespace: each run of a CronJob is another Job. */
  const concernedBy = ({ namespace, name, serviceAccountName, appName = name }: BatchWorkload) => [
    ...[name, appName, serviceAccountName].flatMap((each) => stores.competitions.concerned(keyOf({ namespace, name: each }))),
    ...[name, appName].map((each) => keyOf({ namespace, name: each })).filter((key) => stores.bindings.has(key)),
  ];
  /** Of one role there may be thousands of subjects, and each of them is the business of its own bindings alone. */
  const ofSubject = ({ subject }: { readonly subject: string }) => {
    const account = serviceAccountIn(subject);
    return account === undefined ? [] : stores.competitions.concerned(keyOf(account));
  };
  return {
    name: 'binding',
    tenantsOf: namespaceOf,
    wakes: [
      { ...wakeOn(stores.bindings, ({ metadata }) => [keyOf(metadata)]), all: every },
      stores.competitions.wake((key) => [key]),
      wakeEvery(stores.grants, every),
      wakeEvery(stores.definitions, every),
      wakeOn(stores.fullGrants, ({ binding }) => stores.competitions.around(binding)),
      wakeOn(stores.namespaces, ({ name }) => keys(stores.bindings.byIndex('namespace', name)), {
        when: (a, b) => !isDeepStrictEqual(a.labels, b.labels),
      }),
      wakeOn(stores.serviceAccounts, (account) => stores.competitions.concerned(keyOf(account))),
      wakeOn(stores.pods, (pod) => stores.competitions.concerned(keyOf({ namespace: pod.namespace, name: pod.serviceAccountName })), {
        when: podMatters,
      }),
      ...[stores.deployments, stores.statefulSets, stores.daemonSets].map((store) =>
        wakeOn(store, ({ namespace }) => keys(stores.bindings.byIndex('namespace', namespace)), { when: differsInMore }),
      ),
      // An autoscaler may change them every few seconds: only whose pods they are is concerned.
      ...[stores.deployments, stores.statefulSets, stores.daemonSets].map((store) =>
        wakeOn(store, ({ namespace, serviceAccountName: name }) => stores.competitions.concerned(keyOf({ namespace, name })), {
          when: (a, b) => a.replicas !== b.replicas,
        }),
      ),
      ...[stores.jobs, stores.cronJobs].map((store) => wakeOn(store, concernedBy, { when: differs })),
      wakeOn(stores.verdicts, ({ question }) => ofSubject(question), { urgency: ({ urgency }) => urgency }),
      wakeOn(stores.proofs, ({ key }) => [key]),
      wakeOn(stores.roles, ({ arn }) => keys(stores.bindings.byIndex('role', arn)), {
        when: (a, b) => !isDeepStrictEqual(presenceOf(a), presenceOf(b)),
        urgency: 'drift',
      }),
      wakeOn(stores.roleFailures, ({ of }) => keys(stores.bindings.byIndex('role', of))),
      wakeOn(stores.providerFailures, ({ of }) => keys(stores.bindings.byIndex('account', of))),
      wakeOn(stores.reconcileRequests, ({ binding }) => [binding]),
      wakeOn(stores.roleRefreshes, ({ of }) => requestedFor('role', of)),
      wakeOn(stores.providerRefreshes, ({ of }) => requestedFor('account', of)),
      wakeMany(stores.providers, inAccount),
      wakeMany(stores.accounts, inAccount),
      wakeMany(stores.sweptAccounts, inAccount),
      wakeEvery(stores.identity, every),
      wakeOn(stores.losses, ofSubject),
      wakeOn(stores.revocationGuard, () => stores.losses.list().flatMap(ofSubject)), // whether they are too many
    ],
    async reconcile(key, signal, { log }): Promise<Outcome> {
      const binding = stores.bindings.get(key);
      if (binding === undefined) {
        expectations.bindings.forget(key);
        reportedAt.delete(key);
        requests.forget(key);
        return settled;
      }
      if (expectations.bindings.isUnseen(binding.metadata) || annotationUnseen(binding))
        return recheck(UNSEEN_MS, 'own write not seen yet');
      const now = clock.now();
      forgetOld(blocked, now);
      const requestInMs = requests.keep(binding, now);
      const seen = expectations.restarts.applyTo(gather(stores, binding, { blocked, contentions }, now), now);
      const plan = planBinding(seen);
      if (plan.steps.length > 0) log.debug({ steps: plan.steps.map((step) => step.do) }, 'planned');
      // What was found is told before what is done about it: a reader wants it in this order.
      for (const event of eventsFor(binding.status, plan.status)) events.record(binding, event);
      const due = nextReportAt(binding.status, plan.status, reportedAt.get(key), now);
      const done: Step['do'][] = [];
      const results = new Set<Performed>();
      let { status } = plan;
      let written = binding;
      const performing = { ...options, blocked, contentions, expectations, log };
      try {
        for (const step of plan.steps) {
          try {
            if (step.do === 'addFinalizer') written = await addFinalizer(seen, performing, signal);
            else results.add(await perform(step, seen, performing, signal));
          } catch (error) {
            status = withDenial(status, step, error, binding.status, now);
            throw error;
          }
          done.push(step.do);
        }
      } finally {
        // Also after a failure: what was found is what the user reads.
        if (nextReportAt(binding.status, status, reportedAt.get(key), now) === now && !comesBack(done, results, binding, status)) {
          expectations.bindings.expect(written.metadata, await writes.report(written, status, signal));
          reportedAt.set(key, now);
        }
      }
      // Nothing else need tell of it: what the API server answered is in view, or comes.
      if (results.has('reverted')) return recheck(0, 'an annotation was changed by admission');
      // What a refused eviction means is decided with the refusal in view.
      if (results.has('blocked')) return recheck(0, 'a pod could not be evicted');
      if (results.has('changed')) return recheck(UNSEEN_MS, 'a pod is not as it was planned for');
      const waits = [plan.recheckInMs, requestInMs, due === undefined || due === now ? undefined : due - now].filter(
        (ms) => ms !== undefined,
      );
      return waits.length === 0 ? settled : recheck(Math.min(...waits), 'a time of the plan comes');
    },
  };
}

/**
 * The binding itself was written, or the first annotation: that comes back as a change, and then there is one outcome to report. An intent
 * is reported at once, beside the finalizer: the role waits for both.
 */
function comesBack(
  done: readonly Step['do'][],
  results: ReadonlySet<Performed>,
  { status }: IrsaBinding,
  { roles: intended = [] }: BindingStatus,
): boolean {
  if (done.includes('addFinalizer')) return intended.length === 0;
  if (done.includes('removeFinalizer')) return true;
  if (results.has('unchanged') || results.has('reverted')) return false;
  return done.at(-1) === 'annotate' && conditionOf(status.conditions, 'Annotated')?.status !== 'True';
}

/** What was refused a while ago says nothing about now. */
function forgetOld(blocked: Map<string, Blocked>, now: number): void {
  for (const [uid, { at }] of blocked) if (now - at > 2 * BLOCKED_RETRY_MS) blocked.delete(uid);
}

/** Of a role only whether it is there, which one it is, and its tags, which the grant of a proof may require. */
function presenceOf({ state }: RoleRecord): unknown {
  return state.kind === 'present' ? [state.roleId, state.tags?.values] : state.kind;
}

/** A version that is only newer tells of something that nothing here depends on. */
function podMatters(previous: Pod, next: Pod): boolean {
  return !isDeepStrictEqual({ ...previous, resourceVersion: '' }, { ...next, resourceVersion: '' });
}

function differs(previous: BatchWorkload, next: BatchWorkload): boolean {
  return !isDeepStrictEqual(previous, next);
}

/** In more than the number of its pods. */
function differsInMore(previous: Workload, next: Workload): boolean {
  return !isDeepStrictEqual({ ...previous, replicas: 0 }, { ...next, replicas: 0 });
}

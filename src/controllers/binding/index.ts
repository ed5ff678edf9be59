import { isDeepStrictEqual } from 'node:util';
import type { IrsaBinding } from '../../api/binding.ts';
import { keyOf, type ObjectKey, type Pod, type Workload } from '../../api/cluster.ts';
import { conditionOf } from '../../api/condition.ts';
import type { RoleRecord } from '../../domain/binding/observed.ts';
import { planBinding } from '../../domain/binding/plan.ts';
import type { Step } from '../../domain/binding/step.ts';
import { BLOCKED_RETRY_MS, type Blocked } from '../../domain/pods/restart/attempt.ts';
import { type Controller, type Outcome, recheck, settled, wakeOn } from '../../runtime/controller.ts';
import { losers, serviceAccountOf } from '../stores.ts';
import { annotationFights } from './contention.ts';
import { withDenial } from './denied.ts';
import { changesToTell } from './events.ts';
import { gather } from './gather.ts';
import { type Performed, perform } from './perform.ts';
import type { BindingOptions } from './ports.ts';
import { ask } from './reconcile-requests.ts';
import { OwnRestarts } from './restart-expectations.ts';
import { reportsAt } from './status-throttle.ts';
import { OwnWrites } from './write-expectations.ts';

/** A watch shows a write, ours or another's, within milliseconds; one that is silent is reconnected by the reflector. */
const UNSEEN_MS = 1_000;

/** Takes one binding through the steps of the contract and reports how far it is. The only one that writes its status. */
export function bindingController(options: BindingOptions): Controller<ObjectKey> {
  const { world, writes, events, clock } = options;
  const blocked = new Map<string, Blocked>();
  const ownWrites = { bindings: new OwnWrites(), serviceAccounts: new OwnWrites() };
  const ownRestarts = new OwnRestarts();
  const fights = annotationFights(world, clock);
  const reportedAt = new Map<ObjectKey, number>();
  const keys = (bindings: readonly IrsaBinding[]) => bindings.map(({ metadata }) => keyOf(metadata));
  const annotationUnseen = (binding: IrsaBinding) =>
    serviceAccountOf(binding).some((account) => {
      const shown = world.serviceAccounts.get(account);
      if (shown === undefined) ownWrites.serviceAccounts.forget(account);
      return shown !== undefined && ownWrites.serviceAccounts.unseen(shown);
    });
  const every = () => keys(world.bindings.list());
  const ofServiceAccount = (key: string) => keys(world.bindings.byIndex('serviceAccount', key));
  return {
    name: 'binding',
    wakes: [
      wakeOn(world.bindings, ({ metadata }) => [keyOf(metadata)]),
      wakeOn(world.bindings, (binding) => serviceAccountOf(binding).flatMap(ofServiceAccount)), // its rivals
      wakeOn(world.grants, every),
      wakeOn(world.definitions, every),
      wakeOn(world.namespaces, ({ name }) => keys(world.bindings.byIndex('namespace', name)), {
        when: (a, b) => !isDeepStrictEqual(a.labels, b.labels),
      }),
      wakeOn(world.serviceAccounts, (account) => ofServiceAccount(keyOf(account))),
      wakeOn(world.pods, (pod) => ofServiceAccount(keyOf({ namespace: pod.namespace, name: pod.serviceAccountName })), {
        when: podMatters,
      }),
      ...[world.deployments, world.statefulSets, world.daemonSets].map((store) =>
        wakeOn(store, ({ namespace }) => keys(world.bindings.byIndex('namespace', namespace)), { when: workloadMatters }),
      ),
      wakeOn(world.verdicts, ({ question }) => keys(world.bindings.byIndex('role', question.role))),
      wakeOn(world.proofs, ({ key }) => [key]),
      wakeOn(world.roles, ({ arn }) => keys(world.bindings.byIndex('role', arn)), {
        when: (a, b) => !isDeepStrictEqual(identityOf(a), identityOf(b)),
      }),
      wakeOn(world.failures, ({ of }) => keys([...world.bindings.byIndex('role', of), ...world.bindings.byIndex('account', of)])),
      wakeOn(world.looks, ({ binding }) => [binding]),
      wakeOn(world.providers, ({ account }) => keys(world.bindings.byIndex('account', account))),
      wakeOn(world.surroundings, every),
      wakeOn(world.losses, () => keys(losers(world))), // whether they are too many
    ],
    async reconcile(key, signal, { log }): Promise<Outcome> {
      const binding = world.bindings.get(key);
      if (binding === undefined) {
        ownWrites.bindings.forget(key);
        reportedAt.delete(key);
        world.looks.delete(key);
        return settled;
      }
      if (ownWrites.bindings.unseen(binding.metadata) || annotationUnseen(binding))
        return recheck(UNSEEN_MS, 'our own write was not seen yet');
      const now = clock.now();
      forgetOld(blocked, now);
      ask(world, binding, now);
      const seen = ownRestarts.shownIn(gather(world, binding, { blocked, fights }, now), now);
      const plan = planBinding(seen);
      if (plan.steps.length > 0) log.debug({ steps: plan.steps.map((step) => step.do) }, 'planned');
      // What was found is told before what is done about it, as somebody reads it.
      for (const event of changesToTell(binding.status, plan.status)) events.record(binding, event);
      const due = reportsAt(binding.status, plan.status, reportedAt.get(key), now);
      const done: Step['do'][] = [];
      const results = new Set<Performed>();
      let { status } = plan;
      try {
        for (const step of plan.steps) {
          try {
            results.add(await perform(step, seen, { ...options, blocked, ownWrites, ownRestarts, log }, signal));
          } catch (error) {
            status = withDenial(status, step, error, binding.status, now);
            throw error;
          }
          done.push(step.do);
        }
      } finally {
        // Also after a failure: what was found is what the user reads.
        if (reportsAt(binding.status, status, reportedAt.get(key), now) === now && !comesBack(done, binding)) {
          ownWrites.bindings.wrote(binding.metadata, await writes.report(binding, status, signal));
          reportedAt.set(key, now);
        }
      }
      // What a refused eviction means is decided with the refusal in view.
      if (results.has('blocked')) return recheck(0, 'a pod could not be evicted');
      if (results.has('changed')) return recheck(UNSEEN_MS, 'a pod is not as it was looked at');
      const waits = [plan.lookAgainInMs, due === undefined || due === now ? undefined : due - now].filter((ms) => ms !== undefined);
      return waits.length === 0 ? settled : recheck(Math.min(...waits), 'a time of the plan comes');
    },
  };
}

/** The binding itself was written, or the first annotation: that comes back as a change, and then there is one outcome to report. */
function comesBack(done: readonly Step['do'][], { status }: IrsaBinding): boolean {
  if (done.includes('addFinalizer') || done.includes('removeFinalizer')) return true;
  return done.at(-1) === 'annotate' && conditionOf(status.conditions, 'Annotated')?.status !== 'True';
}

/** What was refused a while ago says nothing about now. */
function forgetOld(blocked: Map<string, Blocked>, now: number): void {
  for (const [uid, { at }] of blocked) if (now - at > 2 * BLOCKED_RETRY_MS) blocked.delete(uid);
}

/** Of a role only whether it is there, and which one it is. */
function identityOf({ state }: RoleRecord): unknown {
  return state.kind === 'present' ? state.roleId : state.kind;
}

/** A version that is only newer tells of something that nobody here looks at. */
function podMatters(previous: Pod, next: Pod): boolean {
  return !isDeepStrictEqual({ ...previous, resourceVersion: '' }, { ...next, resourceVersion: '' });
}

function workloadMatters(previous: Workload, next: Workload): boolean {
  return !isDeepStrictEqual(previous, next);
}

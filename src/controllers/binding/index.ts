import { isDeepStrictEqual } from 'node:util';
import type { IrsaBinding } from '../../api/binding.ts';
import { keyOf, type ObjectKey, type Pod, type Workload } from '../../api/cluster.ts';
import type { RoleRecord } from '../../binding/observed.ts';
import { planBinding } from '../../binding/plan.ts';
import { BLOCKED_RETRY_MS, type Blocked } from '../../binding/restarts.ts';
import { type Controller, type Outcome, recheck, settled, wakeOn } from '../../runtime/controller.ts';
import { serviceAccountOf } from '../world.ts';
import { gather } from './gather.ts';
import { OwnWrites } from './own-writes.ts';
import { perform } from './perform.ts';
import type { BindingOptions } from './ports.ts';
import { changesToTell } from './tell.ts';

/** A watch shows a write within milliseconds; one that is silent is reconnected by the reflector. */
const UNSEEN_MS = 1_000;

/** Takes one binding through the steps of the contract and reports how far it is. The only one that writes its status. */
export function bindingController(options: BindingOptions): Controller<ObjectKey> {
  const { world, writes, events, clock } = options;
  const blocked = new Map<string, Blocked>();
  const ownWrites = new OwnWrites();
  const keys = (bindings: readonly IrsaBinding[]) => bindings.map(({ metadata }) => keyOf(metadata));
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
      wakeOn(world.providers, ({ account }) => keys(world.bindings.byIndex('account', account))),
      wakeOn(world.surroundings, every),
    ],
    async reconcile(key, signal, { log }): Promise<Outcome> {
      const binding = world.bindings.get(key);
      if (binding === undefined) {
        ownWrites.forget(key);
        return settled;
      }
      if (ownWrites.unseen(binding)) return recheck(UNSEEN_MS, 'our own write was not seen yet');
      const now = clock.now();
      forgetOld(blocked, now);
      const seen = gather(world, binding, blocked, now);
      const plan = planBinding(seen);
      if (plan.steps.length > 0) log.debug({ steps: plan.steps.map((step) => step.do) }, 'planned');
      // What was found is told before what is done about it, as somebody reads it.
      for (const event of changesToTell(binding.status, plan.status)) events.record(binding, event);
      let refused = false;
      try {
        for (const step of plan.steps)
          if ((await perform(step, seen, { ...options, blocked, ownWrites, log }, signal)) === 'blocked') refused = true;
      } finally {
        // Also after a failure: what was found is what the user reads. Not where the binding itself was written: it comes back as a change.
        const wroteIt = plan.steps.some((step) => step.do === 'addFinalizer' || step.do === 'removeFinalizer');
        if (!wroteIt && !isDeepStrictEqual(plan.status, binding.status)) {
          ownWrites.wrote(binding, await writes.report(binding, plan.status, signal));
        }
      }
      // What a refused eviction means is decided with the refusal in view.
      if (refused) return recheck(0, 'a pod could not be evicted');
      return plan.lookAgainInMs === undefined ? settled : recheck(plan.lookAgainInMs, 'a time of the plan comes');
    },
  };
}

/** What was refused a while ago says nothing about now. */
function forgetOld(blocked: Map<string, Blocked>, now: number): void {
  for (const [uid, { at }] of blocked) if (now - at > 2 * BLOCKED_RETRY_MS) blocked.delete(uid);
}

/** Of a role only whether it is there, and which one it is. */
function identityOf({ state }: RoleRecord): unknown {
  return state.kind === 'present' ? state.roleId : state.kind;
}

function podMatters(previous: Pod, next: Pod): boolean {
  return !isDeepStrictEqual(previous, next);
}

function workloadMatters(previous: Workload, next: Workload): boolean {
  return previous.serviceAccountName !== next.serviceAccountName || previous.appName !== next.appName;
}

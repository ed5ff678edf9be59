import type { ObjectName } from '../../api/cluster.ts';
import { isFault } from '../../api/fault.ts';
import { POLICIES, type Policy } from '../../api/names.ts';
import { type Confinement, judge } from '../../domain/confinement/confinement.ts';
import { type Controller, recheck, type Wake } from '../../runtime/controller.ts';
import type { Log } from '../../runtime/log.ts';
import type { Stores } from '../stores.ts';
import type { ConfinementOptions, Target } from './ports.ts';

/** A policy that is in force stays so, unless an administrator changes it. */
const CONFINED_MS = 3_600_000;
/** A policy takes a moment to be in force, and is soon installed where it was missing. */
const OTHERWISE_MS = 60_000;
/** A warning that nobody acted on is said again. */
const REPEAT_MS = 3_600_000;

const METRIC = { confined: true, unconfined: false, unknown: undefined, needless: undefined } as const satisfies Record<
  Confinement['kind'],
  boolean | undefined
>;

interface Report {
  readonly found: Confinement;
  /** When the last warning was said (monotonic). */
  readonly warnedAt: number | undefined;
}

/** Checks for each admission policy that it confines the operator: a guard that is absent would otherwise go unnoticed. It changes nothing. */
export function confinementController({ stores, requests, events, metrics, clock }: ConfinementOptions): Controller<Policy> {
  const reports = new Map<Policy, Report>();

  async function check(policy: Policy, signal: AbortSignal): Promise<Confinement> {
    const self = await requests.self(signal);
    if (self === undefined) return { kind: 'unconfined', why: 'irsa-operator does not run as a ServiceAccount' };
    const target = targetOf(policy, self, stores);
    if (target === undefined) return { kind: 'unknown', why: 'there is no object to try it on' };
    if (!(await requests.hasRight(policy, target, signal))) return { kind: 'needless', why: 'irsa-operator has no right that it confines' };
    return judge(policy, await requests.try(policy, target, signal));
  }

  /** Warns at the second check in a row, so that an installation begins without a warning. Returns when it warned last. */
  function report(policy: Policy, found: Confinement, log: Log): number | undefined {
    const last = reports.get(policy);
    if (found.kind !== 'unconfined') {
      if (last?.found.kind !== found.kind) log.info({ policy, ...found }, 'confinement checked');
      if (found.kind !== 'confined' || last?.warnedAt === undefined) return last?.warnedAt;
      const note = `Policy "${policy}" confines irsa-operator`;
      events.record({ type: 'Normal', reason: 'Confined', action: 'CheckConfinement', note });
      return undefined;
    }
    const due = last?.warnedAt === undefined || clock.monotonic() - last.warnedAt >= REPEAT_MS;
    if (last?.found.kind !== 'unconfined' || !due) return last?.warnedAt;
    log.warn({ policy, why: found.why }, 'not confined');
    const note = `Policy "${policy}" does not confine irsa-operator: ${found.why}`;
    events.record({ type: 'Warning', reason: 'NotConfined', action: 'CheckConfinement', note });
    return clock.monotonic();
  }

  return {
    name: 'confinement',
    wakes: [atStart(stores)],
    async reconcile(policy, signal, { log }) {
      // What fails is retried, and says nothing. What the API server will not try, such as a webhook without dry runs, is unknown.
      const found = await check(policy, signal).catch((error: unknown): Confinement => {
        metrics.confined(policy, undefined);
        if (!isFault(error, 'invalid') && !isFault(error, 'denied')) throw error;
        return { kind: 'unknown', why: error.message };
      });
      metrics.confined(policy, METRIC[found.kind]);
      reports.set(policy, { found, warnedAt: report(policy, found, log) });
      return found.kind === 'confined' || found.kind === 'needless'
        ? recheck(CONFINED_MS, 'whether the policy is still in force')
        : recheck(OTHERWISE_MS, 'whether the policy is in force by now');
    },
  };
}

/** Any object will do, but one that is being deleted takes no finalizer. */
function targetOf(policy: Policy, self: ObjectName, stores: Stores): Target | undefined {
  switch (policy) {
    case 'irsa-operator-bindings':
    case 'irsa-operator-status':
      return stores.bindings.list().find(({ metadata }) => !metadata.deleting)?.metadata;
    case 'irsa-operator-workloads':
      return [stores.deployments, stores.statefulSets, stores.daemonSets].flatMap((store) => store.list()).at(0);
    case 'irsa-operator-service-accounts':
    case 'irsa-operator-revocations':
    case 'irsa-operator-verification':
      return self;
  }
}

/** Nothing outside wakes it: it checks by itself, as soon as it knows what there is to try a policy on. */
function atStart({ bindings, deployments, statefulSets, daemonSets }: Stores): Wake<Policy> {
  return {
    all: () => POLICIES,
    subscribe: () => () => {},
    async synced(signal) {
      await Promise.all([bindings, deployments, statefulSets, daemonSets].map((store) => store.synced(signal)));
    },
  };
}

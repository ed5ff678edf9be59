import type { RoleArn } from '../../api/arn.ts';
import { keyOf, type ObjectKey } from '../../api/cluster.ts';
import { conditionOf } from '../../api/condition.ts';
import { Fault } from '../../api/fault.ts';
import { isProblem } from '../../api/problem.ts';
import type { Effect } from '../../domain/simulation/effect.ts';
import { simulate } from '../../domain/simulation/simulate.ts';
import { accountOf, rolesNamedBy } from '../../domain/simulation/world.ts';
import type { ClusterName } from '../../domain/state/identity.ts';
import { clusterIdsFrom } from '../cluster-id.ts';
import { clusterIssuer } from '../cluster-issuer.ts';
import type { Given } from '../command.ts';
import { issuerIn } from '../issuer-flag.ts';
import { gather, type Scope } from './gather.ts';
import type { PlanPorts } from './ports.ts';

/** What an enforcing operator would do for some bindings. */
export interface Plan {
  readonly issuer: string;
  readonly account: string;
  readonly bindings: readonly PlannedBinding[];
  readonly effects: readonly Effect[];
  /** False: there is more than anybody reads. */
  readonly ended: boolean;
}

export interface PlannedBinding {
  readonly namespace: string;
  readonly name: string;
  /** It observes or is suspended: this is what comes of `mode: Enforce`. */
  readonly asIfEnforced: boolean;
  /** What it would say in the end. */
  readonly ready: { readonly status: string; readonly reason: string; readonly message: string };
}

/** Throws `Fault` where something could not be read. */
export async function plan(scope: Scope, given: Given, ports: PlanPorts, signal: AbortSignal): Promise<Plan> {
  const { world, account, meant, passive } = await gather(scope, await clusterOf(given, ports, signal), ports, signal);
  const chosen = [...world.bindings].filter(([key]) => meant.has(key)).map(([, one]) => one);
  const roles = new Set(chosen.flatMap(rolesNamedBy));
  const accounts = new Set(chosen.map(accountOf));
  const { effects, ended } = simulate(world);
  const bindings = [...meant].map((key): PlannedBinding => {
    const [namespace = '', name = ''] = key.split('/');
    const binding = world.bindings.get(key);
    const ready = binding && conditionOf(binding.status.conditions, 'Ready');
    const gone = { status: 'Unknown', reason: 'Deleted', message: 'it is being deleted' };
    const step = ready && binding.status.conditions.find(({ reason, type }) => reason === ready.reason && type !== 'Ready');
    return {
      namespace,
      name,
      asIfEnforced: passive.has(key),
      ready: ready === undefined ? gone : { status: ready.status, reason: ready.reason, message: step?.message ?? ready.message },
    };
  });
  return {
    issuer: world.cluster.issuer,
    account,
    bindings,
    effects: effects.filter((effect) => isOf(effect, roles, accounts)),
    ended,
  };
}

/** What other bindings would do by themselves is none of this plan, but on a role that is shared. */
function isOf(effect: Effect, roles: ReadonlySet<RoleArn>, accounts: ReadonlySet<ObjectKey | undefined>): boolean {
  return effect.do === 'writeTrust' ? roles.has(effect.role) : accounts.has(keyOf(effect.serviceAccount));
}

async function clusterOf(given: Given, { cluster, aws }: PlanPorts, signal: AbortSignal): Promise<ClusterName> {
  const ids = clusterIdsFrom(given);
  if (isProblem(ids)) throw new Fault('invalid', ids.problem);
  return { issuer: await clusterIssuer(cluster, aws, issuerIn(given, 'oidc-issuer'), signal), ...ids };
}

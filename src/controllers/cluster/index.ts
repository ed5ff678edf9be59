import { isDeepStrictEqual } from 'node:util';
import { Fault, isFault } from '../../api/fault.ts';
import { type Issuer, parseIssuer } from '../../api/issuer.ts';
import { isProblem } from '../../api/problem.ts';
import type { CallerView, ClusterView } from '../../binding/observed.ts';
import { type Controller, recheck, type Wake } from '../../runtime/controller.ts';
import { HERE, type Surroundings, type World } from '../world.ts';
import type { SurroundingsPorts } from './ports.ts';

/** An issuer never changes while a cluster lives, and an identity seldom: this is for clusters that were made again under one kubeconfig. */
const LOOK_AGAIN_MS = 3_600_000;
/** IAM's default, for a caller who may not ask (IAM quotas, role trust policy length). */
const DEFAULT_POLICY_QUOTA = 2048;

export interface SurroundingsOptions {
  readonly world: World;
  readonly ports: SurroundingsPorts;
  /** What the user says of the issuer, above every other source. */
  readonly oidcIssuer: Issuer | undefined;
}

/** Finds out whom tokens of this cluster come from and who we are. Nothing is written anywhere while that is not known. */
export function clusterController({ world, ports, oidcIssuer }: SurroundingsOptions): Controller<typeof HERE> {
  return {
    name: 'cluster',
    wakes: [once],
    async reconcile(_, signal) {
      const [cluster, caller, quota] = await Promise.allSettled([
        oidcIssuer ?? knownIssuer(ports, signal),
        ports.caller(signal),
        ports.policyQuota(signal).catch(orDefault),
      ]);
      signal.throwIfAborted();
      const found: Surroundings = {
        cluster: cluster.status === 'fulfilled' ? { kind: 'known', issuer: cluster.value } : unknown(cluster.reason),
        caller: caller.status === 'fulfilled' ? caller.value : unknown(caller.reason),
        policyQuota: quota.status === 'fulfilled' ? quota.value : undefined,
      };
      if (!isDeepStrictEqual(world.surroundings.get(HERE), found)) world.surroundings.put(found);
      world.surroundings.markSynced();
      for (const answer of [cluster, caller, quota]) if (answer.status === 'rejected') throw answer.reason;
      return recheck(LOOK_AGAIN_MS, 'whether the issuer and our identity are still the same');
    },
  };
}

/** The sources must agree: a wrong issuer would let in another cluster's ServiceAccounts. */
async function knownIssuer(ports: SurroundingsPorts, signal: AbortSignal): Promise<Issuer> {
  const told = await ports.issuer(signal);
  const issuer = parseIssuer(told);
  if (isProblem(issuer)) throw new Fault('invalid', `the API server's /.well-known/openid-configuration: ${issuer.problem}`);
  if (ports.eksIssuer === undefined) return issuer;
  const eks = await ports.eksIssuer(signal);
  if (eks !== told) {
    throw new Fault(
      'invalid',
      `the API server issues tokens as "${told}", and eks:DescribeCluster says ${eks === undefined ? 'that the cluster has no issuer' : `"${eks}"`}: is --eks-cluster-name the name of this cluster?`,
    );
  }
  return issuer;
}

function orDefault(error: unknown): number {
  if (isFault(error, 'denied')) return DEFAULT_POLICY_QUOTA;
  throw error;
}

function unknown(reason: unknown): (ClusterView | CallerView) & { kind: 'unknown' } {
  return { kind: 'unknown', why: isFault(reason) ? reason.message : 'it could not be found out' };
}

/** There is one key and nothing outside changes it: the controller looks by itself. */
const once: Wake<typeof HERE> = {
  all: () => [HERE],
  subscribe: () => () => {},
  synced: async () => {},
};

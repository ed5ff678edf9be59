import type { RoleArn } from '../../api/arn.ts';
import { Fault } from '../../api/fault.ts';
import { isProblem, type Problem } from '../../api/problem.ts';
import { pruneCommand } from '../../api/prune-command.ts';
import { sameSubject, serviceAccountIn } from '../../api/subject.ts';
import type { ClusterName } from '../../domain/state/identity.ts';
import type { FreshRole } from '../../ports/roles.ts';
import type { StatedSubject } from '../../trust/own-subjects.ts';
import { clusterIssuer } from '../cluster-issuer.ts';
import type { Given } from '../command.ts';
import { editReport, type Result, type Row } from '../edit-report.ts';
import { type Decision, editRoles } from '../edit-roles.ts';
import { clusterNamed, issuerIn } from '../issuer-flag.ts';
import type { Cluster } from '../ports.ts';
import { otherThanOwn, removal } from '../remove.ts';
import type { Reporter } from '../report.ts';
import { type Standing, standingIn, standingRoles } from '../roles-with-own-statement.ts';
import { unnamedBy } from './orphans.ts';
import { ungrantedIn } from './ungranted.ts';

/**
 * A subject that stands in our statement, and that no binding of the cluster names, or no grant covers: reported, and removed only when that
 * is confirmed.
 */
export const prune: Reporter<Row> = async (given, ports, signals) => {
  const write = given['confirm'] === true;
  const { find, listed, nothing, hint } = given['ungranted'] === true ? UNGRANTED : ORPHANED;
  const { stop, abort } = signals;
  const cluster = ports.cluster();
  const issuer = await clusterIssuer(cluster, ports, issuerIn(given, 'oidc-issuer'), stop);
  const name = clusterNamed(issuer, given);
  if (write) isAlone(name, given);
  const isTarget = await otherThanOwn(ports, stop);
  await standsFirm(cluster, stop);
  const isFound = await find(cluster, name, stop);
  const found = await standingRoles(name, (role, one) => isTarget(role) && isFound(role, one, NO_TAGS) !== false, ports, signals);

  /** Turns are waited for, and a binding or a grant may have come meanwhile. Only what was found then and is so now goes. */
  const decide = async (role: RoleArn, fresh: FreshRole): Promise<Decision> => {
    // GetRole takes a name and ignores the path.
    if (fresh.arn !== role) return { rows: [], plan: undefined };
    const { own = [], changed = [] } = found.get(role) ?? {};
    const standing = standingIn(role, fresh.policy, name);
    // Another writer may have changed the statement since the list.
    const still = (kind: keyof Standing) => standing[kind].filter((one) => [...own, ...changed].some((other) => sameSubject(one, other)));
    await standsFirm(cluster, abort);
    const all = [...still('own'), ...still('changed')];
    const isSo = await find(cluster, name, abort, all);
    const so = (kind: keyof Standing) => still(kind).filter((one) => isSo(role, one, fresh.tags) === true);
    const { plan, rows } = removal(role, fresh.policy, name, { own: so('own'), changed: so('changed') }, write ? 'removed' : listed);
    return { plan, rows: [...rows, ...all.flatMap((one) => kept(role, one, isSo(role, one, fresh.tags)))] };
  };
  const rows = await editRoles({ roles: found.keys(), cluster: name, decide, write }, ports, signals);
  return editReport({ issuer, rows, nothing, hint: rows.some(({ result }) => result === listed) ? hint(name) : undefined });
};

function removedBy({ clusterId }: ClusterName, which?: 'ungranted'): string {
  const removes = `${pruneCommand(clusterId, which)} removes them`;
  return clusterId === undefined ? `${removes}, if no other cluster has this issuer` : removes;
}

/** Without its ID the statement may be that of several clusters, whose bindings and grants nobody asks here. */
function isAlone({ clusterId }: ClusterName, given: Given): void {
  if (clusterId !== undefined || given['sole-cluster'] === true) return;
  throw new Fault(
    'invalid',
    'another cluster with this issuer may need what this one does not name. Say --sole-cluster if there is none. Otherwise give each cluster an ID (irsa-operator run --cluster-id), and name this one with --cluster-id',
  );
}

/** Nobody is told that nothing was found where that is not known. */
function kept(role: RoleArn, one: StatedSubject, found: boolean | Problem): Row[] {
  return isProblem(found) ? [{ result: 'refused', role, ...one, message: found.problem }] : [];
}

/** A problem says why it is not known. Such a subject is kept. */
type IsFound = (role: RoleArn, one: StatedSubject, roleTags: ReadonlyMap<string, string>) => boolean | Problem;

/** What is looked for, by what the API server says at the moment of the question; of these subjects, where they are known. */
interface Search {
  readonly find: (cluster: Cluster, name: ClusterName, signal: AbortSignal, among?: readonly StatedSubject[]) => Promise<IsFound>;
  readonly listed: Result;
  readonly nothing: string;
  readonly hint: (name: ClusterName) => string;
}

/** No list shows tags: a grant that asks for some covers nothing before the role was read by itself. */
const NO_TAGS: ReadonlyMap<string, string> = new Map();

const ORPHANED: Search = {
  find: unnamed,
  listed: 'orphaned',
  nothing: 'no orphans: a binding names every subject of the statements of irsa-operator',
  hint: (name) => removedBy(name),
};

const UNGRANTED: Search = {
  find: ungrantedIn,
  listed: 'ungranted',
  nothing: 'a grant covers every subject of the statements of irsa-operator',
  hint: (name) => removedBy(name, 'ungranted'),
};

/** While the CRD is being deleted bindings go with it, and their trust is kept. */
async function standsFirm(cluster: Cluster, signal: AbortSignal): Promise<void> {
  if ((await cluster.definition('bindings', signal)) === undefined)
    throw new Fault(
      'invalid',
      'the CRD of the bindings is being deleted, or does not exist, so orphans cannot be known. To remove all subjects see irsa-operator release',
    );
}

/** A binding names ServiceAccounts of its own namespace only. */
async function unnamed(cluster: Cluster, _: ClusterName, signal: AbortSignal, among?: readonly StatedSubject[]): Promise<IsFound> {
  const namespaces = among && new Set(among.flatMap(({ subject }) => serviceAccountIn(subject)?.namespace ?? []));
  const bindings = namespaces === undefined ? [...(await cluster.bindings(signal))] : [];
  for (const namespace of namespaces ?? []) bindings.push(...(await cluster.bindings(signal, namespace)));
  return unnamedBy(bindings);
}

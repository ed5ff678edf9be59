import type { RoleArn } from '../../api/arn.ts';
import { Fault } from '../../api/fault.ts';
import { sameSubject, serviceAccountIn } from '../../api/subject.ts';
import type { FreshRole } from '../../ports/roles.ts';

import type { StatedSubject } from '../../trust/own-subjects.ts';
import { clusterIssuer } from '../cluster-issuer.ts';
import { editReport, type Row } from '../edit-report.ts';
import { type Decision, editRoles } from '../edit-roles.ts';
import { issuerIn } from '../issuer-flag.ts';
import type { Cluster } from '../ports.ts';
import { otherThanOwn, removal } from '../remove.ts';
import type { Reporter } from '../report.ts';
import { oursIn, type Standing, standingIn, standingRoles } from '../roles-with-own-statement.ts';
import { namedBy } from './orphans.ts';

/** A subject that stands in our statement, and that no binding of the cluster names: reported, and removed only when that is confirmed. */
export const prune: Reporter<Row> = async (given, ports, signals) => {
  const write = given['confirm'] === true;
  const { stop, abort } = signals;
  const cluster = ports.cluster();
  const issuer = await clusterIssuer(cluster, ports, issuerIn(given, 'oidc-issuer'), stop);
  const isTarget = await otherThanOwn(ports, stop);
  await standsFirm(cluster, stop);
  const named = namedBy(await cluster.bindings(stop));
  const orphans = await standingRoles(issuer, (role, one) => isTarget(role) && !named(role, one), ports, signals);

  /** Turns are waited for, and a binding may have come meanwhile. Only what was an orphan then and is one now goes. */
  const decide = async (role: RoleArn, fresh: FreshRole): Promise<Decision> => {
    // GetRole takes a name and ignores the path.
    if (fresh.arn !== role) return { rows: [], plan: undefined };
    const { own = [], changed = [] } = orphans.get(role) ?? {};
    const standing = standingIn(role, fresh.policy, issuer);
    // Another writer may have changed the statement since the list.
    const still = (kind: keyof Standing) => standing[kind].filter((one) => [...own, ...changed].some((other) => sameSubject(one, other)));
    const isUnnamed = await unnamed(role, [...still('own'), ...still('changed')], cluster, abort);
    const left = { own: still('own').filter(isUnnamed), changed: still('changed').filter(isUnnamed) };
    return removal(role, fresh.policy, issuer, left, write ? 'removed' : 'orphaned');
  };
  const rows = await editRoles({ roles: orphans.keys(), ours: oursIn(issuer), decide, write }, ports, signals);
  const hint = rows.some(({ result }) => result === 'orphaned') ? 'irsa-operator prune --confirm removes them' : undefined;
  return editReport({ issuer, rows, nothing: 'no orphans: a binding names every subject of the statements of irsa-operator', hint });
};

/** While the CRD is being deleted bindings go with it, and their trust is kept. */
async function standsFirm(cluster: Cluster, signal: AbortSignal): Promise<void> {
  if ((await cluster.definition('bindings', signal)) === undefined)
    throw new Fault(
      'invalid',
      'the CRD of the bindings is being deleted, or does not exist, so orphans cannot be known. To remove all subjects see irsa-operator release',
    );
}

/** By what the API server says now. A binding names ServiceAccounts of its own namespace only. */
async function unnamed(
  role: RoleArn,
  orphans: readonly StatedSubject[],
  cluster: Cluster,
  signal: AbortSignal,
): Promise<(one: StatedSubject) => boolean> {
  await standsFirm(cluster, signal);
  const namespaces = new Set(orphans.flatMap(({ subject }) => serviceAccountIn(subject)?.namespace ?? []));
  const bindings = [];
  for (const namespace of namespaces) bindings.push(...(await cluster.bindings(signal, namespace)));
  const named = namedBy(bindings);
  return (one) => !named(role, one);
}

import { Fault, isFault } from '../api/fault.ts';
import type { ClusterName } from '../domain/state/identity.ts';
import { sidFor } from '../trust/document/own-statement.ts';
import { editReport, type Row } from './edit-report.ts';
import { editRoles } from './edit-roles.ts';
import { clusterNamed, issuerFrom } from './issuer-flag.ts';
import type { Cluster, CommandPorts } from './ports.ts';
import { otherThanOwn, removal } from './remove.ts';
import type { Reporter } from './report.ts';
import { standingIn, standingRoles } from './roles-with-own-statement.ts';

/** Takes the statements of a cluster that is no more out of every role of the account. */
export const release: Reporter<Row> = async (given, ports, signals) => {
  const issuer = issuerFrom(given, 'issuer');
  const cluster = clusterNamed(issuer, given);
  const write = given['dry-run'] !== true;
  await isNotHere(cluster, ports, signals.stop);
  const isTarget = await otherThanOwn(ports, signals.stop);
  const roles = await standingRoles(cluster, isTarget, ports, signals);
  const rows = await editRoles(
    {
      roles: roles.keys(),
      cluster,
      write,
      // GetRole takes a name and ignores the path.
      decide: async (role, { arn, policy }) =>
        removal(
          role,
          policy,
          cluster,
          arn === role ? standingIn(role, policy, cluster) : { own: [], changed: [] },
          write ? 'removed' : 'planned',
        ),
    },
    ports,
    signals,
  );
  return editReport({ issuer, rows, nothing: 'no role of the account has a statement of irsa-operator for this issuer' });
};

/** To release the cluster that is at work would lock its pods out. One that does not answer may be the very one. */
async function isNotHere({ issuer, clusterId }: ClusterName, ports: CommandPorts, signal: AbortSignal): Promise<void> {
  const cluster = configured(ports);
  if (cluster === undefined) return;
  const here = await cluster.issuer(signal).catch((error: unknown) => {
    if (!isFault(error)) throw error;
    throw new Fault(
      error.kind,
      `nothing was removed, because the cluster of the kubeconfig did not say whether "${issuer}" is its own issuer: ${error.message}. Choose a context whose cluster answers`,
    );
  });
  if (here !== issuer) return;
  // Of several clusters with this issuer the one that is reached is known by what its bindings remember.
  if (clusterId !== undefined && !(await namesSids(cluster, { issuer, clusterId }, signal))) return;
  const which = clusterId === undefined ? `"${issuer}" is the issuer` : `"${clusterId}" is the ID`;
  throw new Fault(
    'invalid',
    `${which} of the cluster that the kubeconfig reaches. To release it would lock out its pods. Nothing was removed`,
  );
}

async function namesSids(cluster: Cluster, { issuer, clusterId }: ClusterName, signal: AbortSignal): Promise<boolean> {
  const entries = (await cluster.bindings(signal)).flatMap(({ status }) => status.roles ?? []);
  return entries.some(({ audience, sid }) => sid === sidFor(issuer, audience, clusterId));
}

/** Undefined where there is no kubeconfig at all. */
function configured({ cluster }: CommandPorts): Cluster | undefined {
  try {
    return cluster();
  } catch (error) {
    if (isFault(error, 'notFound')) return undefined;
    throw error;
  }
}

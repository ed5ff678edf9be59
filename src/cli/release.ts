import { Fault, isFault } from '../api/fault.ts';
import type { Issuer } from '../api/issuer.ts';
import { editReport, type Row } from './edit-report.ts';
import { editRoles } from './edit-roles.ts';
import { issuerFrom } from './issuer-flag.ts';
import type { Cluster, CommandPorts } from './ports.ts';
import { otherThanOwn, removal } from './remove.ts';
import type { Reporter } from './report.ts';
import { oursIn, standingIn, standingRoles } from './roles-with-own-statement.ts';

/** Takes the statements of a cluster that is no more out of every role of the account. */
export const release: Reporter<Row> = async (given, ports, signals) => {
  const issuer = issuerFrom(given, 'issuer');
  const write = given['dry-run'] !== true;
  await isNotHere(issuer, ports, signals.stop);
  const isTarget = await otherThanOwn(ports, signals.stop);
  const roles = await standingRoles(issuer, isTarget, ports, signals);
  const rows = await editRoles(
    {
      roles: roles.keys(),
      ours: oursIn(issuer),
      write,
      // GetRole takes a name and ignores the path.
      decide: async (role, { arn, policy }) =>
        removal(
          role,
          policy,
          issuer,
          arn === role ? standingIn(role, policy, issuer) : { own: [], changed: [] },
          write ? 'removed' : 'planned',
        ),
    },
    ports,
    signals,
  );
  return editReport({ issuer, rows, nothing: 'no role of the account has a statement of irsa-operator for this issuer' });
};

/** To release the cluster that is at work would lock its pods out. One that does not answer may be the very one. */
async function isNotHere(issuer: Issuer, ports: CommandPorts, signal: AbortSignal): Promise<void> {
  const cluster = configured(ports);
  if (cluster === undefined) return;
  const here = await cluster.issuer(signal).catch((error: unknown) => {
    if (!isFault(error)) throw error;
    throw new Fault(
      error.kind,
      `nothing was removed, because the cluster of the kubeconfig did not say whether "${issuer}" is its own issuer: ${error.message}. Choose a context whose cluster answers`,
    );
  });
  if (here === issuer)
    throw new Fault(
      'invalid',
      `"${issuer}" is the issuer of the cluster that the kubeconfig reaches. To release it would lock out its pods. Nothing was removed`,
    );
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

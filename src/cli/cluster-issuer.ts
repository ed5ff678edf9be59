import { Fault, isFault } from '../api/fault.ts';
import type { Issuer } from '../api/issuer.ts';
import { clusterFrom } from '../domain/state/identify.ts';

import type { Cluster, CommandPorts } from './ports.ts';

/**
 * The issuer of the cluster that is reached. What the user says stands in for an API server that does not tell; where it tells another one
 * the user means another cluster, whose subjects no binding of this one names. Throws `Fault`.
 */
export async function clusterIssuer(
  cluster: Pick<Cluster, 'issuer'>,
  { eksIssuer }: Pick<CommandPorts, 'eksIssuer'>,
  said: Issuer | undefined,
  signal: AbortSignal,
): Promise<Issuer> {
  const [told, eks] = await Promise.allSettled([cluster.issuer(signal), eksIssuer?.(signal)]);
  signal.throwIfAborted();
  const silent = told.status === 'rejected' && (isFault(told.reason, 'denied') || isFault(told.reason, 'notFound'));
  const apiServer = silent && said !== undefined ? ({ status: 'fulfilled', value: said } as const) : told;
  const view = clusterFrom({ apiServer, eks: eksIssuer && eks }, { kind: 'unknown', why: '' });
  if (view.kind === 'unknown') {
    // Who runs a command may read what AWS says of their own credentials.
    const why = eks.status === 'rejected' && isFault(eks.reason, 'denied') ? eks.reason.message : view.why;
    throw new Fault('invalid', `the issuer of this cluster's tokens is not known: ${why}`);
  }
  if (said !== undefined && said !== view.issuer)
    throw new Fault(
      'invalid',
      `--oidc-issuer says "${said}", and the API server of the kubeconfig issues tokens as "${view.issuer}": is this the cluster that you mean?`,
    );
  return view.issuer;
}

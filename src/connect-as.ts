import type { Given } from './cli/command.ts';
import { kubeFrom } from './config.ts';
import { type ContextView, connect, contextOf, impersonating } from './kube/config.ts';
import type { Connection } from './kube/connection.ts';
import { noKubeMetrics } from './kube/metrics.ts';
import { Transport } from './kube/transport.ts';
import { systemClock } from './runtime/clock.ts';

/** The cluster that the flags of kubectl lead to. */
export interface PersonCluster {
  readonly context: ContextView;
  readonly connection: Connection;
  readonly transport: Transport;
}

/** As the person, or as whom they impersonate. Nothing is asked yet. Throws `Fault` where no cluster is configured. */
export function connectAs(version: string, { kubeconfig, context, as, 'as-group': groups }: Given): PersonCluster {
  const options = {
    ...kubeFrom(process.env),
    ...(typeof kubeconfig === 'string' && { kubeconfig }),
    ...(typeof context === 'string' && { context }),
    clock: systemClock,
  };
  const own = connect(options);
  const connection = typeof as === 'string' ? impersonating(own, as, Array.isArray(groups) ? groups.map(String) : []) : own;
  const transport = new Transport({
    connection,
    userAgent: `irsa-operator/${version}`,
    clock: systemClock,
    random: Math.random,
    metrics: noKubeMetrics,
  });
  return { context: contextOf(options), connection, transport };
}

import { Fault } from './api/fault.ts';
import { isProblem } from './api/problem.ts';
import type { Given } from './cli/command.ts';
import { duration } from './cli/duration.ts';
import { kubeFrom } from './config.ts';
import { type ContextView, connect, contextOf, impersonating } from './kube/config.ts';
import type { Connection } from './kube/connection.ts';
import { noKubeMetrics } from './kube/metrics.ts';
import { CALL_DEADLINE_MS, Transport } from './kube/transport.ts';
import { systemClock } from './runtime/clock.ts';

const TIMEOUT = { least: 100, most: 3_600_000, words: 'from 100ms to 1h, such as 10s' };

/** The cluster that the flags of kubectl lead to. */
export interface PersonCluster {
  readonly context: ContextView;
  readonly connection: Connection;
  readonly transport: Transport;
}

/** As the person, or as whom they impersonate. Nothing is asked yet. Throws `Fault` where no cluster is configured. */
export function connectAs(
  version: string,
  { kubeconfig, context, as, 'as-group': groups, 'request-timeout': timeout }: Given,
): PersonCluster {
  const deadlineMs = typeof timeout === 'string' ? duration(timeout, TIMEOUT) : CALL_DEADLINE_MS;
  if (isProblem(deadlineMs)) throw new Fault('invalid', `--request-timeout: ${deadlineMs.problem}`);
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
    deadlineMs,
  });
  return { context: contextOf(options), connection, transport };
}

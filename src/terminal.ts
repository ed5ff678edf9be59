import { isProblem } from './api/problem.ts';
import type { ProxyVariables } from './aws/agents.ts';
import { type Call, COULD_NOT_LOOK } from './cli/command.ts';
import { FORMATS, plain, render } from './cli/output.ts';
import type { Cluster, CommandPorts } from './cli/ports.ts';
import { progressOn } from './cli/progress.ts';
import type { Reporter } from './cli/report.ts';
import { kubeFrom, proxyFrom } from './config.ts';
import { apiReader } from './kube/api-reader.ts';
import { apiAudiences } from './kube/audiences.ts';
import { connect } from './kube/config.ts';
import { readIssuer } from './kube/issuer.ts';
import { listAll } from './kube/list-all.ts';
import { noKubeMetrics } from './kube/metrics.ts';
import { bindings, namespaces } from './kube/resources.ts';
import { Transport } from './kube/transport.ts';
import { awsOfPerson } from './person.ts';
import type { Roles } from './ports/roles.ts';
import { systemClock } from './runtime/clock.ts';
import { DRAIN_MS } from './runtime/lifecycle.ts';
import { afterAbort } from './runtime/signals.ts';

/** Runs one command for a person at a terminal: the report on standard output, all words on standard error. Resolves with the exit code; never throws. */
export async function report({ name, given, version, misused }: Call, reporter: Reporter): Promise<number> {
  const say = (text: string) => void process.stderr.write(`irsa-operator ${name}: ${plain(text)}\n`);
  const format = FORMATS.find((one) => one === given['output']);
  if (format === undefined) return misused(`--output: "${given['output']}" is none of ${FORMATS.join(', ')}`);
  const proxy = proxyFrom(process.env);
  if (isProblem(proxy)) return misused(proxy.problem);
  const { progress, end } = progressOn(process.stderr, systemClock);
  const stop = stopBySignal((text) => {
    end();
    say(text);
  });
  const cluster = given['eks-cluster-name'];
  const { ports, close } = realPorts(version, typeof cluster === 'string' ? cluster : undefined, proxy);
  const counted = countWrites(ports.roles);
  try {
    const found = await reporter(
      given,
      { ...ports, roles: counted.roles, progress },
      { stop, abort: afterAbort(stop, DRAIN_MS, systemClock) },
    );
    process.stdout.write(render(found, format));
    say(found.summary);
    return found.exitCode;
  } catch (error) {
    end();
    const why = stop.aborted ? 'stopped' : error instanceof Error ? error.message : String(error);
    const written = counted.written();
    say(
      written > 0 ? `${why}. Roles written before: ${written}. Run the command again` : stop.aborted ? `${why}. Nothing was written` : why,
    );
    return COULD_NOT_LOOK;
  } finally {
    await close();
  }
}

/** A command that ends without a report still says how many roles it wrote. */
function countWrites(roles: Roles): { readonly roles: Roles; written(): number } {
  let count = 0;
  const edit: Roles['edit'] = async (...args) => {
    const edited = await roles.edit(...args);
    if (edited.written !== undefined) count += 1;
    return edited;
  };
  return { roles: { ...roles, edit }, written: () => count };
}

/** The first Ctrl-C lets the role at hand come to its end; a second one ends the process. */
function stopBySignal(say: (text: string) => void): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      say('stopping after the current role, press Ctrl-C again to stop now');
      stop.abort(new DOMException(`received ${signal}`, 'AbortError'));
    });
  return stop.signal;
}

function realPorts(
  version: string,
  eksClusterName: string | undefined,
  proxy: ProxyVariables,
): { ports: Omit<CommandPorts, 'progress'>; close(): Promise<void> } {
  const clock = systemClock;
  const random = Math.random;
  const { close, ...aws } = awsOfPerson(version, eksClusterName, proxy);
  let transport: Transport | undefined;

  function cluster(): Cluster {
    const connection = connect({ ...kubeFrom(process.env), clock });
    const to = new Transport({ connection, userAgent: `irsa-operator/${version}`, clock, random, metrics: noKubeMetrics });
    transport = to;
    return {
      ...apiReader(to),
      issuer: (signal) => readIssuer(to, signal),
      bindings: (signal, namespace) => listAll(to, bindings, signal, namespace),
      namespaces: (signal) => listAll(to, namespaces, signal),
      apiAudiences: (signal) => apiAudiences(connection, to, signal),
    };
  }

  return {
    ports: { cluster, ...aws, clock, random },
    async close() {
      close();
      await transport?.close();
    },
  };
}

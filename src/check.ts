import { isProblem } from './api/problem.ts';
import type { ProxyVariables } from './aws/agents.ts';
import { awsSettings } from './cli/check/aws-settings.ts';
import { check as walk } from './cli/check/check.ts';
import { CHECK_OUTPUTS } from './cli/check/flags.ts';
import type { CheckPorts, Where } from './cli/check/ports.ts';
import { print } from './cli/check/print.ts';
import { reachOf } from './cli/check/reach.ts';
import { targetFrom } from './cli/check/target.ts';
import type { Style } from './cli/check/text.ts';
import { COULD_NOT_LOOK, type Execute, type Given } from './cli/command.ts';
import { invokedAs } from './cli/invoked-as.ts';
import { plain } from './cli/output.ts';
import { kubeFrom, proxyFrom } from './config.ts';
import { POD_LABELS, podAnnotations } from './domain/pods/pod-state.ts';
import { type ConnectionOptions, connect, contextOf, impersonating } from './kube/config.ts';
import { noKubeMetrics } from './kube/metrics.ts';
import { readCluster } from './kube/read-cluster.ts';
import { Transport } from './kube/transport.ts';
import { awsOfPerson } from './person.ts';
import { systemClock } from './runtime/clock.ts';

/** Of a page that goes into a file or a pipe. */
const USUAL_WIDTH = 100;
const LEAST_WIDTH = 40;

/** The composition root of `check`: the page on standard output, all other words on standard error. Resolves with the exit code; never throws. */
export const check: Execute = async (call) => {
  const { name, misused, given, operands, version } = call;
  const say = (text: string) => void process.stderr.write(`irsa-operator ${name}: ${plain(text)}\n`);
  const output = CHECK_OUTPUTS.find((one) => one === given['output']);
  if (output === undefined) return misused(`--output: "${given['output']}" is none of ${CHECK_OUTPUTS.join(', ')}`);
  const printsTrust = given['print'] !== undefined;
  if (printsTrust && given['print'] !== 'trust') return misused(`--print: "${given['print']}" is not "trust"`);
  const proxy = proxyFrom(process.env);
  if (isProblem(proxy)) return misused(proxy.problem);
  const began = systemClock.monotonic();
  const stop = stopped();
  let close = async () => {};
  try {
    const options = connectionOptions(given);
    const context = contextOf(options);
    const target = targetFrom(operands, given, context.namespace);
    if (isProblem(target)) return misused(target.problem);
    const settings = awsSettings(given, context.exec, process.env, context.server, context.cluster);
    const reach = reachOf(invokedAs(process.argv, process.env, process.cwd()), given, operands, settings, process.env);
    const { region, profile, clusterName } = settings;
    // As every AWS tool reads them, the SDK too.
    if (region !== undefined) process.env['AWS_REGION'] = region;
    if (profile !== undefined) process.env['AWS_PROFILE'] = profile;
    const where: Where = { ...context, region, profile };
    const real = realPorts(version, given, options, proxy, clusterName);
    close = real.close;
    const report = await walk(target, given, where, real.ports, reach, stop);
    if (printsTrust && report.trust === undefined) {
      say('no trust policy to print: the role trusts the ServiceAccount, or another statement would not help, or the role was not read');
      return COULD_NOT_LOOK;
    }
    process.stdout.write(print(report, output, where, style()));
    const findings = report.checked.flatMap((one) => one.check.steps.flatMap((step) => step.findings)).length;
    const seconds = ((systemClock.monotonic() - began) / 1_000).toFixed(1);
    say(`${findings} ${findings === 1 ? 'finding' : 'findings'}, nothing written, ${seconds} s`);
    return printsTrust || given['no-fail'] === true ? 0 : report.exitCode;
  } catch (error) {
    say(stop.aborted ? 'stopped. Nothing was written' : error instanceof Error ? error.message : String(error));
    return COULD_NOT_LOOK;
  } finally {
    await close();
  }
};

function connectionOptions({ kubeconfig, context }: Given): ConnectionOptions {
  return {
    ...kubeFrom(process.env),
    ...(typeof kubeconfig === 'string' && { kubeconfig }),
    ...(typeof context === 'string' && { context }),
    clock: systemClock,
  };
}

function realPorts(
  version: string,
  { as, 'as-group': groups }: Given,
  options: ConnectionOptions,
  proxy: ProxyVariables,
  clusterName: string | undefined,
): { ports: CheckPorts; close(): Promise<void> } {
  const clock = systemClock;
  const own = connect(options);
  const connection = typeof as === 'string' ? impersonating(own, as, Array.isArray(groups) ? groups.map(String) : []) : own;
  const transport = new Transport({
    connection,
    userAgent: `irsa-operator/${version}`,
    clock,
    random: Math.random,
    metrics: noKubeMetrics,
  });
  const { close, ...aws } = awsOfPerson(version, clusterName, proxy);
  return {
    ports: { cluster: readCluster(transport, connection, { labels: POD_LABELS, annotations: podAnnotations }), aws, clock },
    async close() {
      close();
      await transport.close();
    },
  };
}

function style(): Style {
  const { isTTY, columns } = process.stdout;
  return { width: Math.max(LEAST_WIDTH, isTTY ? columns : USUAL_WIDTH), colour: isTTY && process.env['NO_COLOR'] === undefined };
}

/** Nothing is half done at any time: Ctrl-C ends it at once. */
function stopped(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stop.abort(new DOMException(`received ${signal}`, 'AbortError')));
  return stop.signal;
}

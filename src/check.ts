import { isProblem, type Problem, problem } from './api/problem.ts';
import type { Webhook } from './api/webhook.ts';
import type { ProxyVariables } from './aws/agents.ts';
import { fromFiles, KEPT, type Source } from './check-files.ts';
import { acceptedBy, remarksOn } from './cli/check/accepted/lists.ts';
import { readLists } from './cli/check/accepted/read-lists.ts';
import { awsSettings } from './cli/check/aws-settings.ts';
import { type CheckReport, check as walk } from './cli/check/check.ts';
import { CHECK_OUTPUTS } from './cli/check/flags.ts';
import type { CheckPorts, Where } from './cli/check/ports.ts';
import { print } from './cli/check/print.ts';
import { reachOf } from './cli/check/reach.ts';
import { targetFrom } from './cli/check/target.ts';
import { type Call, COULD_NOT_LOOK, type Execute } from './cli/command.ts';
import { invokedAs } from './cli/invoked-as.ts';
import { plain } from './cli/output.ts';
import { type Progress, progressOn } from './cli/progress.ts';
import { styleOf } from './cli/style.ts';
import { webhookFrom } from './cli/webhook-flags.ts';
import { proxyFrom } from './config.ts';
import { connectAs, type PersonCluster } from './connect-as.ts';
import { readCluster } from './kube/read-cluster.ts';
import { awsOfPerson } from './person.ts';
import { systemClock } from './runtime/clock.ts';
import { stopBySignal } from './stop.ts';

/** The composition root of `check`: the page on standard output, all other words on standard error. Resolves with the exit code; never throws. */
export const check: Execute = async (call) => {
  const { name, misused, given, operands, version } = call;
  const say = (text: string) => void process.stderr.write(`irsa-operator ${name}: ${plain(text)}\n`);
  const output = CHECK_OUTPUTS.find((one) => one === given['output']);
  if (output === undefined) return misused(`--output: "${given['output']}" is none of ${CHECK_OUTPUTS.join(', ')}`);
  const printsTrust = given['print'] !== undefined;
  if (printsTrust && given['print'] !== 'trust') return misused(`--print: "${given['print']}" is not "trust"`);
  const style = styleOf(process.stdout, process.env, given);
  if (isProblem(style)) return misused(style.problem);
  const proxy = proxyFrom(process.env);
  if (isProblem(proxy)) return misused(proxy.problem);
  const began = systemClock.monotonic();
  const stop = stopBySignal();
  const line = progressOn(process.stderr, systemClock);
  // As it is before anything is set for the AWS SDK.
  const environment = { ...process.env };
  let close = async () => {};
  try {
    const source = given['filename'] === undefined ? live(call, proxy, line.progress) : await fromFiles(given, operands);
    if (isProblem(source)) return misused(source.problem);
    const { target, where, ports, aws } = source;
    close = source.close;
    const lists = await readLists(given);
    const today = new Date(systemClock.now()).toISOString().slice(0, '2026-12-31'.length);
    const reach = reachOf(invokedAs(process.argv, environment, process.cwd()), given, operands, aws, environment);
    const report = await walk(target, given, where, ports, reach, stop, acceptedBy(lists, today));
    if (printsTrust && report.trust === undefined) {
      say('no trust policy to print: the role trusts the ServiceAccount, or another statement would not help, or the role was not read');
      return COULD_NOT_LOOK;
    }
    process.stdout.write(print(report, output, where, style, version));
    for (const remark of remarksOn(lists, today, target, report.checked)) say(remark);
    const seconds = ((systemClock.monotonic() - began) / 1_000).toFixed(1);
    say(`${countOf(report)}, nothing written, ${seconds} s${pageOf(report)}`);
    return printsTrust || given['no-fail'] === true ? 0 : report.exitCode;
  } catch (error) {
    line.end();
    say(stop.aborted ? 'stopped. Nothing was written' : error instanceof Error ? error.message : String(error));
    return COULD_NOT_LOOK;
  } finally {
    await close();
  }
};

/** A cluster and an account, asked as the person. */
function live({ version, given, operands }: Call, proxy: ProxyVariables, progress: Progress): Source | Problem {
  if (given['iam'] !== undefined) return problem('--iam is for manifests in files. Name them with -f');
  const webhook = webhookFrom(given);
  if (isProblem(webhook)) return webhook;
  const cluster = connectAs(version, given);
  const { context } = cluster;
  const target = targetFrom(operands, given, context.namespace);
  if (isProblem(target)) return target;
  const aws = awsSettings(given, context.exec, process.env, context.server, context.cluster);
  const { region, profile, clusterName } = aws;
  // As every AWS tool reads them, the SDK too.
  if (region !== undefined) process.env['AWS_REGION'] = region;
  if (profile !== undefined) process.env['AWS_PROFILE'] = profile;
  const where: Where = { what: 'cluster', ...context, region, profile };
  return { target, where, aws, ...realPorts(version, cluster, proxy, clusterName, webhook, progress) };
}

function countOf({ checked }: CheckReport): string {
  const all = checked.flatMap(({ check: { steps } }) => steps.flatMap(({ findings }) => findings));
  const accepted = all.filter((one) => one.accepted !== undefined).length;
  return `${all.length} ${all.length === 1 ? 'finding' : 'findings'}${accepted === 0 ? '' : ` (${accepted} ignored or known)`}`;
}

/** Where the first finding is explained. */
function pageOf({ checked }: CheckReport): string {
  const first = checked.flatMap(({ check: { steps } }) => steps.flatMap(({ findings }) => findings))[0];
  return first === undefined ? '' : ` (explain ${first.code})`;
}

function realPorts(
  version: string,
  { connection, transport }: PersonCluster,
  proxy: ProxyVariables,
  clusterName: string | undefined,
  webhook: Webhook,
  progress: Progress,
): { ports: CheckPorts; close(): Promise<void> } {
  const { close, ...aws } = awsOfPerson(version, clusterName, proxy);
  return {
    ports: { cluster: readCluster(transport, connection, KEPT, webhook), aws, clock: systemClock, webhook, progress, files: undefined },
    async close() {
      close();
      await transport.close();
    },
  };
}

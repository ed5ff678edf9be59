import { isProblem } from './api/problem.ts';
import { KEPT } from './check-files.ts';
import { COULD_NOT_LOOK, type Execute } from './cli/command.ts';
import { plain } from './cli/output.ts';
import { PLAN_OUTPUTS } from './cli/plan/flags.ts';
import type { Scope } from './cli/plan/gather.ts';
import { plan } from './cli/plan/plan.ts';
import { printPlan } from './cli/plan/print.ts';
import { readManifests } from './cli/prepare/manifests.ts';
import { styleOf } from './cli/style.ts';
import { webhookFrom } from './cli/webhook-flags.ts';
import { proxyFrom } from './config.ts';
import { connectBoth } from './connect-both.ts';
import { listAll } from './kube/list-all.ts';
import { readCluster } from './kube/read-cluster.ts';
import { bindings, grants, namespaces } from './kube/resources.ts';
import { systemClock } from './runtime/clock.ts';
import { stopBySignal } from './stop.ts';

/** The composition root of `plan`: the plan on standard output, all other words on standard error. Resolves with the exit code; never throws. */
export const planBindings: Execute = async ({ name, given, operands, version, misused }) => {
  const say = (text: string) => void process.stderr.write(`irsa-operator ${name}: ${plain(text)}\n`);
  const output = PLAN_OUTPUTS.find((one) => one === given['output']);
  if (output === undefined) return misused(`--output: "${given['output']}" is none of ${PLAN_OUTPUTS.join(', ')}`);
  const proxy = proxyFrom(process.env);
  if (isProblem(proxy)) return misused(proxy.problem);
  const webhook = webhookFrom(given);
  if (isProblem(webhook)) return misused(webhook.problem);
  const all = given['all-namespaces'] === true;
  const paths = given['filename'];
  if ((all || Array.isArray(paths)) && operands.length > 0) return misused(`"${operands.join(' ')}": a name is of one namespace. Give -n`);
  const stop = stopBySignal();
  let close = async () => {};
  try {
    const files = Array.isArray(paths) ? await readManifests(paths.map(String)) : undefined;
    const both = connectBoth(version, given, proxy);
    close = both.close;
    const { context, connection, transport, aws } = both;
    const cluster = {
      ...readCluster(transport, connection, KEPT, webhook),
      bindings: (signal: AbortSignal) => listAll(transport, bindings, signal),
      grants: (signal: AbortSignal) => listAll(transport, grants, signal),
      namespaces: (signal: AbortSignal) => listAll(transport, namespaces, signal),
    };
    const said = given['namespace'];
    const here = typeof said === 'string' && said !== '' ? said : context.namespace;
    const scope: Scope = { namespace: all ? undefined : here, names: operands, files };
    const found = await plan(scope, given, { cluster, aws, clock: systemClock, webhook, namespace: context.namespace }, stop);
    process.stdout.write(printPlan(found, output, styleOf(process.stdout, process.env)));
    const { length } = found.effects;
    say(`${length === 0 ? 'no changes' : `${length} ${length === 1 ? 'change' : 'changes'}`}, nothing written`);
    return length === 0 ? 0 : 1;
  } catch (error) {
    say(stop.aborted ? 'stopped. Nothing was written' : error instanceof Error ? error.message : String(error));
    return COULD_NOT_LOOK;
  } finally {
    await close();
  }
};

import { keyOf } from './api/cluster.ts';
import { isProblem } from './api/problem.ts';
import { KEPT } from './check-files.ts';
import { selectorFrom } from './cli/cluster-flags.ts';
import type { Execute } from './cli/command.ts';
import { PLAN_OUTPUTS } from './cli/plan/flags.ts';
import type { Scope } from './cli/plan/gather.ts';
import { plan } from './cli/plan/plan.ts';
import { printPlan } from './cli/plan/print.ts';
import { readManifests } from './cli/prepare/manifests.ts';
import { styleOf } from './cli/style.ts';
import { looking } from './connect-both.ts';
import { listAll } from './kube/list-all.ts';
import { readCluster } from './kube/read-cluster.ts';
import { bindings, grants, namespaces } from './kube/resources.ts';
import { systemClock } from './runtime/clock.ts';

/** The composition root of `plan`: the plan on standard output, all other words on standard error. Resolves with the exit code; never throws. */
export const planBindings: Execute = async (call) => {
  const { given, operands, misused } = call;
  const output = PLAN_OUTPUTS.find((one) => one === given['output']);
  if (output === undefined) return misused(`--output: "${given['output']}" is none of ${PLAN_OUTPUTS.join(', ')}`);
  const style = styleOf(process.stdout, process.env, given);
  if (isProblem(style)) return misused(style.problem);
  return looking(call, async ({ webhook, stop, say, progress, connect }) => {
    const all = given['all-namespaces'] === true;
    const paths = given['filename'];
    if ((all || Array.isArray(paths)) && operands.length > 0)
      return misused(`"${operands.join(' ')}": a name is of one namespace. Give -n`);
    const selector = selectorFrom(given);
    if (selector !== undefined && (Array.isArray(paths) || operands.length > 0))
      return misused(`${operands.length > 0 ? `"${operands.join(' ')}"` : '-f'} and -l: give one of the two`);
    const files = Array.isArray(paths) ? await readManifests(paths.map(String)) : undefined;
    const { context, connection, transport, aws } = connect();
    const cluster = {
      ...readCluster(transport, connection, KEPT, webhook),
      bindings: (signal: AbortSignal) => listAll(transport, bindings, signal),
      grants: (signal: AbortSignal) => listAll(transport, grants, signal),
      namespaces: (signal: AbortSignal) => listAll(transport, namespaces, signal),
    };
    const said = given['namespace'];
    const here = typeof said === 'string' && said !== '' ? said : context.namespace;
    const namespace = all ? undefined : here;
    const chosen = selector && (await listAll(transport, { ...bindings, labelSelector: selector }, stop, namespace));
    const labelled = chosen ? new Set(chosen.map(({ metadata }) => keyOf(metadata))) : undefined;
    const scope: Scope = { namespace, names: operands, labelled, files };
    const found = await plan(scope, given, { cluster, aws, clock: systemClock, webhook, progress, namespace: context.namespace }, stop);
    process.stdout.write(printPlan(found, output, style));
    const { length } = found.effects;
    say(`${length === 0 ? 'no changes' : `${length} ${length === 1 ? 'change' : 'changes'}`}, nothing written`);
    return length === 0 ? 0 : 1;
  });
};

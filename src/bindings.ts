import { isProblem } from './api/problem.ts';
import { setSuspended } from './cli/bindings/change.ts';
import { CHANGE_OUTPUTS, GET_OUTPUTS } from './cli/bindings/flags.ts';
import { get, watch } from './cli/bindings/get.ts';
import type { BindingPorts } from './cli/bindings/ports.ts';
import { reconcile } from './cli/bindings/reconcile.ts';
import { changeSelectionFrom, type Selection, selectionFrom } from './cli/bindings/select.ts';
import { type Call, COULD_NOT_LOOK, type Execute } from './cli/command.ts';
import { duration } from './cli/duration.ts';
import { plain, render } from './cli/output.ts';
import { progressOn } from './cli/progress.ts';
import type { Report } from './cli/report.ts';
import { proxyFrom } from './config.ts';
import { connectAs, type PersonCluster } from './connect-as.ts';
import { personBindings } from './kube/person-bindings.ts';
import { systemClock } from './runtime/clock.ts';
import { stopBySignal } from './stop.ts';

const WAIT = { least: 1_000, most: 24 * 3_600_000, words: 'from 1s to 24h, such as 5m' };

export const getBindings: Execute = async (call) => {
  const { given, operands, misused } = call;
  const output = GET_OUTPUTS.find((one) => one === given['output']);
  if (output === undefined) return misused(`--output: "${given['output']}" is none of ${GET_OUTPUTS.join(', ')}`);
  return within(call, async (ports, stop, say) => {
    const selection = selectionFrom(operands, given, ports.namespace);
    if (isProblem(selection)) return misused(selection.problem);
    const print = (text: string) => void process.stdout.write(text);
    if (given['watch'] === true) {
      await watch(selection, output, ports, print, stop).catch((error: unknown) => {
        if (!stop.aborted) throw error;
      });
      return 0;
    }
    if ((await get(selection, output, ports, print, stop)) === 0) say(`no IrsaBinding is ${whatOf(selection)}`);
    return 0;
  });
};

const whatOf = ({ namespace }: Selection): string => (namespace === undefined ? 'selected' : `selected in namespace "${namespace}"`);

export const reconcileBindings: Execute = (call) => {
  const { given, misused } = call;
  const waitMs = duration(String(given['timeout']), WAIT);
  if (isProblem(waitMs)) return Promise.resolve(misused(`--timeout: ${waitMs.problem}`));
  return changing(call, (selection, ports, stop) => reconcile(selection, given['wait'] === true ? waitMs : undefined, ports, stop));
};
export const suspendBindings: Execute = (call) => changing(call, (selection, ports, stop) => setSuspended(selection, true, ports, stop));
export const resumeBindings: Execute = (call) => changing(call, (selection, ports, stop) => setSuspended(selection, false, ports, stop));

type Change = (selection: Selection, ports: BindingPorts, stop: AbortSignal) => Promise<Report>;

async function changing(call: Call, change: Change): Promise<number> {
  const { given, operands, misused } = call;
  const output = CHANGE_OUTPUTS.find((one) => one === given['output']);
  if (output === undefined) return misused(`--output: "${given['output']}" is none of ${CHANGE_OUTPUTS.join(', ')}`);
  return within(call, async (ports, stop, say) => {
    const selection = changeSelectionFrom(operands, given, ports.namespace);
    if (isProblem(selection)) return misused(selection.problem);
    const found = await change(selection, ports, stop);
    process.stdout.write(render(found, output));
    say(found.summary);
    return found.exitCode;
  });
}

/** With the cluster that is meant. Never throws. */
async function within(
  { name, given, version, misused }: Call,
  work: (ports: BindingPorts, stop: AbortSignal, say: (text: string) => void) => Promise<number>,
): Promise<number> {
  const say = (text: string) => void process.stderr.write(`irsa-operator ${name}: ${plain(text)}\n`);
  const proxy = proxyFrom(process.env);
  if (isProblem(proxy)) return misused(proxy.problem);
  const stop = stopBySignal();
  const { progress, end } = progressOn(process.stderr, systemClock);
  let cluster: PersonCluster | undefined;
  try {
    cluster = connectAs(version, given);
    const { context, transport } = cluster;
    return await work({ bindings: personBindings(transport), clock: systemClock, progress, namespace: context.namespace }, stop, say);
  } catch (error) {
    end();
    say(stop.aborted ? 'stopped' : error instanceof Error ? error.message : String(error));
    return COULD_NOT_LOOK;
  } finally {
    await cluster?.transport.close();
  }
}

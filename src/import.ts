import { isProblem } from './api/problem.ts';
import { KEPT } from './check-files.ts';
import { COULD_NOT_LOOK, type Execute } from './cli/command.ts';
import { exactGrants } from './cli/import/grants.ts';
import { importAll } from './cli/import/import.ts';
import { manifestsOf } from './cli/import/print.ts';
import { plain } from './cli/output.ts';
import { webhookFrom } from './cli/webhook-flags.ts';
import { proxyFrom } from './config.ts';
import { connectBoth } from './connect-both.ts';
import { listAll } from './kube/list-all.ts';
import { unlessMissing } from './kube/missing.ts';
import { readCluster } from './kube/read-cluster.ts';
import { bindings } from './kube/resources.ts';
import { stopBySignal } from './stop.ts';

/** The composition root of `import`: manifests on standard output, all other words on standard error. Resolves with the exit code; never throws. */
export const importBindings: Execute = async ({ name, given, version, misused }) => {
  const say = (text: string) => void process.stderr.write(`irsa-operator ${name}: ${plain(text)}\n`);
  const proxy = proxyFrom(process.env);
  if (isProblem(proxy)) return misused(proxy.problem);
  const webhook = webhookFrom(given);
  if (isProblem(webhook)) return misused(webhook.problem);
  const stop = stopBySignal();
  let close = async () => {};
  try {
    const both = connectBoth(version, given, proxy);
    close = both.close;
    const { context, connection, transport, aws } = both;
    const cluster = {
      ...readCluster(transport, connection, KEPT, webhook),
      bindings: async (signal: AbortSignal) => (await unlessMissing(listAll(transport, bindings, signal))) ?? [],
    };
    const said = given['namespace'];
    const here = typeof said === 'string' && said !== '' ? said : context.namespace;
    const namespace = given['all-namespaces'] === true ? undefined : here;
    const imported = await importAll(namespace, given, { cluster, aws, webhook }, stop);
    process.stdout.write(manifestsOf(imported));
    const bound = imported.filter(({ spec }) => spec !== undefined).length;
    say(
      `${bound} bindings, ${exactGrants(imported).length} grants, ${imported.length - bound} ServiceAccounts without a binding. Nothing written`,
    );
    return 0;
  } catch (error) {
    say(stop.aborted ? 'stopped. Nothing was written' : error instanceof Error ? error.message : String(error));
    return COULD_NOT_LOOK;
  } finally {
    await close();
  }
};

import { KEPT } from './check-files.ts';
import { selectorFrom } from './cli/cluster-flags.ts';
import type { Execute } from './cli/command.ts';
import { exactGrants } from './cli/import/grants.ts';
import { importAll } from './cli/import/import.ts';
import { manifestsOf } from './cli/import/print.ts';
import { looking } from './connect-both.ts';
import { listAll } from './kube/list-all.ts';
import { unlessMissing } from './kube/missing.ts';
import { readCluster } from './kube/read-cluster.ts';
import { bindings } from './kube/resources.ts';

/** The composition root of `import`: manifests on standard output, all other words on standard error. Resolves with the exit code; never throws. */
export const importBindings: Execute = async (call) => {
  const { given } = call;
  return looking(call, async ({ webhook, stop, say, progress, connect }) => {
    const { context, connection, transport, aws } = connect();
    const cluster = {
      ...readCluster(transport, connection, KEPT, webhook),
      bindings: async (signal: AbortSignal) => (await unlessMissing(listAll(transport, bindings, signal))) ?? [],
    };
    const said = given['namespace'];
    const here = typeof said === 'string' && said !== '' ? said : context.namespace;
    const namespace = given['all-namespaces'] === true ? undefined : here;
    const imported = await importAll({ namespace, selector: selectorFrom(given) }, given, { cluster, aws, webhook, progress }, stop);
    process.stdout.write(manifestsOf(imported));
    const bound = imported.filter(({ spec }) => spec !== undefined).length;
    say(
      `${bound} bindings, ${exactGrants(imported).length} grants, ${imported.length - bound} ServiceAccounts without a binding. Nothing written`,
    );
    return 0;
  });
};

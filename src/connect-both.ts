import { isProblem } from './api/problem.ts';
import type { Webhook } from './api/webhook.ts';
import type { ProxyVariables } from './aws/agents.ts';
import { awsSettings } from './cli/check/aws-settings.ts';
import { type Call, COULD_NOT_LOOK, type Given } from './cli/command.ts';
import { plain } from './cli/output.ts';
import { type Progress, progressOn } from './cli/progress.ts';
import { webhookFrom } from './cli/webhook-flags.ts';
import { proxyFrom } from './config.ts';
import { connectAs } from './connect-as.ts';
import { awsOfPerson } from './person.ts';
import { systemClock } from './runtime/clock.ts';
import { stopBySignal } from './stop.ts';

/** The cluster that the flags of kubectl lead to, and the account that belongs to it. Nothing is asked yet. Throws `Fault`. */
export function connectBoth(version: string, given: Given, proxy: ProxyVariables) {
  const cluster = connectAs(version, given);
  const { context, transport } = cluster;
  const { region, profile, clusterName } = awsSettings(given, context.exec, process.env, context.server, context.cluster);
  // As every AWS tool reads them, the SDK too.
  if (region !== undefined) process.env['AWS_REGION'] = region;
  if (profile !== undefined) process.env['AWS_PROFILE'] = profile;
  const { close, ...aws } = awsOfPerson(version, clusterName, proxy);
  return {
    ...cluster,
    aws,
    async close() {
      close();
      await transport.close();
    },
  };
}

interface Looking {
  readonly webhook: Webhook;
  readonly stop: AbortSignal;
  /** Words on standard error. */
  readonly say: (text: string) => void;
  readonly progress: Progress;
  /** Connects; what it opened is closed when the work has ended. Throws `Fault`. */
  readonly connect: () => Both;
}

type Both = ReturnType<typeof connectBoth>;

/** A command that looks at cluster and account, and writes nothing. Resolves with the exit code; never throws. */
export async function looking({ name, given, version, misused }: Call, look: (looking: Looking) => Promise<number>): Promise<number> {
  const say = (text: string) => void process.stderr.write(`irsa-operator ${name}: ${plain(text)}\n`);
  const proxy = proxyFrom(process.env);
  if (isProblem(proxy)) return misused(proxy.problem);
  const webhook = webhookFrom(given);
  if (isProblem(webhook)) return misused(webhook.problem);
  const stop = stopBySignal();
  const { progress, end } = progressOn(process.stderr, systemClock);
  let both: Both | undefined;
  const connect = () => {
    both = connectBoth(version, given, proxy);
    return both;
  };
  try {
    return await look({ webhook, stop, say, progress, connect });
  } catch (error) {
    end();
    say(stop.aborted ? 'stopped. Nothing was written' : error instanceof Error ? error.message : String(error));
    return COULD_NOT_LOOK;
  } finally {
    await both?.close();
  }
}

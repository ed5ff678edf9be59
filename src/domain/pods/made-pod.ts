import type { Container, OwnMounts, Pod, Template } from '../../api/cluster.ts';
import { INJECTED } from '../../api/names.ts';
import { EKS_WEBHOOK, tokenFile, type Webhook } from '../../api/webhook.ts';
import { containersOfTheWebhook, type DesiredInjection, isComplete, KEYS } from './injection.ts';

/** What the webhook makes of a pod that is being created: its own rules (its source, pkg/handler, v0.6.17). */
export function madePod(pod: Pod, template: Template | undefined, desired: DesiredInjection): Pod {
  const { webhook = EKS_WEBHOOK, roleArn, audience } = desired;
  const touched = new Set(containersOfTheWebhook(pod, template, webhook));
  const injected = { [INJECTED.roleArn]: roleArn, [INJECTED.tokenFile]: tokenFile(webhook, pod.windows) };
  const made = (container: Container): Container => {
    const { env } = container;
    if (!touched.has(container) || isComplete(env)) return container;
    const hasIdentity = KEYS.some((key) => key in env);
    const isMounted = !container.mountsToken && container.own?.tokenMount === undefined;
    const own = isMounted ? withoutFileUnder(container, webhook) : container.own;
    const { own: _, ...rest } = container;
    return {
      ...rest,
      env: hasIdentity ? env : { ...env, ...injected },
      mountsToken: container.mountsToken || isMounted,
      ...(own && { own }),
    };
  };
  const hasVolume = template?.hasTokenVolume ?? pod.tokenAudience !== undefined;
  return { ...pod, containers: pod.containers.map(made), tokenAudience: hasVolume ? pod.tokenAudience : audience };
}

/** The new mount hides what another one, further out, has for the webhook's path. */
function withoutFileUnder({ env, own }: Container, webhook: Webhook): OwnMounts | undefined {
  const isUnder = [true, false].some((windows) => env[INJECTED.tokenFile] === tokenFile(webhook, windows));
  if (own === undefined || !isUnder) return own;
  const { tokenFile: _, ...rest } = own;
  return Object.keys(rest).length === 0 ? undefined : rest;
}

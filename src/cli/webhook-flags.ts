import { GROUP } from '../api/names.ts';
import { type Problem, problem } from '../api/problem.ts';
import { EKS_WEBHOOK, type Webhook } from '../api/webhook.ts';
import type { Flag, Given } from './command.ts';

export const WEBHOOK_FLAGS = {
  'webhook-annotation-prefix': {
    type: 'string',
    default: EKS_WEBHOOK.annotationPrefix,
    help: '--annotation-prefix of the pod identity webhook of this cluster',
  },
  'webhook-token-audience': { type: 'string', default: EKS_WEBHOOK.tokenAudience, help: 'its --token-audience' },
  'webhook-token-mount-path': { type: 'string', default: EKS_WEBHOOK.tokenMountPath, help: 'its --token-mount-path' },
} as const satisfies Record<string, Flag>;

/** Of an OIDC provider, as IAM takes it. */
export const CLIENT_ID = /^[^\s,]{1,255}$/;
/** Of labels (RFC 1123), as the prefix of a key in Kubernetes. */
const PREFIX = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
/** Already what Go's `filepath.Join` makes of it, so that it is what stands in the pods. */
const CLEAN_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[^\s/:]+)+$/;

/** How the webhook was started, as the user says. */
export function webhookFrom(given: Given): Webhook | Problem {
  const text = (name: keyof typeof WEBHOOK_FLAGS) => String(given[name] ?? WEBHOOK_FLAGS[name].default);
  const annotationPrefix = text('webhook-annotation-prefix');
  const tokenAudience = text('webhook-token-audience');
  const tokenMountPath = text('webhook-token-mount-path');
  if (!PREFIX.test(annotationPrefix))
    return problem(`--webhook-annotation-prefix: "${annotationPrefix}" is not a DNS name such as ${EKS_WEBHOOK.annotationPrefix}`);
  if (annotationPrefix === GROUP) return problem(`--webhook-annotation-prefix: "${GROUP}" is the prefix of irsa-operator itself`);
  if (!CLIENT_ID.test(tokenAudience))
    return problem(
      `--webhook-token-audience: "${tokenAudience}" is not an audience. Wanted: 1 to 255 characters without blanks and commas`,
    );
  if (!CLEAN_PATH.test(tokenMountPath))
    return problem(`--webhook-token-mount-path: "${tokenMountPath}" is not an absolute path without a slash at its end`);
  return { annotationPrefix, tokenAudience, tokenMountPath };
}

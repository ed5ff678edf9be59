/**
 * How the pod identity webhook of this cluster was started: its flags of the same names. EKS runs it with these defaults, other installations may not
 * (https://github.com/aws/amazon-eks-pod-identity-webhook, main.go).
 */
export interface Webhook {
  /** Before the slash of each annotation that it reads. */
  readonly annotationPrefix: string;
  /** What it asks for where the ServiceAccount has no audience annotation. */
  readonly tokenAudience: string;
  readonly tokenMountPath: string;
}

export const EKS_WEBHOOK: Webhook = {
  annotationPrefix: 'eks.amazonaws.com',
  tokenAudience: 'sts.amazonaws.com',
  tokenMountPath: '/var/run/secrets/eks.amazonaws.com/serviceaccount',
};

/** What it reads from a ServiceAccount; the last two from a pod too (webhook source, pkg/const.go). */
export interface AnnotationKeys {
  readonly roleArn: string;
  readonly audience: string;
  readonly stsRegionalEndpoints: string;
  readonly tokenExpiration: string;
  readonly skipContainers: string;
}

export function annotationKeys({ annotationPrefix }: Pick<Webhook, 'annotationPrefix'>): AnnotationKeys {
  return {
    roleArn: `${annotationPrefix}/role-arn`,
    audience: `${annotationPrefix}/audience`,
    stsRegionalEndpoints: `${annotationPrefix}/sts-regional-endpoints`,
    tokenExpiration: `${annotationPrefix}/token-expiration`,
    skipContainers: `${annotationPrefix}/skip-containers`,
  };
}

/** Where a container finds its token; another path where the node selector says Windows. */
export function tokenFile({ tokenMountPath }: Webhook, windows: boolean): string {
  const path = `${tokenMountPath}/token`;
  return windows ? `C:${path.replaceAll('/', '\\')}` : path;
}

/** As `metav1.LabelSelector` has it. */
export interface LabelSelector {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly { readonly key: string; readonly operator: string; readonly values: readonly string[] }[];
}

/** A webhook of a MutatingWebhookConfiguration that injects roles into pods. */
export interface InjectingWebhook {
  /** The name of the configuration. */
  readonly configuration: string;
  readonly namespaceSelector: LabelSelector;
  readonly objectSelector: LabelSelector;
}

/** EKS and its chart name them so: `iam-for-pods.amazonaws.com` (EKS), `pod-identity-webhook.amazonaws.com` (the project's own manifests). */
export const isInjecting = (name: string): boolean => /^(?:iam-for-pods|pod-identity-webhook)\b/.test(name);

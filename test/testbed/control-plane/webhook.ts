import type { Pki } from '../pki/index.ts';
import type { Launch } from './component.ts';
import { httpsStatus } from './https-status.ts';

/** What EKS gives it. */
const PREFIX = 'eks.amazonaws.com';

/** Which annotations it reads: its flags are Go's, where the last one counts. */
export function annotationPrefixOf(args: readonly string[]): string {
  const flag = '--annotation-prefix=';
  return args.findLast((arg) => arg.startsWith(flag))?.slice(flag.length) ?? PREFIX;
}

/** The webhook that injects AWS credentials on EKS, the original, with the settings of EKS unless `extraArgs` say otherwise. */
export function podIdentityWebhook(
  binary: string,
  kubeconfig: string,
  pki: Pki,
  extraArgs: readonly string[] = [],
): Launch<'secure' | 'metrics'> {
  return {
    name: 'amazon-eks-pod-identity-webhook',
    binary,
    ports: ['secure', 'metrics'],
    args: ({ secure, metrics }) => [
      ...['--kubeconfig', kubeconfig, '--in-cluster=false', '--tls-cert', pki.webhook.certificate, '--tls-key', pki.webhook.key],
      ...['--port', `${secure}`, '--metrics-port', `${metrics}`, '--annotation-prefix', PREFIX],
      ...[
        '--token-audience',
        'sts.amazonaws.com',
        '--aws-default-region',
        'us-east-1',
        '--sts-regional-endpoint=true',
        '--resync-period',
        '60s',
      ],
      ...extraArgs,
    ],
    isUp: async ({ secure }, signal) =>
      (await httpsStatus(`https://127.0.0.1:${secure}/healthz`, pki.authority.certificate, signal)) === 200,
  };
}

/** How the API server is told of it: as the webhook's own `deploy/mutatingwebhook.yaml` does, but by URL. */
export function webhookConfiguration(port: number, pki: Pki): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'pod-identity-webhook' },
    webhooks: [
      {
        name: 'pod-identity-webhook.amazonaws.com',
        failurePolicy: 'Ignore',
        clientConfig: { url: `https://127.0.0.1:${port}/mutate`, caBundle: Buffer.from(pki.authority.certificate).toString('base64') },
        objectSelector: { matchExpressions: [{ key: 'eks.amazonaws.com/skip-pod-identity-webhook', operator: 'DoesNotExist' }] },
        rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
        sideEffects: 'None',
        // It answers in v1beta1 whatever it is asked in. Asked in v1, the API server refuses the answer, `Ignore` swallows that,
        // and pods come up without credentials.
        admissionReviewVersions: ['v1beta1'],
      },
    ],
  };
}

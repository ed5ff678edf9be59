import { CLUSTER_FLAGS, NAMESPACE_FLAG } from '../cluster-flags.ts';
import type { Flags } from '../command.ts';
import { WEBHOOK_FLAGS } from '../webhook-flags.ts';

export const REPORT_OUTPUTS = ['html', 'markdown', 'json'] as const;

export const REPORT_FLAGS: Flags = {
  namespace: { ...NAMESPACE_FLAG, help: 'one namespace. Without it all of them' },
  issuer: { type: 'string', value: 'URL', help: "the cluster's issuer, where nothing that may be read says it" },
  ...CLUSTER_FLAGS,
  profile: { type: 'string', value: 'NAME', help: 'the AWS profile. Without it that of the kubeconfig, then AWS_PROFILE' },
  region: { type: 'string', value: 'REGION', help: 'the AWS region. Without it that of the kubeconfig, then AWS_REGION' },
  ...WEBHOOK_FLAGS,
  output: { type: 'string', short: 'o', value: REPORT_OUTPUTS.join('|'), default: 'html', help: 'how the report is written' },
};

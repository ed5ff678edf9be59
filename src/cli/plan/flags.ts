import { CLUSTER_FLAGS, NAMESPACE_FLAG, SELECTOR_FLAG } from '../cluster-flags.ts';
import { CLUSTER_ID_FLAG } from '../cluster-id.ts';
import type { Flags } from '../command.ts';
import { COLOR_FLAG } from '../style.ts';
import { WEBHOOK_FLAGS } from '../webhook-flags.ts';

export const PLAN_OUTPUTS = ['table', 'json', 'yaml', 'markdown'] as const;

export const PLAN_FLAGS: Flags = {
  namespace: NAMESPACE_FLAG,
  'all-namespaces': { type: 'boolean', short: 'A', help: 'the bindings of all namespaces' },
  selector: SELECTOR_FLAG,
  filename: {
    type: 'string',
    short: 'f',
    multiple: true,
    value: 'FILE|FOLDER|-',
    help: 'bindings and grants that are not applied yet. The plan is for these bindings',
  },
  'oidc-issuer': { type: 'string', value: 'URL', help: "this cluster's issuer, where its API server does not say" },
  'cluster-id': CLUSTER_ID_FLAG,
  ...CLUSTER_FLAGS,
  profile: { type: 'string', value: 'NAME', help: 'the AWS profile. Without it that of the kubeconfig, then AWS_PROFILE' },
  region: { type: 'string', value: 'REGION', help: 'the AWS region. Without it that of the kubeconfig, then AWS_REGION' },
  ...WEBHOOK_FLAGS,
  ...COLOR_FLAG,
  output: { type: 'string', short: 'o', value: PLAN_OUTPUTS.join('|'), default: 'table', help: 'how the plan is written' },
};

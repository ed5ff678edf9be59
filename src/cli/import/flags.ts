import { CLUSTER_FLAGS, NAMESPACE_FLAG, SELECTOR_FLAG } from '../cluster-flags.ts';
import type { Flags } from '../command.ts';
import { WEBHOOK_FLAGS } from '../webhook-flags.ts';

export const IMPORT_FLAGS: Flags = {
  namespace: NAMESPACE_FLAG,
  'all-namespaces': { type: 'boolean', short: 'A', help: 'the annotated ServiceAccounts of all namespaces' },
  selector: SELECTOR_FLAG,
  mode: { type: 'string', value: 'Observe|Enforce', default: 'Observe', help: 'the mode of new bindings' },
  ...CLUSTER_FLAGS,
  profile: { type: 'string', value: 'NAME', help: 'the AWS profile. Without it that of the kubeconfig, then AWS_PROFILE' },
  region: { type: 'string', value: 'REGION', help: 'the AWS region. Without it that of the kubeconfig, then AWS_REGION' },
  ...WEBHOOK_FLAGS,
};

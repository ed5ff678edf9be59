import { CLUSTER_FLAGS, NAMESPACE_FLAG, SELECTOR_FLAG } from '../cluster-flags.ts';
import type { Flags } from '../command.ts';
import { COLOR_FLAG } from '../style.ts';
import { WEBHOOK_FLAGS } from '../webhook-flags.ts';

export const CHECK_OUTPUTS = ['table', 'json', 'yaml', 'markdown', 'sarif', 'github', 'junit'] as const;

export const CHECK_FLAGS: Flags = {
  namespace: NAMESPACE_FLAG,
  'all-namespaces': { type: 'boolean', short: 'A', help: 'every annotated ServiceAccount of the cluster' },
  selector: { ...SELECTOR_FLAG, help: 'every annotated ServiceAccount with these labels, as in kubectl. Example: team=shop' },
  'service-account': { type: 'string', value: 'NAME', completes: 'accounts', help: 'a ServiceAccount, in place of TYPE/NAME' },
  filename: {
    type: 'string',
    short: 'f',
    multiple: true,
    value: 'FILE|FOLDER|-',
    help: 'manifests in place of a cluster. - is standard input, for example helm template',
  },
  iam: {
    type: 'string',
    multiple: true,
    value: 'FILE',
    help: 'with -f: the roles, by "aws iam get-account-authorization-details" or "terraform show -json"',
  },
  'role-arn': { type: 'string', value: 'ARN', help: 'the role that is meant, where the annotation is missing or wrong' },
  issuer: { type: 'string', value: 'URL', help: "the cluster's issuer, where nothing that may be read says it" },
  print: { type: 'string', value: 'trust', help: 'print only the trust policy that fixes the role' },
  'fail-on': { type: 'string', value: 'Warning|Error', default: 'Warning', help: 'what the exit code 1 needs at least' },
  ignore: { type: 'string', value: 'FILE', help: 'findings that do not count, each with a reason (YAML)' },
  baseline: { type: 'string', value: 'FILE', help: 'an earlier report (-o json). What is in it does not count' },
  'no-fail': { type: 'boolean', help: 'exit with 0 whatever is found' },
  ...CLUSTER_FLAGS,
  profile: { type: 'string', value: 'NAME', help: 'the AWS profile. Without it that of the kubeconfig, then AWS_PROFILE' },
  region: { type: 'string', value: 'REGION', help: 'the AWS region. Without it that of the kubeconfig, then AWS_REGION' },
  ...WEBHOOK_FLAGS,
  ...COLOR_FLAG,
  output: { type: 'string', short: 'o', value: CHECK_OUTPUTS.join('|'), default: 'table', help: 'how the report is written' },
};

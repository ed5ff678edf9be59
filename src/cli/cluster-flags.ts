import type { Flags, Given } from './command.ts';

/** Which cluster is meant, and as whom it is asked: the flags of kubectl. */
export const CLUSTER_FLAGS = {
  context: { type: 'string', value: 'NAME', completes: 'contexts', help: 'the context of the kubeconfig' },
  kubeconfig: { type: 'string', value: 'FILE', help: 'in place of KUBECONFIG and ~/.kube/config' },
  as: { type: 'string', value: 'USER', help: 'the user to impersonate in the cluster' },
  'request-timeout': { type: 'string', value: 'DURATION', default: '10s', help: 'how long the API server may take for one answer' },
  'as-group': { type: 'string', multiple: true, value: 'GROUP', help: 'the group to impersonate in the cluster' },
} as const satisfies Flags;

export const NAMESPACE_FLAG = {
  type: 'string',
  short: 'n',
  value: 'NS',
  completes: 'namespaces',
  help: "the namespace. Without it that of the kubeconfig's context",
} as const;

export const SELECTOR_FLAG = {
  type: 'string',
  short: 'l',
  value: 'LABELS',
  help: 'only those with these labels, as in kubectl. Example: team=shop',
} as const;

/** An empty one is a variable of a shell that is not set. */
export function selectorFrom({ selector }: Given): string | undefined {
  return typeof selector === 'string' && selector !== '' ? selector : undefined;
}

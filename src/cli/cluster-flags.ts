import type { Flags } from './command.ts';

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

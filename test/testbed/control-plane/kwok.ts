import type { Launch } from './component.ts';

/** The stages below leave pods with this label to the testbed's own kubelet, which asks STS. */
export const WORKLOAD_LABEL = 'testbed.irsa-operator.dev/workload';

/** The node that is always there. */
export const NODE = 'kwok-0';

/** Plays every node, and the kubelet of every pod that is not the testbed's own business. `config` is written by `kwokConfig`. */
export function kwok(binary: string, kubeconfig: string, config: string): Launch<'http'> {
  return {
    name: 'kwok',
    binary,
    ports: ['http'],
    args: ({ http }) => [
      ...['--kubeconfig', kubeconfig, '--config', config, '--manage-all-nodes=true'],
      ...['--node-lease-duration-seconds', '40', '--server-address', `127.0.0.1:${http}`],
    ],
    isUp: async ({ http }, signal) => (await fetch(`http://127.0.0.1:${http}/healthz`, { signal })).ok,
  };
}

/**
 * kwok's own "fast" stages, shortened. It exits without stages; and with a `KwokConfiguration` it exits unless all three numbers are set
 * (32 makes 300 pods a second ready).
 */
export function kwokConfig(): string {
  return [configuration, nodeInitialize, podReady, podComplete, podDelete].map((object) => JSON.stringify(object)).join('\n---\n');
}

const configuration = {
  apiVersion: 'config.kwok.x-k8s.io/v1alpha1',
  kind: 'KwokConfiguration',
  metadata: { name: 'kwok' },
  options: { podPlayStageParallelism: 32, nodePlayStageParallelism: 32, nodeLeaseParallelism: 32 },
};

const NOT_OURS = { key: `.metadata.labels["${WORKLOAD_LABEL}"]`, operator: 'DoesNotExist' };
const NOT_DELETED = { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' };
const NOT_READY = { key: '.status.conditions.[] | select( .type == "Ready" ) | .status', operator: 'NotIn', values: ['True'] };

const nodeInitialize = stage('node-initialize', 'Node', [NOT_READY], {
  statusTemplate: `
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- {type: {{ .type | Quote }}, status: {{ .status | Quote }}, reason: {{ .reason | Quote }}, message: {{ .message | Quote }}, lastHeartbeatTime: {{ $now | Quote }}, lastTransitionTime: {{ $now | Quote }}}
{{ end }}
addresses: [{type: InternalIP, address: {{ NodeIP | Quote }}}, {type: Hostname, address: {{ .metadata.name | Quote }}}]
allocatable: {cpu: 1k, memory: 1Ti, pods: 1M}
capacity: {cpu: 1k, memory: 1Ti, pods: 1M}
nodeInfo: {architecture: amd64, bootID: "", containerRuntimeVersion: kwok, kernelVersion: kwok, kubeProxyVersion: kwok, kubeletVersion: kwok, machineID: "", operatingSystem: linux, osImage: "", systemUUID: ""}
phase: Running
`,
});

const podReady = stage(
  'pod-ready',
  'Pod',
  [NOT_OURS, NOT_DELETED, NOT_READY, { key: '.status.phase', operator: 'In', values: ['Pending'] }],
  {
    statusTemplate: `
{{ $now := Now }}
conditions:
- {type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: Ready, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "True", lastTransitionTime: {{ $now | Quote }}}
{{ range .spec.readinessGates }}
- {type: {{ .conditionType | Quote }}, status: "True", lastTransitionTime: {{ $now | Quote }}}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- {name: {{ .name | Quote }}, image: {{ .image | Quote }}, imageID: "", ready: true, started: true, restartCount: 0, state: {running: {startedAt: {{ $now | Quote }}}}}
{{ end }}
phase: Running
startTime: {{ $now | Quote }}
`,
  },
);

const podComplete = stage(
  'pod-complete',
  'Pod',
  [
    NOT_OURS,
    NOT_DELETED,
    { key: '.status.phase', operator: 'In', values: ['Running'] },
    { key: '.metadata.ownerReferences.[].kind', operator: 'In', values: ['Job'] },
  ],
  {
    statusTemplate: `
{{ $now := Now }}
containerStatuses:
{{ range .spec.containers }}
- {name: {{ .name | Quote }}, image: {{ .image | Quote }}, imageID: "", ready: false, started: false, restartCount: 0, state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}}}
{{ end }}
phase: Succeeded
`,
  },
);

const podDelete = stage('pod-delete', 'Pod', [NOT_OURS, { key: '.metadata.deletionTimestamp', operator: 'Exists' }], { delete: true });

function stage(name: string, kind: 'Node' | 'Pod', matchExpressions: readonly object[], next: object): object {
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: { resourceRef: { apiGroup: 'v1', kind }, selector: { matchExpressions }, next },
  };
}

import type { KubeObject } from '../follow.ts';

/** What this kubelet reads of a pod. Times are RFC 3339, to the second. */
export interface Pod extends KubeObject {
  metadata: KubeObject['metadata'] & { namespace: string; deletionTimestamp?: string };
  spec: PodSpec;
  status?: PodStatus;
}

export interface PodSpec {
  nodeName?: string;
  serviceAccountName?: string;
  containers: readonly Container[];
  volumes?: readonly Volume[];
}

export interface Container {
  name: string;
  image?: string;
  env?: readonly { name: string; value?: string }[];
  volumeMounts?: readonly { name: string; mountPath: string }[];
}

export interface Volume {
  name: string;
  projected?: { sources?: readonly { serviceAccountToken?: { path: string; audience?: string; expirationSeconds?: number } }[] };
}

export interface PodStatus {
  phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  startTime?: string;
  conditions?: readonly Condition[];
  containerStatuses?: readonly ContainerStatus[];
}

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string | null;
  message?: string | null;
  lastTransitionTime: string;
}

export interface ContainerStatus {
  name: string;
  image: string;
  imageID: string;
  ready: boolean;
  started: boolean;
  restartCount: number;
  state: ContainerState;
  lastState?: ContainerState;
}

export interface ContainerState {
  running?: { startedAt: string };
  waiting?: { reason: string; message?: string };
  terminated?: { exitCode: number; reason: string; message: string; startedAt: string; finishedAt: string };
}

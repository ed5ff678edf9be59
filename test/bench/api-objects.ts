/** Objects as an API server sends them, of the sizes that clusters have. */

/** A ServiceAccount of about 1 kB: an annotation of ours, Helm's labels, and who wrote which field. */
export function serviceAccount(index: number, resourceVersion: string): object {
  const name = `app-${index}`;
  return {
    kind: 'ServiceAccount',
    apiVersion: 'v1',
    metadata: {
      name,
      namespace: `team-${index % 100}`,
      uid: `3f0c1c9e-0000-4000-8000-${String(index).padStart(12, '0')}`,
      resourceVersion,
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { 'app.kubernetes.io/name': name, 'app.kubernetes.io/managed-by': 'Helm', 'helm.sh/chart': `${name}-1.2.3` },
      annotations: { 'eks.amazonaws.com/role-arn': `arn:aws:iam::111122223333:role/${name}`, 'meta.helm.sh/release-name': name },
      managedFields: [
        manager('helm', { 'f:labels': { 'f:app.kubernetes.io/name': {}, 'f:helm.sh/chart': {} } }),
        manager('irsa-operator', { 'f:annotations': { 'f:eks.amazonaws.com/role-arn': {} } }),
      ],
    },
  };
}

/** A pod of about 7 kB: two containers with probes and environment, injected credentials, a full status. */
export function pod(index: number, resourceVersion: string): object {
  const name = `app-${index}-6f7d9c8b5-x2x4z`;
  const env = [
    ...Array.from({ length: 12 }, (_, at) => ({ name: `SETTING_${at}`, value: `value-${at}-of-${name}` })),
    { name: 'AWS_ROLE_ARN', value: `arn:aws:iam::111122223333:role/app-${index}` },
    { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token' },
  ];
  const probe = { httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' }, timeoutSeconds: 1, periodSeconds: 10, failureThreshold: 3 };
  const container = (which: string) => ({
    name: which,
    image: `registry.example/team/${which}:1.2.3`,
    env,
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    volumeMounts: [
      { name: 'aws-iam-token', readOnly: true, mountPath: '/var/run/secrets/eks.amazonaws.com/serviceaccount' },
      { name: 'kube-api-access', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ],
    livenessProbe: probe,
    readinessProbe: probe,
    terminationMessagePath: '/dev/termination-log',
    imagePullPolicy: 'IfNotPresent',
  });
  const containers = [container('app'), container('proxy')];
  const condition = (type: string) => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: '2026-01-01T00:00:00Z' });
  return {
    metadata: {
      name,
      namespace: `team-${index % 100}`,
      uid: `7a0c1c9e-0000-4000-8000-${String(index).padStart(12, '0')}`,
      resourceVersion,
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: `app-${index}`, 'pod-template-hash': '6f7d9c8b5' },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `app-${index}-6f7d9c8b5`, uid: `rs-${index}`, controller: true },
      ],
      managedFields: [
        manager('kube-controller-manager', { 'f:labels': { 'f:app': {} } }),
        manager('kubelet', statusFields(containers.length)),
      ],
    },
    spec: {
      serviceAccountName: `app-${index % 10_000}`,
      nodeName: `ip-10-0-0-${index % 250}.ec2.internal`,
      containers,
      volumes: [
        {
          name: 'aws-iam-token',
          projected: { sources: [{ serviceAccountToken: { audience: 'sts.amazonaws.com', expirationSeconds: 86_400, path: 'token' } }] },
        },
        { name: 'kube-api-access', projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3_607, path: 'token' } }] } },
      ],
    },
    status: {
      phase: 'Running',
      conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(condition),
      podIP: '10.0.0.1',
      containerStatuses: containers.map((one) => ({
        name: one.name,
        image: one.image,
        imageID: `${one.image}@sha256:${'0'.repeat(64)}`,
        containerID: `containerd://${'1'.repeat(64)}`,
        state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
        ready: true,
        restartCount: 0,
      })),
    },
  };
}

function manager(name: string, fields: object): object {
  return {
    manager: name,
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-01-01T00:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:metadata': fields },
  };
}

function statusFields(containers: number): object {
  const one = { '.': {}, 'f:name': {}, 'f:ready': {}, 'f:restartCount': {}, 'f:state': { 'f:running': { 'f:startedAt': {} } } };
  return { 'f:status': Object.fromEntries(Array.from({ length: containers }, (_, at) => [`k:{"containerID":"${at}"}`, one])) };
}

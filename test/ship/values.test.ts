import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prometheusOperatorCrds, until } from '@irsa-operator/testbed';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { openScene } from '../harness/scene.ts';
import { CHART } from './helm.ts';
import type { Replica } from './operator-pods.ts';
import { NAMESPACE, pathOf, shipyard, VALUES } from './suite.ts';

/** Each value of the chart, seen on what runs: one release that sets them all. */
const yard = shipyard();
const NAME = 'prod-irsa';
const LABEL = { 'app.kubernetes.io/name': 'irsa' };
const DIGEST = `sha256:${'0a'.repeat(32)}`;

const affinity = {
  podAntiAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      { weight: 1, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: LABEL } } },
    ],
  },
};
const toleration = { key: 'CriticalAddonsOnly', operator: 'Exists' };
const own = {
  topologyKey: 'example.org/rack',
  maxSkew: 2,
  whenUnsatisfiable: 'ScheduleAnyway',
  labelSelector: { matchLabels: { a: 'b' } },
};
const values = {
  ...VALUES,
  nameOverride: 'irsa',
  global: { imageRegistry: 'mirror.example:5000' },
  commonLabels: { team: 'platform' },
  replicas: 2,
  image: { repository: 'quay.io/acme/irsa', tag: 'v9', digest: DIGEST, pullPolicy: 'Always' },
  imagePullSecrets: [{ name: 'registry' }],
  serviceAccount: { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/irsa-operator' } },
  extraArgs: [...VALUES.extraArgs, '--log-level=debug'],
  extraEnv: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/ca/bundle.pem' }],
  extraVolumes: [{ name: 'ca', configMap: { name: 'ca' } }],
  extraVolumeMounts: [{ name: 'ca', mountPath: '/ca', readOnly: true }],
  extraObjects: [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: '{{ .Release.Name }}-extra' }, data: { of: '{{ .Chart.Name }}' } },
  ],
  podLabels: { ...VALUES.podLabels, cost: 'shared' },
  podAnnotations: { 'example.org/scan': 'yes', 'irsa-operator.dev/restart': 'evict' },
  podSecurityContext: { supplementalGroups: [4242] },
  securityContext: { readOnlyRootFilesystem: false },
  resources: { limits: { memory: '300Mi' } },
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  affinity,
  tolerations: [toleration],
  topologySpreadConstraints: [{ topologyKey: 'topology.kubernetes.io/zone', maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway' }, own],
  priorityClassName: 'system-cluster-critical',
  podDisruptionBudget: { maxUnavailable: '50%' },
  service: { annotations: { 'example.org/scrape': 'yes' } },
  serviceMonitor: { enabled: true, labels: { release: 'prometheus' }, interval: '30s', scrapeTimeout: '10s' },
  prometheusRule: { enabled: true, labels: { release: 'prometheus' } },
  dashboards: { enabled: true, labels: { dashboards: 'yes' }, annotations: { grafana_folder: 'irsa' } },
  networkPolicy: { enabled: true, from: [{ podSelector: { matchLabels: { app: 'prometheus' } } }] },
};

interface Pod {
  metadata: { name: string; labels: Record<string, string>; annotations: Record<string, string> };
  spec: Record<string, unknown> & { containers: Record<string, unknown>[] };
}
let pods: Pod[];
let replicas: Replica[];

beforeAll(async () => {
  for (const crd of await prometheusOperatorCrds()) await yard.testbed.kubectl(['create', '-f', crd]);
  const served = () => yard.testbed.kubectl(['get', 'servicemonitors,prometheusrules', '-A']);
  await until('the kinds of prometheus-operator are served', served, { timeoutMs: 30_000 });
  await yard.helm(['install', 'prod', CHART, '-n', NAMESPACE, '--create-namespace', '--wait', '--timeout=90s'], values);
  pods = (await yard.api.call<{ items: Pod[] }>('GET', pathOf('pods', { namespace: NAMESPACE }))).items;
  replicas = yard.pods.replicas(NAMESPACE);
});

const at = async <T>(path: string) => await yard.api.call<T & { metadata: Pod['metadata'] }>('GET', path);
const container = (pod: Pod) => pod.spec.containers[0] ?? {};

/** By value: of each pod that runs, what the value is to be seen in, and what is wanted there. */
const onPods: Record<string, { seen: (pod: Pod) => unknown; is: unknown }> = {
  'image.repository, image.tag, image.digest and global.imageRegistry': {
    seen: (pod) => container(pod)['image'],
    is: `mirror.example:5000/acme/irsa:v9@${DIGEST}`,
  },
  'image.pullPolicy': { seen: (pod) => container(pod)['imagePullPolicy'], is: 'Always' },
  imagePullSecrets: { seen: (pod) => pod.spec['imagePullSecrets'], is: [{ name: 'registry' }] },
  extraArgs: {
    seen: (pod) => container(pod)['args'],
    is: ['run', '--lease-namespace=$(POD_NAMESPACE)', '--sweep-interval=2s', '--log-level=debug'],
  },
  extraEnv: {
    seen: (pod) => container(pod)['env'],
    is: expect.arrayContaining([expect.objectContaining({ name: 'POD_NAMESPACE' }), ...values.extraEnv]),
  },
  extraVolumes: {
    seen: (pod) => pod.spec['volumes'],
    is: expect.arrayContaining([{ name: 'ca', configMap: { name: 'ca', defaultMode: 0o644 } }]),
  },
  extraVolumeMounts: { seen: (pod) => container(pod)['volumeMounts'], is: expect.arrayContaining(values.extraVolumeMounts) },
  'podLabels, commonLabels and nameOverride': {
    seen: (pod) => pod.metadata.labels,
    is: expect.objectContaining({ ...LABEL, ...values.podLabels, team: 'platform' }),
  },
  'podAnnotations, but for the one that is its own': {
    seen: (pod) => pod.metadata.annotations,
    is: { 'example.org/scan': 'yes', 'irsa-operator.dev/restart': 'never' },
  },
  podSecurityContext: {
    seen: (pod) => pod.spec['securityContext'],
    is: expect.objectContaining({ supplementalGroups: [4242], runAsNonRoot: true }),
  },
  securityContext: {
    seen: (pod) => container(pod)['securityContext'],
    is: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: false },
  },
  resources: {
    seen: (pod) => container(pod)['resources'],
    is: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '300Mi' } },
  },
  nodeSelector: { seen: (pod) => pod.spec['nodeSelector'], is: values.nodeSelector },
  affinity: { seen: (pod) => pod.spec['affinity'], is: affinity },
  tolerations: { seen: (pod) => pod.spec['tolerations'], is: expect.arrayContaining([toleration]) },
  topologySpreadConstraints: {
    seen: (pod) => pod.spec['topologySpreadConstraints'],
    is: [
      {
        topologyKey: 'topology.kubernetes.io/zone',
        maxSkew: 1,
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: LABEL },
      },
      own,
    ],
  },
  priorityClassName: {
    seen: ({ spec }) => [spec['priorityClassName'], spec['priority']],
    is: ['system-cluster-critical', 2_000_000_000],
  },
  'the ServiceAccount of the release': { seen: ({ spec }) => spec['serviceAccountName'], is: NAME },
};
describe('of each pod', () => {
  for (const [value, { seen, is }] of Object.entries(onPods)) {
    // Contract: install-values
    test(`${value}: as the values say`, () => {
      expect(pods).toHaveLength(2);
      for (const pod of pods) expect(seen(pod)).toEqual(is);
    });
  }
});

// Contract: install-values
test('replicas and extraArgs: two processes run, and the one that leads logs as it is told', async () => {
  expect(replicas.map(({ pod }) => pod).sort()).toEqual(pods.map(({ metadata }) => metadata.name).sort());
  const says = () => replicas.some(({ log }) => log.some(({ level }) => level === 'debug'));
  await until('one logs with the level debug', says, { timeoutMs: 30_000 });
});

// Contract: install-values
test('serviceAccount.annotations and commonLabels: on the ServiceAccount', async () => {
  const { metadata } = await at(pathOf('serviceaccounts', { namespace: NAMESPACE, name: NAME }));
  expect(metadata.annotations).toMatchObject(values.serviceAccount.annotations);
  expect(metadata.labels).toMatchObject({ ...LABEL, team: 'platform' });
});

// Contract: install-values
test('podDisruptionBudget: the second eviction is refused while the first pod is not replaced', async () => {
  const evict = (pod: Pod) =>
    yard.api.call('POST', `${pathOf('pods', { namespace: NAMESPACE, name: pod.metadata.name })}/eviction`, {
      body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod.metadata.name, namespace: NAMESPACE } },
    });
  const [first, second] = pods;
  if (first === undefined || second === undefined) throw new Error('there are two');
  await evict(first);
  await expect(evict(second)).rejects.toThrow(/disruption budget/);
});

// Contract: install-values
test('networkPolicy: who may read the metrics of which pods', async () => {
  const { spec } = await at<{ spec: object }>(`/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies/${NAME}`);
  expect(spec).toEqual({
    podSelector: { matchLabels: LABEL },
    policyTypes: ['Ingress'],
    ingress: [{ from: values.networkPolicy.from, ports: [{ port: 'metrics', protocol: 'TCP' }] }],
  });
});

// Contract: install-values
test('serviceMonitor and service: the API server takes the ServiceMonitor, which finds the Service, which finds the pods', async () => {
  const monitor = await at<{ spec: object }>(`/apis/monitoring.coreos.com/v1/namespaces/${NAMESPACE}/servicemonitors/${NAME}`);
  expect(monitor.metadata.labels).toMatchObject({ release: 'prometheus' });
  expect(monitor.spec).toEqual({
    selector: { matchLabels: LABEL },
    endpoints: [{ port: 'metrics', honorLabels: true, interval: '30s', scrapeTimeout: '10s' }],
  });
  const service = await at<{ spec: { selector: object; ports: { name: string; targetPort: string }[] } }>(
    `/api/v1/namespaces/${NAMESPACE}/services/${NAME}-metrics`,
  );
  expect(service.metadata.labels).toMatchObject(LABEL);
  expect(service.metadata.annotations).toMatchObject(values.service.annotations);
  expect(service.spec.selector).toEqual(LABEL);
  expect(service.spec.ports).toMatchObject([{ name: 'metrics', targetPort: 'metrics' }]);
});

// Contract: install-values, monitors-accepted
test('prometheusRule: the API server takes the alerts, with the braces that are for Prometheus', async () => {
  const rule = await at<{ spec: object }>(`/apis/monitoring.coreos.com/v1/namespaces/${NAMESPACE}/prometheusrules/${NAME}`);
  expect(rule.metadata.labels).toMatchObject({ release: 'prometheus' });
  expect(rule.spec).toEqual(parse(readFileSync('config/prometheus/rules.yaml', 'utf8')));
  expect(JSON.stringify(rule.spec)).toContain('{{ $labels.namespace }}');
});

// Contract: install-values
test('dashboards: a ConfigMap with the pages that config/prometheus has, for a sidecar that selects by its label', async () => {
  const { data, metadata } = await at<{ data: Record<string, string> }>(
    pathOf('configmaps', { namespace: NAMESPACE, name: `${NAME}-dashboards` }),
  );
  expect(metadata.labels).toMatchObject({ dashboards: 'yes' });
  expect(metadata.annotations).toMatchObject({ grafana_folder: 'irsa' });
  const pages = readdirSync('config/prometheus/dashboards').filter((name) => name.endsWith('.json'));
  expect(pages).not.toEqual([]);
  expect(data).toEqual(Object.fromEntries(pages.map((name) => [name, readFileSync(`config/prometheus/dashboards/${name}`, 'utf8')])));
});

describe('config/prometheus, with strict validation', () => {
  const dryRun = async (change: (manifests: string) => string) => {
    const file = join(yard.testbed.folder, 'monitors.yaml');
    writeFileSync(file, change(await yard.testbed.kubectl(['kustomize', 'config/prometheus'])));
    return await yard.testbed.kubectl(['create', '--dry-run=server', '--validate=strict', '-f', file]);
  };

  // Contract: monitors-accepted
  test('is what the CRDs of prometheus-operator take', async () => {
    const created = await dryRun((manifests) => manifests);
    expect(created.trim().split('\n').toSorted()).toEqual([
      'prometheusrule.monitoring.coreos.com/irsa-operator created (server dry run)',
      'servicemonitor.monitoring.coreos.com/irsa-operator created (server dry run)',
    ]);
  });

  for (const [field, typo] of [
    ['honorLabels', 'honourLabels'],
    ['annotations', 'annotation'],
  ] as const) {
    // Contract: monitors-accepted
    test(`is refused with ${typo} in place of ${field}`, async () =>
      await expect(dryRun((manifests) => manifests.replace(`${field}:`, `${typo}:`))).rejects.toThrow(
        new RegExp(`strict decoding error: unknown field "spec\\..*${typo}"`),
      ));
  }
});

// Contract: install-values
test('extraObjects: installed, with what their templates say', async () => {
  const { data, metadata } = await at<{ data: object }>(pathOf('configmaps', { namespace: NAMESPACE, name: 'prod-extra' }));
  expect(data).toEqual({ of: 'irsa-operator' });
  expect(metadata.annotations).toMatchObject({ 'meta.helm.sh/release-name': 'prod' });
});

/** What a user with one of the roles of Kubernetes may do in a namespace. */
const rights: Record<string, { may: string[]; mayNot: string[] }> = {
  view: {
    may: ['get irsabindings', 'list irsabindings', 'watch irsabindings'],
    mayNot: ['create irsabindings', 'delete irsabindings', 'list irsagrants'],
  },
  edit: {
    may: [
      'get irsabindings',
      'create irsabindings',
      'patch irsabindings',
      'update irsabindings',
      'delete irsabindings',
      'deletecollection irsabindings',
    ],
    mayNot: ['patch irsabindings/status', 'get irsagrants', 'create irsagrants', 'patch irsagrants'],
  },
  admin: {
    may: ['create irsabindings', 'delete irsabindings'],
    mayNot: ['patch irsabindings/status', 'get irsagrants', 'create irsagrants'],
  },
};
for (const [role, { may, mayNot }] of Object.entries(rights)) {
  // Contract: install-aggregated
  test(`rbac.aggregate: who has the role ${role} of a namespace may do with bindings what ${role} says, and nothing with grants`, async () => {
    await openScene(yard.testbed, yard.api, 'tenant');
    await yard.testbed.kubectl(['create', 'rolebinding', role, '-n', 'tenant', `--clusterrole=${role}`, `--user=${role}er`]);
    const allowed = async (what: string, namespace: string) => {
      const [verb = '', resource = '', subresource] = what.split(/[ /]/);
      const part = subresource === undefined ? [] : [`--subresource=${subresource}`];
      const asked = ['auth', 'can-i', verb, `${resource}.irsa-operator.dev`, ...part, '-n', namespace, `--as=${role}er`];
      // Where the answer is no it ends with 1.
      return (await yard.testbed.kubectl(asked).catch(() => 'no')).trim();
    };
    for (const what of may) expect([what, await allowed(what, 'tenant')]).toEqual([what, 'yes']);
    for (const what of may) expect([what, await allowed(what, 'default')]).toEqual([what, 'no']);
    for (const what of mayNot) expect([what, await allowed(what, 'tenant')]).toEqual([what, 'no']);
  });
}

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { audience } from '../../src/api/schema.ts';
import { RUN_FLAGS } from '../../src/config.ts';
import { SIDECAR_LABEL } from '../monitoring/index.ts';

/** What the chart has as defaults, because config has it: an installation by Helm is that by kustomize. */
const deployment = parse(readFileSync('config/manager/deployment.yaml', 'utf8')) as {
  spec: {
    replicas: number;
    template: {
      spec: {
        securityContext: object;
        topologySpreadConstraints: { labelSelector: object }[];
        containers: [{ image: string; resources: object; securityContext: object }];
      };
    };
  };
};
const pod = deployment.spec.template.spec;
const [container] = pod.containers;
const budget = parse(readFileSync('config/manager/pod-disruption-budget.yaml', 'utf8')) as { spec: { maxUnavailable: number } };
const networkPolicy = parse(readFileSync('config/network-policy/network-policy.yaml', 'utf8')) as {
  spec: { ingress: [{ from: object[] }] };
};

const text = (pattern: RegExp, description: string, value = '') => z.string().regex(pattern).default(value).describe(description);
const flag = (value: boolean, description: string) => z.boolean().default(value).describe(description);
const texts = (description: string) => z.record(z.string(), z.string()).default({}).describe(description);
/** A part of the API of Kubernetes: the API server says what is wrong in it. */
const object = (description: string, value: object = {}) =>
  z
    .record(z.string(), z.unknown())
    .default({ ...value })
    .describe(description);
const objects = (description: string, value: readonly object[] = []) =>
  z
    .array(z.record(z.string(), z.unknown()))
    .default(value.map((one) => ({ ...one })))
    .describe(description);
const group = <T extends z.ZodRawShape>(description: string, shape: T) =>
  z
    .strictObject(shape)
    .prefault({} as never)
    .describe(description);

/** A flag that does not exist is refused before a pod ends because of it. */
const FLAG = new RegExp(`^--(${Object.keys(RUN_FLAGS).join('|')})(=.*)?$`);
const NAME = /^([a-z0-9]([-a-z0-9]{0,52}[a-z0-9])?)?$/;
const DURATION = /^([0-9]+(ms|s|m|h))*$/;

/** Every value of the chart, with its default. values.yaml, values.schema.json and the table of the README are generated from this. */
export const values = z.strictObject({
  global: z
    .looseObject({ imageRegistry: z.string().default('').describe('A registry in place of that of `image.repository`: a mirror.') })
    .prefault({})
    .describe('Values that a parent chart shares with this one. Others are ignored.'),
  nameOverride: text(
    NAME,
    'The name of the chart in labels and names. It is in the selector of the Deployment, so do not change it later.',
  ),
  fullnameOverride: text(
    NAME,
    'The name of the objects. By default the name of the release, with `irsa-operator` behind it if it is not in it.',
  ),
  commonLabels: texts('Labels of every object, and of the pods.'),
  replicas: z
    .int()
    .min(1)
    .default(deployment.spec.replicas)
    .describe('How many replicas. One leads, the others are standbys with full caches.'),
  image: group('The image of irsa-operator.', {
    repository: text(/^([A-Za-z0-9.-]+(:[0-9]+)?\/)?[a-z0-9._/-]+$/, 'The image without its tag.', repositoryOf(container.image)),
    tag: text(/^(\w[\w.-]{0,127})?$/, 'Its tag. Default: the version of the chart.'),
    digest: text(/^(sha256:[a-f0-9]{64})?$/, 'Its digest, as `sha256:...`. It decides, also where a tag is set.'),
    pullPolicy: z
      .enum(['', 'Always', 'IfNotPresent', 'Never'])
      .default('')
      .describe('When the image is pulled. Default: what Kubernetes chooses.'),
  }),
  imagePullSecrets: objects('Secrets with which the image is pulled. Example: `[{name: registry}]`.'),
  serviceAccount: group('The ServiceAccount of irsa-operator.', {
    create: flag(true, 'Create the ServiceAccount. If not, create it before the release, with the name below.'),
    name: text(
      /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$/,
      'Its name. Default: the name of the objects. The policies confine this ServiceAccount.',
    ),
    annotations: texts('Its annotations.'),
  }),
  rbac: group('Permissions of others than irsa-operator.', {
    aggregate: flag(true, 'Add bindings to the roles view, edit and admin of Kubernetes. Grants are in none of them.'),
  }),
  crds: group('The CustomResourceDefinitions.', {
    enabled: flag(true, 'Install them with the release, and upgrade them with it.'),
    keep: flag(true, 'Keep them when the release is uninstalled. Without them all bindings are deleted.'),
  }),
  policies: part('The policies that confine irsa-operator. `auto`: from Kubernetes 1.30 on.', 'auto'),
  admission: part('Annotate a ServiceAccount in the request that creates it. `auto`: from Kubernetes 1.36 on.', false),
  rollout: group('What bindings with `restart.strategy: Rollout` need.', {
    enabled: flag(false, 'Allow irsa-operator to restart workloads by an annotation of their pod template.'),
  }),
  verification: group('What bindings with `verification` need.', {
    enabled: flag(false, 'Allow irsa-operator to request tokens, to prove by STS that a ServiceAccount gets its role.'),
    audiences: z
      .array(audience('An audience.').regex(/^[^'"\\]*$/))
      .min(1)
      .default(['sts.amazonaws.com'])
      .describe('The audiences of these tokens.'),
  }),
  extraArgs: z
    .array(z.string().regex(FLAG))
    .default([])
    .describe('Flags of `irsa-operator run`. Example: `[--eks-cluster-name=production]`.'),
  extraEnv: objects('Environment variables of the container.'),
  extraVolumes: objects('Volumes of the pods.'),
  extraVolumeMounts: objects('Where the container mounts them.'),
  extraObjects: objects('Manifests that are installed with the release. They may have actions of a template.'),
  podLabels: texts('Labels of the pods.'),
  podAnnotations: texts('Annotations of the pods.'),
  podSecurityContext: object('The security context of the pods.', pod.securityContext),
  securityContext: object('The security context of the container.', container.securityContext),
  resources: object('Requests and limits of the container.', container.resources),
  nodeSelector: texts('Labels of the nodes on which the pods may run.'),
  affinity: object('The affinity of the pods.'),
  tolerations: objects('Taints of nodes that the pods tolerate.'),
  topologySpreadConstraints: objects(
    'How the pods are spread. A constraint without `labelSelector` gets that of the Deployment.',
    pod.topologySpreadConstraints.map(({ labelSelector: _, ...constraint }) => constraint),
  ),
  priorityClassName: z.string().default('').describe('The PriorityClass of the pods. Example: `system-cluster-critical`.'),
  podDisruptionBudget: group('How many pods a drain of nodes may take at a time.', {
    enabled: flag(true, 'Create the PodDisruptionBudget.'),
    maxUnavailable: z
      .union([z.int().min(0), z.string().regex(/^[0-9]{1,3}%$/)])
      .default(budget.spec.maxUnavailable)
      .describe('A number of pods, or a percentage.'),
  }),
  service: group('The Service of the metrics.', { annotations: texts('Its annotations.') }),
  serviceMonitor: group('For prometheus-operator. Its CRDs must be installed first.', {
    enabled: flag(false, 'Create a ServiceMonitor.'),
    labels: texts('Its labels: what your Prometheus selects by.'),
    interval: text(DURATION, 'How often it scrapes. Default: that of Prometheus.'),
    scrapeTimeout: text(DURATION, 'How long a scrape may take. Default: that of Prometheus.'),
  }),
  prometheusRule: group('The alerts, for prometheus-operator. Its CRDs must be installed first.', {
    enabled: flag(false, 'Create a PrometheusRule.'),
    labels: texts('Its labels: what your Prometheus selects by.'),
  }),
  dashboards: group('The dashboards, as a ConfigMap for the sidecar of Grafana.', {
    enabled: flag(false, 'Create the ConfigMap.'),
    labels: z
      .record(z.string(), z.string())
      .default({ ...SIDECAR_LABEL })
      .describe('Its labels: what the sidecar selects by.'),
    annotations: texts('Its annotations. Example: `{grafana_folder: irsa-operator}`.'),
  }),
  networkPolicy: group('Who reaches the pods: the port of the metrics alone, and probes of the node.', {
    enabled: flag(false, 'Create the NetworkPolicy.'),
    from: objects('Who may read the metrics. Empty: every pod.', networkPolicy.spec.ingress[0].from),
  }),
});

function part(description: string, value: boolean | 'auto') {
  return z
    .union([z.boolean(), z.literal('auto')])
    .default(value)
    .describe(`${description} \`true\` fails on an older one, \`auto\` leaves them out and says so.`);
}

function repositoryOf(image: string): string {
  return image.replace(/(@[^/]*|:[^/]*)$/, '');
}

export interface Field {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Field>>;
}

/** Draft 7 is what Helm reads in every version. */
export function valuesSchema(): Field & Record<string, unknown> {
  const override = ({ jsonSchema }: { jsonSchema: { maximum?: number | undefined } }) => {
    // The largest whole number of JavaScript is no limit of a value.
    if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  };
  return z.toJSONSchema(values, { target: 'draft-7', io: 'input', override }) as Field & Record<string, unknown>;
}

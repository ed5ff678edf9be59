import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { DASHBOARDS, PROMETHEUS_RULE } from '../monitoring/index.ts';
import { included, type Lines, type Manifest, manifestsIn, more, optional, where } from './template.ts';

/** Kinds that are in a namespace: that of the release. */
const NAMESPACED = [
  'ServiceAccount',
  'Role',
  'RoleBinding',
  'Deployment',
  'Service',
  'PodDisruptionBudget',
  'NetworkPolicy',
  'ServiceMonitor',
  'PrometheusRule',
  'ConfigMap',
];
const ADMISSION = /^(Validating|Mutating)AdmissionPolicy(Binding)?$/;
const NAMESPACE = '{{ .Release.Namespace }}';
const SERVICE_ACCOUNT = '{{ include "irsa-operator.serviceAccountName" . }}';

/** The templates, by file name: the manifests that kustomize builds, with the values of the chart in place of what an overlay would change. */
export function templates(): Record<string, string> {
  const manager = (name: string) => manifestsOf(`config/manager/${name}.yaml`);
  return {
    'crds.yaml': where(
      '.Values.crds.enabled',
      together(['crds/irsabindings.yaml', 'crds/irsagrants.yaml', 'crds/irsaaccounts.yaml'].flatMap(crd)),
    ),
    'service-account.yaml': where(
      '.Values.serviceAccount.create',
      together(manifestsOf('config/rbac/service-account.yaml').map(serviceAccount)),
    ),
    'rbac.yaml': together(['role', 'role-binding'].flatMap((name) => manifestsOf(`config/rbac/${name}.yaml`))),
    'rbac-aggregated.yaml': where('.Values.rbac.aggregate', together(manifestsOf('config/rbac/aggregated.yaml'))),
    'policies.yaml': where(
      'include "irsa-operator.policies" .',
      together(
        ['binding', 'status', 'service-account', 'workload', 'revocations'].flatMap((name) => manifestsOf(`config/policies/${name}.yaml`)),
      ),
    ),
    'admission.yaml': where(
      'include "irsa-operator.admission" .',
      together(['policy', 'policy-binding'].flatMap((name) => manifestsOf(`config/admission/${name}.yaml`))),
    ),
    'rollout.yaml': where('include "irsa-operator.rollout" .', together(manifestsOf('config/rollout/rbac.yaml'))),
    'verification.yaml': where(
      'include "irsa-operator.verification" .',
      together(
        ['policy', 'policy-binding', 'role', 'role-binding']
          .flatMap((name) => manifestsOf(`config/verification/${name}.yaml`))
          .map(audiences),
      ),
    ),
    'deployment.yaml': `{{- include "irsa-operator.check" . }}\n${together(manager('deployment').map(deployment))}`,
    'service.yaml': together(
      manager('service')
        .map(selecting(['spec', 'selector']))
        .map(service),
    ),
    'pod-disruption-budget.yaml': where(
      '.Values.podDisruptionBudget.enabled',
      together(
        manager('pod-disruption-budget')
          .map(selecting(['spec', 'selector', 'matchLabels']))
          .map(budget),
      ),
    ),
    'network-policy.yaml': where(
      '.Values.networkPolicy.enabled',
      together(
        manifestsOf('config/network-policy/network-policy.yaml')
          .map(selecting(['spec', 'podSelector', 'matchLabels']))
          .map(networkPolicy),
      ),
    ),
    'service-monitor.yaml': where(
      '.Values.serviceMonitor.enabled',
      together(
        manifestsOf('config/prometheus/service-monitor.yaml')
          .map(selecting(['spec', 'selector', 'matchLabels']))
          .map(serviceMonitor),
      ),
    ),
    'prometheus-rule.yaml': where('.Values.prometheusRule.enabled', together(generated(PROMETHEUS_RULE).map(prometheusRule))),
    'dashboards.yaml': where('.Values.dashboards.enabled', together(generated(DASHBOARDS).map(dashboards))),
    'extra-objects.yaml': '{{- range .Values.extraObjects }}\n---\n{{ tpl (toYaml .) $ }}\n{{- end }}\n',
  };
}

function manifestsOf(path: string): Manifest[] {
  return placed(readFileSync(path, 'utf8'));
}

/** What has its source beside this folder. */
function generated(object: object): Manifest[] {
  return placed(stringify(object));
}

function placed(text: string): Manifest[] {
  const manifests = manifestsIn(text);
  for (const manifest of manifests) installed(manifest);
  return manifests;
}

function together(manifests: readonly Manifest[]): string {
  return manifests.map(String).join('---\n');
}

/** Everything that follows from where and under which name the release is installed. */
function installed(manifest: Manifest): void {
  const { kind } = manifest;
  manifest.set(['metadata', 'name'], nameOf(kind, String(manifest.get(['metadata', 'name']))));
  if (NAMESPACED.includes(kind)) manifest.set(['metadata', 'namespace'], NAMESPACE);
  manifest.members(['metadata', 'labels'], included('labels'), { after: hasOwnLabels(manifest) });
  if (manifest.has(['roleRef'])) {
    manifest.set(['roleRef', 'name'], nameOf(String(manifest.get(['roleRef', 'kind'])), String(manifest.get(['roleRef', 'name']))));
    manifest.set(['subjects', 0, 'name'], SERVICE_ACCOUNT);
    manifest.set(['subjects', 0, 'namespace'], NAMESPACE);
  }
  if (manifest.has(['spec', 'policyName']))
    manifest.set(['spec', 'policyName'], nameOf(kind, String(manifest.get(['spec', 'policyName']))));
  if (manifest.has(['spec', 'paramRef', 'name'])) {
    manifest.set(['spec', 'paramRef', 'name'], SERVICE_ACCOUNT);
    manifest.set(['spec', 'paramRef', 'namespace'], NAMESPACE);
  }
}

/** Those of an aggregated role. The label of the name is one of the chart's. */
const hasOwnLabels = (manifest: Manifest) => manifest.kind === 'ClusterRole' && manifest.has(['metadata', 'labels']);

/** `irsa-operator-bindings` has the name of the release for `irsa-operator`. irsa-operator recognizes a policy by its name, which stays in it. */
function nameOf(kind: string, name: string): string {
  if (kind === 'ServiceAccount') return SERVICE_ACCOUNT;
  const helper = ADMISSION.test(kind) ? 'policyPrefix' : 'fullname';
  return name.replace('irsa-operator', `{{ include "irsa-operator.${helper}" . }}`);
}

function crd(path: string): Manifest[] {
  const withoutHeader = readFileSync(path, 'utf8').replace(/^#.*\n/, '');
  return manifestsIn(withoutHeader).map((manifest) => {
    manifest.members(['metadata', 'labels'], included('labels'));
    // Without them every binding is deleted, and with each the trust of its pods.
    manifest.members(['metadata'], () => ['{{- if .Values.crds.keep }}', 'annotations:', '  helm.sh/resource-policy: keep', '{{- end }}'], {
      after: true,
    });
    return manifest;
  });
}

function serviceAccount(manifest: Manifest): Manifest {
  manifest.members(['metadata'], optional('annotations', '.Values.serviceAccount.annotations'), { after: true });
  return manifest;
}

/** Their policy lists them, as a list of CEL. */
function audiences(manifest: Manifest): Manifest {
  if (manifest.kind === 'ValidatingAdmissionPolicy')
    manifest.set(['spec', 'variables', 0, 'expression'], `{{ printf "['%s']" (join "', '" .Values.verification.audiences) | quote }}`);
  return manifest;
}

const selecting = (path: readonly string[]) => (manifest: Manifest) => {
  manifest.members(path, included('selectorLabels'));
  return manifest;
};

function service(manifest: Manifest): Manifest {
  manifest.members(['metadata'], optional('annotations', '.Values.service.annotations'), { after: true });
  return manifest;
}

function budget(manifest: Manifest): Manifest {
  manifest.set(['spec', 'maxUnavailable'], '{{ .Values.podDisruptionBudget.maxUnavailable }}');
  return manifest;
}

function networkPolicy(manifest: Manifest): Manifest {
  manifest.remove(['spec', 'ingress', 0, 'from']);
  manifest.members(['spec', 'ingress', '0'], optional('from', '.Values.networkPolicy.from'), { after: true });
  return manifest;
}

function serviceMonitor(manifest: Manifest): Manifest {
  manifest.members(['metadata', 'labels'], more('.Values.serviceMonitor.labels'), { after: true });
  const endpoint = () => [
    ...optionalText('interval', '.Values.serviceMonitor.interval'),
    ...optionalText('scrapeTimeout', '.Values.serviceMonitor.scrapeTimeout'),
  ];
  manifest.members(['spec', 'endpoints', '0'], endpoint, { after: true });
  return manifest;
}

/** Their texts have the braces of Prometheus: the file is no template. */
function prometheusRule(manifest: Manifest): Manifest {
  manifest.members(['metadata', 'labels'], more('.Values.prometheusRule.labels'), { after: true });
  manifest.members(['spec'], (at) => [`{{- .Files.Get "files/rules.yaml" | nindent ${at} }}`]);
  return manifest;
}

function dashboards(manifest: Manifest): Manifest {
  manifest.members(['metadata', 'labels'], more('.Values.dashboards.labels'), { after: true });
  manifest.members(['metadata'], optional('annotations', '.Values.dashboards.annotations'), { after: true });
  manifest.members(['data'], (at) => [`{{- (.Files.Glob "files/dashboards/*.json").AsConfig | nindent ${at} }}`]);
  return manifest;
}

const optionalText = (name: string, value: string) => [`{{- with ${value} }}`, `${name}: {{ . | quote }}`, '{{- end }}'];

const POD = ['spec', 'template', 'spec'];
const CONTAINER = [...POD, 'containers', '0'];

function deployment(manifest: Manifest): Manifest {
  manifest.set(['spec', 'replicas'], '{{ .Values.replicas }}');
  manifest.members(['spec', 'selector', 'matchLabels'], included('selectorLabels'));
  manifest.members(['spec', 'template', 'metadata', 'labels'], included('podLabels'));
  manifest.members(['spec', 'template', 'metadata', 'annotations'], included('podAnnotations'));
  manifest.set([...POD, 'serviceAccountName'], SERVICE_ACCOUNT);
  for (const field of ['securityContext', 'topologySpreadConstraints']) manifest.remove([...POD, field]);
  for (const field of ['resources', 'securityContext']) manifest.remove([...CONTAINER, field]);
  manifest.set([...CONTAINER, 'image'], '{{ include "irsa-operator.image" . }}');
  manifest.entries([...CONTAINER, 'args'], more('.Values.extraArgs'));
  manifest.entries([...CONTAINER, 'env'], more('.Values.extraEnv'));
  const container: Lines = (at) => [
    ...optionalText('imagePullPolicy', '.Values.image.pullPolicy'),
    ...optional('resources')(at),
    ...optional('securityContext')(at),
    ...optional('volumeMounts', '.Values.extraVolumeMounts')(at),
  ];
  manifest.members(CONTAINER, container, { after: true });
  const pod: Lines = (at) => [
    ...optional('imagePullSecrets')(at),
    ...optional('securityContext', '.Values.podSecurityContext')(at),
    ...optionalText('priorityClassName', '.Values.priorityClassName'),
    ...['nodeSelector', 'affinity', 'tolerations'].flatMap((name) => optional(name)(at)),
    '{{- with .Values.topologySpreadConstraints }}',
    'topologySpreadConstraints:',
    '  {{- range . }}',
    '  {{- $pods := dict "matchLabels" (include "irsa-operator.selectorLabels" $ | fromYaml) }}',
    `  {{- list (hasKey . "labelSelector" | ternary . (merge (dict "labelSelector" $pods) .)) | toYaml | nindent ${at + 2} }}`,
    '  {{- end }}',
    '{{- end }}',
    ...optional('volumes', '.Values.extraVolumes')(at),
  ];
  manifest.members(POD, pod, { after: true });
  return manifest;
}

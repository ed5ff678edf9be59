{{- define "irsa-operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name -}}
{{- end -}}

{{/* Some names have a suffix, and 63 characters at most. */}}
{{- define "irsa-operator.fullname" -}}
{{- $name := include "irsa-operator.name" . -}}
{{- $release := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- .Values.fullnameOverride | default $release | trunc 54 | trimSuffix "-" -}}
{{- end -}}

{{/* irsa-operator recognizes its policies by "irsa-operator-bindings" and so on: that stays whole, whatever the release is called. */}}
{{- define "irsa-operator.policyPrefix" -}}
{{- $name := include "irsa-operator.fullname" . -}}
{{- hasSuffix "irsa-operator" $name | ternary $name (printf "%s-irsa-operator" $name) -}}
{{- end -}}

{{- define "irsa-operator.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (include "irsa-operator.fullname" .) -}}
{{- end -}}

{{/* The selector of a Deployment cannot be changed: nothing is in it that a release may change. */}}
{{- define "irsa-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "irsa-operator.name" . }}
{{- end -}}

{{- define "irsa-operator.labels" -}}
{{- $own := include "irsa-operator.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/instance" .Release.Name -}}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") -}}
{{- merge $own .Values.commonLabels | toYaml -}}
{{- end -}}

{{- define "irsa-operator.podLabels" -}}
{{- merge (include "irsa-operator.selectorLabels" . | fromYaml) .Values.podLabels .Values.commonLabels | toYaml -}}
{{- end -}}

{{/* irsa-operator restarts other pods, never itself. */}}
{{- define "irsa-operator.podAnnotations" -}}
{{- merge (dict "irsa-operator.dev/restart" "never") .Values.podAnnotations | toYaml -}}
{{- end -}}

{{/* A registry is what stands before the first slash, if it has a dot or a port. */}}
{{- define "irsa-operator.image" -}}
{{- $path := .Values.image.repository -}}
{{- with (.Values.global).imageRegistry -}}
{{- $parts := splitList "/" $path -}}
{{- if and (gt (len $parts) 1) (regexMatch "[.:]|^localhost$" (first $parts)) -}}
{{- $path = rest $parts | join "/" -}}
{{- end -}}
{{- $path = printf "%s/%s" (trimSuffix "/" .) $path -}}
{{- end -}}
{{- $tag := .Values.image.tag | default (.Values.image.digest | empty | ternary .Chart.AppVersion "") -}}
{{- $path -}}
{{- with $tag }}:{{ . }}{{ end -}}
{{- with .Values.image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/*
"true" where a part is installed. A value of true on a cluster that does not serve its kind ends it, with the name of the part.
A cluster lists the kinds that it serves. Without one, as for helm template, the version decides.
*/}}
{{- define "irsa-operator.part" -}}
{{- $capabilities := .root.Capabilities -}}
{{- $served := semverCompare (printf ">=%s-0" .since) $capabilities.KubeVersion.Version -}}
{{- if $capabilities.APIVersions.Has "v1/Pod" -}}
{{- $served = $capabilities.APIVersions.Has (printf "admissionregistration.k8s.io/v1/%s" .kind) -}}
{{- end -}}
{{- if and (eq (toString .value) "true") (not $served) -}}
{{- fail (printf "%s is true, and this Kubernetes (%s) serves no %s, as Kubernetes %s and newer do. Set %s to auto or false" .name $capabilities.KubeVersion.Version .kind .since .name) -}}
{{- end -}}
{{- if and $served (ne (toString .value) "false") -}}true{{- end -}}
{{- end -}}

{{- define "irsa-operator.policies" -}}
{{- include "irsa-operator.part" (dict "root" . "name" "policies" "kind" "ValidatingAdmissionPolicy" "since" "1.30" "value" .Values.policies) -}}
{{- end -}}

{{- define "irsa-operator.admission" -}}
{{- include "irsa-operator.part" (dict "root" . "name" "admission" "kind" "MutatingAdmissionPolicy" "since" "1.36" "value" .Values.admission) -}}
{{- end -}}

{{/* A permission that a policy limits never comes without the policy. */}}
{{- define "irsa-operator.limited" -}}
{{- if and .value (eq (toString .root.Values.policies) "false") -}}
{{- fail (printf "%s needs the policies that limit it. Set policies to auto or true" .name) -}}
{{- end -}}
{{- if .value -}}{{- include "irsa-operator.policies" .root -}}{{- end -}}
{{- end -}}

{{- define "irsa-operator.rollout" -}}
{{- include "irsa-operator.limited" (dict "root" . "name" "rollout.enabled" "value" .Values.rollout.enabled) -}}
{{- end -}}

{{- define "irsa-operator.verification" -}}
{{- include "irsa-operator.limited" (dict "root" . "name" "verification.enabled" "value" .Values.verification.enabled) -}}
{{- end -}}

{{/* Two installations would stop each other: only the ServiceAccount of one may write a status. Its policy says which one that is. */}}
{{- define "irsa-operator.check" -}}
{{- $ours := printf "%s/%s" .Release.Namespace (include "irsa-operator.serviceAccountName" .) -}}
{{- $found := dict -}}
{{- if .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding" -}}
{{- $found = lookup "admissionregistration.k8s.io/v1" "ValidatingAdmissionPolicyBinding" "" "" -}}
{{- end -}}
{{- range $found.items -}}
{{- $annotations := .metadata.annotations | default dict -}}
{{- $isOfThisRelease := and (eq (get $annotations "meta.helm.sh/release-name") $.Release.Name) (eq (get $annotations "meta.helm.sh/release-namespace") $.Release.Namespace) -}}
{{- if and (contains "irsa-operator-status" .spec.policyName) .spec.paramRef (not $isOfThisRelease) -}}
{{- $theirs := printf "%s/%s" .spec.paramRef.namespace .spec.paramRef.name -}}
{{- if ne $theirs $ours -}}
{{- fail (printf "another irsa-operator is installed in this cluster, with the ServiceAccount %s. A cluster has one. Uninstall that one first, or upgrade it: helm list -A" $theirs) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

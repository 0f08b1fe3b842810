{{- define "trustbuilder-mfa-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Short enough for the longest suffix, -mfaconnection-edit. */}}
{{- define "trustbuilder-mfa-operator.fullname" -}}
{{- $name := include "trustbuilder-mfa-operator.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 44 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 44 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 44 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "trustbuilder-mfa-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "trustbuilder-mfa-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "trustbuilder-mfa-operator.labels" -}}
{{ include "trustbuilder-mfa-operator.selectorLabels" . }}
app.kubernetes.io/part-of: trustbuilder-mfa-operator
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "trustbuilder-mfa-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "trustbuilder-mfa-operator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "trustbuilder-mfa-operator.subjects" -}}
subjects:
- kind: ServiceAccount
  name: {{ include "trustbuilder-mfa-operator.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{- define "trustbuilder-mfa-operator.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* What the schema can't say, or not in words that help. */}}
{{- define "trustbuilder-mfa-operator.validate" -}}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) }}
{{- fail "replicaCount: more than one replica needs leaderElection.enabled, or all of them work at once and get into each other's way" }}
{{- end }}
{{- $own := dict "watch-namespaces" "watchNamespaces" "leader-elect" "leaderElection.enabled" "metrics-bind-address" "metrics.enabled" }}
{{- range $arg := .Values.extraArgs }}
{{- $flag := first (splitList "=" (trimPrefix "--" $arg)) }}
{{- if hasKey $own $flag }}
{{- fail (printf "extraArgs: --%s has a value of its own, %s, and rights, ports or probes that go with it" $flag (get $own $flag)) }}
{{- end }}
{{- if eq $flag "health-probe-bind-address" }}
{{- fail "extraArgs: --health-probe-bind-address is the chart's own: the Pod's probes go to that port" }}
{{- end }}
{{- end }}
{{- range $label, $_ := fromYaml (include "trustbuilder-mfa-operator.selectorLabels" .) }}
{{- if hasKey (default dict $.Values.podLabels) $label }}
{{- fail (printf "podLabels: %s is the chart's own: the Deployment finds its Pods by it" $label) }}
{{- end }}
{{- end }}
{{- with .Values.podDisruptionBudget }}
{{- if and .enabled (kindIs "invalid" .minAvailable) (kindIs "invalid" .maxUnavailable) }}
{{- fail "podDisruptionBudget: give minAvailable or maxUnavailable" }}
{{- end }}
{{- end }}
{{- if .Values.watchNamespaces }}
{{- range .Values.connections }}
{{- $in := default $.Release.Namespace .namespace }}
{{- if not (has $in $.Values.watchNamespaces) }}
{{- fail (printf "connections: %s would be in %s, which watchNamespaces does not list, so the operator would never see it; give it a namespace that is watched" .name $in) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.rbac.create (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) }}
{{- fail "serviceAccount.name: name the account that is there; the default one is that of every Pod, which would all get the operator's rights" }}
{{- end }}
{{- end }}

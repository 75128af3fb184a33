{{/* Names, labels and addresses. Partials that are about one component take (dict "root" $ "component" "search"). */}}

{{- define "headwater.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* 40 characters: with "-embedding-worker" and a pod's own suffix a name stays below 63. */}}
{{- define "headwater.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "headwater.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "headwater.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "headwater.componentName" -}}
{{- printf "%s-%s" (include "headwater.fullname" .root) .component -}}
{{- end }}

{{/* What selects the pods of a component; never changes over upgrades. */}}
{{- define "headwater.selectorLabels" -}}
app.kubernetes.io/name: {{ include "headwater.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "headwater.labels" -}}
{{ include "headwater.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: headwater
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Of pods: without the chart's version, whose change alone need not restart them. */}}
{{- define "headwater.podLabels" -}}
{{ include "headwater.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: headwater
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* A component's name in the values: embedding-worker is embeddingWorker there. */}}
{{- define "headwater.valuesKey" -}}
{{- . | replace "-" "_" | camelcase | untitle -}}
{{- end }}

{{/* A component's own values, as YAML: `include … | fromYaml`. */}}
{{- define "headwater.componentValues" -}}
{{- index .root.Values (include "headwater.valuesKey" .component) | toYaml -}}
{{- end }}

{{/* The port that callers speak to. */}}
{{- define "headwater.port" -}}
{{- get (dict "ingest" "7001" "embedding-worker" "7002" "search" "7003" "generation" "7004" "scaler" "7005" "gateway" "8080") . -}}
{{- end }}

{{- define "headwater.portName" -}}
{{- ternary "http" "grpc" (eq . "gateway") -}}
{{- end }}

{{/* The DNS name of a component within the cluster, and its identity in certificates. */}}
{{- define "headwater.host" -}}
{{- printf "%s.%s.svc" (include "headwater.componentName" .) .root.Release.Namespace -}}
{{- end }}

{{/* A name within the cluster with the cluster's domain, where that is known: (list $ "search.rag.svc"). */}}
{{- define "headwater.wholeName" -}}
{{- $root := index . 0 -}}
{{- $host := index . 1 -}}
{{- empty $root.Values.clusterDomain | ternary $host (printf "%s.%s" $host $root.Values.clusterDomain) -}}
{{- end }}

{{- define "headwater.address" -}}
{{- printf "%s:%s" (include "headwater.wholeName" (list .root (include "headwater.host" .))) (include "headwater.port" .component) -}}
{{- end }}

{{/* Where each pod of the gateway tells its load to the scaler, on a port that no ingress leads to. */}}
{{- define "headwater.gatewayLoadHost" -}}
{{- printf "%s-load.%s.svc" (include "headwater.componentName" (dict "root" . "component" "gateway")) .Release.Namespace -}}
{{- end }}

{{- define "headwater.serviceAccountName" -}}
{{- $account := (include "headwater.componentValues" . | fromYaml).serviceAccount | default dict -}}
{{- default (include "headwater.componentName" .) $account.name -}}
{{- end }}

{{/* The components that are deployed, as a JSON list: `include … | fromJsonArray`. The scaler serves KEDA alone. */}}
{{- define "headwater.components" -}}
{{- $components := list "ingest" "embedding-worker" "search" "generation" "gateway" -}}
{{- if eq .Values.autoscaling.mode "keda" }}{{ $components = append $components "scaler" }}{{ end -}}
{{- $components | toJson -}}
{{- end }}

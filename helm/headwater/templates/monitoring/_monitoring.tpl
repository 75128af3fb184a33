{{/* What Prometheus' operator looks for beside the release's own labels: (dict "root" $ "labels" .Values…labels). */}}
{{- define "headwater.monitoringLabels" -}}
{{ include "headwater.labels" (dict "root" .root "component" "monitoring") }}
{{- with .labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Every pod and Service of the release that has a port "metrics". */}}
{{- define "headwater.scrapeSelector" -}}
matchLabels:
  app.kubernetes.io/name: {{ include "headwater.name" . }}
  app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "headwater.scrapeEndpoint" -}}
port: metrics
path: /metrics
interval: {{ .interval }}
scrapeTimeout: {{ .scrapeTimeout }}
# `service` is in the metrics themselves, and says ingest, not the name of a Kubernetes Service.
honorLabels: true
relabelings:
  - {targetLabel: job, replacement: headwater}
{{- end }}
